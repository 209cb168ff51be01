"""The bounds of answering: how long an answer is good, how many are kept, how much is signed on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingam.kernel.errors import Refusal

SLACK_S: Final = 60
"""An answer is last given out this long before its end, and before what caches may add to it."""


class StatusLimitsRefused(Refusal):
    """The limits contradict each other (facts: limit)."""

    code = "ocsp-limits-refused"


@dataclass(frozen=True, slots=True)
class StatusLimits:
    """Seconds and counts, for one process. `valid_s`: from thisUpdate to nextUpdate of what is signed ahead.

    `cdn_max_age_s`: what a cache may add to the latency of a revocation (security D13). `unknown_valid_s`: of what is
    signed for one question alone. `kept`: answers. `often`: questions since it was signed that make an answer be
    refreshed before it ends. `demand_…`: answers to a nonce, to several certificates at once, or about what was never
    issued; beyond them the answer is tryLater. `first_queue`: first questions that wait for a signature.
    `threads`: for signers that wait; `spot_us`: microseconds of each turn of the loop, after which signers that compute
    sign in those threads too. `ready_days`: a responder's certificate with fewer days left is a failure of readiness.
    """

    valid_s: int = 3600
    cdn_max_age_s: int = 300
    unknown_valid_s: int = 120
    kept: int = 20_000
    often: int = 2
    demand_rate: int = 300
    demand_burst: int = 300
    demand_queue: int = 64
    first_queue: int = 2048
    threads: int = 2
    spot_us: int = 1000
    ready_days: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.cdn_max_age_s <= 300:
            raise StatusLimitsRefused(limit="cdn_max_age_s")
        if self.valid_s < 2 * (self.cdn_max_age_s + SLACK_S):
            raise StatusLimitsRefused(limit="valid_s")
        if min(self.kept, self.often, self.demand_rate, self.demand_burst, self.demand_queue, self.threads) < 1:
            raise StatusLimitsRefused(limit="counts")


class Rate:
    """A bucket of tokens: `burst` at once, `per_second` in the long run."""

    __slots__ = ("_at", "_burst", "_left", "_per_second")

    def __init__(self, per_second: int, burst: int) -> None:
        self._per_second, self._burst = per_second, burst
        self._left, self._at = float(burst), 0.0

    def take(self, now: float) -> bool:
        """One token at `now` (seconds, of any clock that does not run back), or False."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
