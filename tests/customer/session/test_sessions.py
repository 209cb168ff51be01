"""Sessions on the store: names, rises, clocks and ends (security F2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tests.clocks import SetClock

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.customer.session import Level, Session
from ingam.customer.session.sessions import TOUCH_S, Ended, Opened, Sessions, Times, digest
from ingam.ports.store import Save, Stale, Store

Story = Callable[[Store, SetClock, Sessions], Awaitable[None]]


def run(url: str, story: Story) -> None:
    async def go() -> None:
        store, clock = open_store(url, OutboxSealer(bytes(32))), SetClock()
        try:
            await story(store, clock, Sessions(store, clock, Times(600, 14_400)))
        finally:
            await store.close()

    asyncio.run(go())


async def logged_in(store: Store, sessions: Sessions) -> Opened:
    risen = sessions.rise((await sessions.open_pre(None)).session, Level.ID, "c-1", None)
    await store.save(Save(rows=risen.changes))
    return risen


async def why(sessions: Sessions, cookie: str) -> str:
    with pytest.raises(Ended) as caught:
        await sessions.find(cookie)
    return caught.value.why


def test_a_session_is_found_by_its_cookie_as_it_was_stored(store_url: str) -> None:
    async def story(store: Store, _: SetClock, sessions: Sessions) -> None:
        opened = await logged_in(store, sessions)
        assert await sessions.find(opened.cookie) == opened.session
        assert opened.session.session == digest(opened.cookie) != opened.cookie

    run(store_url, story)


def test_F2_two_rises_from_one_session_leave_one(store_url: str) -> None:
    async def story(store: Store, _: SetClock, sessions: Sessions) -> None:
        old = (await sessions.open_pre(None)).session
        first, second = (sessions.rise(old, Level.ID, "c-1", None) for _ in range(2))
        await store.save(Save(rows=first.changes))
        with pytest.raises(Stale):
            await store.save(Save(rows=second.changes))
        with pytest.raises(KeyError):
            await sessions.find(second.cookie)

    run(store_url, story)


def test_F2_each_end_says_why(sqlite_url: str) -> None:
    async def story(store: Store, clock: SetClock, sessions: Sessions) -> None:
        visit = await sessions.open_pre(None)
        risen = sessions.rise(visit.session, Level.ID, "c-1", None)
        await store.save(Save(rows=risen.changes))
        assert await why(sessions, visit.cookie) == "replaced"
        await sessions.end(risen.session, "logout")
        assert await why(sessions, risen.cookie) == "logout"
        with pytest.raises(Stale):
            await sessions.end(risen.session, "logout")
        idle, late = await logged_in(store, sessions), await logged_in(store, sessions)
        clock.forward(600)
        assert await why(sessions, idle.cookie) == "idle"
        clock.forward(14_400)
        assert await why(sessions, late.cookie) == "absolute"

    run(sqlite_url, story)


def test_F2_a_cookie_of_any_shape_that_names_nothing_is_nobody(sqlite_url: str) -> None:
    async def story(_: Store, __: SetClock, sessions: Sessions) -> None:
        for cookie in ("", "x", "가나다", "a" * 10_000, "' OR 1=1 --"):
            with pytest.raises(KeyError):
                await sessions.find(cookie)

    run(sqlite_url, story)


def test_F2_a_look_prolongs_a_session_and_is_written_only_now_and_then(sqlite_url: str) -> None:
    async def story(store: Store, clock: SetClock, sessions: Sessions) -> None:
        opened = await logged_in(store, sessions)
        clock.forward(TOUCH_S - 1)
        assert await sessions.touch(opened.session) is opened.session
        clock.forward(1)
        touched = await sessions.touch(opened.session)
        assert touched.seen_at == clock.now() == (await sessions.find(opened.cookie)).seen_at
        clock.forward(1)
        assert (await sessions.touch(touched, at_once=True)).seen_at == clock.now()
        # What is shown to the person is never later than the end.
        assert sessions.idle_until(touched) == touched.seen_at + timedelta(seconds=600)

    run(sqlite_url, story)


def test_F2_a_session_that_ended_is_not_woken_by_a_look(sqlite_url: str) -> None:
    async def story(store: Store, clock: SetClock, sessions: Sessions) -> None:
        opened = await logged_in(store, sessions)
        await sessions.end(opened.session, "logout")
        clock.forward(60)
        with pytest.raises(Stale):
            await sessions.touch(opened.session)
        assert await why(sessions, opened.cookie) == "logout"

    run(sqlite_url, story)


def test_F2_the_idle_end_never_passes_the_absolute_one(sqlite_url: str) -> None:
    async def story(store: Store, clock: SetClock, sessions: Sessions) -> None:
        session: Session = (await logged_in(store, sessions)).session
        for _ in range(29):
            clock.forward(490)
            session = await sessions.touch(session)
        assert sessions.idle_until(session) == session.expires_at

    run(sqlite_url, story)
