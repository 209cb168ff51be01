"""`ports.importing.ImportTables` on both databases, over a connection of its own; a batch is one transaction."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import asyncpg

from ingam.adapters.sqlite.writer import BUSY_S, connect, outage_of, turn
from ingam.adapters.store import statements
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.chaining import append
from ingam.adapters.store.columns import decode, encode, encode_row
from ingam.adapters.store.postgresql import FLUSHED
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import Step, numbered
from ingam.ports.importing import Batch, Known, Run
from ingam.ports.store import Row, Save, Stale, StoreOutage

T = TypeVar("T")

CONNECT_S: Final = 5.0
ANSWER_S: Final = 60.0
"""A batch on a busy disk may take long; whoever imports waits."""

CACHE_KIB: Final = 96 * 1024
"""Pages of SQLite's indexes that stay in memory: each row lands somewhere else in four of them."""

CHECKPOINT_PAGES: Final = 32_000
"""128 MiB of WAL: a page that many batches touch is copied into the file once."""

_RUN: Final = 'SELECT * FROM "import_run" WHERE "run_id" = ?'
_COLUMNS: Final = tuple(one.name for one in dataclasses.fields(Run))
_PUT: Final = (
    f'INSERT INTO "import_run" ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)}) '  # noqa: S608
    f'ON CONFLICT ("run_id") DO UPDATE SET {", ".join(f"{one} = excluded.{one}" for one in _COLUMNS[1:])} '
    'WHERE "import_run"."at_row" = ?'
)
_BINDINGS: Final = 'SELECT "customer_id", "fingerprint", "status" FROM "binding" WHERE "{by}" IN '
_CLAIMS: Final = (
    'SELECT "customer_id", "claim_key", CASE WHEN "ended_at" IS NULL THEN \'OPEN\' ELSE \'ENDED\' END '
    'FROM "binding_claim" WHERE "{by}" IN '
)
_CUSTOMERS: Final = (
    'SELECT "customer_id", "kind", "banking_id", "data_key", "key_version", "name", "idn", "status" FROM "customer" '
    'WHERE "banking_id" IN '
)


class _Database(Protocol):
    async def among(self, sql: str, values: Sequence[str]) -> list[Any]: ...
    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]: ...
    async def save(
        self, inserts: Sequence[tuple[str, Sequence[Any]]], put: Sequence[Any], line: Step | None
    ) -> bool: ...
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
        return await self._known(_BINDINGS, ("customer_id", customer_ids), ("fingerprint", fingerprints))

    async def claims(self, customer_ids: Collection[str], keys: Collection[str]) -> list[Known]:
        return await self._known(_CLAIMS, ("customer_id", customer_ids), ("claim_key", keys))

    async def customers(self, banking_ids: Collection[str]) -> list[Row]:
        """Rows of `customer`: key, kind, status, and what opens name and number."""
        return [dict(row) for row in await self._database.among(_CUSTOMERS, list(banking_ids))]

    async def begin_again(self, run: Run) -> None:
        """A finished run stands at its first row once more."""
        before = await self.run(run.run_id)
        await self.save(Batch((), (), run, 0 if before is None else before.at_row))

    async def save(self, batch: Batch) -> bool:
        inserts = [_insert("binding", row) for row in batch.bindings]
        inserts += [_insert("binding_claim", row) for row in batch.claims]
        put = [encode("import_run", name, getattr(batch.run, name)) for name in _COLUMNS]
        put.append(batch.before)
        line = None if batch.line is None else statements.steps(Save(audit=[batch.line]), self._sealer)[0]
        return await self._database.save(inserts, put, line)

    async def close(self) -> None:
        await self._database.close()

    async def _known(self, sql: str, *asked: tuple[str, Collection[str]]) -> list[Known]:
        found: set[tuple[str, str, str]] = set()
        for by, values in asked:
            if values:
                found |= {tuple(row) for row in await self._database.among(sql.format(by=by), list(values))}
        return [Known(*one) for one in sorted(found)]


def _insert(table: str, row: Row) -> tuple[str, list[Any]]:
    return statements.insert_sql(table, tuple(row)), encode_row(table, row)


def _by_statement(inserts: Sequence[tuple[str, Sequence[Any]]]) -> dict[str, list[Sequence[Any]]]:
    found: dict[str, list[Sequence[Any]]] = {}
    for sql, args in inserts:
        found.setdefault(sql, []).append(args)
    return found


class _TakenError(Exception):
    """A row's place is taken."""


class _OnSqlite:
    """Questions and batches in a thread, over one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def among(self, sql: str, values: Sequence[str]) -> list[Any]:
        return await self.fetch(f"{sql}({', '.join('?' for _ in values)})", values)

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        return await self._aside(lambda connection: connection.execute(sql, tuple(args)).fetchall())

    async def save(self, inserts: Sequence[tuple[str, Sequence[Any]]], put: Sequence[Any], line: Step | None) -> bool:
        return await self._aside(lambda connection: self._save(connection, inserts, put, line))

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _save(
        self,
        connection: sqlite3.Connection,
        inserts: Sequence[tuple[str, Sequence[Any]]],
        put: Sequence[Any],
        line: Step | None,
    ) -> bool:
        with turn(self._path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, rows in _by_statement(inserts).items():
                    # A place that is taken gives way without a word; so the rows that came in are counted.
                    if connection.executemany(sql, rows).rowcount != len(rows):
                        raise _TakenError
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

    async def _aside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.to_thread(lambda: work(self._open()))
        except (sqlite3.Error, OSError) as error:
            raise outage_of(error) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
            self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return self._connection


class _OnPostgresql:
    """One connection, made anew after trouble. Rows of one table go in one statement."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    async def among(self, sql: str, values: Sequence[str]) -> list[Any]:
        return await self.fetch(sql.replace(" IN ", " = ANY(?)"), (list(values),))

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        rows: list[Any] = await self._with(lambda connection: connection.fetch(numbered(sql), *args))
        return rows

    async def save(self, inserts: Sequence[tuple[str, Sequence[Any]]], put: Sequence[Any], line: Step | None) -> bool:
        try:
            await self._with(lambda connection: self._save(connection, inserts, put, line))
        except _TakenError:
            return False
        return True

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _save(
        self, connection: Any, inserts: Sequence[tuple[str, Sequence[Any]]], put: Sequence[Any], line: Step | None
    ) -> None:
        async with connection.transaction():
            for sql, rows in _by_statement(inserts).items():
                # executemany tells no counts: without giving way, a taken place is an error of the whole.
                await connection.executemany(numbered(sql.removesuffix(" ON CONFLICT DO NOTHING")), rows)
            if not (await connection.execute(numbered(_PUT), *put)).endswith(" 1"):
                raise Stale
            if line is not None:
                await connection.fetch(numbered(line.sql), *line.args)
        if line is not None:
            await connection.fetchval(FLUSHED)

    async def _with(self, work: Callable[[Any], Any]) -> Any:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url, timeout=CONNECT_S, command_timeout=ANSWER_S)
            return await work(self._connection)
        except asyncpg.UniqueViolationError:
            raise _TakenError from None  # the error's text would name values
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreOutage from error
