"""Address ceilings and caches in this process's memory, bounded; full of live counters, it refuses (security F9)."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ceiling, EphemeralOutage

COUNTERS: Final = 200_000
"""At most so many live counters (some 40 MiB)."""

VALUE_BYTES: Final = 32 * 1024 * 1024
"""At most so many bytes of values and their keys; the oldest go first, for a cache may forget."""


@dataclass(slots=True)
class _Counter:
    ends: float
    hits: int


class InProcessEphemeral:
    """`ports.ephemeral.Ephemeral` for one event loop; each call is one step of it, so atomic."""

    def __init__(self, clock: Clock, *, counters: int = COUNTERS, value_bytes: int = VALUE_BYTES) -> None:
        self._clock = clock
        self._most_counters = counters
        self._most_bytes = value_bytes
        self._counters: dict[str, _Counter] = {}
        self._ends: list[tuple[float, str]] = []
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    async def hit(self, key: str, window_s: int, ceiling: int) -> bool:
        return await self.admit(Ceiling("", key, window_s, ceiling)) is None

    async def admit(self, *ceilings: Ceiling) -> Ceiling | None:
        now = self._now()
        self._forget_ended(now)
        for one in ceilings:
            counter = self._counters.get(one.key)
            if (0 if counter is None else counter.hits) >= one.hits:
                return one
        fresh = {one.key: now + one.window_s for one in ceilings if one.key not in self._counters}
        if len(self._counters) + len(fresh) > self._most_counters:
            raise EphemeralOutage
        for key, ends in fresh.items():
            self._counters[key] = _Counter(ends, 0)
            heapq.heappush(self._ends, (ends, key))
        for one in ceilings:
            self._counters[one.key].hits += 1
        return None

    async def close(self) -> None:
        """Nothing is held open."""

    def _forget_ended(self, now: float) -> None:
        """Each counter is in the heap once, so the heap is bounded with the counters."""
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            del self._counters[key]

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        self._drop(key)
        size = _size(key, value)
        if size > self._most_bytes:
            return
        while self._bytes + size > self._most_bytes:
            self._drop(next(iter(self._values)))
        self._values[key] = (self._now() + ttl_s, value)
        self._bytes += size

    async def get(self, key: str) -> bytes | None:
        ends, value = self._values.get(key, (0.0, b""))
        if ends > self._now():
            return value
        self._drop(key)
        return None

    async def drop(self, key: str) -> None:
        self._drop(key)

    def _drop(self, key: str) -> None:
        if key in self._values:
            self._bytes -= _size(key, self._values.pop(key)[1])

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _size(key: str, value: bytes) -> int:
    return len(key.encode()) + len(value)
