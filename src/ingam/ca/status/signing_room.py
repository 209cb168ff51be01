"""Where answers are signed: a few threads beside the loop, fed by one queue and heard through one call.

A thread pool's futures cost more than a P-256 signature: here a thread takes the work, and everything that is finished
by the time the loop looks is told at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from ingam.ports.signing import Intent, Signer


class _Work(NamedTuple):
    signer: Signer
    intent: Intent
    heard: Callable[[bytes | BaseException], None]
    loop: asyncio.AbstractEventLoop


class SigningRoom:
    """Signs off the loop that asks. OpenSSL and a token leave the interpreter free meanwhile."""

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._threads: list[Thread] = []
        self._asked: SimpleQueue[_Work | None] = SimpleQueue()
        self._done: deque[tuple[_Work, bytes | BaseException]] = deque()
        self._told = False

    def sign(self, signer: Signer, tbs: bytes, heard: Callable[[bytes | BaseException], None]) -> None:
        """Have prepared bytes signed; `heard` is called on this loop with the signature, or with what was raised."""
        if not self._threads:
            names = [f"ocsp-signing-{number}" for number in range(self._count)]
            self._threads = [Thread(target=self._work, name=name, daemon=True) for name in names]
            for one in self._threads:
                one.start()
        self._asked.put(_Work(signer, Intent.of(tbs), heard, asyncio.get_running_loop()))

    def _work(self) -> None:
        while (work := self._asked.get()) is not None:
            outcome: bytes | BaseException
            try:
                outcome = work.signer.sign(work.intent)
            except BaseException as error:
                outcome = error
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
