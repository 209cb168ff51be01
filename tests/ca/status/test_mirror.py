"""A responder without keys and books: it says what the origin says, and nothing once it can no longer know."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from tests.ca.status.ground import (
    GOOD,
    NOW,
    REVOKED,
    UNKNOWN,
    Clock,
    Framed,
    LiveBooks,
    TestFraming,
    asking,
    counted,
    generation,
    read,
    status,
    told,
)
from tests.npki import certs

from ingam.ca.status.answers import Answers
from ingam.ca.status.feed import Teller
from ingam.ca.status.limits import StatusLimits
from ingam.ca.status.mirror import Mirror
from ingam.ca.status.responders import Generations
from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret
from ingam.ports.books import State

T = TypeVar("T")
NONCE = bytes(range(32))
SECRET = Secret(bytes(range(32)))


class World:
    """An origin and a mirror, joined in memory; the way between them may be cut."""

    def __init__(self, limits: StatusLimits | None = None) -> None:
        self.books, self.clock, self.signer, self.steady = LiveBooks(), Clock(), counted(), Clock()
        known = generation(self.signer)
        self.answers: Answers[Framed] = Answers(
            self.books, Generations([known]), TestFraming(), self.clock, StatusLimits(demand_rate=1000)
        )
        self.restart()
        self.mirror: Mirror[Framed] = Mirror(
            self, [known.responder.certificate], TestFraming(), SECRET, "ingam", self.clock, lambda size: bytes(size),
            limits, self.steady,
        )  # fmt: skip
        self.cut = False
        self.asked = 0
        self.gate: asyncio.Event | None = None
        self.alter: Callable[[bytes], bytes] = lambda der: der

    def restart(self, origin: bytes = b"o" * 16) -> None:
        self.teller = Teller(self.answers, SECRET, "ingam", origin)

    # The way to the origin

    async def ask(self, raw: bytes) -> bytes:
        self.asked += 1
        if self.cut:
            raise Outage
        der = (await told(self.answers.ask(raw))).der
        if self.gate is not None:
            await self.gate.wait()
        return self.alter(der)

    async def follow(self, after: int, nonce: bytes, mac: str) -> bytes:
        if self.cut:
            raise Outage
        return await self.teller.tell(after, nonce, mac)

    # The person's side

    async def status_of(self, serial: int, nonce: bytes | None = None) -> object:
        return status(await told(self.mirror.ask(asking(serial, nonce=nonce))))


def run(walk: Callable[[World], Awaitable[T]], limits: StatusLimits | None = None) -> T:
    async def go() -> T:
        world = World(limits)
        try:
            for serial in (7, 8):
                world.books.issue(serial)
            assert await world.mirror.hear()
            return await asyncio.wait_for(walk(world), 30)
        finally:
            world.signer.open.set()
            world.answers.close()
            world.mirror.close()

    return asyncio.run(go())


def test_the_second_question_is_answered_from_memory() -> None:
    async def walk(world: World) -> None:
        assert await world.status_of(7) is GOOD
        found = world.mirror.ask(asking(7))
        assert isinstance(found, Framed) and found.how == "posted" and world.asked == 1
        assert read(found).certificate_status is GOOD

    run(walk)


def test_a_question_put_in_another_way_is_answered_from_memory_too() -> None:
    async def walk(world: World) -> None:
        path = b64encode(asking(7))
        assert (await told(world.mirror.ask_path(path))).how == "fetched"
        assert await world.status_of(7) is GOOD
        assert isinstance(world.mirror.ask_path(path), Framed) and world.asked == 1

    run(walk)


def test_identical_first_questions_go_to_the_origin_once() -> None:
    async def walk(world: World) -> None:
        assert await asyncio.gather(*(world.status_of(7) for _ in range(20))) == [GOOD] * 20
        assert world.asked == 1

    run(walk)


def test_what_the_feed_names_is_asked_for_anew_and_nothing_else() -> None:
    async def walk(world: World) -> None:
        assert [await world.status_of(serial) for serial in (7, 8)] == [GOOD, GOOD]
        world.books.change(7, State.REVOKED, 1)
        assert await world.mirror.hear()
        assert [await world.status_of(serial) for serial in (7, 8)] == [REVOKED, GOOD]
        assert world.asked == 3

    run(walk)


def test_a_change_that_overtakes_the_answer_on_its_way_is_in_the_answer() -> None:
    async def walk(world: World) -> None:
        world.gate = asyncio.Event()
        waits = asyncio.create_task(world.status_of(7))
        while not world.asked:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)  # the origin has answered good; the answer is on its way
        world.books.change(7, State.REVOKED, 1)
        assert await world.mirror.hear()
        world.gate.set()
        assert await waits is REVOKED and world.asked == 2

    run(walk)


def test_without_contact_for_two_seconds_nothing_is_answered_from_memory_nor_otherwise() -> None:
    async def walk(world: World) -> None:
        assert await world.status_of(7) is GOOD
        world.cut = True
        assert not await world.mirror.hear()
        world.steady.now += 1.9
        assert await world.status_of(7) is GOOD
        world.steady.now += 0.2
        assert [await world.status_of(serial) for serial in (7, 8)] == ["TRY_LATER", "TRY_LATER"]
        assert await world.status_of(7, NONCE) == "TRY_LATER"
        assert world.mirror.troubles() == ["feed-lost"] and world.asked == 1
        world.cut = False
        assert await world.mirror.hear() and world.mirror.troubles() == []
        assert await world.status_of(7) is GOOD and world.asked == 1  # nothing changed meanwhile: it is still true

    run(walk)


def test_a_revocation_during_the_silence_is_in_the_first_answer_after_it() -> None:
    async def walk(world: World) -> None:
        assert await world.status_of(7) is GOOD
        world.cut = True
        world.steady.now += 3
        world.books.change(7, State.REVOKED, 1)
        world.cut = False
        assert await world.status_of(7) == "TRY_LATER"
        assert await world.mirror.hear()
        assert await world.status_of(7) is REVOKED

    run(walk)


def test_a_restart_of_the_origin_empties_the_memory() -> None:
    async def walk(world: World) -> None:
        assert await world.status_of(7) is GOOD
        world.restart(b"p" * 16)
        assert await world.mirror.hear()
        assert world.mirror.kept == 0 and world.mirror.follower.emptied == 2
        assert await world.status_of(7) is GOOD and world.asked == 2

    run(walk)


def test_a_broken_batch_is_silence() -> None:
    async def walk(world: World) -> None:
        plain = world.follow

        async def broken(after: int, nonce: bytes, mac: str) -> bytes:
            return (await plain(after, nonce, mac)).replace(b"INGAM", b"INGAN")

        world.follow = broken  # type: ignore[method-assign]
        assert not await world.mirror.hear()

    run(walk)


def test_D13_a_nonce_goes_through_to_the_origin_and_a_bound_stands_before_it() -> None:
    async def walk(world: World) -> None:
        found = await told(world.mirror.ask(asking(7, nonce=NONCE)))
        assert found.how == "once" and status(found) is GOOD and world.mirror.kept == 0
        world.gate = asyncio.Event()
        waiting = [asyncio.create_task(world.status_of(7, NONCE)) for _ in range(2)]
        while world.asked < 3:
            await asyncio.sleep(0.001)
        assert await world.status_of(7, NONCE) == "TRY_LATER"
        world.gate.set()
        assert await asyncio.gather(*waiting) == [GOOD, GOOD]

    run(walk, StatusLimits(demand_queue=2))


def test_unknown_is_passed_on_and_not_kept() -> None:
    async def walk(world: World) -> None:
        assert await world.status_of(99) is UNKNOWN and world.mirror.kept == 0
        world.books.issue(99)
        assert await world.status_of(99) is GOOD

    run(walk)


def test_errors_are_passed_on_or_said_here() -> None:
    async def walk(world: World) -> None:
        assert status(await told(world.mirror.ask(asking(7, issuer=certs.root())))) == "UNAUTHORIZED"
        assert status(await told(world.mirror.ask(b""))) == "MALFORMED_REQUEST"
        assert status(await told(world.mirror.ask_path(b"%"))) == "MALFORMED_REQUEST"
        assert world.asked == 1

    run(walk)


def test_an_answer_that_is_not_the_configured_responders_about_this_question_is_neither_kept_nor_passed_on() -> None:
    async def walk(world: World) -> None:
        foreign: Answers[Framed] = Answers(
            world.books,
            Generations([generation(counted("rsa2048-07"), key_name="rsa2048-07")]),
            TestFraming(),
            world.clock,
        )
        other = (await told(world.answers.ask(asking(8)))).der
        nonced = (await told(world.answers.ask(asking(7, nonce=NONCE)))).der
        stranger = (await told(foreign.ask(asking(7)))).der
        foreign.close()
        for wrong in (other, nonced, stranger, b"", b"\x30\x00", bytes(100_000)):
            world.alter = lambda _der, wrong=wrong: wrong  # type: ignore[misc]
            assert await world.status_of(7) == "TRY_LATER" and world.mirror.kept == 0
            if wrong is not nonced:
                assert await world.status_of(7, NONCE) == "TRY_LATER"

    run(walk)


def test_an_old_answer_is_not_passed_on() -> None:
    async def walk(world: World) -> None:
        old = (await told(world.answers.ask(asking(7)))).der
        world.alter = lambda _der: old
        world.clock.now += 3601
        assert await world.status_of(7) == "TRY_LATER"

    run(walk)


def test_what_is_asked_often_is_fetched_anew_half_way_and_nobody_waits() -> None:
    async def walk(world: World) -> None:
        for _ in range(3):
            await world.status_of(7)
        await world.status_of(8)
        world.clock.now += 1801
        await asyncio.gather(*world.answers.refresh())
        world.mirror.refresh()
        await asyncio.gather(*world.mirror._firsts.values())
        found = world.mirror.ask(asking(7))
        assert isinstance(found, Framed) and world.asked == 3
        assert next(iter(read(found).responses)).this_update_utc >= NOW

    run(walk)


def test_a_mirror_with_a_responder_near_its_end_is_not_ready() -> None:
    async def walk(world: World) -> None:
        assert world.mirror.troubles() == []
        world.clock.now += timedelta(days=85).total_seconds()
        assert world.mirror.troubles() == ["ocsp-responder-ending"]

    run(walk)


def test_following_goes_on_through_silence_until_it_is_cancelled() -> None:
    async def walk(world: World) -> None:
        following = asyncio.create_task(world.mirror.follow())
        tending = asyncio.create_task(world.answers.tend(0.001))
        assert await world.status_of(7) is GOOD
        world.books.change(7, State.REVOKED, 1)
        async with asyncio.timeout(10):
            while await world.status_of(7) is not REVOKED:
                await asyncio.sleep(0.005)
        following.cancel()
        tending.cancel()

    run(walk)
