"""A database that is away for a while: an outage for those who ask meanwhile, and no lasting harm."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import postgres

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.sqlite import writer as sqlite
from ingam.adapters.store import open_store
from ingam.ports.store import FlowSave, Save, Store, StoreOutage

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SEALER = OutboxSealer(bytes(32))


def flow(id: str) -> Save:
    return Save(flow=FlowSave(id, "m", 0, "{}", "s", None, NOW))


async def until_it_works(store: Store, id: str) -> None:
    for _ in range(20):
        try:
            await store.save(flow(id))
        except StoreOutage:
            continue
        return
    raise AssertionError("it stayed away")


def test_postgresql_that_drops_its_connections_is_met_again(postgresql: postgres.Server) -> None:
    url = postgresql.fresh()

    async def walk() -> None:
        store = open_store(url, SEALER)
        await asyncio.gather(*(store.save(flow(f"a{n}")) for n in range(10)))
        drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ingam'"
        await asyncio.to_thread(postgresql.execute, drop)
        await until_it_works(store, "b")
        assert await store.flow("b") is not None
        await store.close()

    asyncio.run(walk())


def test_sqlite_locked_by_another_process_is_an_outage_and_works_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    other = sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")), isolation_level=None)

    async def walk() -> None:
        store = open_store(sqlite_url, SEALER)
        await store.save(flow("a"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreOutage):
            await store.save(flow("b"))
        assert await store.flow("a") is not None
        other.execute("ROLLBACK")
        await store.save(flow("b"))
        await store.close()

    asyncio.run(walk())
    other.close()


def test_a_missing_sqlite_file_is_an_outage_and_is_not_made(tmp_path: Path) -> None:
    async def walk() -> None:
        store = open_store(f"sqlite:///{tmp_path / 'center.db'}", SEALER)
        for call in (store.flow("a"), store.save(flow("a"))):
            with pytest.raises(StoreOutage):
                await call
        await store.close()

    asyncio.run(walk())
    assert list(tmp_path.iterdir()) == []
