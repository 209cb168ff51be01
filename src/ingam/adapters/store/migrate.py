"""The schema is brought to today's revision at start, under a lock, in one transaction; others only check it.

Both functions block and run event loops of their own: call them before the loop starts, or in a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ingam.adapters.sqlite.writer import connect, create
from ingam.adapters.store.addresses import sqlite_path
from ingam.kernel.errors import Defect
from ingam.ports.store import StoreOutage

T = TypeVar("T")

LOCK: Final = 0x1E6A4
"""Advisory lock of PostgreSQL: one process migrates, the others wait."""

PATIENCE_MS: Final = 60_000
"""How long an SQLite process waits for others that migrate: from nothing to today takes each of them seconds."""


class WrongRevision(Defect):
    """The schema is not the one of this program (facts: found, expected); the process does not start."""

    code = "store-revision"


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest revision; creates an SQLite file. Raises StoreOutage."""
    path = sqlite_path(url)
    if path is not None:
        create(path)
    _on(url, _upgrade)


def check_revision(url: str) -> None:
    """Refuse to work on another revision than this program's. Raises WrongRevision, StoreOutage."""
    path = sqlite_path(url)
    found = None if path is not None and not path.exists() else _on(url, _revision)
    expected = ScriptDirectory.from_config(_config()).get_current_head()
    if found != expected:
        raise WrongRevision(found=str(found), expected=str(expected))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _on(url: str, work: Callable[[Connection], T]) -> T:
    """The work in one transaction on the database."""
    path = sqlite_path(url)
    try:
        return asyncio.run(_on_postgresql(url, work)) if path is None else _on_sqlite(path, work)
    except (DBAPIError, sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreOutage from error


def _on_sqlite(path: Path, work: Callable[[Connection], T]) -> T:
    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _begin(connection: Connection) -> None:
    """The driver would begin only before a data change, and schema changes would not be undone together."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _on_postgresql(url: str, work: Callable[[Connection], T]) -> T:
    async def connected() -> Any:
        return await asyncpg.connect(url, timeout=5)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connected, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
