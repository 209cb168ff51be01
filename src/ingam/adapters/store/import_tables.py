"""`ports.importing.ImportTables` on both databases; a batch is one transaction.

Two connections of its own: one asks for the next batch while the other one still writes the last.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

import asyncpg

from ingam.adapters.sqlite.writer import BUSY_S, connect, outage_of, turn
from ingam.adapters.store import statements
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.chaining import append
from ingam.adapters.store.columns import check, decode, encode, encode_row
from ingam.adapters.store.postgresql import FLUSHED
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import Step, numbered
from ingam.ports.importing import Batch, Known, Run
from ingam.ports.store import Row, Save, Stale, StoreOutage

T = TypeVar("T")

CONNECT_S: Final = 5.0
ANSWER_S: Final = 60.0
"""A batch on a busy disk may take long; whoever imports waits."""

CACHE_KIB: Final = 64 * 1024
"""Pages of SQLite's indexes that stay in memory: each row lands somewhere else in four of them."""

ASKING_CACHE_KIB: Final = 16 * 1024
"""Of the connection that asks: what stays are the upper pages of the indexes."""

AT_A_STEP: Final = 250
"""Rows of one INSERT on SQLite. Between two statements the thread needs the interpreter, which checks other rows."""

BY_INDEX: Final = {"enable_seqscan": "off", "plan_cache_mode": "force_custom_plan"}
"""Of the connection that asks PostgreSQL: every question is one of keys, and a table that just grew from nothing has no
statistics yet, so that the planner would read all of it for every batch."""

CHECKPOINT_PAGES: Final = 32_000
"""128 MiB of WAL: a page that many batches touch is copied into the file once."""

_RUN: Final = 'SELECT * FROM "import_run" WHERE "run_id" = ?'
_COLUMNS: Final = tuple(one.name for one in dataclasses.fields(Run))
_PUT: Final = (
    f'INSERT INTO "import_run" ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)}) '  # noqa: S608
    f'ON CONFLICT ("run_id") DO UPDATE SET {", ".join(f"{one} = excluded.{one}" for one in _COLUMNS[1:])} '
    'WHERE "import_run"."at_row" = ?'
)
# Each of these ends with the column whose values are asked for.
_BINDINGS_OF: Final = 'SELECT "customer_id", "fingerprint", "status" FROM "binding" WHERE "customer_id"'
# The words of the index `binding_one_owner`, which has the standing ones alone: without them all rows were read.
_STANDING_BY: Final = (
    'SELECT "customer_id", "fingerprint", "status" FROM "binding" '
    "WHERE status IN ('ACTIVE', 'SUSPENDED') AND \"fingerprint\""
)
_CLAIM: Final = (
    'SELECT "customer_id", "claim_key", CASE WHEN "ended_at" IS NULL THEN \'OPEN\' ELSE \'ENDED\' END '
    'FROM "binding_claim" WHERE '
)
_CLAIMS_OF: Final = _CLAIM + '"customer_id"'
_CLAIMS_BY: Final = _CLAIM + '"claim_key"'
_CUSTOMERS: Final = (
    'SELECT "customer_id", "kind", "banking_id", "data_key", "key_version", "name", "idn", "status" FROM "customer" '
    'WHERE "banking_id"'
)
QUESTIONS: Final = (_BINDINGS_OF, _STANDING_BY, _CLAIMS_OF, _CLAIMS_BY, _CUSTOMERS)
"""What is asked for each batch; all by an index."""

Rows: TypeAlias = Sequence[Sequence[Any]]


class Inserts(NamedTuple):
    """Rows of one table; each has the values of `columns` in their order."""

    table: str
    columns: tuple[str, ...]
    rows: Rows


class _Database(Protocol):
    async def among(self, sql: str, values: Sequence[str]) -> list[Any]: ...
    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]: ...
    async def save(self, inserts: Sequence[Inserts], put: Sequence[Any], line: Step | None) -> bool: ...
    async def close(self) -> None: ...


def open_import(url: str, sealer: Sealer) -> Tables:
    """The import's tables of the store at `url`; it connects when it is asked. Raises Refusal `store-address`."""
    path = sqlite_path(url)
    return Tables(_OnPostgresql(url) if path is None else _OnSqlite(path), sealer)


class Tables:
    """`ports.importing.ImportTables`."""

    def __init__(self, database: _Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def run(self, run_id: str) -> Run | None:
        rows = await self._database.fetch(_RUN, (run_id,))
        return Run(**decode("import_run", dict(rows[0]))) if rows else None  # type: ignore[arg-type]

    async def bindings(self, customer_ids: Collection[str], fingerprints: Collection[str]) -> list[Known]:
        return await self._known((_BINDINGS_OF, customer_ids), (_STANDING_BY, fingerprints))

    async def claims(self, customer_ids: Collection[str], keys: Collection[str]) -> list[Known]:
        return await self._known((_CLAIMS_OF, customer_ids), (_CLAIMS_BY, keys))

    async def customers(self, banking_ids: Collection[str]) -> list[Row]:
        """Rows of `customer`: key, kind, status, and what opens name and number."""
        return [dict(row) for row in await self._database.among(_CUSTOMERS, list(banking_ids))]

    async def begin_again(self, run: Run) -> None:
        """A finished run stands at its first row once more."""
        before = await self.run(run.run_id)
        await self.save(Batch((), (), run, 0 if before is None else before.at_row))

    async def save(self, batch: Batch) -> bool:
        inserts = [*_inserts("binding", batch.bindings), *_inserts("binding_claim", batch.claims)]
        put = [encode("import_run", name, getattr(batch.run, name)) for name in _COLUMNS]
        put.append(batch.before)
        line = None if batch.line is None else statements.steps(Save(audit=[batch.line]), self._sealer)[0]
        return await self._database.save(inserts, put, line)

    async def close(self) -> None:
        await self._database.close()

    async def _known(self, *asked: tuple[str, Collection[str]]) -> list[Known]:
        found: set[tuple[str, str, str]] = set()
        for sql, values in asked:
            if values:
                found |= {tuple(row) for row in await self._database.among(sql, list(values))}
        return [Known(*one) for one in sorted(found)]


def _inserts(table: str, rows: Sequence[Row]) -> list[Inserts]:
    found: dict[tuple[str, ...], list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row), []).append(encode_row(table, row))
    for columns in found:
        check(table, *columns)
    return [Inserts(table, columns, encoded) for columns, encoded in found.items()]


class _TakenError(Exception):
    """A row's place is taken."""


class _OnSqlite:
    """Questions and batches in threads, each over its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_asks = asyncio.Lock()
        self._asking: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None

    async def among(self, sql: str, values: Sequence[str]) -> list[Any]:
        return await self.fetch(f"{sql} IN ({', '.join('?' for _ in values)})", values)

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        async with self._one_asks:
            return await _aside(lambda: self._to_ask().execute(sql, tuple(args)).fetchall())

    async def save(self, inserts: Sequence[Inserts], put: Sequence[Any], line: Step | None) -> bool:
        return await _aside(lambda: self._save(self._to_write(), inserts, put, line))

    async def close(self) -> None:
        for connection in (self._asking, self._writing):
            if connection is not None:
                connection.close()

    def _save(
        self, connection: sqlite3.Connection, inserts: Sequence[Inserts], put: Sequence[Any], line: Step | None
    ) -> bool:
        with turn(self._path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                for one in inserts:
                    _put_in(connection, one)
                if connection.execute(_PUT, put).rowcount != 1:
                    raise Stale
                if line is not None:
                    append(connection, line.args)
                connection.execute("COMMIT")
            except BaseException as error:
                connection.execute("ROLLBACK")
                if isinstance(error, _TakenError):
                    return False
                raise
        return True

    def _to_ask(self) -> sqlite3.Connection:
        if self._asking is None:
            self._asking = connect(self._path, readonly=True)
            self._asking.execute(f"PRAGMA cache_size = -{ASKING_CACHE_KIB}")
        return self._asking

    def _to_write(self) -> sqlite3.Connection:
        if self._writing is None:
            self._writing = connect(self._path)
            self._writing.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
            self._writing.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._writing.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return self._writing


async def _aside(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except (sqlite3.Error, OSError) as error:
        raise outage_of(error) from error


def _put_in(connection: sqlite3.Connection, inserts: Inserts) -> None:
    """Many rows in a statement. A place that is taken gives way without a word; so those that came in are counted."""
    for first in range(0, len(inserts.rows), AT_A_STEP):
        rows = inserts.rows[first : first + AT_A_STEP]
        sql = _many_sql(inserts.table, inserts.columns, len(rows))
        if connection.execute(sql, [value for row in rows for value in row]).rowcount != len(rows):
            raise _TakenError


@lru_cache(maxsize=16)
def _many_sql(table: str, columns: tuple[str, ...], count: int) -> str:
    before, _, after = statements.insert_sql(table, columns).partition(" VALUES ")
    one, _, conflict = after.partition(" ON CONFLICT")
    return f"{before} VALUES {', '.join([one] * count)} ON CONFLICT{conflict}"


class _OnPostgresql:
    """Two connections, made anew after trouble. Rows go as a COPY."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._one_asks = asyncio.Lock()
        self._asking: Any = None
        self._writing: Any = None

    async def among(self, sql: str, values: Sequence[str]) -> list[Any]:
        return await self.fetch(f"{sql} = ANY(?)", (list(values),))

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        async with self._one_asks:
            with _told():
                return await self._fetch(sql, args)

    async def _fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        if self._asking is None or self._asking.is_closed():
            self._asking = await self._connected(BY_INDEX)
        rows: list[Any] = await self._asking.fetch(numbered(sql), *args)
        return rows

    async def save(self, inserts: Sequence[Inserts], put: Sequence[Any], line: Step | None) -> bool:
        try:
            with _told():
                if self._writing is None or self._writing.is_closed():
                    self._writing = await self._connected({})
                await _save(self._writing, inserts, put, line)
        except _TakenError:
            return False
        return True

    async def close(self) -> None:
        for connection in (self._asking, self._writing):
            if connection is not None:
                await connection.close()

    async def _connected(self, settings: Mapping[str, str]) -> Any:
        return await asyncpg.connect(
            self._url, timeout=CONNECT_S, command_timeout=ANSWER_S, server_settings=dict(settings)
        )


async def _save(connection: Any, inserts: Sequence[Inserts], put: Sequence[Any], line: Step | None) -> None:
    async with connection.transaction():
        for one in inserts:
            await connection.copy_records_to_table(one.table, records=one.rows, columns=one.columns)
        if not (await connection.execute(numbered(_PUT), *put)).endswith(" 1"):
            raise Stale
        if line is not None:
            await connection.fetch(numbered(line.sql), *line.args)
    if line is not None:
        await connection.fetchval(FLUSHED)


@contextmanager
def _told() -> Iterator[None]:
    """What the driver says, in our words."""
    try:
        yield
    except asyncpg.UniqueViolationError:
        raise _TakenError from None  # the error's text would name values
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreOutage from error
