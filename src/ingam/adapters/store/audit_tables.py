"""`ports.audit.AuditTables` on both databases, over a connection of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg

from ingam.adapters.sqlite.writer import BUSY_S, connect, outage_of, turn
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.statements import numbered
from ingam.kernel.instants import to_micros
from ingam.ports.audit import Body
from ingam.ports.store import StoreOutage
from ingam.protocols.audit.chain import Entry

AT_ONCE: Final = 500
"""Lines that one transaction deletes."""

ANSWER_S: Final = 30.0

_ENTRY: Final = 'SELECT "seq", "at", "delete_at", "commitment", "link" FROM "audit_chain" '
_ENTRIES: Final = _ENTRY + 'WHERE "seq" > ? ORDER BY "seq" LIMIT ?'
_ONE: Final = _ENTRY + 'WHERE "seq" = ?'
_BODIES: Final = (
    'SELECT c."seq", c."delete_at", c."commitment", a."at", a."action", a."result", a."subject", a."operator", '
    'a."sealed", k."wrapped" FROM "audit_chain" AS c LEFT JOIN "audit" AS a ON a."seq" = c."seq" '
    'LEFT JOIN "audit_key" AS k ON k."seq" = c."seq" WHERE c."seq" > ? ORDER BY c."seq" LIMIT ?'
)
_STRAYS: Final = (
    'SELECT a."seq" FROM "audit" AS a LEFT JOIN "audit_chain" AS c ON c."seq" = a."seq" WHERE c."seq" IS NULL '
    'ORDER BY a."seq" LIMIT ?'
)
_OVER: Final = 'SELECT "seq" FROM "audit_key" WHERE "delete_at" <= ? ORDER BY "delete_at" LIMIT ?'


class _Database(Protocol):
    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]: ...
    async def delete(self, tables: Sequence[str], seqs: Sequence[int]) -> None: ...
    async def close(self) -> None: ...


def open_tables(url: str) -> Tables:
    """The audit of the store at `url`; it connects when it is asked. Raises Refusal `store-address`."""
    path = sqlite_path(url)
    return Tables(_OnPostgresql(url) if path is None else _OnSqlite(path))


class Tables:
    """`ports.audit.AuditTables`."""

    def __init__(self, database: _Database) -> None:
        self._database = database

    async def entries(self, after: int, limit: int) -> list[Entry]:
        return [Entry(*tuple(row)) for row in await self._database.fetch(_ENTRIES, (after, limit))]

    async def entry(self, seq: int) -> Entry | None:
        rows = await self._database.fetch(_ONE, (seq,))
        return Entry(*tuple(rows[0])) if rows else None

    async def bodies(self, after: int, limit: int) -> list[Body]:
        return [dict(row) for row in await self._database.fetch(_BODIES, (after, limit))]

    async def strays(self, limit: int) -> list[int]:
        return [int(row[0]) for row in await self._database.fetch(_STRAYS, (limit,))]

    async def expire(self, now: datetime) -> int:
        gone = 0
        while over := [int(row[0]) for row in await self._database.fetch(_OVER, (to_micros(now), AT_ONCE))]:
            await self._database.delete(("audit", "audit_key"), over)
            gone += len(over)
        return gone

    async def close(self) -> None:
        await self._database.close()


class _OnSqlite:
    """Each question with a connection of its own, in a thread: they are few."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        return await asyncio.to_thread(self._fetch, sql, args)

    async def delete(self, tables: Sequence[str], seqs: Sequence[int]) -> None:
        await asyncio.to_thread(self._delete, tables, seqs)

    async def close(self) -> None:
        """Nothing is open."""

    def _fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        try:
            with closing(connect(self._path, readonly=True)) as connection:
                return connection.execute(sql, tuple(args)).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise outage_of(error) from error

    def _delete(self, tables: Sequence[str], seqs: Sequence[int]) -> None:
        try:
            with closing(connect(self._path)) as connection, turn(self._path):
                connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
                connection.execute("BEGIN IMMEDIATE")
                for table in tables:
                    connection.executemany(f'DELETE FROM "{table}" WHERE "seq" = ?', [(seq,) for seq in seqs])  # noqa: S608
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise outage_of(error) from error


class _OnPostgresql:
    """One connection, made anew after trouble."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Any]:
        try:
            found: list[Any] = await (await self._open()).fetch(numbered(sql), *args)
            return found
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreOutage from error

    async def delete(self, tables: Sequence[str], seqs: Sequence[int]) -> None:
        try:
            connection = await self._open()
            async with connection.transaction():
                for table in tables:
                    await connection.execute(f'DELETE FROM "{table}" WHERE "seq" = ANY($1)', list(seqs))  # noqa: S608
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreOutage from error

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _open(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=5, command_timeout=ANSWER_S)
        return self._connection
