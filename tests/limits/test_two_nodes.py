"""Each limit holds under 200 tries at once on two nodes that share one database and one Valkey (security F9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from tests import valkey
from tests.clocks import SetClock
from tests.limits.gates import GATES, Digests, Node

from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.settings import Limits

TRIES = 200
CEILING = 7
FEWER = {"nonces_open", "sms_wrong_a_day", "onewon_wrong_a_month"}
"""Where tries that meet may all step back, fewer get past, at times none of the crowd; never more."""

SECONDS, HELD = "_s", "_max"
"""Limits that are no rates: times, and how many of a thing a person may have (tests/customer/device)."""

DATES = {"recheck_hour", "recheck_by_list", "recheck_silent_h", "renew_window_days", "fee_unpaid_days"}
"""Settings of when, not of how often."""


@pytest.fixture(scope="module")
def shared() -> Iterator[valkey.Server]:
    with valkey.server() as server:
        yield server


@pytest.mark.parametrize("limit", GATES)
def test_F9_the_limit_holds_under_200_tries_at_once_on_two_nodes(
    limit: str, postgresql_url: str, shared: valkey.Server, tmp_path: Path
) -> None:
    gate, neighbours = GATES[limit]
    limits = replace(Limits(), **neighbours, **{limit: CEILING})
    clock, prefix, keys = SetClock(), shared.prefix(), open_keys(tmp_path / "center.keys")

    async def scene() -> int:
        stores = [open_store(postgresql_url, keys.outbox) for _ in range(2)]
        memories = [ValkeyEphemeral(shared.url, clock, prefix=prefix) for _ in range(2)]
        one, other = (Node(*both, clock, Digests()) for both in zip(stores, memories, strict=True))
        try:
            return await gate((one, other), limits, lambda attempt: crowd((one, other), attempt))
        finally:
            for store in stores:
                await store.close()
            for memory in memories:
                await memory.close()

    got_past = asyncio.run(scene())
    assert got_past <= CEILING
    assert got_past == CEILING or limit in FEWER


async def crowd(nodes: tuple[Node, Node], attempt: Callable[[Node, int], Awaitable[bool]]) -> int:
    tries = [attempt(nodes[number % 2], number) for number in range(TRIES)]
    return sum(await asyncio.gather(*tries))


def test_every_limit_that_is_a_count_has_its_gate() -> None:
    counts = {one.name for one in fields(Limits) if not one.name.endswith((SECONDS, HELD))}
    assert counts - DATES == set(GATES)
