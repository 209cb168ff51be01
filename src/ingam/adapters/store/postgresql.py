"""The store on PostgreSQL: a save is one statement of several parts (WITH …), so one round trip and one transaction.

Parts of one statement do not see each other's rows. Where a save touches a row twice, its steps go one by one in a
transaction instead; both ways run under the same contract suite.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg

from ingam.adapters.store import statements
from ingam.adapters.store.audit_lines import opened as opened_line
from ingam.adapters.store.columns import Encoded, decode
from ingam.adapters.store.outbox import opened
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import Step, numbered
from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.instants import to_micros
from ingam.ports.store import Claimed, Conflict, Count, Flow, Issued, Row, Save, StoreOutage, Tally

T = TypeVar("T")

ANSWER_S: Final = 10.0
"""How long a statement may take before it counts as an outage."""

CONNECT_S: Final = 5.0

CONNECTIONS: Final = 10

TRIES: Final = 6
"""A deadlock or serialisation failure undid everything and is tried again so often."""

REFUSED: Final = "IN001"
"""SQLSTATE of `ingam_refuse` (revision 0001)."""

FLUSHED: Final = "SELECT pg_logical_emit_message(true, 'ingam', '') IS NOT NULL"
"""A transaction that only writes to the WAL: its commit waits until all before it lies on the disk."""

_CLAIM: Final = numbered(statements.CLAIM.format(skip=" FOR UPDATE SKIP LOCKED"))
_COUNT: Final = numbered(statements.COUNT)
_COUNTED: Final = numbered(statements.COUNTED)
_DELIVERED: Final = numbered(statements.DELIVERED)
_RETRY: Final = numbered(statements.RETRY)
_ISSUED: Final = numbered(statements.ISSUED)
_TALLY: Final = numbered(statements.TALLY)

Shape: TypeAlias = tuple[tuple[str, bool, str | None], ...]
"""Of each step: its statement, whether it must touch one row, and its probe."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Nothing here changes a connection's session, so handing it back needs no round trip to clean it."""

    def get_reset_query(self) -> str:
        return ""


@lru_cache(maxsize=512)
def one_statement(shape: Shape) -> str:
    """All steps as parts of one statement; the first that must not pass raises its number (a `+` tells: found)."""
    parts, doubts, bound = [], [], 1
    for number, (sql, checked, probe) in enumerate(shape):
        parts.append(f"s{number} AS ({numbered(returning(sql), bound)})")
        bound += sql.count("?")
        if not checked:
            # Never true; but asking makes the parts run in the order of the steps, as audit lines need.
            doubts.append(f"WHEN (SELECT count(*) FROM s{number}) < 0 THEN 0")  # noqa: S608 - a number
            continue
        why = f"'{number}'"
        if probe is not None:
            why = f"CASE WHEN EXISTS ({numbered(probe, bound)}) THEN '{number}+' ELSE '{number}' END"
            bound += probe.count("?")
        doubts.append(f"WHEN (SELECT count(*) FROM s{number}) <> 1 THEN ingam_refuse({why})")  # noqa: S608 - numbers and our own statements
    return f"WITH {', '.join(parts)} SELECT CASE {' '.join(doubts)} END"


def returning(sql: str) -> str:
    """A row for each that a change touches; a question gives its own."""
    return sql if sql.startswith("SELECT ") else f"{sql} RETURNING 1"


def _bound(made: list[Step]) -> list[Encoded]:
    args: list[Encoded] = []
    for step in made:
        args += step.args
        if step.probe is not None:
            args += step.probe.args
    return args


def _refusal(made: list[Step], part: str) -> Refusal:
    step = made[int(part.rstrip("+"))]
    if part.endswith("+") and step.probe is not None:
        return step.probe.found()
    return step.refusal() if step.refusal is not None else Conflict(table=step.table)


class PostgresqlStore:
    """`ports.store.Store` on a server shared by several processes."""

    def __init__(self, url: str, sealer: Sealer, *, stepwise: bool = False) -> None:
        """`stepwise`: never join the steps of a save (tests hold both ways to one contract)."""
        self._url = url
        self._sealer = sealer
        self._stepwise = stepwise
        self._pool: Any = None
        self._opening: asyncio.Lock | None = None
        self._closed = False
        self._wake: list[Callable[[], None]] = []

    def on_outgoing(self, wake: Callable[[], None]) -> None:
        self._wake.append(wake)

    async def save(self, save: Save) -> None:
        made = statements.steps(save, self._sealer)
        if not made:
            return
        if self._stepwise or not statements.in_any_order(save, made):
            await self._with(lambda connection: _one_by_one(connection, made))
        else:
            await self._with(lambda connection: _at_once(connection, made))
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
        sql = statements.select_sql(table, statements.where_shape(where), order, descending, ' COLLATE "C"')
        rows = await self._fetch(_numbered(sql), *statements.where_args(table, where), limit)
        found: list[Row] = [decode(table, dict(row)) for row in rows]
        return [opened_line(row, self._sealer) for row in found] if table == "audit" else found

    async def how_many(self, table: str, where: Row) -> int:
        sql = statements.count_sql(table, statements.where_shape(where))
        return int((await self._fetch(_numbered(sql), *statements.where_args(table, where)))[0][0])

    async def issued(self, kind: str, id: str) -> Issued | None:
        rows = await self._fetch(_ISSUED, kind, id)
        return statements.issued(*tuple(rows[0])) if rows else None

    async def count(self, count: Count) -> int:
        rows = await self._fetch(_COUNT, *statements.count_args(count))
        return int(rows[0][0]) if rows else count.ceiling + 1

    async def counted(self, key: str, window_s: int, at: datetime) -> int:
        rows = await self._fetch(_COUNTED, key, to_micros(at) - window_s * 1_000_000)
        return int(rows[0][0]) if rows else 0

    async def tally(self, since: datetime, until: datetime) -> list[Tally]:
        rows = await self._fetch(_TALLY, to_micros(since), to_micros(until))
        return [statements.tally(*tuple(row)) for row in rows]

    async def claim(self, at: datetime, lease_s: int, limit: int) -> list[Claimed]:
        now = to_micros(at)
        rows = await self._fetch(_CLAIM, now + lease_s * 1_000_000, now, now, limit)
        return opened([dict(row) for row in rows], self._sealer)

    async def delivered(self, id: int, at: datetime) -> None:
        await self._fetch(_DELIVERED, to_micros(at), id)

    async def retry(self, id: int, due_at: datetime) -> None:
        await self._fetch(_RETRY, to_micros(due_at), id)

    async def close(self) -> None:
        self._closed = True
        if self._pool is not None:
            await self._pool.close()

    async def _fetch(self, sql: str, *args: Encoded) -> list[Any]:
        rows: list[Any] = await self._with(lambda connection: connection.fetch(sql, *args))
        return rows

    async def _with(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """The work on a connection; again where the server undid it for somebody else's sake."""
        for left in reversed(range(TRIES)):
            try:
                async with await self._connection() as connection:
                    return await work(connection)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                if not left:
                    raise StoreOutage from error
                await asyncio.sleep(random.uniform(0, 0.05))  # so that the same two do not meet again
            except asyncpg.PostgresError as error:
                raise _failure(error) from error
            except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                raise StoreOutage from error
        raise StoreOutage

    async def _connection(self) -> AbstractAsyncContextManager[Any]:
        if self._closed:
            raise StoreOutage
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=CONNECTIONS, connection_class=_Connection, timeout=CONNECT_S,
                    command_timeout=ANSWER_S, statement_cache_size=256, server_settings={"application_name": "ingam"},
                )  # fmt: skip
        acquired: AbstractAsyncContextManager[Any] = self._pool.acquire(timeout=ANSWER_S)
        return acquired


@lru_cache(maxsize=512)
def _numbered(sql: str) -> str:
    return numbered(sql)


def _failure(error: Any) -> StoreOutage | Defect:
    """Connection, resources, operator and system trouble is an outage; the rest is ours."""
    state = str(error.sqlstate or "")
    if state[:2] in ("08", "53", "57", "58"):
        return StoreOutage()
    return Defect("store-statement", sqlstate=state)


async def _at_once(connection: Any, made: list[Step]) -> None:
    shape = tuple((s.sql, s.refusal is not None, s.probe.sql if s.probe else None) for s in made)
    try:
        await connection.fetchval(one_statement(shape), *_bound(made))
    except asyncpg.UniqueViolationError as error:
        raise Conflict(table=str(error.table_name)) from None  # the error's text would name values
    except asyncpg.PostgresError as error:
        if error.sqlstate == REFUSED:
            raise _refusal(made, str(error)) from None
        raise
    await _on_the_disk(connection, made)


async def _one_by_one(connection: Any, made: list[Step]) -> None:
    async with connection.transaction():
        for step in made:
            await _step(connection, step)
    await _on_the_disk(connection, made)


async def _on_the_disk(connection: Any, made: list[Step]) -> None:
    """A save with a line of the audit commits without waiting for the disk (revision 0008): wait now."""
    if any(step.chains for step in made):
        await connection.fetchval(FLUSHED)


async def _step(connection: Any, step: Step) -> None:
    try:
        touched = len(await connection.fetch(_numbered(returning(step.sql)), *step.args))
    except asyncpg.UniqueViolationError:
        raise Conflict(table=step.table) from None  # the error's text would name values
    if touched == 1 or step.refusal is None:
        return
    if step.probe is not None and await connection.fetch(_numbered(step.probe.sql), *step.probe.args):
        raise step.probe.found()
    raise step.refusal()
