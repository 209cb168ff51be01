"""Where answers are signed: on the spot where that is quick, else by a few threads beside the loop.

To hand a signature to a thread costs two wakes of a processor that sleeps, which on an idle machine is half of what an
RSA-2048 signature costs. So a signer that has shown to be quick signs on the spot, for a millisecond in each turn of
the loop and no more; what comes on top of that, and whatever a slow signer signs, is signed in the room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Final, NamedTuple

from ingam.ports.signing import Intent, Signer

_TRIALS: Final = 8
"""Signatures in the room before a signer may sign on the spot."""

_WEIGHT: Final = 0.1
_STALL_S: Final = 0.02
"""Who was ever slower than this is away from the machine: a token, a network. It never signs on the spot again."""


class _Work(NamedTuple):
    signer: Signer
    intent: Intent
    heard: Callable[[bytes | BaseException], None]
    loop: asyncio.AbstractEventLoop


class _Pace:
    """How long a signer takes. `expected`: seconds; infinite until it is known."""

    __slots__ = ("_mean", "_trials", "expected")

    def __init__(self) -> None:
        self.expected = float("inf")
        self._mean, self._trials = 0.0, 0

    def took(self, seconds: float) -> None:
        self._trials += 1
        self._mean = seconds if self._trials == 1 else self._mean + _WEIGHT * (seconds - self._mean)
        if seconds > _STALL_S and self._trials > 1:  # the very first one may load the key
            self._mean = float("inf")
        if self._trials >= _TRIALS:
            self.expected = self._mean


class SigningRoom:
    """`spot_s`: seconds of each turn of the loop in which quick signers sign on the spot; 0: never."""

    def __init__(self, threads: int, spot_s: float) -> None:
        self._count, self._spot_s = threads, spot_s
        self._threads: list[Thread] = []
        self._asked: SimpleQueue[_Work | None] = SimpleQueue()
        self._done: deque[tuple[_Work, bytes | BaseException]] = deque()
        self._told = False
        self._paces: dict[Signer, _Pace] = {}
        self._spent = 0.0

    def sign(self, signer: Signer, tbs: bytes, heard: Callable[[bytes | BaseException], None]) -> None:
        """Have prepared bytes signed; `heard` is called on this loop, perhaps at once, with the signature or with what
        was raised.
        """
        intent, loop = Intent.of(tbs), asyncio.get_running_loop()
        pace = self._paces.get(signer)
        if pace is not None and self._spent + pace.expected <= self._spot_s:
            if not self._spent:
                loop.call_soon(self._turn)
            begun = perf_counter()
            outcome = _signed(signer, intent)
            took = perf_counter() - begun
            self._spent += took
            pace.took(took)
            heard(outcome)
            return
        self._open()
        self._asked.put(_Work(signer, intent, heard, loop))

    def _turn(self) -> None:
        self._spent = 0.0

    def _open(self) -> None:
        if not self._threads:
            names = [f"ocsp-signing-{number}" for number in range(self._count)]
            self._threads = [Thread(target=self._work, name=name, daemon=True) for name in names]
            for one in self._threads:
                one.start()

    def _work(self) -> None:
        while (work := self._asked.get()) is not None:
            begun = perf_counter()
            outcome = _signed(work.signer, work.intent)
            self._paces.setdefault(work.signer, _Pace()).took(perf_counter() - begun)
            self._done.append((work, outcome))
            if not self._told:
                self._told = True
                with suppress(RuntimeError):  # the loop has ended, and with it who asked
                    work.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        # Before the queue is emptied: what is appended from here on is told of anew.
        self._told = False
        while self._done:
            work, outcome = self._done.popleft()
            work.heard(outcome)

    def close(self) -> None:
        """Waits for what is being signed; what waits behind it is signed by nobody."""
        with suppress(Empty):
            while True:
                self._asked.get_nowait()
        for _ in self._threads:
            self._asked.put(None)
        for one in self._threads:
            one.join()
        self._threads = []


def _signed(signer: Signer, intent: Intent) -> bytes | BaseException:
    try:
        return signer.sign(intent)
    except BaseException as error:
        return error
