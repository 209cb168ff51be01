"""One writer for each process: work that comes together shares a commit; and connections of the same settings (WAL).

`synchronous = FULL` makes a commit wait for the disk; what gathers meanwhile shares the next one, each piece in a
SAVEPOINT of its own, so that the refusal of one leaves the others alone. A caller hears of its work after the commit.

Statements take microseconds and run on the event loop, where no other thread asks for the interpreter between them;
what waits, for another process or for the disk, waits in a thread. Processes take turns by a lock beside the file:
SQLite's own way of waiting is to sleep and try again, longer each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from ingam.kernel.errors import Defect, Failure
from ingam.ports.store import StoreOutage

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], Any]

TOGETHER: Final = 256
"""At most so many pieces of work share one commit."""

BUSY_S: Final = 5.0
"""How long to wait for a program that writes without taking its turn."""

CHECKPOINT_PAGES: Final = 4000
"""The WAL is copied into the file when it is so long: 16 MiB; SQLite's 1000 make one commit in thirty wait for that."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work for the writer, and where its answer goes."""

    work: Work
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection of this store's settings to a file that is there; `migrate` makes it. Not to be made in a `turn`."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None,
        check_same_thread=False, cached_statements=256,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        with turn(path):  # of two that change it at once SQLite refuses one, and at once
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if readonly:
        connection.execute("PRAGMA query_only = 1")
    return connection


def create(path: Path) -> None:
    """An empty file for its owner only (0600), where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """The turn of whoever writes at once, without a Writer: waits for it."""
    held = _lock_beside(path)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _lock_beside(path: Path) -> int:
    """Never the file itself: closing a second descriptor of it would end SQLite's own locks."""
    return os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


class Writer:
    """Of one event loop at a time. `submit` queues work for the next commit; `shut` ends it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Job] = []
        self._at_work = False
        self._connection: sqlite3.Connection | None = None
        self._turn: int | None = None
        self._aside: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._idle: list[asyncio.Future[None]] = []

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """The answer of the work, after the commit that holds it. Fails with StoreOutage or the work's own Failure."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Job(work, answer, loop))
        if not self._at_work:
            self._at_work = True
            loop.call_soon(self._begin)  # whatever this turn of the loop brings goes along
        return answer

    async def shut(self) -> None:
        """When what is queued is done: closes the connection and ends the thread."""
        if self._at_work:
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle
        self._close()
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None
        if self._thread is not None:
            self._aside.put(None)
            self._thread.join()
            self._thread = None

    # one round: begin → carry out → commit → answer

    def _begin(self) -> None:
        """At once where the turn is free, else when it comes."""
        loop = asyncio.get_running_loop()
        try:
            connection = self._open()
            fcntl.flock(self._lock(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            connection.execute("BEGIN IMMEDIATE")
        except (sqlite3.OperationalError, BlockingIOError):
            self._beside(loop, self._wait, self._carry_out)
        except (sqlite3.Error, OSError) as error:
            self._carry_out(error)
        else:
            self._carry_out(None)

    def _wait(self) -> None:
        connection = self._open()
        fcntl.flock(self._lock(), fcntl.LOCK_EX)
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
        try:
            connection.execute("BEGIN IMMEDIATE")
        finally:
            connection.execute("PRAGMA busy_timeout = 0")

    def _carry_out(self, wrong: Exception | None) -> None:
        jobs, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        if wrong is None:
            try:
                outcomes = _outcomes(self._open(), jobs)
            except (sqlite3.Error, OSError) as error:
                wrong = error
        if wrong is not None:
            self._answer(jobs, wrong, [])
            return
        loop = asyncio.get_running_loop()
        self._beside(loop, self._commit, lambda failed: self._answer(jobs, failed, outcomes))

    def _commit(self) -> None:
        self._open().execute("COMMIT")
        fcntl.flock(self._lock(), fcntl.LOCK_UN)

    def _answer(self, jobs: list[Job], wrong: Exception | None, outcomes: list[Any]) -> None:
        if wrong is not None:
            self._close()  # after an error of the whole transaction a fresh connection is the surest clean state
            outcomes = [outage_of(wrong)] * len(jobs)
        loop = asyncio.get_running_loop()
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.answer.done() or job.loop is not loop:
                continue  # the caller went away; the work is committed all the same
            if isinstance(outcome, Failure):
                job.answer.set_exception(outcome)
            else:
                job.answer.set_result(outcome)
        if self._waiting:
            loop.call_soon(self._begin)  # behind those who were answered just now and may have more
        else:
            self._rest()

    def _rest(self) -> None:
        self._at_work = False
        idle, self._idle = self._idle, []
        for one in idle:
            if not one.done():
                one.set_result(None)

    # the connection, the lock, the thread

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
            self._connection.execute("PRAGMA busy_timeout = 0")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _lock(self) -> int:
        if self._turn is None:
            self._turn = _lock_beside(self._path)
        return self._turn

    def _beside(
        self, loop: asyncio.AbstractEventLoop, act: Callable[[], None], then: Callable[[Exception | None], None]
    ) -> None:
        """In the thread; then on with it on the loop."""

        def go() -> None:
            try:
                act()
            except (sqlite3.Error, OSError) as error:
                told: Exception | None = error
            else:
                told = None
            try:
                loop.call_soon_threadsafe(then, told)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                self._close()
                self._waiting.clear()
                self._at_work = False

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
            self._thread.start()
        self._aside.put(go)

    def _run(self) -> None:
        while (act := self._aside.get()) is not None:
            act()


def _outcomes(connection: sqlite3.Connection, jobs: list[Job]) -> list[Any]:
    """What became of each. A single piece needs no SAVEPOINT: what undoes it undoes the transaction."""
    if len(jobs) > 1:
        return [_one(connection, job.work) for job in jobs]
    outcome = _outcome(connection, jobs[0].work)
    if isinstance(outcome, Failure):
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")
    return [outcome]


def _one(connection: sqlite3.Connection, work: Work) -> Any:
    """The outcome of one piece of work: its value, or the failure that undid it alone."""
    connection.execute("SAVEPOINT one")
    outcome = _outcome(connection, work)
    if isinstance(outcome, Failure):
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
    return outcome


def _outcome(connection: sqlite3.Connection, work: Work) -> Any:
    try:
        return work(connection)
    except Failure as refused:
        return refused
    except sqlite3.OperationalError:
        raise  # disk full, I/O error, locked: the whole transaction is in doubt
    except Exception as error:
        defect = Defect("store-statement", kind=type(error).__name__)
        defect.__cause__ = error
        return defect


def outage_of(error: Exception) -> StoreOutage:
    """What the caller hears where the database does not answer."""
    outage = StoreOutage()
    outage.__cause__ = error
    return outage
