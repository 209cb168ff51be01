"""A registered 금융인증서 at night: what ends, who hears of it, the days before its end, and what changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.center.finance_cert.test_finance_cert import Cloud, enter, finance, register, with_cloud
from tests.center.world import World, told

from ingam.customer.binding.silence import silences
from ingam.customer.finance.watching import LOOK, REMIND
from ingam.customer.notice import SMS, deliver_sms
from ingam.kernel.errors import Failure
from ingam.ports.status import Good, Revoked, Source, Status, StatusUnavailable, Suspended
from ingam.ports.store import Save, Update
from ingam.run.finance_night import FinanceNight, finance_night
from ingam.run.worker import Handler, once
from ingam.settings import Limits, Settings

WHO = finance().certificate.fingerprint
HOUR = timedelta(hours=1)


def night_of(world: World) -> FinanceNight:
    limits = replace(Limits(), recheck_hour=3, recheck_silent_h=48)
    return finance_night(Settings(mode="test", limits=limits), world.ports)


async def work(world: World) -> None:
    """What is due now leaves, here and in a second process at once."""
    deliver: Mapping[str, Handler] = {**night_of(world).deliveries, SMS: deliver_sms(world.phone)}
    while any(await asyncio.gather(*(once(world.ports.store, deliver, world.clock) for _ in range(2)))):
        pass


async def pass_days(world: World, days: int, step: timedelta = 4 * HOUR) -> None:
    until = world.clock.at + timedelta(days=days)
    while world.clock.at < until:
        world.clock.at += step
        await work(world)


async def registered(world: World) -> Cloud:
    cloud = with_cloud(world)
    await register(world, cloud)
    await work(world)
    world.statuses.asked.clear()
    return cloud


async def status(world: World) -> str:
    (row,) = await world.rows("finance_binding")
    return str(row["status"])


def texts(world: World, word: str) -> int:
    return len([text for text in world.phone.texts if word in text])


async def waiting(world: World) -> list[str]:
    """Kinds of what still waits in the outbox."""
    rows = await world.ports.store.many("outbox", {"delivered_at": None}, limit=1000)
    return sorted(str(row["kind"]) for row in rows)


@pytest.mark.parametrize(
    ("kind", "becomes", "word"), [("revoked", "STALE", "폐지된 것을"), ("suspended", "SUSPENDED", "정지된 것을")]
)
def test_what_its_authority_ended_speaks_for_nobody_and_is_told_once(
    store_url: str, tmp_path: Path, kind: str, becomes: str, word: str
) -> None:
    async def story(world: World) -> None:
        cloud = await registered(world)
        await enter(world, cloud)
        now = world.clock.now()
        ended: Status = Revoked(Source.OCSP, now, now, "superseded")
        world.statuses.answers[WHO] = ended if kind == "revoked" else Suspended(Source.OCSP, now, now)
        await pass_days(world, 3)
        assert await status(world) == becomes and texts(world, word) == 1
        (session,) = await world.rows("session", level="finance")
        assert session["ended_by"] == f"found-{kind}"  # whoever came in by it is out
        assert await world.results("recheck.finance") == [f"found-{kind}"]
        assert (LOOK in await waiting(world)) == (kind == "suspended")  # what is over is asked about no more
        world.statuses.answers[WHO] = Good(Source.OCSP, world.clock.now())
        await enter(world, cloud)
        told_why = {"revoked": "finance-rebind", "suspended": "finance-suspended"}
        assert (await world.results("login.finance"))[-1] == told_why[kind]

    told(store_url, tmp_path, story)


def test_a_good_one_is_asked_about_once_a_night_and_nobody_hears_of_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        before = len(world.phone.sent)
        await pass_days(world, 4)
        assert len(world.statuses.asked) in (3, 4) and all(fresh for _, fresh in world.statuses.asked)
        assert await status(world) == "ACTIVE" and len(world.phone.sent) == before
        assert await waiting(world) == [LOOK, REMIND]

    told(sqlite_url, tmp_path, story)


def test_a_silent_authority_changes_nothing_and_is_an_alarm_in_the_end(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        world.statuses.answers[WHO] = StatusUnavailable("status-unreachable")
        await pass_days(world, 4)
        assert await status(world) == "ACTIVE" and [one.alarm for one in await silences(world.ports.store)] == [True]
        assert await world.results("recheck.silent") == ["status-unreachable"]
        assert len(await world.results("recheck.authority")) in (3, 4)
        del world.statuses.answers[WHO]
        await pass_days(world, 2)
        assert await silences(world.ports.store) == [] and await world.results("recheck.answers") == ["ok"]
        assert await waiting(world) == [LOOK, REMIND]

    told(sqlite_url, tmp_path, story)


def test_its_end_is_told_of_five_times_and_the_night_after_it_is_over(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        world.clock.at = datetime(2027, 3, 15, 15, tzinfo=UTC)  # it ends on 17 April in Korea
        await pass_days(world, 35, 6 * HOUR)
        days = [text.partition("일 뒤")[0].rpartition("가 ")[2] for text in world.phone.texts if "일 뒤" in text]
        assert days == ["30", "14", "7", "1"] and texts(world, "오늘(2027-04-17) 만료됩니다") == 1
        assert texts(world, "다시 등록해 주세요") == 5  # the cloud renews by itself, and that is a new certificate
        assert await status(world) == "STALE" and texts(world, "만료되어 로그인에 쓸 수 없습니다") == 1
        assert await waiting(world) == []

    told(store_url, tmp_path, story)


def test_who_dies_after_the_look_looks_again_and_tells_nobody_twice(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        now = world.clock.now()
        world.statuses.answers[WHO] = Revoked(Source.OCSP, now, now, "keyCompromise")
        world.clock.at += timedelta(days=1)
        for claimed in await world.ports.store.claim(world.clock.now(), 5, 20):
            await night_of(world).deliveries[claimed.kind](claimed)  # and no word that it is delivered
        world.clock.at += HOUR
        await pass_days(world, 2)
        assert texts(world, "폐지된 것을") == 1 and LOOK not in await waiting(world)

    told(sqlite_url, tmp_path, story)


def test_one_that_was_there_before_is_watched_from_the_start_on_and_never_twice(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await registered(world)
        for row in await world.ports.store.many("outbox", {"delivered_at": None}):
            await world.ports.store.save(
                Save(rows=[Update("outbox", {"id": row["id"]}, {"delivered_at": world.clock.now()})])
            )
        assert await waiting(world) == []
        for row in await world.ports.store.many("outbox", {}, limit=1000):  # as tidying does after a month
            if str(row["dedup"]).endswith(":first"):
                changed = {"dedup": "gone-" + str(row["id"])}
                await world.ports.store.save(Save(rows=[Update("outbox", {"id": row["id"]}, changed)]))
        stopped = asyncio.Event()
        stopped.set()
        for _ in range(2):
            await night_of(world).follow(stopped)
        assert await waiting(world) == [LOOK, REMIND]
        await pass_days(world, 2)
        assert await waiting(world) == [LOOK, REMIND] and len(world.statuses.asked) in (1, 2)

    told(sqlite_url, tmp_path, story)


def test_E11_a_suspended_one_is_not_registered_anew_nor_released(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = await registered(world)
        now = world.clock.now()
        world.statuses.answers[WHO] = Suspended(Source.OCSP, now, now)
        await pass_days(world, 2)
        world.statuses.answers.clear()
        one = await register(world, cloud)
        for kind in ("register", "release"):
            await one.look("/finance-cert")
            assert "회복" in await one.post("/finance-cert/begin", {"kind": kind})
        page = (await one.browser.get("/finance-cert")).text
        assert 'href="/incident/resume"' in page and 'value="release"' not in page
        assert [str(row["status"]) for row in await world.rows("finance_binding")] == ["SUSPENDED"]

    told(sqlite_url, tmp_path, story)


def test_a_failure_that_is_no_silence_is_asked_again_after_an_hour(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        world.statuses.answers[WHO] = Failure("something-else")
        await pass_days(world, 1)
        assert await silences(world.ports.store) == [] and await waiting(world) == [LOOK, REMIND]
        world.statuses.answers[WHO] = Revoked(Source.OCSP, world.clock.now(), world.clock.now(), "keyCompromise")
        await pass_days(world, 1)
        assert await status(world) == "STALE"

    told(sqlite_url, tmp_path, story)
