"""What one source and one reference number may cost, asked before anything is computed for them (security D8, D9).

Kept in the process: it protects the processor, not a secret. A code of 128 bits is not found by guessing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.protocols.cmp.status import CmpRefused, FailInfo

WINDOW_S: Final = 60
MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Of a minute: messages of one source; hash iterations that a reference number, and that a source, may ask for."""

    messages: int = 6_000
    iterations: int = 20_000_000
    source_iterations: int = 120_000_000


class Limits:
    """Counts in windows of a minute; the oldest go when there are too many."""

    def __init__(self, ceilings: Ceilings) -> None:
        self._ceilings = ceilings
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def message(self, source: str, at: datetime) -> None:
        """One more message of a source. Raises CmpRefused (cmp-too-many, systemUnavail)."""
        self._count(f"source {source}", 1, self._ceilings.messages, at)

    def derivation(self, reference: str, source: str, iterations: int, at: datetime) -> None:
        """One more key derivation for a reference number, known or not. Raises CmpRefused (cmp-too-many)."""
        self._count(f"reference {reference}", iterations, self._ceilings.iterations, at)
        self._count(f"iterations {source}", iterations, self._ceilings.source_iterations, at)

    def _count(self, key: str, cost: int, ceiling: int, at: datetime) -> None:
        window = int(at.timestamp()) // WINDOW_S
        began, spent = self._counts.pop(key, (window, 0))
        spent = cost if began != window else spent + cost
        self._counts[key] = (window, min(spent, ceiling + 1))
        if len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)
        if spent > ceiling:
            raise CmpRefused("cmp-too-many", FailInfo.SYSTEM_UNAVAIL)
