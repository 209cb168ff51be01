"""D-30, 14, 7, 1 and 0: who is told, when, and that nobody is told twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.center.world import HONG, KIM, World, party, told
from tests.npki import certs

from ingam.adapters.certification.absent import AbsentCertification
from ingam.customer.notice import SMS, deliver_sms
from ingam.customer.notice.wishes import Wish, Wishes
from ingam.kernel.instants import KST
from ingam.kernel.secret import Secret
from ingam.npki.certificate import Certificate
from ingam.ports.certification import Certification, CertificationOutage, EverIssued, IssuedCertificate, Standing
from ingam.ports.store import Save, Update
from ingam.run.expiring import Expiring, expiring
from ingam.run.worker import once
from ingam.settings import Settings


@dataclass
class Authority(AbsentCertification):
    """An authority whose CA is the tests' own, and what it says of the certificates that it issued."""

    standing: Standing = Standing.VALID
    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def authorities(self) -> tuple[bytes, ...]:
        if self.down:
            raise CertificationOutage
        return (certs.ca().certificate.der,)

    async def issued(self, idn: Secret[str]) -> EverIssued:
        self.asked.append(idn.reveal())
        return EverIssued.of([_issued(party().certificate, self.standing)])


def _issued(one: Certificate, standing: Standing) -> IssuedCertificate:
    return IssuedCertificate(
        serial=f"{one.serial:x}", fingerprint=one.fingerprint.hex(), subject=str(one.subject), through="",
        profile="securities", policy="1.2", issued_at=one.not_before, not_before=one.not_before,
        not_after=one.not_after, standing=standing, issuer_name=one.issuer.raw, subject_name=one.subject.raw,
    )  # fmt: skip


def rounds(world: World, authority: Certification | None = None) -> Expiring:
    return expiring(Settings(mode="test"), replace(world.ports, certification=authority))


async def heard(world: World) -> list[str]:
    """Every text that left, oldest first."""
    while await once(world.ports.store, {SMS: deliver_sms(world.phone)}, world.clock):
        pass
    return [sms.text for sms in world.phone.sent.values()]


def before(days: int, hour: int = 9) -> datetime:
    end = party().certificate.not_after.astimezone(KST)
    return end.replace(hour=hour, minute=0, second=0, microsecond=0) - timedelta(days=days)


async def year(world: World, rounds: Expiring, step: timedelta = timedelta(hours=5)) -> list[str]:
    """Rounds from now to after the end; all that was heard."""
    while world.clock.at < before(-3):
        await rounds.once()
        world.clock.at += step
    return await heard(world)


def test_of_a_certificate_of_another_authority_five_days_are_told_once_each(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        texts = await year(world, rounds(world))
        assert [text.partition(")가 ")[2].split("(")[0] for text in texts] == [
            "30일 뒤", "14일 뒤", "7일 뒤", "1일 뒤", "오늘",
        ]  # fmt: skip
        assert all("발급받은 기관에서 갱신" in text and "2027-04-17" in text for text in texts)

    told(store_url, tmp_path, story)


def test_of_our_own_the_way_out_is_renewal_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        world.clock.at = before(30)
        assert await rounds(world, Authority()).once() == 1
        (text,) = await heard(world)
        assert "인증센터에서 갱신" in text and "등록된" not in text

    told(sqlite_url, tmp_path, story)


def test_two_processes_and_a_second_round_tell_once(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        world.clock.at = before(14)
        await asyncio.gather(*(rounds(world).once() for _ in range(3)))
        await rounds(world).once()
        assert len(await heard(world)) == 1

    told(store_url, tmp_path, story)


def test_at_night_nothing_is_looked_at_and_in_the_morning_it_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        world.clock.at = before(30, hour=21)
        assert await rounds(world).once() == 0
        world.clock.at = before(29, hour=8)
        assert await rounds(world).once() == 1
        assert "29일 뒤" in (await heard(world))[0]

    told(sqlite_url, tmp_path, story)


def test_an_authority_that_does_not_answer_is_asked_again_and_nobody_behind_waits(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await world.bind(KIM, party(KIM, key_name="rsa2048-03", serial=7))
        world.clock.at = before(7)
        authority = Authority(down=True)
        assert await rounds(world, authority).once() == 0
        authority.down = False
        assert await rounds(world, authority).once() == 0  # an hour later
        world.clock.forward(3600)
        assert await rounds(world, authority).once() == 2

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(("standing", "told_of"), [(Standing.VALID, 1), (Standing.REVOKED, 0)])
def test_of_one_that_is_registered_no_longer_the_authority_is_asked(
    sqlite_url: str, tmp_path: Path, standing: Standing, told_of: int
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        (row,) = await world.rows("binding")
        released = Update("binding", {"binding_id": row["binding_id"]}, {"status": "RELEASED"})
        await world.ports.store.save(Save(rows=[released]))
        world.clock.at = before(1)
        authority = Authority(standing)
        assert await rounds(world, authority).once() == told_of
        assert authority.asked == [HONG.idn.reveal()]

    told(sqlite_url, tmp_path, story)


def test_of_a_stale_one_and_of_anothers_that_was_released_nobody_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        (row,) = await world.rows("binding")
        for status in ("STALE", "RELEASED"):
            change = Update("binding", {"binding_id": row["binding_id"]}, {"status": status, "remind_at": before(99)})
            await world.ports.store.save(Save(rows=[change]))
            world.clock.at = before(1)
            assert await rounds(world).once() == 0
        assert await heard(world) == []

    told(sqlite_url, tmp_path, story)


def test_who_does_without_is_not_told_and_in_english_who_wants_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        wishes, now = Wishes(world.ports.store, world.ports.fields), world.clock.now()
        for who, expiry, key, serial in ((HONG, False, "rsa2048-02", 5), (KIM, True, "rsa2048-03", 7)):
            await world.bind(who, party(who, key_name=key, serial=serial))
            change = await wishes.wish(who.customer_id, Wish("en", mails=True, expiry=expiry, logins=False), now)
            await world.ports.store.save(Save(rows=[change]))
        world.clock.at = before(0)
        assert await rounds(world).once() == 1
        (text,) = await heard(world)
        assert "expires today (2027-04-17)" in text and text.startswith("[Securities Finance]")

    told(sqlite_url, tmp_path, story)
