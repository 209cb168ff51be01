"""The store on SQLite: one writer thread that commits many saves at once, and readers beside it (WAL).

`synchronous = FULL` makes a commit wait for the disk; the saves that gather meanwhile share the next commit, each in a
SAVEPOINT of its own, so that the refusal of one leaves the others alone. A caller hears of its save after the commit.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from ingam.adapters.store import statements
from ingam.adapters.store.columns import decode
from ingam.adapters.store.outbox import opened
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import Step
from ingam.kernel.errors import Defect, Failure
from ingam.kernel.instants import to_micros
from ingam.ports.store import Claimed, Conflict, Count, Flow, Issued, Row, Save, StoreOutage

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
            done = [(job, _outage(error)) for job in jobs]
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


def _outage(error: Exception) -> StoreOutage:
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


class Readers:
    """Two threads with a reading connection each; WAL lets them read beside the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="store-reader")
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []

    async def rows(self, sql: str, args: tuple[Any, ...]) -> list[sqlite3.Row]:
        """All rows of a SELECT. Raises StoreOutage."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, sql, args)
        except (sqlite3.Error, OSError) as error:
            raise _outage(error) from error

    def _read(self, sql: str, args: tuple[Any, ...]) -> list[sqlite3.Row]:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = connect(self._path, readonly=True)
            self._mine.connection = connection
            self._all.append(connection)
        return connection.execute(sql, args).fetchall()

    def stop(self) -> None:
        """Wait for the readers and close their connections."""
        self._pool.shutdown(wait=True)
        for connection in self._all:
            connection.close()


class SqliteStore:
    """`ports.store.Store` in one file; one process writes most, others (the CLI) may write beside it."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._closed = False
        self._wake: list[Callable[[], None]] = []

    def on_outgoing(self, wake: Callable[[], None]) -> None:
        self._wake.append(wake)

    async def save(self, save: Save) -> None:
        made = statements.steps(save, self._sealer)
        await self._write(lambda connection: _save(connection, made))
        if save.outbox:
            for wake in self._wake:
                wake()

    async def flow(self, flow_id: str) -> Flow | None:
        row = await self.one("flow", {"flow_id": flow_id})
        return None if row is None else Flow(**row)  # type: ignore[arg-type]  # the columns are the fields

    async def one(self, table: str, where: Row) -> Row | None:
        found = await self.many(table, where, limit=2)
        if len(found) > 1:
            raise Conflict(table=table)
        return found[0] if found else None

    async def many(
        self, table: str, where: Row, *, order: str | None = None, descending: bool = False, limit: int = 100
    ) -> list[Row]:
        sql = statements.select_sql(table, statements.where_shape(where), order, descending, "")
        rows = await self._read(sql, (*statements.where_args(table, where), limit))
        return [decode(table, dict(row)) for row in rows]

    async def issued(self, kind: str, id: str) -> Issued | None:
        rows = await self._read(statements.ISSUED, (kind, id))
        return statements.issued(*tuple(rows[0])) if rows else None

    async def count(self, count: Count) -> int:
        args = statements.count_args(count)
        hits = await self._write(lambda connection: connection.execute(statements.COUNT, args).fetchone())
        return int(hits[0]) if hits is not None else count.ceiling + 1

    async def counted(self, key: str, window_s: int, at: datetime) -> int:
        rows = await self._read(statements.COUNTED, (key, to_micros(at) - window_s * 1_000_000))
        return int(rows[0][0]) if rows else 0

    async def claim(self, at: datetime, lease_s: int, limit: int) -> list[Claimed]:
        now = to_micros(at)
        args = (now + lease_s * 1_000_000, now, now, limit)
        if not await self._read(DUE, (now, now)):
            return []  # asking is cheap, a commit is not
        rows = await self._write(lambda connection: connection.execute(_CLAIM, args).fetchall())
        return opened([dict(row) for row in rows], self._sealer)

    async def delivered(self, id: int, at: datetime) -> None:
        await self._write(lambda connection: connection.execute(statements.DELIVERED, (to_micros(at), id)).rowcount)

    async def retry(self, id: int, due_at: datetime) -> None:
        await self._write(lambda connection: connection.execute(statements.RETRY, (to_micros(due_at), id)).rowcount)

    async def close(self) -> None:
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._stop)

    def _stop(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.join()
        if self._readers is not None:
            self._readers.stop()

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreOutage
        if self._writer is None:
            self._writer = Writer(self._path)
            self._writer.start()
        return await self._writer.submit(work)

    async def _read(self, sql: str, args: tuple[Any, ...]) -> list[sqlite3.Row]:
        if self._closed:
            raise StoreOutage
        if self._readers is None:
            self._readers = Readers(self._path)
        return await self._readers.rows(sql, args)


DUE: Final = (
    'SELECT 1 FROM "outbox" WHERE "delivered_at" IS NULL AND "due_at" <= ? '
    'AND ("lease_until" IS NULL OR "lease_until" <= ?) LIMIT 1'
)
_CLAIM: Final = statements.CLAIM.format(skip="")


def _save(connection: sqlite3.Connection, made: list[Step]) -> None:
    for step in made:
        _step(connection, step)


def _step(connection: sqlite3.Connection, step: Step) -> None:
    try:
        touched = connection.execute(step.sql, step.args).rowcount
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
            raise Conflict(table=step.table) from None  # the error's text would name values
        raise
    if touched == 1 or step.refusal is None:
        return
    if step.probe is not None and connection.execute(step.probe.sql, step.probe.args).fetchone():
        raise step.probe.found()
    raise step.refusal()
