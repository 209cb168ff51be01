"""The one line in front of a token: every call goes through one thread, one at a time, from a bounded queue.

A PKCS#11 module that two threads enter at once may crash the process. Who comes when the queue is full, or waits longer
than agreed, is told so at once; what nobody waits for any more is not begun.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from ingam.ports.signing import SigningOutage

T = TypeVar("T")


class _Job(NamedTuple):
    act: Callable[[], Any]
    answer: Future[Any]


class Line:
    """A queue of `depth` calls and its thread, which starts with the first call, in the process that makes it.

    A forked child has a queue and a thread of its own: what stood in its parent's is its parent's.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._jobs: queue.Queue[_Job | None] = queue.Queue(self._depth)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, act: Callable[[], T], answer_s: float) -> T:
        """What `act` gives, called in the line's thread; what it raises is raised here.

        Raises SigningOutage: `queue-full` at once, `no-answer` after `answer_s` seconds, `closed`, or `token-lost`
        where a call before it met a lost token.
        """
        if self._pid != os.getpid():
            self._begin()
        job = _Job(act, Future())
        self._enter(job)
        try:
            return job.answer.result(answer_s)  # type: ignore[no-any-return]  # what act gives
        except TimeoutError:
            job.answer.cancel()  # not begun: never begun; begun: its result is dropped
            raise SigningOutage(reason="no-answer") from None

    def fail_waiting(self) -> None:
        """Those who wait now hear of the outage."""
        with suppress(queue.Empty):
            while (waiting := self._jobs.get_nowait()) is not None:
                if waiting.answer.set_running_or_notify_cancel():
                    waiting.answer.set_exception(SigningOutage(reason="token-lost"))
            self._jobs.put_nowait(None)  # the line is closed: nobody else enters, so there is room

    def close(self, answer_s: float, last: Callable[[], None]) -> None:
        """Fail those who wait, call `last` in the line's thread, and end it; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = None if self._pid != os.getpid() else self._thread
        if thread is None:
            return
        self.fail_waiting()
        self._last = last
        with suppress(queue.Full):  # only where the thread is held by a token that never answers
            self._jobs.put(None, timeout=answer_s)
            if thread is not threading.current_thread():  # the last call may be what held its owner alive
                thread.join(answer_s)

    def _enter(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise SigningOutage(reason="closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, args=(self._jobs,), name="token", daemon=True)
                self._thread.start()
            try:
                self._jobs.put_nowait(job)
            except queue.Full:
                raise SigningOutage(reason="queue-full") from None

    def _work(self, jobs: queue.Queue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            if job.answer.set_running_or_notify_cancel():
                _do(job)
            del job  # nothing of a finished call is kept while the next one is awaited
        self._last()


def _do(job: _Job) -> None:
    try:
        result = job.act()
    except BaseException as error:  # whatever it is, the one who asked must hear of it
        job.answer.set_exception(error)
    else:
        job.answer.set_result(result)
