"""A PostgreSQL that crashes keeps every save that was answered, though the chain's commit itself waits for no disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests import postgres

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_tables import open_tables
from ingam.kernel.errors import Failure
from ingam.ports.store import Audit, FlowSave, Save
from ingam.protocols.audit.chain import walk

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SEALER = OutboxSealer(bytes(32))
WRITERS, ENOUGH = 8, 60


@pytest.mark.soak  # a server of its own, started twice
def test_G5_a_server_crash_loses_no_audited_save_that_was_answered() -> None:
    with postgres.server(durable=True) as server:
        url = server.fresh()
        answered = asyncio.run(written(url, server))
        flows, chained = asyncio.run(found(url))
        assert len(answered) >= ENOUGH
        assert answered <= flows
        assert len(flows) == chained


async def written(url: str, server: postgres.Server) -> set[str]:
    """What was answered before the server went, in the midst of eight writers."""
    store, answered, enough = open_store(url, SEALER), set[str](), asyncio.Event()

    async def writer(number: int) -> None:
        at = 0
        while True:
            name = f"{number}.{at}"
            try:
                flow = FlowSave(name, "m", 0, "{}", "s", None, NOW)
                await store.save(Save(flow=flow, audit=[Audit(NOW, "test", "ok", None, None, None)]))
            except Failure:
                return
            answered.add(name)
            at += 1
            if len(answered) >= ENOUGH:
                enough.set()

    writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
    await enough.wait()
    server.crash()  # here and not in a thread: a server ends with the thread that started it
    for one in writers:
        one.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    await store.close()
    return answered


async def found(url: str) -> tuple[set[str], int]:
    store, tables = open_store(url, SEALER), open_tables(url)
    flows = {str(row["flow_id"]) for row in await store.many("flow", {}, limit=1_000_000)}
    entries = await tables.entries(0, 1_000_000)
    await store.close()
    await tables.close()
    return flows, len(list(walk(entries)))
