"""폐지 of a certificate of our own authority that is not registered here: whose it is, once, and only a valid one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.center.management.manager import TASK, Authority, Manager, manager
from tests.center.world import HONG, World, party, told
from tests.npki import certs

from ingam.kernel.secret import Secret
from ingam.ports.certification import CertificationOutage, EverIssued, IssuedCertificate, Standing

SERIAL = 0xBEEF
HOLDER = certs.name(("C", "KR"), ("CN", "홍길동"))
OLDER = certs.name(("C", "KR"), ("O", "SignKorea"), ("OU", "AccreditedCA"), ("CN", "SignKorea CA1 (test)"))


def paper(world: World, serial: int = SERIAL, **facts: object) -> IssuedCertificate:
    """A certificate that 홍길동 was given elsewhere."""
    now: datetime = world.clock.now()
    made = IssuedCertificate(
        f"{serial:x}", f"{serial:064x}", "CN=홍길동", "다른 지점", "securities", "1.2.410.200004.5.1.1.9", now, now,
        now + timedelta(days=300), Standing.VALID,
        issuer_name=certs.ca().certificate.subject.raw, subject_name=HOLDER,
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


@dataclass
class Knowing(Authority):
    """An authority of two names that knows what it issued to whom."""

    papers: dict[str, list[IssuedCertificate]] = field(default_factory=dict)
    older: bool = False
    tried: int = 0
    strangers: list[tuple[int, int]] = field(default_factory=list)
    """What was done to somebody else's certificate, of this very serial under the newer name."""

    async def authorities(self) -> tuple[bytes, ...]:
        issuing = (*await super().authorities(), certs.root().certificate.der)
        return issuing if not self.older else (*issuing[:1], certs.ca(subject=OLDER).certificate.der, *issuing[1:])

    async def issued(self, idn: Secret[str]) -> EverIssued:
        if self.down:
            raise CertificationOutage
        return EverIssued.of(self.papers.get(idn.reveal(), []))

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        self.tried += 1
        assert subject == HOLDER
        if self.older and issuer == certs.ca().certificate.subject.raw:
            self.strangers.append((serial, reason))
            return
        if self.older:
            assert issuer == OLDER
            self.asked.append((serial, reason))
            return
        await super().revoke(issuer, serial, reason, subject)


async def holder(world: World, *papers: IssuedCertificate, older: bool = False) -> tuple[Manager, Knowing]:
    mine = paper(world, issuer_name=OLDER) if older else paper(world)
    authority = Knowing(papers={HONG.idn.reveal(): list(papers or [mine])}, older=older)
    return await manager(world, authority), authority


async def begin(one: Manager, fingerprint: str, reason: str = "key") -> str:
    await one.look("/management/revocation")
    fields = {"kind": "revocation", "certificate": fingerprint} | ({"reason": reason} if reason else {})
    return await one.post(f"{TASK}/begin", fields)


@pytest.mark.parametrize("older", [False, True])
def test_it_is_shown_proved_for_and_revoked_and_the_registered_one_stays(
    store_url: str, tmp_path: Path, *, older: bool
) -> None:
    async def story(world: World) -> None:
        one, authority = await holder(world, older=older)
        page = await one.look("/management/revocation")
        assert "여기에 등록되지 않은 인증서" in page and "다른 지점" in page and "beef" in page
        await begin(one, paper(world).fingerprint)
        await one.prove()
        assert "beef" in await one.look(TASK)
        assert "폐지했습니다" in await one.finish() and authority.asked == []
        (text,) = [text for text in await one.heard() if "폐지했습니다" in text]
        assert "증권" in text and authority.asked == [(SERIAL, 1)]
        assert authority.strangers == [] and await one.statuses() == ["ACTIVE"]
        assert await world.results("management.revocation") == ["ok"] == await world.results("management.authority")

    told(store_url, tmp_path, story)


def test_without_a_proof_or_a_reason_nothing_is_revoked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, authority = await holder(world)
        page = await begin(one, paper(world).fingerprint, reason="")
        assert "폐지 사유를 골라 주세요." in page and f'id="reason-{paper(world).fingerprint[:8]}-error"' in page
        await begin(one, paper(world).fingerprint)
        await one.finish()
        await one.heard()
        assert authority.tried == 0 and await world.results("management.revocation") == []

    told(sqlite_url, tmp_path, story)


def test_somebody_elses_an_ended_one_and_none_are_nobodys_to_revoke(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        now = world.clock.now()
        one, authority = await holder(
            world,
            paper(world, 1, standing=Standing.REVOKED, reason=1, ended_at=now),
            paper(world, 2, not_after=now - timedelta(days=1)),
            paper(world, 3, standing=Standing.PENDING),
            paper(world, 4, fingerprint=party().certificate.fingerprint.hex()),  # it is registered: its own card
        )
        authority.papers["8003031234567"] = [paper(world, 5)]
        assert "여기에 등록되지 않은 인증서" not in await one.look("/management/revocation")
        for serial in (1, 2, 3, 5, 6):
            assert "폐지할 수 있는 인증서가 아닙니다" in await begin(one, f"{serial:064x}")
        assert "폐지할 수 있는 인증서가 아닙니다" in await begin(one, party().certificate.fingerprint.hex())
        for kind in ("release", "suspension"):
            await one.post(f"{TASK}/begin", {"kind": kind, "certificate": paper(world).fingerprint})
        assert await world.rows("flow", machine="management") == [] and authority.tried == 0

    told(sqlite_url, tmp_path, story)


def test_what_ended_meanwhile_is_told_at_the_last_press(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, authority = await holder(world)
        await begin(one, paper(world).fingerprint)
        await one.prove()
        authority.papers.clear()
        assert "폐지할 수 있는 인증서가 아닙니다" in await one.finish()
        await one.heard()
        assert authority.tried == 0 and (await world.results("management.revocation"))[-1] == "management-not-valid"

    told(sqlite_url, tmp_path, story)


def test_an_authority_that_is_away_is_asked_until_it_answers_and_the_page_says_so(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one, authority = await holder(world)
        await begin(one, paper(world).fingerprint)
        await one.prove()
        await one.finish()
        authority.down = True
        await one.heard()
        assert authority.asked == [] and "응답하지 않아" in await one.look("/management/revocation")
        authority.down = False
        world.clock.forward(120)
        await one.heard()
        assert authority.asked == [(SERIAL, 1)]

    told(sqlite_url, tmp_path, story)


def test_a_person_does_not_make_the_authority_answer_without_end(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, _ = await holder(world)
        for _ in range(30):
            assert "beef" in await one.look("/management/revocation")
        page = await one.look("/management/revocation")
        assert "beef" not in page and "응답하지 않아" in page
        world.clock.forward(61)
        assert "beef" in await one.look("/management/revocation")

    told(sqlite_url, tmp_path, story)
