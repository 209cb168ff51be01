"""Where answers are signed: on the spot where a signer computes, else by a few threads beside the loop.

A key in a file holds the interpreter while it computes: a thread gives nothing then, and to wake it and be woken costs
half of what an RSA-2048 signature costs. So it signs on the spot, for a millisecond in each turn of the loop and no
more, so that ready answers leave in between. A token is waited for in the room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import NamedTuple

from ingam.ports.signing import Intent, Signer


class _Work(NamedTuple):
    signer: Signer
    intent: Intent
    heard: Callable[[bytes | BaseException], None]
    loop: asyncio.AbstractEventLoop


class SigningRoom:
    """`spot_s`: seconds of each turn of the loop after which nothing more is signed on the spot; `timer`: seconds."""

    def __init__(self, threads: int, spot_s: float, timer: Callable[[], float] = perf_counter) -> None:
        self._count, self._spot_s, self._timer = threads, spot_s, timer
        self._threads: list[Thread] = []
        self._asked: SimpleQueue[_Work | None] = SimpleQueue()
        self._done: deque[tuple[_Work, bytes | BaseException]] = deque()
        self._told = False
        self._spent = 0.0

    def sign(self, signer: Signer, tbs: bytes, heard: Callable[[bytes | BaseException], None]) -> None:
        """Have prepared bytes signed; `heard` is called on this loop, perhaps at once, with the signature or with what
        was raised.
        """
        intent, loop = Intent.of(tbs), asyncio.get_running_loop()
        if not signer.waits and self._spent < self._spot_s:
            if not self._spent:
                loop.call_soon(self._turn)
            begun = self._timer()
            outcome = _signed(signer, intent)
            self._spent += self._timer() - begun
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
            outcome = _signed(work.signer, work.intent)
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
