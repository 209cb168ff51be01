"""Killed at any moment (SIGKILL), a store keeps every save that it had acknowledged, and no half of another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_tables import open_tables
from ingam.ports.store import Audit, FlowSave, Issue, Outgoing, Save
from ingam.protocols.audit.chain import Entry, walk

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = bytes(32)
WRITERS = 8


async def write_for_ever(url: str) -> None:
    """The child: many writers at once; a line on stdout for each save that was acknowledged."""
    store = open_store(url, OutboxSealer(KEY))

    async def writer(number: int) -> None:
        at = 0
        while True:
            name = f"{number}.{at}"
            await store.save(
                Save(
                    flow=FlowSave(name, "m", 0, "{}", "s", None, NOW),
                    ledger=[Issue("nonce", name, NOW)],
                    outbox=[Outgoing("sms", b"x", name, NOW)],
                    audit=[Audit(NOW, "test", name, None, None, None)],
                )
            )
            os.write(1, f"{name}\n".encode())
            at += 1

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))


async def names(url: str) -> tuple[set[str], set[str], set[str], set[str]]:
    store = open_store(url, OutboxSealer(KEY))
    flows = {str(row["flow_id"]) for row in await store.many("flow", {}, limit=1_000_000)}
    issued = {str(row["id"]) for row in await store.many("ledger_issued", {}, limit=1_000_000)}
    outgoing = {str(row["dedup"]) for row in await store.many("outbox", {}, limit=1_000_000)}
    told = {str(row["result"]) for row in await store.many("audit", {}, limit=1_000_000)}
    await store.close()
    return flows, issued, outgoing, told


async def entries(url: str) -> list[Entry]:
    tables = open_tables(url)
    try:
        return await tables.entries(0, 1_000_000)
    finally:
        await tables.close()


def settled(url: str) -> None:
    """A server may still be at what the dead child asked for last: until it is alone, tables of two looks differ."""
    if url.startswith("postgresql"):
        from tests.adapters.store.tampering import Tamper  # the child, which this file is too, has no tests

        busy = "SELECT 1 FROM pg_stat_activity WHERE application_name = ? AND state <> ?"
        while Tamper(url).answers(busy, "ingam", "idle"):
            pass


@pytest.mark.parametrize("acknowledged", [1, 7, 60])
def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_half(store_url: str, acknowledged: int) -> None:
    told: list[str] = []
    child = subprocess.Popen([sys.executable, __file__, store_url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        for _ in range(acknowledged):
            told.append(child.stdout.readline().strip())
        child.send_signal(signal.SIGKILL)
        told += [line.strip() for line in child.stdout if line.endswith("\n")]
    assert child.wait() == -signal.SIGKILL
    settled(store_url)
    flows, issued, outgoing, lines = asyncio.run(names(store_url))
    assert set(told) <= flows
    assert flows == issued == outgoing == lines
    assert len(list(walk(asyncio.run(entries(store_url))))) == len(flows)
    assert len(flows - set(told)) <= WRITERS


if __name__ == "__main__":
    asyncio.run(write_for_ever(sys.argv[1]))
