"""What is long over is deleted and means the same as before; what is not over, and every lock, stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tests.clocks import SetClock

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.customer.session import Level
from ingam.customer.session.sessions import Sessions, Times
from ingam.ports.store import (
    Audit,
    Count,
    FlowSave,
    Insert,
    Issue,
    NotIssued,
    Outgoing,
    Row,
    Save,
    Store,
    StoreOutage,
    Use,
)
from ingam.run import tidy
from ingam.settings import Limits

KEEP = Limits(keep_ended_s=1000, keep_visits_s=100, keep_devices_s=5000)


def run(url: str, story: Callable[[Store, SetClock, Sessions], Awaitable[None]]) -> None:
    async def go() -> None:
        store, clock = open_store(url, OutboxSealer(bytes(32))), SetClock()
        try:
            await story(store, clock, Sessions(store, clock, Times(600, 14_400)))
        finally:
            await store.close()

    asyncio.run(go())


def test_sessions_go_with_the_count_of_their_challenges_and_visits_go_sooner(store_url: str) -> None:
    async def story(store: Store, clock: SetClock, sessions: Sessions) -> None:
        visit = await sessions.open_pre(None)
        risen = sessions.rise((await sessions.open_pre(None)).session, Level.ID, "c-1", None)
        await store.save(Save(rows=risen.changes))
        for opened in (visit, risen):
            await store.count(Count(f"nonces:{opened.session.session}", 3600, 30, clock.now()))
        clock.forward(3600 + 99)
        assert await tidy.once(store, clock.now(), KEEP) == 0
        clock.forward(2)
        assert await tidy.once(store, clock.now(), KEEP) == 2
        (left,) = await store.many("session", {})
        assert left["level"] == "id"
        (count,) = await store.many("counter", {})
        assert count["key"] == f"nonces:{risen.session.session}"
        clock.forward(14_400 + 1000)
        assert await tidy.once(store, clock.now(), KEEP) == 1
        assert await store.many("session", {}) == await store.many("counter", {}) == []

    run(store_url, story)


def test_F1_a_spent_or_lapsed_thing_is_not_issued_once_it_is_deleted(store_url: str) -> None:
    async def story(store: Store, clock: SetClock, _: Sessions) -> None:
        until = clock.now() + timedelta(seconds=180)
        issues = [Issue("challenge:s", "used", until), Issue("challenge:s", "lapsed", until)]
        await store.save(Save(ledger=issues))
        await store.save(Save(ledger=[Use("challenge:s", "used", clock.now())]))
        clock.forward(1181)
        assert await tidy.once(store, clock.now(), KEEP) == 2
        assert await store.many("ledger_used", {}) == []
        for id in ("used", "lapsed"):
            with pytest.raises(NotIssued):
                await store.save(Save(ledger=[Use("challenge:s", id, clock.now())]))

    run(store_url, story)


def test_flows_delivered_messages_and_old_devices_go_and_what_still_waits_stays(store_url: str) -> None:
    async def story(store: Store, clock: SetClock, _: Sessions) -> None:
        now = clock.now()
        flow = FlowSave("f-1", "registration", 0, "{}", "s", None, now)
        device: Row = {"banking_key": "k", "device": "d", "first_at": now, "last_at": now}
        messages = [Outgoing("sms", b"x", name, now) for name in ("left", "waits")]
        line = Audit(now, "login.id", "ok", None, None, None)
        await store.save(Save(flow=flow, rows=[Insert("device_seen", device)], outbox=messages, audit=[line]))
        first = (await store.claim(now, 60, 1))[0]
        await store.delivered(first.id, now)
        for key in ("login-fail:k:d", "login-fail:k:new", "login-fail:other:new"):
            await store.count(Count(key, 10**8, 5, now))
        clock.forward(1001)
        await tidy.once(store, clock.now(), KEEP)
        assert await store.many("flow", {}) == []
        assert len(await store.many("outbox", {})) == 1 and len(await store.many("device_seen", {})) == 1
        clock.forward(5000)
        await tidy.once(store, clock.now(), KEEP)
        assert await store.many("device_seen", {}) == []
        # A lock has no end of its own (F7), and the audit is nobody's to tidy.
        assert {row["key"] for row in await store.many("counter", {})} == {"login-fail:k:new", "login-fail:other:new"}
        assert len(await store.many("audit", {})) == 1

    run(store_url, story)


def test_more_than_one_transaction_holds_is_deleted_in_several(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "AT_ONCE", 4)

    async def story(store: Store, clock: SetClock, _: Sessions) -> None:
        issues = [Issue("proof", str(number), clock.now()) for number in range(10)]
        await store.save(Save(ledger=issues))
        clock.forward(1001)
        assert await tidy.once(store, clock.now(), KEEP) == 10
        assert await store.many("ledger_issued", {}) == []

    run(sqlite_url, story)


def test_a_round_that_fails_is_tried_again_and_a_stop_ends_the_wait(sqlite_url: str) -> None:
    async def story(store: Store, clock: SetClock, _: Sessions) -> None:
        stop, rounds = asyncio.Event(), 0

        class Failing:
            async def many(self, *_: object, **__: object) -> list[object]:
                nonlocal rounds
                rounds += 1
                if rounds == 2:
                    stop.set()
                raise StoreOutage

        await asyncio.wait_for(tidy.tidy(Failing(), clock, KEEP, stop, every_s=0.01), 5)  # type: ignore[arg-type]
        assert rounds == 2

    run(sqlite_url, story)
