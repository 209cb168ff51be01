"""Point reads of the books: synchronous, on one connection of this process, a few microseconds each.

A reader sees every commit that was answered before it asks (WAL), whichever process made it.
"""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ingam.adapters.books import rows, wal_index
from ingam.adapters.sqlite.writer import connect
from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.books import (
    AuditLine,
    BooksOutage,
    Certificate,
    Change,
    Exchange,
    Head,
    IssueIntent,
    Leaf,
    ListRecord,
    Notice,
    Registration,
    Standing,
    State,
)

_LIST: Final = "ca, part, kind, number, this_update, next_update, digest, seq"


class BooksReader:
    """`ports.books.Standings`, and all other reading of the port. One thread at a time; opens at the first question."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._index: mmap.mmap | None = None
        self._entered = False
        self._seen_index = b""
        self._seen_change = -1

    # Standings

    def standing(self, ca: int, serial: int) -> Standing | None:
        row = self._one(
            "SELECT state, reason, changed_at, not_after FROM certificate WHERE ca = ? AND serial = ?",
            ca, rows.octets(serial),
        )  # fmt: skip
        return None if row is None else Standing(State(row[0]), row[1], rows.instant(row[2]), from_micros(row[3]))

    def changed(self) -> bool:
        # The map costs 0.1 µs and tells of any commit; only then the newest change is asked for, which costs 3.
        index = self._index
        if index is not None and index[: wal_index.HEAD] == self._seen_index:
            return False
        return self._changed()

    def _changed(self) -> bool:
        head = self._map()
        newest = self.last_change()
        changed, self._seen_change, self._seen_index = newest != self._seen_change, newest, head
        return changed

    def _map(self) -> bytes:
        """The wal-index header as it stands before the question: a commit in between is found next time."""
        if self._index is None:
            self._open()
            self._index = wal_index.head(self.path)
        return b"" if self._index is None else self._index[: wal_index.HEAD]

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        found = self._all(
            "SELECT seq, ca, serial, part, state, at FROM change WHERE seq > ? ORDER BY seq LIMIT ?", after, limit
        )
        return [
            Change(seq, ca, rows.number(serial), part, State(state), from_micros(at))
            for seq, ca, serial, part, state, at in found
        ]

    def last_change(self) -> int:
        row = self._one("SELECT max(seq) FROM change")
        return 0 if row is None or row[0] is None else int(row[0])

    # Registrations and exchanges

    def registration(self, reference: str) -> Registration | None:
        row = self._one(f"SELECT {rows.REGISTRATION} FROM registration WHERE reference = ?", reference)  # noqa: S608
        return None if row is None else rows.registration(row)

    def codes_to_forget(self, at: datetime, limit: int = 100) -> list[Registration]:
        sql = f"SELECT {rows.REGISTRATION} FROM registration WHERE code_until <= ? LIMIT ?"  # noqa: S608
        return [rows.registration(row) for row in self._all(sql, to_micros(at), limit)]

    def person(self, person: bytes) -> bytes | None:
        row = self._one("SELECT sealed FROM person WHERE person = ?", person)
        return None if row is None else bytes(row[0])

    def exchange(self, transaction: bytes) -> Exchange | None:
        row = self._one(
            "SELECT e.sender, e.request_hash, a.answer, e.nonce, e.pending, e.closed, e.kept_until FROM exchange e "
            "LEFT JOIN answer a USING (exchange, request_hash) WHERE e.exchange = ?",
            transaction,
        )
        if row is None:
            return None
        sender, request, answer, nonce, pending, closed, kept = row
        return Exchange(sender, request, answer or b"", nonce, pending, bool(closed), from_micros(kept))

    def answered(self, transaction: bytes, request_hash: bytes) -> bytes | None:
        sql = "SELECT answer FROM answer WHERE exchange = ? AND request_hash = ?"
        row = self._one(sql, transaction, request_hash)
        return None if row is None else bytes(row[0])

    def intent(self, transaction: bytes) -> IssueIntent | None:
        row = self._one(f"SELECT {rows.INTENT} FROM intent WHERE exchange = ?", transaction)  # noqa: S608
        return None if row is None else rows.intent(row)

    # Certificates

    def certificate(self, ca: int, serial: int) -> Certificate | None:
        return self._certificate("ca = ? AND serial = ?", ca, rows.octets(serial))

    def certificate_by_id(self, id: int) -> Certificate | None:
        return self._certificate("id = ?", id)

    def updates(self, id: int) -> list[Certificate]:
        return self._certificates("replaces = ? ORDER BY id", id)

    def by_spki(self, spki_hash: bytes) -> list[Certificate]:
        return self._certificates("spki_hash = ? ORDER BY id", spki_hash)

    def standing_of(self, person: bytes, policy: str) -> Certificate | None:
        return self._certificate("person = ? AND policy = ? AND state IN ('valid', 'held')", person, policy)

    def of_person(self, person: bytes) -> list[Certificate]:
        return self._certificates("person = ? ORDER BY id DESC LIMIT 1000", person)

    def listed(self, state: State | None, after: int, limit: int) -> list[Certificate]:
        if state is None:
            return self._certificates("id > ? ORDER BY id LIMIT ?", after, limit)
        return self._certificates("id > ? AND state = ? ORDER BY id LIMIT ?", after, state.value, limit)

    def counts(self, at: datetime) -> dict[str, int]:
        found = self._all(
            "SELECT CASE WHEN state != 'revoked' AND not_after < ? THEN 'expired' ELSE state END AS told, count(*) "
            "FROM certificate GROUP BY told", to_micros(at),
        )  # fmt: skip
        return dict(found)

    def newest(self, limit: int) -> list[Certificate]:
        return self._certificates("1 ORDER BY id DESC LIMIT ?", limit)

    def overdue(self, at: datetime, held_before: datetime, limit: int = 100) -> list[Certificate]:
        pending = self._certificates(
            "state = 'pending' AND confirm_by <= ? ORDER BY confirm_by LIMIT ?", to_micros(at), limit
        )
        held = self._certificates(
            "state = 'held' AND changed_at <= ? ORDER BY changed_at LIMIT ?", to_micros(held_before), limit
        )
        return [*pending, *held]

    def count_of(self, ca: int) -> int:
        row = self._one("SELECT issued FROM generation WHERE ca = ?", ca)
        return 0 if row is None else int(row[0])

    # Lists

    def entries(self, ca: int, partition: int, at: datetime, chunk: int = 4096) -> Iterator[list[bytes]]:
        # The whole list walks the rows as they lie; the index would make SQLite sort a million of them in memory.
        where, args = (
            ("NOT INDEXED WHERE ca = ?", (ca,)) if partition < 0 else ("WHERE ca = ? AND part = ?", (ca, partition))
        )
        sql = f"SELECT entry FROM revoked_entry {where} AND not_after >= ? ORDER BY seq"  # noqa: S608
        return self._stream(sql, (*args, to_micros(at)), chunk)

    def delta(self, ca: int, partition: int, after: int, chunk: int = 4096) -> Iterator[list[bytes]]:
        where, args = ("ca = ?", (ca,)) if partition < 0 else ("ca = ? AND part = ?", (ca, partition))
        sql = (
            f"SELECT entry FROM change WHERE seq IN (SELECT max(seq) FROM change WHERE seq > ? AND {where} "  # noqa: S608
            "GROUP BY certificate) ORDER BY seq"
        )
        return self._stream(sql, (after, *args), chunk)

    def newest_list(self, ca: int, partition: int, kind: str) -> ListRecord | None:
        row = self._one(f"SELECT {_LIST} FROM list WHERE ca = ? AND part = ? AND kind = ?", ca, partition, kind)  # noqa: S608
        if row is None:
            return None
        part, kind_of, number, this, until, digest, seq = row[1:]
        return ListRecord(ca, part, kind_of, number, from_micros(this), from_micros(until), digest, seq)

    # The transparency log

    def size(self) -> int:
        row = self._one("SELECT max(place) FROM leaf")
        return 0 if row is None or row[0] is None else int(row[0]) + 1

    def hashes(self, first: int, last: int) -> list[bytes]:
        sql = "SELECT hash FROM leaf WHERE place >= ? AND place < ? ORDER BY place"
        return [row[0] for row in self._all(sql, first, last)]

    def nodes(self, level: int, first: int, last: int) -> list[bytes]:
        sql = "SELECT hash FROM node WHERE level = ? AND place >= ? AND place < ? ORDER BY place"
        return [row[0] for row in self._all(sql, level, first, last)]

    def leaf(self, index: int) -> Leaf | None:
        row = self._one("SELECT hash, salt, event FROM leaf WHERE place = ?", index)
        return None if row is None else Leaf(*row)

    def leaf_of(self, ca: int, serial: int) -> int | None:
        row = self._one("SELECT leaf FROM certificate WHERE ca = ? AND serial = ?", ca, rows.octets(serial))
        return None if row is None else int(row[0])

    def head(self) -> Head | None:
        row = self._one("SELECT size, root, at, text FROM head ORDER BY size DESC LIMIT 1")
        return None if row is None else Head(row[0], row[1], from_micros(row[2]), row[3])

    def notices(self, at: datetime, limit: int = 50) -> list[tuple[int, Notice]]:
        sql = (
            "SELECT id, kind, sealed, dedup, due_at FROM notice WHERE sent_at IS NULL AND due_at <= ? "
            "ORDER BY due_at LIMIT ?"
        )
        found = self._all(sql, to_micros(at), limit)
        return [(id, Notice(kind, sealed, dedup, from_micros(due))) for id, kind, sealed, dedup, due in found]

    def audited(self, action: str, since: datetime) -> int:
        return int(self._one("SELECT count(*) FROM audit WHERE action = ? AND at >= ?", action, to_micros(since))[0])

    def audited_at(self, action: str, at: datetime) -> list[AuditLine]:
        found = self._all("SELECT result, facts FROM audit WHERE action = ? AND at = ?", action, to_micros(at))
        return [AuditLine(at, action, result, facts) for result, facts in found]

    def close(self) -> None:
        self._index = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._entered:
            self._entered = False
            wal_index.leave(self.path)

    def _certificate(self, where: str, *args: Any) -> Certificate | None:
        row = self._one(f"SELECT {rows.CERTIFICATE} FROM certificate WHERE {where}", *args)  # noqa: S608
        return None if row is None else rows.certificate(row)

    def _certificates(self, where: str, *args: Any) -> list[Certificate]:
        found = self._all(f"SELECT {rows.CERTIFICATE} FROM certificate WHERE {where}", *args)  # noqa: S608
        return [rows.certificate(row) for row in found]

    def _one(self, sql: str, *args: Any) -> Any:
        try:
            return (self._connection or self._open()).execute(sql, args).fetchone()
        except (sqlite3.Error, OSError) as error:
            raise BooksOutage from error

    def _all(self, sql: str, *args: Any) -> list[Any]:
        try:
            return (self._connection or self._open()).execute(sql, args).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise BooksOutage from error

    def _stream(self, sql: str, args: tuple[Any, ...], chunk: int) -> Iterator[list[bytes]]:
        """One read transaction on a connection of its own: what is committed meanwhile is not in it."""
        self._enter()
        try:
            connection = _plain(self.path)
            try:
                cursor = connection.execute(sql, args)
                while found := cursor.fetchmany(chunk):
                    yield [row[0] for row in found]
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise BooksOutage from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._enter()
            self._connection = _plain(self.path)
        return self._connection

    def _enter(self) -> None:
        """Before any connection of this object."""
        if not self._entered:
            wal_index.enter(self.path)
            self._entered = True


def _plain(path: Path) -> sqlite3.Connection:
    """A reading connection that gives plain tuples."""
    connection = connect(path, readonly=True)
    connection.row_factory = None
    return connection
