"""Where the authority's Python time goes: `Endpoint.answer` in this process over the messages of the bench.

The event loop's thread, the books' writer and the signing threads are each profiled by their own CPU time, and added
up. A profiler makes small functions dearer than they are, so the CPU without one is told beside it; HTTP is not in it.
Where the interpreter profiles one thread only (Python 3.12 on), it is the loop's.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import pstats
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvloop

from bench.issuing_world import Desk, Exchange, Ground, Wish, granted
from ingam.ports.signing import Intent

TOGETHER: Final = 8
LINES: Final = 25


class Profile(NamedTuple):
    """`plain_us`: CPU for each certificate without a profiler; `lines`: the functions of most time, in microseconds."""

    plain_us: float
    lines: list[str]


class Threads:
    """Profiles of the calling thread and of every thread that begins before `stop`."""

    def __init__(self) -> None:
        self._each: list[cProfile.Profile] = []
        threading.setprofile(self._begin)
        self._begin()

    def _begin(self, *_: Any) -> None:
        sys.setprofile(None)
        one = cProfile.Profile(time.thread_time)
        try:
            one.enable()
        except ValueError:
            return
        self._each.append(one)

    def stop(self) -> pstats.Stats:
        """What all of them came to; the other threads have ended."""
        threading.setprofile(None)
        first, *others = self._each
        first.disable()
        told = pstats.Stats(first)
        for one in others:
            told.add(one)
        return told


def profiled(ground: Ground, wish: Wish, count: int) -> Profile:
    """So many certificates without a profiler, and as many under it."""
    prepared = uvloop.run(_prepared(ground, wish, 2 * count))
    plain_us = uvloop.run(_plain(ground, prepared[:count]))
    gc.collect()
    gc.disable()  # one collection of everything would fall on whatever happened to run then
    try:
        # The loop's default threads end with the loop: only then is every profile whole.
        told = uvloop.run(_under(ground, prepared[count:])).stop()
    finally:
        gc.enable()
    return Profile(plain_us, _lines(told, count))


async def _prepared(ground: Ground, wish: Wish, count: int) -> list[Exchange]:
    desk = Desk(ground)
    found = await desk.messages(wish, count)
    await desk.shut()
    return found


async def _plain(ground: Ground, exchanges: list[Exchange]) -> float:
    desk = Desk(ground)
    await _answered(desk, exchanges[:TOGETHER])
    begun = time.process_time()
    await _answered(desk, exchanges[TOGETHER:])
    spent = time.process_time() - begun
    await desk.shut()
    return 1e6 * spent / (len(exchanges) - TOGETHER)


async def _under(ground: Ground, exchanges: list[Exchange]) -> Threads:
    """The writer's and the signers' threads begin with the first request, and are profiled from there."""
    desk = Desk(ground)
    office = desk.ports.office
    for signer in (office.issuer.signer, office.speaker.signer):
        signer.sign(Intent.of(b"opens the key"))
    threads = Threads()
    await _answered(desk, exchanges)
    await desk.shut()
    return threads


async def _answered(desk: Desk, exchanges: list[Exchange]) -> None:
    """TOGETHER at a time, as so many connections would bring them."""
    waiting = iter(exchanges)

    async def client() -> None:
        for first, _ in waiting:
            _, answer = await desk.endpoint.answer(first, "bench")
            if len(answer) < 1000:
                raise RuntimeError("no certificate" if not granted(answer) else "a short one")

    await asyncio.gather(*(client() for _ in range(TOGETHER)))


def _lines(told: pstats.Stats, count: int) -> list[str]:
    """The dearest by their own time: microseconds and calls for each certificate."""
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = told.stats  # type: ignore[attr-defined]
    dearest = sorted(stats.items(), key=lambda one: -one[1][2])
    whole = 1e6 * sum(one[2] for one in stats.values()) / count
    lines = [f"{whole:8.1f} us in all functions (own time, and calls, for each certificate)"]
    for where, (_, calls, own, _, _) in dearest[:LINES]:
        lines.append(f"{1e6 * own / count:8.1f} us {calls / count:7.2f} x  {_named(*where)}")
    return lines


def _named(file: str, line: int, function: str) -> str:
    if file == "~":
        return function.strip("<>")
    parts = Path(file).parts
    short = "/".join(parts[parts.index("ingam") + 1 :]) if "ingam" in parts else parts[-1]
    return f"{short}:{line} {function}"
