"""Wakes those who watch a person's copy when it moves in this process; other processes' moves are found by looking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ingam.center.copying.refusals import LooksCrowded

WATCHERS_MOST = 4
"""Windows of one person; each holds a connection."""


class Changes:
    """Events by customer, for as long as somebody watches."""

    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = {}

    def tell(self, customer_id: str) -> None:
        """Something changed."""
        for event in self._watching.get(customer_id, ()):
            event.set()

    @contextmanager
    def watch(self, customer_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change; the watcher clears it. Raises LooksCrowded."""
        watching = self._watching.setdefault(customer_id, set())
        if len(watching) >= WATCHERS_MOST:
            raise LooksCrowded
        event = asyncio.Event()
        watching.add(event)
        try:
            yield event
        finally:
            watching.discard(event)
            if not watching:
                self._watching.pop(customer_id, None)
