"""Where answers are signed: who computes, on the spot and not for long; who waits, beside the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from ingam.ca.status.signing_room import SigningRoom
from ingam.npki.signature import RSA_SHA256
from ingam.ports.signing import Intent, KeyKind, PublicHalf, SigningOutage


class Paced:
    """A signer that takes as long as the test says, by the test's own watch."""

    public = PublicHalf("ocsp-1", KeyKind.RSA_2048, b"", RSA_SHA256)

    def __init__(self, takes: float = 0.0004) -> None:
        self.takes, self.now, self.waits = takes, 0.0, False
        self.here: list[bool] = []
        self.away = False

    def timer(self) -> float:
        return self.now

    def sign(self, intent: Intent) -> bytes:
        tbs = intent.take()
        assert isinstance(tbs, bytes)
        self.here.append(threading.current_thread() is threading.main_thread())
        self.now += self.takes
        if self.away:
            raise SigningOutage
        return tbs[::-1]


async def signed(room: SigningRoom, signer: Paced) -> bytes | BaseException:
    """One signature, waited for; the loop turns once more behind it."""
    future: asyncio.Future[bytes | BaseException] = asyncio.get_running_loop().create_future()
    room.sign(signer, b"tbs", future.set_result)
    outcome = await future
    await asyncio.sleep(0)
    return outcome


def run(walk: Callable[[SigningRoom, Paced], Awaitable[None]], spot_s: float = 0.001, takes: float = 0.0004) -> Paced:
    signer = Paced(takes)

    async def go() -> None:
        room = SigningRoom(1, spot_s, signer.timer)
        try:
            await asyncio.wait_for(walk(room, signer), 10)
        finally:
            room.close()

    asyncio.run(go())
    return signer


async def _three(room: SigningRoom, signer: Paced) -> None:
    for _ in range(3):
        assert await signed(room, signer) == b"sbt"


def test_who_computes_signs_on_the_spot_and_who_waits_does_not() -> None:
    async def walk(room: SigningRoom, signer: Paced) -> None:
        await _three(room, signer)
        signer.waits = True
        await _three(room, signer)

    assert run(walk).here == [True] * 3 + [False] * 3


def test_where_nothing_is_to_be_signed_on_the_spot_nothing_is() -> None:
    assert run(_three, spot_s=0.0).here == [False] * 3


def test_one_turn_of_the_loop_signs_for_a_millisecond_and_no_more() -> None:
    async def walk(room: SigningRoom, signer: Paced) -> None:
        await asyncio.gather(*(signed(room, signer) for _ in range(5)))
        assert sorted(signer.here) == [False, False, True, True, True]
        signer.here.clear()
        await signed(room, signer)
        assert signer.here == [True]

    run(walk)


@pytest.mark.parametrize("waits", [False, True])
def test_what_the_signer_raises_is_heard_wherever_it_signs(waits: bool) -> None:
    async def walk(room: SigningRoom, signer: Paced) -> None:
        signer.away, signer.waits = True, waits
        assert isinstance(await signed(room, signer), SigningOutage)

    assert run(walk).here == [not waits]


def test_a_closed_room_signs_nothing_more_and_ends_its_threads() -> None:
    async def walk(room: SigningRoom, signer: Paced) -> None:
        signer.waits = True
        await signed(room, signer)
        names = [one.name for one in threading.enumerate()]
        assert "ocsp-signing-0" in names
        room.close()
        assert "ocsp-signing-0" not in [one.name for one in threading.enumerate()]

    run(walk)
