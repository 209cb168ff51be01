"""A table whose entries end by themselves, without a timer for any of them: each call takes away what is over."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

from ingam.ports.mailboxes import RelayOutage

V = TypeVar("V")


class Fading(Generic[V]):
    """At most `most` live entries; `over` tells when an entry ends (Unix seconds), which may move later meanwhile."""

    __slots__ = ("_due", "_most", "_over", "_queue", "_values")

    def __init__(self, over: Callable[[V], float], most: int) -> None:
        self._over, self._most = over, most
        self._values: dict[str, V] = {}
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def get(self, key: str, at: float) -> V | None:
        """The entry, unless it is gone."""
        self.fade(at)
        found = self._values.get(key)
        return found if found is not None and self._over(found) > at else None

    def put(self, key: str, value: V, at: float) -> None:
        """Keep it. Raises RelayOutage where the table is full: what is live is never pushed out (security F9)."""
        self.fade(at)
        if key not in self._values and len(self._values) >= self._most:
            raise RelayOutage
        self._values[key] = value
        if key not in self._due:
            self._wait(key, self._over(value))

    def drop(self, key: str) -> V | None:
        """Take it out now."""
        self._due.pop(key, None)
        return self._values.pop(key, None)

    def fade(self, at: float) -> None:
        """Take away what is over. A key waits in the queue once; what it left there when dropped is passed over."""
        queue = self._queue
        while queue and queue[0][0] <= at:
            due, key = heapq.heappop(queue)
            if self._due.get(key) != due:
                continue
            over = self._over(self._values[key])
            if over <= at:
                del self._values[key], self._due[key]
            else:
                self._wait(key, over)

    def _wait(self, key: str, due: float) -> None:
        self._due[key] = due
        heapq.heappush(self._queue, (due, key))
