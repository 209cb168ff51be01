"""A switch of an operator is in force within five seconds; what is off says why, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.clocks import SetClock

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.customer.availability import Way, WayOff
from ingam.customer.availability.hours import Hours
from ingam.customer.availability.reading import Availability
from ingam.customer.availability.setting import Announcement, AvailabilityRefused, Switch, announce, switch, withdraw
from ingam.kernel.instants import KST
from ingam.ports.store import Save, Stale, Store, StoreOutage

MONDAY = datetime(2026, 11, 23, 10, tzinfo=KST)
OFF = Switch(Way.ARS, True, "전화 회선을 점검하고 있습니다.", "The telephone line is being maintained.")


def told(url: str, folder: Path, story: Callable[[Store, SetClock], Awaitable[None]]) -> None:
    async def go() -> None:
        store = open_store(url, open_keys(folder / "keys" / "center.key").outbox)
        try:
            await story(store, SetClock(MONDAY))
        finally:
            await store.close()

    asyncio.run(go())


async def set_(store: Store, wanted: Switch, at: datetime) -> None:
    await store.save(Save(rows=await switch(store, wanted, "E1001", at)))


def test_a_way_is_on_until_somebody_switches_it_off_and_the_reason_is_told(store_url: str, tmp_path: Path) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        available = Availability(store, clock)
        assert await available.way("ars") is None
        await set_(store, OFF, clock.now())
        clock.forward(5)
        off = await available.way(Way.ARS)
        assert off is not None
        assert (off.reason("ko"), off.reason("en")) == (OFF.reason_ko, OFF.reason_en)
        assert await available.way(Way.SMS) is None
        with pytest.raises(WayOff) as refused:
            await available.require(Way.ARS, "en")
        assert refused.value.facts == {"way": "ars", "reason": OFF.reason_en}
        await set_(store, Switch(Way.ARS, False), clock.now())
        clock.forward(5)
        assert await available.way(Way.ARS) is None

    told(store_url, tmp_path, story)


def test_a_change_is_seen_after_at_most_five_seconds_and_at_once_in_the_process_that_made_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        elsewhere, here = Availability(store, clock), Availability(store, clock)
        assert await elsewhere.way("ars") is None and await here.way("ars") is None
        await set_(store, OFF, clock.now())
        here.forget()
        assert await here.way("ars") is not None
        clock.forward(4.9)
        assert await elsewhere.way("ars") is None
        clock.forward(0.1)
        assert await elsewhere.way("ars") is not None

    told(sqlite_url, tmp_path, story)


def test_a_switch_with_an_end_is_on_again_by_itself(sqlite_url: str, tmp_path: Path) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        until = clock.now() + timedelta(hours=1)
        await set_(store, Switch(Way.SMS, True, OFF.reason_ko, OFF.reason_en, until), clock.now())
        off = await Availability(store, clock).way("sms")
        assert off is not None and off.reason("ko").endswith("(2026-11-23 11:00까지)")
        clock.forward(3600)
        assert await Availability(store, clock).way("sms") is None

    told(sqlite_url, tmp_path, story)


def test_outside_its_hours_a_way_is_off_and_says_when_it_opens(sqlite_url: str, tmp_path: Path) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        await set_(store, Switch(Way.ISSUANCE, False, hours=Hours("01234", 9 * 60, 18 * 60)), clock.now())
        available = Availability(store, clock)
        assert await available.way("issuance") is None
        clock.forward(8 * 3600)
        off = await available.way("issuance")
        assert off is not None
        assert off.reason("ko") == "지금은 이용 시간이 아닙니다(월–금 09:00–18:00). (2026-11-24 09:00까지)"

    told(sqlite_url, tmp_path, story)


def test_two_operators_at_once_the_slower_one_is_told(store_url: str, tmp_path: Path) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        await set_(store, OFF, clock.now())
        clock.forward(1)
        one = await switch(store, Switch(Way.ARS, False), "E1001", clock.now())
        other = await switch(store, OFF, "E1002", clock.now() + timedelta(seconds=1))
        await store.save(Save(rows=one))
        with pytest.raises(Stale):
            await store.save(Save(rows=other))

    told(store_url, tmp_path, story)


def test_notices_are_shown_in_their_time_warnings_first_until_they_are_withdrawn(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        now, hour = clock.now(), timedelta(hours=1)
        info, first = announce(Announcement("info", "안내", "A note", now, now + 2 * hour), "E1001", now)
        warning, second = announce(Announcement("warn", "점검", "Upkeep", now, now + hour), "E1001", now)
        _, later = announce(Announcement("warn", "내일", "Tomorrow", now + 24 * hour, now + 25 * hour), "E1001", now)
        await store.save(Save(rows=[*first, *second, *later]))
        available = Availability(store, clock)
        assert [one.notice_id for one in (await available.now()).notices] == [warning, info]
        await store.save(Save(rows=withdraw(warning, "E1002", now)))
        with pytest.raises(Stale):
            await store.save(Save(rows=withdraw(warning, "E1003", now)))
        clock.forward(5)
        assert [one.text("en") for one in (await available.now()).notices] == ["A note"]
        clock.forward(7200)
        assert (await available.now()).notices == ()

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "wrong",
    [
        Switch(Way.ARS, True, "", "Off"),
        Switch(Way.ARS, True, "점검", " "),
        Switch(Way.ARS, True, "점검" * 61, "Off"),
        Switch(Way.ARS, True, "010-8513-0001 고객 때문에", "Off"),
        Switch(Way.ARS, True, "010 8513 0001 고객 때문에", "Off"),
        Switch(Way.ARS, True, "０１０.８５１３.０００１ 고객 때문에", "Off"),
        Switch(Way.ARS, True, "점검", "Because of 800303 – 1234567"),
        Switch(Way.ARS, True, "점검", "Off", MONDAY),
    ],
)
def test_a_reason_is_given_in_both_languages_without_personal_numbers(
    wrong: Switch, sqlite_url: str, tmp_path: Path
) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        with pytest.raises(AvailabilityRefused):
            await switch(store, wrong, "E1001", clock.now())

    told(sqlite_url, tmp_path, story)


def test_a_store_that_is_down_opens_no_way(sqlite_url: str, tmp_path: Path) -> None:
    async def story(store: Store, clock: SetClock) -> None:
        available = Availability(store, clock)
        await store.close()
        with pytest.raises(StoreOutage):
            await available.way("ars")

    told(sqlite_url, tmp_path, story)
