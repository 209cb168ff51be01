"""The next entry of the audit's chain on SQLite, inside the transaction of its save; PostgreSQL has a function."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from ingam.adapters.store.audit_lines import Written
from ingam.protocols.audit.chain import START, link

LAST: Final = 'SELECT "seq", "link" FROM "audit_chain" ORDER BY "seq" DESC LIMIT 1'

_ENTRY: Final = 'INSERT INTO "audit_chain" ("seq", "at", "delete_at", "commitment", "link") VALUES (?, ?, ?, ?, ?)'
_BODY: Final = (
    'INSERT INTO "audit" ("seq", "at", "action", "result", "subject", "operator", "sealed") '
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_SECRET: Final = 'INSERT INTO "audit_key" ("seq", "delete_at", "wrapped") VALUES (?, ?, ?)'


def append(connection: sqlite3.Connection, args: Sequence[Any]) -> None:
    """Add a line. The writer's transaction began IMMEDIATE, so nobody else takes the number."""
    line = Written(*args)
    last = connection.execute(LAST).fetchone()
    seq, before = (0, START) if last is None else (last[0], last[1])
    seq += 1
    chained = link(before, seq, line.at, line.delete_at, line.commitment)
    connection.execute(_ENTRY, (seq, line.at, line.delete_at, line.commitment, chained))
    connection.execute(_BODY, (seq, line.at, line.action, line.result, line.subject, line.operator, line.sealed))
    connection.execute(_SECRET, (seq, line.delete_at, line.wrapped))
