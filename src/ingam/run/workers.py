"""Several processes on one port: forked, watched, begun anew where one dies, and ended together.

The parent binds a socket for each worker (SO_REUSEPORT) and keeps it, so that who knocks while a worker is begun anew
is not sent away. It reads no keys and opens no books: what a worker needs, it opens after the fork.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final

from ingam.run.exchange import listening

REFUSED: Final = 2
"""The exit code of a worker whose settings or keys are refused: at its first start, all end with it."""

STOP_S: Final = 8
_AGAIN_S: Final = 1.0
_SIGNALS: Final = frozenset((signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD))
_PR_SET_PDEATHSIG: Final = 1


def run_workers(count: int, host: str, port: int, work: Callable[[int, socket.socket], int]) -> int:
    """Run `work(number, socket)` in `count` processes until a signal; its result is the process's exit code.

    One worker is this process itself. Returns 0, or the code of a worker that was refused.
    """
    if count == 1:
        return work(0, listening(host, port))
    first = listening(host, port, shared=True)
    port = first.getsockname()[1]
    return _Parent([first, *(listening(host, port, shared=True) for _ in range(count - 1))], work).watch()


class _Parent:
    """The process that begins and ends the others."""

    def __init__(self, sockets: list[socket.socket], work: Callable[[int, socket.socket], int]) -> None:
        self._sockets, self._work = sockets, work
        self._numbers: dict[int, int] = {}
        self._again: set[int] = set()
        self._begun: dict[int, float] = {}

    def watch(self) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            for number in range(len(self._sockets)):
                self._begin(number)
            code = self._until_told()
            self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for one in self._sockets:
                one.close()
        return code

    def _begin(self, number: int) -> None:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            os._exit(self._child(number, parent))
        self._numbers[child], self._begun[child] = number, time.monotonic()

    def _child(self, number: int, parent: int) -> int:
        try:
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # the parent died before prctl
                return 1
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for other, one in enumerate(self._sockets):
                if other != number:
                    one.close()
            return self._work(number, self._sockets[number])
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    def _until_told(self) -> int:
        while True:
            if signal.sigwait(_SIGNALS) != signal.SIGCHLD:
                return 0
            for number, code, lived in self._ended():
                if code == REFUSED and number not in self._again:
                    return REFUSED
                self._again.add(number)
                print(f"worker {number} ended with {code}; begun anew", file=sys.stderr, flush=True)
                if lived < _AGAIN_S:  # one that dies at once would otherwise keep a core busy with dying
                    told = signal.sigtimedwait(_SIGNALS - {signal.SIGCHLD}, _AGAIN_S)
                    if told is not None:
                        return 0
                self._begin(number)

    def _ended(self) -> list[tuple[int, int, float]]:
        """Workers that are gone: number, exit code (negative: the signal), seconds lived."""
        found = []
        for child in list(self._numbers):
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone:
                lived = time.monotonic() - self._begun.pop(child)
                found.append((self._numbers.pop(child), os.waitstatus_to_exitcode(status), lived))
        return found

    def _stop(self) -> None:
        self._tell(signal.SIGTERM)
        until = time.monotonic() + STOP_S
        while self._numbers and time.monotonic() < until:
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            self._ended()
        self._tell(signal.SIGKILL)
        for child in self._numbers:
            os.waitpid(child, 0)

    def _tell(self, what: signal.Signals) -> None:
        for child in self._numbers:
            os.kill(child, what)
