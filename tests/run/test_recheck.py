"""The nightly question about every registered certificate: what ends, who hears of it, and what changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.world import HONG, KIM, World, party, told

from ingam.customer.notice import SMS, deliver_sms
from ingam.ports.status import Good, Revoked, Source, Status, StatusUnavailable, Suspended, Unknown
from ingam.ports.store import Save, StoreOutage, Update
from ingam.run.night import tell_operators
from ingam.run.recheck import Recheck, recheck
from ingam.run.worker import once
from ingam.settings import Limits, Settings

NIGHT = timedelta(days=1)
WHO = party().certificate.fingerprint


def rounds(world: World, hour: int = 3) -> Recheck:
    return recheck(Settings(mode="test", limits=replace(Limits(), recheck_hour=hour)), world.ports)


async def night(world: World) -> None:
    """A day goes by with a round now and then."""
    for _ in range(8):
        world.clock.at += NIGHT / 8
        await rounds(world).once()


async def bound(world: World) -> None:
    """A registration, as the first round after it sees it."""
    await world.bind(HONG, party())
    await rounds(world).once()
    assert world.statuses.asked == []  # it was asked about when it was made


async def heard(world: World) -> list[str]:
    world.clock.at += NIGHT / 2  # past the quiet hours
    while await once(world.ports.store, {SMS: deliver_sms(world.phone)}, world.clock):
        pass
    return [sms.text for sms in world.phone.sent.values()]


async def status(world: World) -> str:
    (row,) = await world.rows("binding", customer_id=HONG.customer_id)
    return str(row["status"])


def answer(world: World, kind: str) -> Status:
    now = world.clock.now()
    if kind == "revoked":
        return Revoked(Source.CRL, now, now, "keyCompromise")
    return Suspended(Source.OCSP, now, now) if kind == "suspended" else Good(Source.OCSP, now)


@pytest.mark.parametrize(
    ("kind", "becomes", "word"),
    [("revoked", "STALE", "폐지된 것을"), ("suspended", "SUSPENDED", "정지된 것을")],
)
def test_what_ended_elsewhere_speaks_for_nobody_and_is_told_once(
    store_url: str, tmp_path: Path, kind: str, becomes: str, word: str
) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await bound(world)
        await browser.present(party())
        world.statuses.asked.clear()
        world.statuses.answers[WHO] = answer(world, kind)
        await night(world)
        await night(world)
        assert await status(world) == becomes and (WHO, True) in world.statuses.asked
        assert (await browser.get("/loan")).status_code == 303  # whoever came in by it is out
        assert len([text for text in await heard(world) if word in text]) == 1
        assert await world.results("recheck.binding") == [f"found-{kind}"]

    told(store_url, tmp_path, story)


def test_a_good_one_is_asked_about_once_a_night(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await bound(world)
        for _ in range(3):
            await night(world)
        assert len(world.statuses.asked) in (2, 3) and await status(world) == "ACTIVE"

    told(sqlite_url, tmp_path, story)


def test_what_is_over_by_time_ends_without_asking_anybody(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await bound(world)
        world.clock.at = party().certificate.not_after + NIGHT
        await night(world)
        assert await status(world) == "STALE" and world.statuses.asked == []
        assert any("만료되어 로그인에 쓸 수 없습니다" in text for text in await heard(world))

    told(sqlite_url, tmp_path, story)


def test_the_operators_hear_of_it_although_the_store_was_away_at_the_first_try(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted before it was said was not said that day."""

    async def story(world: World) -> None:
        store, now = world.ports.store, world.clock.now()

        async def away(_: Save) -> None:
            raise StoreOutage

        with monkeypatch.context() as broken:
            broken.setattr(store, "save", away)
            with pytest.raises(StoreOutage):
                await tell_operators(store, "test", "status-slow", now)
        await asyncio.gather(*(tell_operators(store, "test", "status-slow", now) for _ in range(4)))
        assert await world.results("recheck.authority") == ["status-slow"]
        await tell_operators(store, "test", "status-slow", now + timedelta(days=1))
        assert len(await world.results("recheck.authority")) == 2

    told(store_url, tmp_path, story)


@pytest.mark.parametrize("code", ["status-unreachable", "status-stale", "status-responder-untrusted", "unknown"])
def test_an_authority_that_cannot_be_asked_changes_nothing_and_the_operators_hear_once_a_day(
    sqlite_url: str, tmp_path: Path, code: str
) -> None:
    async def story(world: World) -> None:
        await bound(world)
        await world.bind(KIM, party(KIM, key_name="rsa2048-03", serial=7))
        await rounds(world).once()
        now = world.clock.now()
        silent = Unknown(Source.OCSP, now) if code == "unknown" else StatusUnavailable(code)
        for one in (WHO, party(KIM, key_name="rsa2048-03", serial=7).certificate.fingerprint):
            world.statuses.answers[one] = silent
        await night(world)
        assert {str(row["status"]) for row in await world.rows("binding")} == {"ACTIVE"}
        assert len(await world.results("recheck.authority")) in (1, 2)  # a day may turn in the night
        assert await heard(world) == []
        world.statuses.answers = {WHO: answer(world, "revoked")}
        await night(world)
        assert await status(world) == "STALE"

    told(sqlite_url, tmp_path, story)


def test_one_that_cannot_be_read_keeps_none_behind_it_waiting(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await bound(world)
        await world.bind(KIM, party(KIM, key_name="rsa2048-03", serial=7))
        await rounds(world).once()
        where = {"customer_id": KIM.customer_id, "status": "ACTIVE"}
        spoiled = Update("binding", where, {"details": bytes(80), "recheck_at": world.clock.now()})
        await world.ports.store.save(Save(rows=[spoiled]))
        world.statuses.answers[WHO] = answer(world, "revoked")
        await night(world)
        await night(world)
        assert await status(world) == "STALE"

    told(sqlite_url, tmp_path, story)


def test_E11_what_a_report_of_loss_suspended_stays_so_though_the_authority_says_good(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await bound(world)
        where = {"customer_id": HONG.customer_id, "status": "ACTIVE"}
        await world.ports.store.save(Save(rows=[Update("binding", where, {"status": "SUSPENDED"})]))
        await night(world)
        assert await status(world) == "SUSPENDED" and await heard(world) == []
        world.statuses.answers[WHO] = answer(world, "revoked")
        await night(world)
        assert await status(world) == "STALE"

    told(sqlite_url, tmp_path, story)


def test_two_processes_find_it_once(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await bound(world)
        world.statuses.answers[WHO] = answer(world, "revoked")
        world.clock.at += NIGHT + NIGHT
        await asyncio.gather(*(rounds(world).once() for _ in range(3)))
        assert await world.results("recheck.binding") == ["found-revoked"]
        assert len(await heard(world)) == 1

    told(store_url, tmp_path, story)
