"""Whose certificates the cloud keeps: the key, R, and a digest of the PIN, one of each person."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from ingam.npki import certificate
from ingam.npki.certificate import Certificate

PIN_TRIES: Final = 5
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS holder (
    person TEXT PRIMARY KEY, certificate BLOB NOT NULL, key BLOB NOT NULL, r BLOB NOT NULL, salt BLOB NOT NULL,
    pin BLOB NOT NULL, wrong INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person's 금융인증서. `key`: PKCS#8 DER; `r`: octets; `ended`: the cloud's own page made it expired."""

    person: str
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    r: bytes = field(repr=False)
    wrong: int = 0
    ended: bool = False

    @property
    def parsed(self) -> Certificate:
        """The certificate, read."""
        return certificate.parse(self.certificate)

    @property
    def locked(self) -> bool:
        """Whether its PIN was wrong too often."""
        return self.wrong >= PIN_TRIES


class Holders:
    """All of them, in a file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def find(self, person: str) -> Holder | None:
        """The certificate of a demo person's key."""
        sql = "SELECT person, certificate, key, r, wrong, ended FROM holder WHERE person = ?"
        with self._lock:
            row = self._db.execute(sql, (person,)).fetchone()
        return None if row is None else Holder(row[0], row[1], row[2], row[3], row[4], bool(row[5]))

    def keep(self, holder: Holder, pin: str) -> None:
        """A new certificate, in the place of an older one."""
        salt = secrets.token_bytes(16)
        row = (holder.person, holder.certificate, holder.key, holder.r, salt, _digest(pin, salt))
        with self._lock, self._db as db:
            db.execute(
                "INSERT OR REPLACE INTO holder (person, certificate, key, r, salt, pin) VALUES (?, ?, ?, ?, ?, ?)", row
            )

    def open(self, person: str, pin: str) -> bool:
        """Whether the PIN is right; a wrong one is counted before it is told, a right one of a locked key is wrong."""
        with self._lock, self._db as db:
            row = db.execute("SELECT salt, pin, wrong FROM holder WHERE person = ?", (person,)).fetchone()
            if row is None or row[2] >= PIN_TRIES:
                return False
            right = secrets.compare_digest(_digest(pin, row[0]), row[1])
            wrong = 0 if right else row[2] + 1
            db.execute("UPDATE holder SET wrong = ? WHERE person = ?", (wrong, person))
        return right

    def change(self, person: str, *, wrong: int, ended: bool) -> None:
        """What the cloud's own page does to a certificate."""
        with self._lock, self._db as db:
            db.execute("UPDATE holder SET wrong = ?, ended = ? WHERE person = ?", (wrong, ended, person))


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=1024, r=8, p=1)
