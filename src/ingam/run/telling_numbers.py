"""Numbers that were changed here are told to the core-banking system until it has them; beside a center's screens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from ingam.kernel.errors import Outage

EVERY_S: Final = 30.0

log = structlog.get_logger()


async def telling_numbers(
    tell: Callable[[], Awaitable[int]] | None, stop: asyncio.Event, *, every_s: float = EVERY_S
) -> None:
    """Until `stop`; None where the customers are in our own tables, and there is nobody to tell."""
    while not stop.is_set():
        if tell is not None:
            try:
                await tell()
            except Outage as outage:
                log.warning("customers.number", code=outage.code)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
