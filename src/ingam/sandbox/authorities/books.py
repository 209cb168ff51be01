"""The books of the other authorities: what was issued, and what became of it. An SQLite file that is theirs alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Final

from ingam.kernel.instants import from_micros, to_micros

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS authority (name TEXT PRIMARY KEY, next_serial INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS list (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS issued (
    authority TEXT NOT NULL, serial TEXT NOT NULL, slug TEXT NOT NULL, part TEXT NOT NULL, certificate BLOB NOT NULL,
    standing TEXT NOT NULL, reason TEXT, changed_at INTEGER, PRIMARY KEY (authority, serial)
);
CREATE INDEX IF NOT EXISTS issued_slug ON issued (slug);
"""
_COLUMNS: Final = "authority, serial, slug, part, certificate, standing, reason, changed_at"


class Standing(StrEnum):
    """What an authority says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate in the books. `part`: the list that would name it; `reason`: a CRLReason, if it has one."""

    authority: str
    serial: int
    slug: str
    part: str
    certificate: bytes
    standing: Standing = Standing.GOOD
    reason: str | None = None
    changed_at: datetime | None = None


class Books:
    """Thread-safe; every call is one transaction. Serials are kept as text, since they pass 63 bits."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def open_authority(self, authority: str, first_serial: int) -> None:
        """Begins an authority's numbering; does nothing where it has begun."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO authority VALUES (?, ?)", (authority, first_serial))

    def next_serial(self, authority: str) -> int:
        """A serial that was never given before."""
        sql = "UPDATE authority SET next_serial = next_serial + 1 WHERE name = ? RETURNING next_serial - 1"
        with self._transaction() as db:
            return int(db.execute(sql, (authority,)).fetchone()[0])

    def next_number(self, name: str) -> int:
        """The CRLNumber of the next list of that name: 1, 2, 3 …"""
        sql = "INSERT INTO list VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET number = number + 1 RETURNING number"
        with self._transaction() as db:
            return int(db.execute(sql, (name,)).fetchone()[0])

    def enter(self, one: Issued) -> None:
        """Writes a certificate in."""
        row = (one.authority, str(one.serial), one.slug, one.part, one.certificate, one.standing, one.reason)
        with self._transaction() as db:
            db.execute("INSERT INTO issued VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, _stored(one.changed_at)))

    def change(self, one: Issued, standing: Standing, reason: str | None, at: datetime) -> None:
        """Revokes, suspends or releases a certificate."""
        sql = "UPDATE issued SET standing = ?, reason = ?, changed_at = ? WHERE authority = ? AND serial = ?"
        with self._transaction() as db:
            db.execute(sql, (standing, reason, to_micros(at), one.authority, str(one.serial)))

    def find(self, authority: str, serial: int) -> Issued | None:
        """The certificate of a serial, if this authority issued one."""
        return next(iter(self._rows("authority = ? AND serial = ?", authority, str(serial))), None)

    def newest(self, slug: str) -> Issued | None:
        """The latest certificate that was issued under a demo name."""
        return next(iter(self._rows("slug = ? ORDER BY rowid DESC LIMIT 1", slug)), None)

    def listed(self, part: str) -> list[Issued]:
        """What a list has to name: revoked and held, in the order of issuing."""
        return self._rows("part = ? AND standing != 'good' ORDER BY rowid", part)

    def _rows(self, where: str, *values: str) -> list[Issued]:
        with self._lock:
            found = self._db.execute(f"SELECT {_COLUMNS} FROM issued WHERE {where}", values).fetchall()  # noqa: S608 - our own clauses
        return [_read(row) for row in found]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:
            yield self._db


def _stored(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _read(row: tuple[str, str, str, str, bytes, str, str | None, int | None]) -> Issued:
    authority, serial, slug, part, certificate, standing, reason, changed = row
    at = None if changed is None else from_micros(changed)
    return Issued(authority, int(serial), slug, part, certificate, Standing(standing), reason, at)
