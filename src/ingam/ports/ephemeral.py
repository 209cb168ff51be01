"""What may vanish: address ceilings and caches. It may cache, never decide (security F1); one that is down refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ingam.kernel.errors import Outage


class EphemeralOutage(Outage):
    """The ephemeral store did not answer; the caller refuses (F9)."""

    code = "ephemeral-outage"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `hits` of one counter in a window that begins with its first hit. `whose` names it in a refusal."""

    whose: str
    key: str = field(repr=False)
    window_s: int
    hits: int


class Ephemeral(Protocol):
    """Counters and small values with an end. Every method raises EphemeralOutage."""

    async def admit(self, *ceilings: Ceiling) -> Ceiling | None:
        """Count one hit on each of them or on none, in one atomic step.

        Returns the first one, in the order given (F9: person, device, network), that was reached before; else None.
        """

    async def hit(self, key: str, window_s: int, ceiling: int) -> bool:
        """Count one hit atomically; False when the ceiling of the window was reached before it."""

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep a value for at most `ttl_s` seconds."""

    async def get(self, key: str) -> bytes | None:
        """The value, unless it is gone."""

    async def drop(self, key: str) -> None:
        """Forget it now."""
