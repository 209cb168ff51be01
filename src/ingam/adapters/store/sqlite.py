"""The store on SQLite: one writer that commits many saves at once, and readers beside it (WAL)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from ingam.adapters.sqlite.writer import Writer, connect, outage_of
from ingam.adapters.store import statements
from ingam.adapters.store.audit_lines import opened as opened_line
from ingam.adapters.store.chaining import append
from ingam.adapters.store.columns import decode
from ingam.adapters.store.outbox import opened
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import Step
from ingam.kernel.instants import to_micros
from ingam.ports.store import Claimed, Conflict, Count, Flow, Issued, Row, Save, StoreOutage, Tally

T = TypeVar("T")


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
            raise outage_of(error) from error

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
        found: list[Row] = [decode(table, dict(row)) for row in rows]
        return [opened_line(row, self._sealer) for row in found] if table == "audit" else found

    async def how_many(self, table: str, where: Row) -> int:
        sql = statements.count_sql(table, statements.where_shape(where))
        return int((await self._read(sql, statements.where_args(table, where)))[0][0])

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

    async def tally(self, since: datetime, until: datetime) -> list[Tally]:
        rows = await self._read(statements.TALLY, (to_micros(since), to_micros(until)))
        return [statements.tally(*tuple(row)) for row in rows]

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
        if self._writer is not None:
            await self._writer.shut()
        if self._readers is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._readers.stop)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreOutage
        if self._writer is None:
            self._writer = Writer(self._path)
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
        if step.chains:
            append(connection, step.args)
        else:
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
