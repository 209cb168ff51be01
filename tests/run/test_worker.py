"""The outbox loop: at once after the commit, again after an outage, once per reference across a SIGKILL."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.clocks import SetClock

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.kernel.errors import Outage
from ingam.ports.store import Claimed, Outgoing, Save, Store
from ingam.run.worker import GIVE_UP, LEASE_S, Handler, _one, back_off_s, once, work

SEALER = OutboxSealer(bytes(32))


def sms(dedup: str) -> Outgoing:
    return Outgoing("sms", dedup.encode(), dedup, SetClock().now())


def run(url: str, walk: Callable[[Store], Awaitable[None]]) -> None:
    async def walked() -> None:
        store = open_store(url, SEALER)
        try:
            await walk(store)
        finally:
            await store.close()

    asyncio.run(walked())


class Inbox:
    """A provider that keeps one message a reference, and may fail first."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: list[str] = []
        self.failures = failures
        self.arrived = asyncio.Event()

    async def take(self, message: Claimed) -> None:
        if self.failures:
            self.failures -= 1
            raise Outage("sms-outage")
        self.taken.append(message.dedup)
        self.arrived.set()


def test_a_message_leaves_at_once_after_its_commit(store_url: str) -> None:
    async def walk(store: Store) -> None:
        inbox, stop = Inbox(), asyncio.Event()
        loop = asyncio.ensure_future(work(store, {"sms": inbox.take}, SetClock(), stop, poll_s=60))
        await asyncio.sleep(0.05)  # it has looked once and waits now
        began = time.monotonic()
        await store.save(Save(outbox=[sms("a")]))
        await asyncio.wait_for(inbox.arrived.wait(), 10)
        assert time.monotonic() - began < 10
        stop.set()
        await asyncio.wait_for(loop, 10)
        row = await store.one("outbox", {"dedup": "a"})
        assert row is not None
        assert row["payload"] is None

    run(store_url, walk)


def test_an_outage_is_tried_again_with_growing_gaps(sqlite_url: str) -> None:
    async def walk(store: Store) -> None:
        clock, inbox = SetClock(), Inbox(failures=3)
        await store.save(Save(outbox=[sms("a")]))
        gaps = []
        while not inbox.taken:
            assert await once(store, {"sms": inbox.take}, clock)
            gap = 0
            while not inbox.taken and not await store.claim(clock.now(), 0, 1):
                clock.forward(1)
                gap += 1
            gaps.append(gap)
        assert gaps[:1] == [1]
        assert inbox.taken == ["a"]

    run(sqlite_url, walk)


def test_gaps_double_up_to_a_minute() -> None:
    assert [back_off_s(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert back_off_s(GIVE_UP) == 60


def test_a_message_that_fails_does_not_hold_up_the_others(sqlite_url: str) -> None:
    async def walk(store: Store) -> None:
        inbox = Inbox()

        async def some(message: Claimed) -> None:
            if message.dedup == "bad":
                raise ValueError("canary")
            await inbox.take(message)

        await store.save(
            Save(outbox=[sms("bad"), sms("a"), Outgoing("unheard-of", b"", "u", SetClock().now()), sms("b")])
        )
        await once(store, {"sms": some}, SetClock())
        assert sorted(inbox.taken) == ["a", "b"]
        waiting = await store.many("outbox", {"delivered_at": None}, order="dedup")
        assert [row["dedup"] for row in waiting] == ["bad", "u"]

    run(sqlite_url, walk)


def test_a_message_is_given_up_after_a_day_logged_and_audited(sqlite_url: str) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms("a")]))
        clock = SetClock()

        async def never(message: Claimed) -> None:
            raise Outage("sms-outage")

        claimed = Claimed(1, "sms", b"", GIVE_UP, "a")
        await _one(store, {"sms": never}, clock, claimed)
        [line] = await store.many("audit", {})
        assert (line["action"], line["result"]) == ("outbox.given-up", "failed")
        assert await store.claim(clock.now(), 1, 1) == []

    run(sqlite_url, walk)


def test_stopping_finishes_what_is_under_way(sqlite_url: str) -> None:
    async def walk(store: Store) -> None:
        stop, begun, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slow(message: Claimed) -> None:
            begun.set()
            await go_on.wait()

        loop = asyncio.ensure_future(work(store, {"sms": slow}, SetClock(), stop))
        await store.save(Save(outbox=[sms("a")]))
        await begun.wait()
        stop.set()
        go_on.set()
        await asyncio.wait_for(loop, 10)
        assert await store.many("outbox", {"delivered_at": None}) == []

    run(sqlite_url, walk)


def test_two_workers_deliver_each_message_once(store_url: str) -> None:
    async def walk(store: Store) -> None:
        other = open_store(store_url, SEALER)
        inbox, stop = Inbox(), asyncio.Event()
        handlers: dict[str, Handler] = {"sms": inbox.take}
        loops = [asyncio.ensure_future(work(s, handlers, SetClock(), stop, poll_s=0.01)) for s in (store, other)]
        for number in range(40):
            await store.save(Save(outbox=[sms(f"m{number}")]))
        async with asyncio.timeout(20):
            while await store.many("outbox", {"delivered_at": None}, limit=1):
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.gather(*loops)
        await other.close()
        assert sorted(inbox.taken) == sorted(f"m{number}" for number in range(40))

    run(store_url, walk)


async def deliver_to_file(url: str, inbox: str) -> None:
    """The child: a worker whose provider is a folder, one file a reference; it dies between sending and marking."""
    store = open_store(url, SEALER)

    async def take(message: Claimed) -> None:
        (Path(inbox) / message.dedup).write_bytes(message.payload)
        print(message.dedup, flush=True)
        await asyncio.sleep(3600)

    await work(store, {"sms": take}, SystemClock(), asyncio.Event())


def test_kill_9_between_sending_and_marking_loses_nothing_and_doubles_nothing(store_url: str, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    names = [f"m{number}" for number in range(5)]
    run(store_url, lambda store: store.save(Save(outbox=[sms(name) for name in names])))
    command = [sys.executable, __file__, store_url, str(inbox)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() in names
        child.send_signal(signal.SIGKILL)

    async def walk(store: Store) -> None:
        clock = SetClock(datetime.now(UTC))
        clock.forward(LEASE_S + 1)

        async def take(message: Claimed) -> None:
            (inbox / message.dedup).write_bytes(message.payload)

        await once(store, {"sms": take}, clock)
        assert await store.many("outbox", {"delivered_at": None}) == []

    run(store_url, walk)
    assert sorted(path.name for path in inbox.iterdir()) == names
    assert all(path.read_bytes() == path.name.encode() for path in inbox.iterdir())


if __name__ == "__main__":
    asyncio.run(deliver_to_file(*sys.argv[1:]))
