"""The banks' ledger: accounts of the demo people, and the deposits that arrived on them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.bank import BANKS, BankName
from ingam.sandbox.people import PEOPLE, BankAccount, Person

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS deposit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id TEXT NOT NULL, day TEXT NOT NULL, bank_code TEXT NOT NULL,
    account TEXT NOT NULL, amount INTEGER NOT NULL, print_content TEXT NOT NULL, at INTEGER NOT NULL,
    UNIQUE (transaction_id, day)
);
CREATE INDEX IF NOT EXISTS deposit_account ON deposit (bank_code, account, id);
"""
_ONE: Final = """
SELECT at, transaction_id, day, bank_code, account, amount, print_content FROM deposit
WHERE transaction_id = ? AND day = ?
"""
_STATEMENT: Final = """
SELECT at, transaction_id, day, bank_code, account, amount, print_content FROM deposit
WHERE bank_code = ? AND account = ? ORDER BY id DESC
"""


@dataclass(frozen=True, slots=True)
class Deposit:
    """`transaction`: bank_tran_id, unique on its `day` (YYYYMMDD); `print_content`: what the statement reads."""

    transaction: str
    day: str
    bank_code: str
    account: str = field(repr=False)
    amount: int
    print_content: str = field(repr=False)
    at: datetime


class Deposits:
    """All that arrived. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def put(self, one: Deposit) -> bool:
        """Books it; False where this transaction was booked that day already."""
        sql = """INSERT OR IGNORE INTO deposit (transaction_id, day, bank_code, account, amount, print_content, at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)"""
        row = (one.transaction, one.day, one.bank_code, one.account, one.amount, one.print_content, to_micros(one.at))
        with self._lock, self._db as db:
            return db.execute(sql, row).rowcount == 1

    def find(self, transaction: str, day: str) -> Deposit | None:
        """The one of a transaction."""
        found = self._read(_ONE, transaction, day)
        return found[0] if found else None

    def statement(self, bank_code: str, account: str) -> list[Deposit]:
        """Of one account, newest first."""
        return self._read(_STATEMENT, bank_code, account)

    def count(self, bank_code: str, account: str) -> int:
        """How many arrived on an account."""
        return len(self.statement(bank_code, account))

    def _read(self, sql: str, *values: str) -> list[Deposit]:
        with self._lock:
            rows = self._db.execute(sql, values).fetchall()
        return [Deposit(row[1], row[2], row[3], row[4], row[5], row[6], from_micros(row[0])) for row in rows]


def bank_name(code: str) -> BankName | None:
    """The bank of a code; None where there is none."""
    return next((one for one in BANKS if one.code == code), None)


def owner(bank_code: str, account: str) -> Person | None:
    """Whose account it is; None for one that no demo person has."""
    return next((one for one in PEOPLE if one.bank == BankAccount(bank_code, account)), None)
