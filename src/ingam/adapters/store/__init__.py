"""The store on SQLite and on PostgreSQL, over one schema; `migrate` lies in a module of its own (it loads Alembic)."""

from __future__ import annotations

from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.sealing import Sealer
from ingam.adapters.store.sqlite import SqliteStore
from ingam.ports.store import Store

__all__ = ["Sealer", "open_store"]


def open_store(url: str, sealer: Sealer) -> Store:
    """The store at `url`; it connects at its first use, on the event loop of that use.

    Raises Refusal `store-address`. The schema is not touched: `migrate.migrate` or `migrate.check_revision` come first.
    """
    path = sqlite_path(url)
    if path is not None:
        return SqliteStore(path, sealer)
    from ingam.adapters.store.postgresql import PostgresqlStore  # asyncpg is not loaded for an SQLite store

    return PostgresqlStore(url, sealer)
