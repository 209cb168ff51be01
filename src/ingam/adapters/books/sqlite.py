"""`ports.books.Books` on SQLite (WAL, FULL): reads in place, writes many at a commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ingam.adapters.books import schema, writing
from ingam.adapters.books.reading import BooksReader
from ingam.adapters.sqlite.writer import Writer, connect, create, turn
from ingam.kernel.errors import Defect, Failure
from ingam.ports.books import (
    Answer,
    AuditLine,
    BooksOutage,
    Certificate,
    Confirmed,
    Head,
    IssueIntent,
    Leaf,
    ListRecord,
    Notice,
    Recorded,
    Registration,
    StatusChange,
)
from ingam.ports.store import StoreOutage

T = TypeVar("T")


class WrongBooks(Defect):
    """The file is of another revision than this program (facts: found, expected)."""

    code = "books-revision"


def make(path: Path) -> None:
    """New books at a path, or nothing where they stand already. Raises WrongBooks, BooksOutage."""
    create(path)
    try:
        connection = connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in schema.SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {schema.REVISION}")
            connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BooksOutage from error
    check(path)


def check(path: Path) -> None:
    """Raises WrongBooks unless the file has this program's tables."""
    try:
        connection = connect(path, readonly=True)
        try:
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BooksOutage from error
    if found != schema.REVISION:
        raise WrongBooks(found=found, expected=schema.REVISION)


class SqliteBooks(BooksReader):
    """The books of one authority. Made with `make`; each process opens its own."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer: Writer | None = None

    async def register(
        self, registration: Registration, audit: AuditLine, person: bytes | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:  # fmt: skip
        await self._write(lambda db: writing.register(db, registration, audit, person, notices))

    async def wrong_code(self, reference: str, audit: AuditLine, burn_at: int | None) -> int:
        return await self._write(lambda db: writing.wrong_code(db, reference, audit, burn_at))

    async def withdraw(self, reference: str, audit: AuditLine) -> list[Certificate] | None:
        return await self._write(lambda db: writing.withdraw(db, reference, audit))

    async def forget_code(self, reference: str, sealed: bytes) -> None:
        await self._write(lambda db: writing.forget_code(db, reference, sealed))

    async def intend(self, intent: IssueIntent) -> None:
        await self._write(lambda db: writing.intend(db, intent))

    async def record(self, recorded: Recorded) -> Certificate:
        return await self._write(lambda db: writing.record(db, recorded))

    async def enter(self, intent: IssueIntent, der: bytes, leaf: Leaf, audit: AuditLine) -> None:
        await self._write(lambda db: writing.enter(db, intent, der, leaf, audit))

    async def confirm(self, confirmed: Confirmed) -> None:
        await self._write(lambda db: writing.confirm(db, confirmed))

    async def answer(
        self, answer: Answer, audit: AuditLine, change: StatusChange | None = None, *, closed: bool = True
    ) -> None:
        await self._write(lambda db: writing.answer(db, answer, audit, change, closed))

    async def change(self, change: StatusChange) -> int:
        return await self._write(lambda db: writing.change(db, change))

    async def audit(self, line: AuditLine) -> None:
        await self._write(lambda db: writing.audit(db, line))

    async def noticed(self, id: int, at: datetime, retry_at: datetime | None) -> None:
        await self._write(lambda db: writing.noticed(db, id, at, retry_at))

    async def forget(self, at: datetime) -> None:
        await self._write(lambda db: writing.forget(db, at))

    # Publishing runs in a thread or process of its own: these wait for the disk themselves.

    def publish(self, record: ListRecord) -> None:
        self._at_once(lambda db: writing.publish(db, record))

    def keep_nodes(self, level: int, first: int, nodes: Sequence[bytes]) -> None:
        self._at_once(lambda db: writing.keep_nodes(db, level, first, list(nodes)))

    def publish_head(self, head: Head) -> None:
        self._at_once(lambda db: writing.publish_head(db, head))

    def erase_leaf(self, index: int) -> None:
        self._at_once(lambda db: writing.erase_leaf(db, index))

    def append(self, leaf: Leaf) -> int:
        return self._at_once(lambda db: writing.append(db, leaf))

    async def shut(self) -> None:
        """Finish what is queued and close everything."""
        if self._writer is not None:
            await self._writer.shut()
            self._writer = None
        self.close()

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._writer is None:
            self._enter()
            self._writer = Writer(self.path)
        try:
            return await self._writer.submit(work)
        except StoreOutage as outage:
            raise BooksOutage from outage.__cause__

    def _at_once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._enter()
        try:
            with closing(connect(self.path)) as connection, turn(self.path):
                connection.execute("BEGIN IMMEDIATE")
                try:
                    found = work(connection)
                except Failure:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
                return found
        except (sqlite3.Error, OSError) as error:
            raise BooksOutage from error
