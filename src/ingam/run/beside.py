"""Tasks beside a process's screens: one that breaks is told and begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

AGAIN_S: Final = 5.0
"""How soon a task that broke is begun again."""

log = structlog.get_logger()


async def steadily(
    name: str, task: Callable[[], Awaitable[None]], stop: asyncio.Event, *, again_s: float = AGAIN_S
) -> None:
    """Run a task until `stop`; a defect in it is told (its type, not its words: H1) and must not end it for good."""
    while not stop.is_set():
        try:
            await task()
        except Exception as broken:
            log.error("task-broken", task=name, kind=type(broken).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), again_s)
