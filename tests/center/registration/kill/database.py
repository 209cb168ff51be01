"""A look into a center's database from outside: whole tables of either kind, and the few changes that time makes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from ingam.adapters.store.audit_lines import opened
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.statements import BODY
from ingam.kernel.instants import to_micros

Row = dict[str, Any]
TABLES = ("flow", "audit", "ledger_issued", "ledger_used", "outbox", "binding", "counter", "session")


@dataclass(frozen=True)
class Tables:
    """What lay in the database at one instant (each table read in the one transaction)."""

    flow: list[Row]
    audit: list[Row]
    ledger_issued: list[Row]
    ledger_used: list[Row]
    outbox: list[Row]
    binding: list[Row]
    counter: list[Row]
    session: list[Row]

    def sizes(self) -> Counter[str]:
        """How much there is of what a step may add: saved transitions and rows."""
        return Counter(
            moves=sum(int(row["version"]) for row in self.flow),
            audit=len(self.audit),
            issued=sum(not str(row["kind"]).startswith("flow-cookie:") for row in self.ledger_issued),
            used=len(self.ledger_used),
            messages=len(self.texts),
            bindings=len(self.binding),
        )

    @property
    def texts(self) -> list[Row]:
        """What leaves for a telephone; the e-mails of the same notices go beside it, and calls are no messages."""
        return [row for row in self.outbox if row["kind"] not in ("email", "ars-call")]

    @property
    def calls(self) -> list[Row]:
        """The orders to ring a telephone."""
        return [row for row in self.outbox if row["kind"] == "ars-call"]

    def hits(self, prefix: str) -> int:
        """Hits on all counters of a kind."""
        return sum(int(row["hits"]) for row in self.counter if str(row["key"]).startswith(f"{prefix}:"))

    def active(self) -> list[str]:
        """Fingerprints of the active bindings."""
        return [str(row["fingerprint"]) for row in self.binding if row["status"] == "ACTIVE"]

    def text(self) -> str:
        """All of it, to search in."""
        return "\n".join(repr(rows) for rows in (getattr(self, name) for name in TABLES))


class Database:
    """One center's database; the connection is made at the first look and kept."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        """`sealer`: the center's, which opens the audit's bodies."""
        self.url = url
        self._sealer = sealer
        self._sqlite: sqlite3.Connection | None = None
        self._runner: asyncio.Runner | None = None
        self._postgresql: asyncpg.Connection | None = None

    def read(self) -> Tables:
        """Every table that a registration writes, as of one instant."""
        rows = self._run([f'SELECT *{BODY if name == "audit" else ""} FROM "{name}"' for name in TABLES])
        found = dict(zip(TABLES, rows, strict=True))
        return Tables(**{**found, "audit": [opened(row, self._sealer) for row in found["audit"]]})

    def waiting(self) -> bool:
        """Whether a message has not left."""
        return bool(self._run(['SELECT 1 FROM "outbox" WHERE "delivered_at" IS NULL'])[0])

    def time_ran_out(self) -> None:
        """The flows' thirty minutes are over."""
        self._run([f'UPDATE "flow" SET "expires_at" = {_just_over()}'])

    def leases_ran_out(self) -> None:
        """A minute has passed for messages that a dead process had taken, and for those that wait for another try."""
        due = f'"lease_until" = NULL, "due_at" = {_just_over()}'
        self._run([f'UPDATE "outbox" SET {due} WHERE "delivered_at" IS NULL'])

    def close(self) -> None:
        """No connection is left."""
        if self._sqlite is not None:
            self._sqlite.close()
        if self._runner is not None:
            if self._postgresql is not None:
                self._runner.run(self._postgresql.close())
            self._runner.close()
        self._sqlite = self._runner = self._postgresql = None

    def _run(self, queries: list[str]) -> list[list[Row]]:
        if self.url.startswith("sqlite:///"):
            return self._on_sqlite(queries)
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._on_postgresql(queries))

    def _on_sqlite(self, queries: list[str]) -> list[list[Row]]:
        if self._sqlite is None:
            self._sqlite = sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
            self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("BEGIN")
        found = [[dict(row) for row in self._sqlite.execute(query)] for query in queries]
        self._sqlite.execute("COMMIT")
        return found

    async def _on_postgresql(self, queries: list[str]) -> list[list[Row]]:
        if self._postgresql is None:
            self._postgresql = await asyncpg.connect(self.url)
        # One instant for several looks; a single statement needs no more than its own.
        isolation = "repeatable_read" if len(queries) > 1 else "read_committed"
        async with self._postgresql.transaction(isolation=isolation):
            return [[dict(row) for row in await self._postgresql.fetch(query)] for query in queries]


def _just_over() -> int:
    """A second ago, as the store writes instants."""
    return to_micros(datetime.now(UTC)) - 1_000_000


def copied(source: Path, target: Path) -> None:
    """An SQLite file with all that its log still holds."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    target.chmod(0o600)
