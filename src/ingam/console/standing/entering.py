"""The way to a customer's page: a reason, a look-up that counts, and a line of the audit whatever comes of it (G4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from ingam.console.standing.opening import REASONS, Openings, ReasonMissing
from ingam.console.trail import Trail, Visit
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Count, Save, Store

OPEN: Final = "console.customer-open"
DAY_S: Final = 86_400


class SearchesSpent(Refusal):
    """Today's look-ups of this operator are used up (G4)."""

    code = "searches-spent"


class Entering:
    """`searches_a_day`: look-ups of one operator."""

    def __init__(self, store: Store, clock: Clock, trail: Trail, openings: Openings, searches_a_day: int) -> None:
        self._store = store
        self._clock = clock
        self._trail = trail
        self._openings = openings
        self._searches = searches_a_day

    async def enter(self, asking: Visit, reason: str, find: Callable[[], Awaitable[Customer]]) -> Customer:
        """The customer, opened for this operator. Counted before `find` is called.

        Raises ReasonMissing, SearchesSpent, and what `find` raises, which is written down.
        """
        if reason not in REASONS:
            raise ReasonMissing
        await self._count(asking)
        facts: dict[str, str | int] = {"reason": reason}
        try:
            customer = await find()
        except Refusal as refusal:
            await self._trail.write(asking, OPEN, refusal.code, facts=facts)
            raise
        opening = await self._openings.open(asking, customer.customer_id, reason)
        line = self._trail.line(asking, OPEN, banking_id=customer.banking_id, facts=facts)
        await self._store.save(Save(ledger=opening, audit=[line]))
        return customer

    async def _count(self, asking: Visit) -> None:
        count = Count(f"console-search:{asking.operator.employee}", DAY_S, self._searches, self._clock.now())
        if await self._store.count(count) > self._searches:
            await self._trail.write(asking, OPEN, SearchesSpent.code)
            await self._trail.alarm(asking, SearchesSpent.code)
            raise SearchesSpent
