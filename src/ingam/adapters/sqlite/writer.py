"""One writer thread that commits many pieces of work at once, and connections of the same settings (WAL).

`synchronous = FULL` makes a commit wait for the disk; what gathers meanwhile shares the next commit, each piece in a
SAVEPOINT of its own, so that the refusal of one leaves the others alone. A caller hears of its work after the commit.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from ingam.kernel.errors import Defect, Failure
from ingam.ports.store import StoreOutage

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], Any]

TOGETHER: Final = 256
"""At most so many pieces of work share one commit."""

BUSY_S: Final = 5.0
"""How long to wait for another process (the CLI) that writes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work for the writer, and where its answer goes."""

    work: Work
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection of this store's settings to a file that is there; `migrate` makes it."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None,
        check_same_thread=False, cached_statements=256,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if readonly:
        connection.execute("PRAGMA query_only = 1")
    return connection


def create(path: Path) -> None:
    """An empty file for its owner only (0600), where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


class Writer(threading.Thread):
    """The one thread that writes; `submit` queues work for the next commit."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="store-writer", daemon=True)
        self._path = path
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """The answer of the work, after the commit that holds it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.put(Job(work, answer, loop))
        return answer

    def stop(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        self._queue.put(None)

    def run(self) -> None:
        while (job := self._queue.get()) is not None:
            if not self._commit(job):
                break
        if self._connection is not None:
            self._connection.close()
        self._refuse_the_rest()

    def _commit(self, first: Job) -> bool:
        """One transaction for all that is queued; False when the thread was told to stop meanwhile."""
        done: list[tuple[Job, Any]] = []
        jobs, going_on = self._gather(first)
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            done += [(job, _one(connection, job.work)) for job in jobs]
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._roll_back()
            done = [(job, outage_of(error)) for job in jobs]
        _answer(done)
        return going_on

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
        jobs = [first]
        while len(jobs) < TOGETHER:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                return jobs, False
            jobs.append(job)
        return jobs, True

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _roll_back(self) -> None:
        """After an error of the whole transaction: a fresh connection is the surest clean state."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return
            if job is not None:
                _answer([(job, StoreOutage())])


def _one(connection: sqlite3.Connection, work: Work) -> Any:
    """The outcome of one piece of work: its value, or the failure that undid it alone."""
    connection.execute("SAVEPOINT one")
    try:
        outcome = work(connection)
    except Failure as refused:
        outcome = refused
    except sqlite3.OperationalError:
        raise  # disk full, I/O error, locked: the whole transaction is in doubt
    except Exception as error:
        outcome = Defect("store-statement", kind=type(error).__name__)
        outcome.__cause__ = error
    if isinstance(outcome, Failure):
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
    return outcome


def outage_of(error: Exception) -> StoreOutage:
    """What the caller hears where the database does not answer."""
    outage = StoreOutage()
    outage.__cause__ = error
    return outage


def _answer(done: list[tuple[Job, Any]]) -> None:
    """Wake each loop once for all its answers."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Job, Any]]] = {}
    for job, outcome in done:
        loops.setdefault(job.loop, []).append((job, outcome))
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:
            continue  # that loop is closed: nobody waits there any more


def _settle(answers: list[tuple[Job, Any]]) -> None:
    for job, outcome in answers:
        if job.answer.done():
            continue  # the caller went away; the work is committed all the same
        if isinstance(outcome, Failure):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)
