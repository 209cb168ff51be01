"""A `Save` as parameterised statements that both databases understand; `?` stands for each bound value.

Names of tables and columns come from the schema only. A step that must touch one row says what it means when it does
not; so no refusal depends on the words of a driver's error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import Text

from ingam.adapters.store.audit_lines import Written, facts, written
from ingam.adapters.store.columns import TABLES, Encoded, WrongValue, check, encode
from ingam.adapters.store.sealing import Sealer
from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.store import (
    AlreadyUsed,
    Audit,
    Change,
    Conflict,
    Count,
    Delete,
    FlowSave,
    Insert,
    Issue,
    Issued,
    LedgerMove,
    NotIssued,
    Outgoing,
    Row,
    Save,
    Stale,
    Tally,
    Update,
    UpdateAll,
    Use,
    Void,
)

PERSONAL_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?\d{7}(?![0-9A-Za-z])"
)
"""Thirteen digits that begin with a day, with or without the hyphen: a 주민등록번호 in the wrong place."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that tells two refusals apart: if it finds a row, `found` is meant."""

    sql: str
    args: tuple[Encoded, ...]
    found: Callable[[], Refusal]


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a save; with `refusal`, it must touch exactly one row."""

    table: str
    sql: str
    args: tuple[Encoded, ...]
    refusal: Callable[[], Refusal] | None = None
    probe: Probe | None = None
    inserts: bool = False
    chains: bool = False  # a line of the audit: it takes the next number of the chain and holds it until the commit


def steps(save: Save, sealer: Sealer) -> list[Step]:
    """Every statement of a save, in the order of their checks. Raises WrongValue, Defect `audit-personal-number`."""
    made = [] if save.flow is None else [_flow(save.flow)]
    made += [_ledger(move) for move in save.ledger]
    made += [_change(change) for change in save.rows]
    made += [_outgoing(message, sealer) for message in save.outbox]
    made += [_change(Delete("counter", {"key": key})) for key in save.resets]
    # Last: whoever has the chain's turn waits for nobody, so no two saves can wait for each other.
    made += [_audit(line, sealer) for line in save.audit]
    return made


# -- statements of one shape each, kept once made ----------------------------------------------------------------------


@cache
def insert_sql(table: str, names: tuple[str, ...]) -> str:
    """INSERT that gives way to a taken key; the caller counts the rows."""
    check(table, *names)
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join("?" for _ in names)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING'  # noqa: S608


@cache
def update_sql(table: str, names: tuple[str, ...], where: tuple[tuple[str, bool], ...]) -> str:
    """UPDATE of the rows that have all values of `where` (name, is NULL)."""
    check(table, *names)
    assignments = ", ".join(f'"{name}" = ?' for name in names)
    return f'UPDATE "{table}" SET {assignments} {where_sql(table, where)}'  # noqa: S608


@cache
def delete_sql(table: str, where: tuple[tuple[str, bool], ...]) -> str:
    """DELETE of the rows that have all values of `where`."""
    return f'DELETE FROM "{table}" {where_sql(table, where)}'  # noqa: S608


@cache
def where_sql(table: str, where: tuple[tuple[str, bool], ...]) -> str:
    """The WHERE clause; empty for no condition."""
    check(table, *(name for name, _ in where))
    terms = [f'"{name}" IS NULL' if null else f'"{name}" = ?' for name, null in where]
    return f"WHERE {' AND '.join(terms)}" if terms else ""


@cache
def select_sql(
    table: str, where: tuple[tuple[str, bool], ...], order: str | None, descending: bool, collation: str
) -> str:
    """SELECT of whole rows, ordered the same way by both databases (text by code point, NULL first)."""
    check(table, *([order] if order else []))
    names = [order] if order else []
    names += [c.name for c in TABLES[table].primary_key.columns if c.name != order]
    direction = "DESC NULLS LAST" if descending else "ASC NULLS FIRST"
    by = ", ".join(f'"{name}"{_collate(table, name, collation)} {direction}' for name in names)
    columns = ", ".join(f'"{c.name}"' for c in TABLES[table].columns) + (BODY if table == "audit" else "")
    return f'SELECT {columns} FROM "{table}" {where_sql(table, where)} ORDER BY {by} LIMIT ?'  # noqa: S608


@cache
def count_sql(table: str, where: tuple[tuple[str, bool], ...]) -> str:
    """SELECT of their number."""
    check(table)
    return f'SELECT count(*) FROM "{table}" {where_sql(table, where)}'  # noqa: S608


def _collate(table: str, name: str, collation: str) -> str:
    return collation if isinstance(TABLES[table].columns[name].type, Text) else ""


def where_shape(where: Row) -> tuple[tuple[str, bool], ...]:
    """The names of a condition and which of them ask for NULL."""
    return tuple((name, value is None) for name, value in where.items())


def where_args(table: str, where: Row) -> tuple[Encoded, ...]:
    """The bound values of a condition. Raises WrongValue."""
    return tuple(encode(table, name, value) for name, value in where.items() if value is not None)


# -- the parts of a save -----------------------------------------------------------------------------------------------


def _inserting(table: str, values: Row, refusal: Callable[[], Refusal] | None) -> Step:
    args = tuple(encode(table, name, value) for name, value in values.items())
    return Step(table, insert_sql(table, tuple(values)), args, refusal, inserts=True)


def _flow(flow: FlowSave) -> Step:
    """Created at version 1, or moved on from exactly the version that the caller read."""
    values: Row = {
        "state": flow.state,
        "session": flow.session,
        "customer_id": flow.customer_id,
        "expires_at": flow.expires_at,
    }
    if flow.expected_version == 0:
        runs = flow.flow_id.rpartition(":")[0]
        row: Row = {"flow_id": flow.flow_id, "machine": flow.machine, "version": 1, "runs": runs, **values}
        return _inserting("flow", row, Stale)
    where: Row = {"flow_id": flow.flow_id, "machine": flow.machine, "version": flow.expected_version}
    return _updating(Update("flow", where, {**values, "version": flow.expected_version + 1}))


def _updating(change: Update) -> Step:
    if not change.where or not change.values:
        raise WrongValue(table=change.table, column="")
    sql = update_sql(change.table, tuple(change.values), where_shape(change.where))
    args = tuple(encode(change.table, name, value) for name, value in change.values.items())
    return Step(change.table, sql, args + where_args(change.table, change.where), Stale)


def _updating_all(change: UpdateAll) -> Step:
    table = change.table
    if not change.where or not change.values:
        raise WrongValue(table=table, column="")
    check(table, *change.but)
    sql = update_sql(table, tuple(change.values), where_shape(change.where))
    sql += "".join(f' AND "{name}" <> ?' for name in change.but)
    args = tuple(encode(table, name, value) for name, value in change.values.items())
    args += where_args(table, change.where) + where_args(table, change.but)
    return Step(table, sql, args)


def _change(change: Change) -> Step:
    if change.table in CHAINED:
        raise WrongValue(table=change.table, column="")  # lines are only added, and only by `Save.audit` (G6)
    match change:
        case Insert(table, values):
            return _inserting(table, values, lambda: Conflict(table=table))
        case Update():
            return _updating(change)
        case UpdateAll():
            return _updating_all(change)
        case Delete(table, where):
            if not where:
                raise WrongValue(table=table, column="")
            return Step(table, delete_sql(table, where_shape(where)), where_args(table, where))


LIVE: Final = 'SELECT 1 FROM "ledger_issued" WHERE "kind" = ? AND "id" = ? AND "expires_at" > ?'
_USED: Final = (
    'INSERT INTO "ledger_used" ("kind", "id", "used_at", "voided") '
    'SELECT "kind", "id", CAST(? AS BIGINT), {voided} FROM "ledger_issued" WHERE "kind" = ? AND "id" = ?{live} '
    "ON CONFLICT DO NOTHING"
)
USE: Final = _USED.format(voided="FALSE", live=' AND "expires_at" > ?')
VOID: Final = _USED.format(voided="TRUE", live="")


def _ledger(move: LedgerMove) -> Step:
    """Issued = row present, used = unique row (security F1); the unique key decides between two claims."""
    key = (encode("ledger_issued", "kind", move.kind), encode("ledger_issued", "id", move.id))
    match move:
        case Issue(kind, id, expires_at, facts):
            row: Row = {"kind": kind, "id": id, "expires_at": expires_at, "facts": facts}
            return _inserting("ledger_issued", row, lambda: Conflict(table="ledger_issued"))
        case Use(kind, _, at):
            live = (*key, to_micros(at))
            probe = Probe(LIVE, live, lambda: AlreadyUsed(kind=kind))
            return Step("ledger_used", USE, (to_micros(at), *live), lambda: NotIssued(kind=kind), probe, inserts=True)
        case Void(_, _, at):
            return Step("ledger_used", VOID, (to_micros(at), *key), inserts=True)


def _outgoing(message: Outgoing, sealer: Sealer) -> Step:
    """A second message of the same dedup key gives way without a refusal."""
    row: Row = {
        "due_at": message.due_at,
        "kind": message.kind,
        "payload": sealer.seal(message.payload, f"outbox {message.dedup}"),
        "dedup": message.dedup,
    }
    return _inserting("outbox", row, None)


APPEND: Final = f"SELECT ingam_audit_append({', '.join('?' for _ in Written._fields)})"
"""PostgreSQL's function of revision 0008; on SQLite `chaining.append` does the same."""

BODY: Final = "".join(
    f', (SELECT "{name}" FROM "{apart}" AS apart WHERE apart."seq" = "audit"."seq") AS "{name}"'  # noqa: S608
    for name, apart in (("wrapped", "audit_key"), ("commitment", "audit_chain"))
)
"""Beside the columns of `audit`: what opens a line's body."""

CHAINED: Final = ("audit", "audit_chain", "audit_key")


def _audit(line: Audit, sealer: Sealer) -> Step:
    if PERSONAL_NUMBER.search(f"{facts(line)} {line.reason or ''}"):
        raise Defect("audit-personal-number", action=line.action)
    return Step("audit", APPEND, written(line, sealer), inserts=True, chains=True)


# -- counters and the outbox -------------------------------------------------------------------------------------------

COUNT: Final = (
    'INSERT INTO "counter" ("key", "started_at", "hits") VALUES (?, ?, 1) ON CONFLICT ("key") DO UPDATE SET '
    '"started_at" = CASE WHEN "counter"."started_at" <= ? THEN excluded."started_at" ELSE "counter"."started_at" END, '
    '"hits" = CASE WHEN "counter"."started_at" <= ? THEN 1 ELSE "counter"."hits" + 1 END '
    'WHERE "counter"."started_at" <= ? OR "counter"."hits" < ? RETURNING "hits"'
)
"""One atomic hit; gives no row (and writes nothing) once the ceiling of the window is reached."""

COUNTED: Final = 'SELECT "hits" FROM "counter" WHERE "key" = ? AND "started_at" > ?'

CLAIM: Final = (
    'UPDATE "outbox" SET "lease_until" = ?, "attempts" = "attempts" + 1 WHERE "id" IN ('
    'SELECT "id" FROM "outbox" WHERE "delivered_at" IS NULL AND "due_at" <= ? '
    'AND ("lease_until" IS NULL OR "lease_until" <= ?) ORDER BY "due_at", "id" LIMIT ?{skip}) '
    'RETURNING "id", "kind", "payload", "attempts", "dedup", "due_at"'
)

DELIVERED: Final = 'UPDATE "outbox" SET "payload" = NULL, "delivered_at" = ?, "lease_until" = NULL WHERE "id" = ?'

RETRY: Final = 'UPDATE "outbox" SET "due_at" = ?, "lease_until" = NULL WHERE "id" = ? AND "delivered_at" IS NULL'

ISSUED: Final = (
    'SELECT i."kind", i."id", i."expires_at", i."facts", u."used_at" FROM "ledger_issued" AS i '
    'LEFT JOIN "ledger_used" AS u ON u."kind" = i."kind" AND u."id" = i."id" WHERE i."kind" = ? AND i."id" = ?'
)


_HOUR: Final = 3_600_000_000

TALLY: Final = (
    'WITH RECURSIVE one(named) AS (SELECT min("action") FROM "audit" UNION ALL SELECT ('
    'SELECT min("action") FROM "audit" WHERE "action" > one.named) FROM one WHERE one.named IS NOT NULL) '
    'SELECT "action", "result", "at" / 3600000000 AS "hour", count(*) AS "count" FROM one '
    'JOIN "audit" ON "action" = one.named AND "at" >= ? AND "at" < ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3'
)
"""From action to action along the index by action and time: lines of other days are not looked at."""


def tally(action: str, result: str, hour: int, count: int) -> Tally:
    """A row of TALLY."""
    return Tally(action, result, from_micros(hour * _HOUR), count)


def issued(kind: str, id: str, expires_at: int, facts: str, used_at: int | None) -> Issued:
    """A row of ISSUED."""
    return Issued(kind, id, from_micros(expires_at), facts, None if used_at is None else from_micros(used_at))


def count_args(count: Count) -> tuple[Encoded, ...]:
    """The bound values of COUNT."""
    if count.window_s < 1 or count.ceiling < 0:
        raise WrongValue(table="counter", column="hits")
    key, at = encode("counter", "key", count.key), to_micros(count.at)
    ended = at - count.window_s * 1_000_000
    return (key, at, ended, ended, ended, count.ceiling)


def numbered(sql: str, start: int = 1) -> str:
    """The same statement with PostgreSQL's `$1 …` for each `?`."""
    first, *rest = sql.split("?")
    return first + "".join(f"${start + number}{part}" for number, part in enumerate(rest))


def in_any_order(save: Save, made: list[Step]) -> bool:
    """Whether no step of a save depends on an earlier one: no row can be touched twice, except by inserts.

    What is changed wherever it is depends on what an earlier step waited for.
    """
    if any(isinstance(change, UpdateAll) for change in save.rows):
        return False
    keys = [(move.kind, move.id) for move in save.ledger]
    if len(set(keys)) != len(keys):
        return False
    seen: dict[str, bool] = {}
    for step in made:
        if step.table in seen and not (step.inserts and seen[step.table]):
            return False
        seen[step.table] = step.inserts
    return True
