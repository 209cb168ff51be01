"""The telephones of the demo people: what the SMS provider of the sandbox delivered, newest first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from ingam.kernel.instants import from_micros, to_micros

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
    reference TEXT UNIQUE, at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_number ON message (number, id);
"""
_DROP_OLD: Final = """
DELETE FROM message
WHERE number = ? AND id NOT IN (SELECT id FROM message WHERE number = ? ORDER BY id DESC LIMIT ?)
"""
KEPT: Final = 200
"""Messages of a number that are not dropped."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS as it arrived. `number`, `sender`: digits."""

    id: int
    number: str
    sender: str
    text: str
    at: datetime


class Phones:
    """All inboxes, each with its newest `kept` messages. Thread-safe."""

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def deliver(self, number: str, sender: str, text: str, reference: str | None, at: datetime) -> tuple[int, bool]:
        """Puts a message into an inbox: its id, and whether it is new. The same reference is delivered once."""
        with self._lock, self._db as db:
            if reference is not None:
                row = db.execute("SELECT id FROM message WHERE reference = ?", (reference,)).fetchone()
                if row is not None:
                    return int(row[0]), False
            sql = "INSERT INTO message (number, sender, text, reference, at) VALUES (?, ?, ?, ?, ?) RETURNING id"
            row = db.execute(sql, (number, sender, text, reference, to_micros(at))).fetchone()
            db.execute(_DROP_OLD, (number, number, self._kept))
            return int(row[0]), True

    def inbox(self, number: str) -> list[Message]:
        """The messages of a number, newest first."""
        sql = "SELECT id, number, sender, text, at FROM message WHERE number = ? ORDER BY id DESC"
        with self._lock:
            rows = self._db.execute(sql, (number,)).fetchall()
        return [Message(row[0], row[1], row[2], row[3], from_micros(row[4])) for row in rows]

    def numbers(self) -> dict[str, int]:
        """How many messages each number has."""
        with self._lock:
            return dict(
                self._db.execute("SELECT number, count(*) FROM message GROUP BY number ORDER BY number").fetchall()
            )
