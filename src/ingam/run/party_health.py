"""Tells the store now and then how outside parties fare, as this process sees it; the console shows it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

import structlog

from ingam.kernel.errors import Failure
from ingam.ports.clock import Clock
from ingam.ports.store import Change, Delete, Insert, Row, Save, Store
from ingam.wiring.watching import Board

log = structlog.get_logger()

EVERY_S: Final = 10.0


async def tell_health(
    store: Store, clock: Clock, board: Board, stop: asyncio.Event, *, every_s: float = EVERY_S
) -> None:
    """A look now and then until `stop` is set; one that fails is told again with the next."""
    while not stop.is_set():
        try:
            await tell_once(store, clock, board, socket.gethostname()[:60])
        except Failure as failure:
            log.warning("party-health.failed", code=failure.code)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def tell_once(store: Store, clock: Clock, board: Board, node: str) -> None:
    """What is new, in one transaction. Raises StoreOutage."""
    news, now = board.news(), clock.now()
    changes: list[Change] = []
    for party, seen in news.items():
        key: Row = {"party": party, "node": node}
        state = "failing" if seen.failing else "well"
        row: Row = {
            **key, "state": state, "well_at": seen.well_at, "failed_at": seen.failed_at, "cause": seen.cause or None,
            "told_at": now,
        }  # fmt: skip
        changes += [Delete("party_health", key), Insert("party_health", row)]
    if changes:
        await store.save(Save(rows=changes))
    board.told(news)
