"""Budgets of what an outside party answers for a person: spent by its answers, and not by its outages (F9).

Askings are counted as well, before the party is asked and in one atomic operation: an outage that somebody provokes
does not open the party to them without bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.ports.store import Count, Store

ASKINGS: Final = 5
"""Askings for each answer of a budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`most` answers in `window_s` seconds. `key`: names party and person, nothing of a person in clear."""

    key: str
    window_s: int
    most: int


class TooOften(Refusal):
    """More than a person needs; nothing was asked."""

    code = "too-many-requests"


async def left(store: Store, budget: Budget, at: datetime) -> bool:
    """Before the party is asked: whether an answer is left. The asking is counted."""
    if await store.counted(budget.key, budget.window_s, at) >= budget.most:
        return False
    most = budget.most * ASKINGS
    return await store.count(Count(f"{budget.key}:asked", budget.window_s, most, at)) <= most


async def spent(store: Store, budget: Budget, at: datetime) -> bool:
    """It answered, and one is gone. False where somebody else took the last one meanwhile: the answer is refused."""
    return await store.count(Count(budget.key, budget.window_s, budget.most, at)) <= budget.most
