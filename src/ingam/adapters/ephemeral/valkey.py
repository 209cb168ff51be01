"""Address ceilings and caches on a Valkey (or Redis ≥ 7) that several nodes of the center share (security F9).

Each decision is one script, so that a ceiling holds over all nodes whatever they ask at once. Windows end by the clock
of the node that asks; what nobody asks for again ends by its time to live. A store that does not answer in time, is
full or answers otherwise than it should is `EphemeralOutage`: the caller refuses. Its memory is to be bounded with the
policy `noeviction` (docs/reference/limits.md): one that forgets counters to make room would lift ceilings.
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ceiling, EphemeralOutage

ANSWER_S: Final = 2.0
CONNECTIONS: Final = 32
LONGER_S: Final = 60
"""How much longer than its window a counter is kept: the nodes' clocks and the server's differ."""

VALUE_BYTES: Final = 1 << 20
"""A longer value is not kept."""

_PREFIX: Final = "ingam:ephemeral:"
_ENDS: Final = struct.Struct(">d")

ADMIT: Final = """
local at, later = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = {}
for n, key in ipairs(KEYS) do
  local kept = redis.call('HMGET', key, 'hits', 'ends')
  local hits, ends = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
  if ends <= at then hits, ends = 0, at + tonumber(ARGV[2 * n + 1]) end
  if hits >= tonumber(ARGV[2 * n + 2]) then return n end
  found[n] = {hits, ends}
end
for n, key in ipairs(KEYS) do
  redis.call('HSET', key, 'hits', found[n][1] + 1, 'ends', string.format('%.17g', found[n][2]))
  redis.call('PEXPIRE', key, math.ceil((found[n][2] - at + later) * 1000))
end
return 0
"""
"""at, how much longer, and of each key its window and its hits → 0, or the number of the first that was reached."""

T = TypeVar("T")


class ValkeyEphemeral:
    """`ports.ephemeral.Ephemeral` over `valkey://host:port/number` or `valkeys://…`; used from one event loop.

    `prefix`: of all keys; two centers on one Valkey have other ones.
    """

    def __init__(self, url: str, clock: Clock, *, prefix: str = _PREFIX, answer_s: float = ANSWER_S) -> None:
        pool = BlockingConnectionPool.from_url(
            re.sub("^redis", "valkey", url),
            max_connections=CONNECTIONS, timeout=answer_s, socket_timeout=answer_s, socket_connect_timeout=answer_s,
        )  # fmt: skip
        self._client: Any = Valkey(connection_pool=pool)
        self._clock = clock
        self._prefix = prefix
        self._admit: Any = self._client.register_script(ADMIT)

    async def hit(self, key: str, window_s: int, ceiling: int) -> bool:
        return await self.admit(Ceiling("", key, window_s, ceiling)) is None

    async def admit(self, *ceilings: Ceiling) -> Ceiling | None:
        bounds = [bound for one in ceilings for bound in (one.window_s, one.hits)]
        keys = [f"{self._prefix}c:{one.key}" for one in ceilings]
        reached = await _answered(self._admit(keys=keys, args=[repr(self._now()), LONGER_S, *bounds]))
        if not isinstance(reached, int) or not 0 <= reached <= len(ceilings):
            raise EphemeralOutage
        return ceilings[reached - 1] if reached else None

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        if len(value) > VALUE_BYTES or ttl_s <= 0:
            await self.drop(key)
            return
        kept = _ENDS.pack(self._now() + ttl_s) + value
        await _answered(self._client.set(f"{self._prefix}v:{key}", kept, px=max(1, int((ttl_s + LONGER_S) * 1000))))

    async def get(self, key: str) -> bytes | None:
        kept: bytes | None = await _answered(self._client.get(f"{self._prefix}v:{key}"))
        if kept is None or len(kept) < _ENDS.size or _ENDS.unpack_from(kept)[0] <= self._now():
            return None
        return kept[_ENDS.size :]

    async def drop(self, key: str) -> None:
        await _answered(self._client.delete(f"{self._prefix}v:{key}"))

    async def close(self) -> None:
        """End the connections."""
        with contextlib.suppress(ValkeyError, OSError):
            await self._client.aclose(close_connection_pool=True)

    def _now(self) -> float:
        return self._clock.now().timestamp()


async def _answered(call: Awaitable[T]) -> T:
    try:
        return await call
    except (ValkeyError, OSError, TimeoutError) as error:
        raise EphemeralOutage(cause=type(error).__name__) from None
