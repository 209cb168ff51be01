"""Charges of fees: how many stand where, and those that the worker should have settled by now, with what to do.

A row of `payment` names a customer by key only, and nothing here opens one: whose charge it is stands on the
customer's own page, which opens with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ingam.customer.payment import MARGIN, SETTLE, Fee, fee_of
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import Row, Store

ANEW: Final = ("taking", "ending")
"""A new payment for a fee that is owed, of which somebody is in the middle: the worker ends it a minute later."""

OPEN: Final = ("opened", "authorised", *ANEW)
"""Stages that the worker settles by itself once the run is over."""

OWED: Final = ("unpaid", "overdue")
"""A certificate stands, and the provider did not take the charge: the nights try it, and then people have to."""

UNCLEAR: Final = "unclear"
"""Nobody can say whether a certificate stands: for a person to settle."""

STAGES: Final = (
    "opened", "authorised", "captured", "cancelled", "refused", "expired", *OWED, *ANEW, "replaced", UNCLEAR,
)  # fmt: skip
SHOWN: Final = 50
MINE: Final = 5


class RunTimes(Protocol):
    """How long a run may go on, in seconds."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def issuance_fetch_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Trying:
    """What the worker does about it. `attempts`: of the message that waits; `due_at`: its next one."""

    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Hanging:
    """A charge to look after. `what`: a word of what to do; `trying` None: nothing waits in the outbox for it."""

    fee: Fee
    what: str
    trying: Trying | None


@dataclass(frozen=True, slots=True)
class Charges:
    """`stages`: pairs of a stage and how many stand there; `most`: whether there may be more that hang."""

    stages: Sequence[tuple[str, int]]
    hanging: Sequence[Hanging]
    more: bool


class ChargesOfFees:
    """Reads them. `times`: how long runs may last."""

    def __init__(self, store: Store, clock: Clock, times: RunTimes) -> None:
        self._store = store
        self._clock = clock
        self._times = times

    @property
    def limit(self) -> timedelta:
        """After so long a charge is settled, unless something is in the way."""
        return timedelta(seconds=self._times.flow_ttl_s + self._times.issuance_fetch_s) + 2 * MARGIN

    async def charges(self) -> Charges:
        """All stages, and what hangs, the oldest first."""
        stages = [(stage, await self._store.how_many("payment", {"stage": stage})) for stage in STAGES]
        rows = [row for stage in (*OPEN, *OWED, UNCLEAR) for row in await self._oldest(stage)]
        found = sorted((fee for fee in map(fee_of, rows) if self.hangs(fee)), key=lambda fee: fee.opened_at)
        trying = await self._trying() if found else {}
        hanging = [Hanging(fee, fee.stage, trying.get(fee.key)) for fee in found[:SHOWN]]
        return Charges(stages, hanging, len(found) > SHOWN)

    async def charge(self, key: str) -> Fee:
        """One of them. Raises a Refusal `not-found`."""
        row = await self._store.one("payment", {"key": key})
        if row is None:
            raise Refusal("not-found")
        return fee_of(row)

    async def of(self, customer_id: str) -> list[Fee]:
        """A customer's, newest first."""
        where: Row = {"customer_id": customer_id}
        rows = await self._store.many("payment", where, order="opened_at", descending=True, limit=MINE)
        return [fee_of(row) for row in rows]

    def hangs(self, fee: Fee) -> bool:
        """Whether somebody has to look after it."""
        return fee.stage in (*OWED, UNCLEAR) or (fee.stage in OPEN and self._clock.now() - fee.opened_at > self.limit)

    async def _oldest(self, stage: str) -> list[Row]:
        return await self._store.many("payment", {"stage": stage}, order="opened_at", limit=SHOWN + 1)

    async def _trying(self) -> Mapping[str, Trying]:
        """By the charge's key, which the message's own name holds."""
        rows = await self._store.many("outbox", {"kind": SETTLE, "delivered_at": None}, order="due_at", limit=1000)
        found: dict[str, Trying] = {}
        for row in rows:
            due, attempts = row["due_at"], row["attempts"]
            assert isinstance(due, datetime) and isinstance(attempts, int)
            found.setdefault(str(row["dedup"]).split(":")[1], Trying(attempts, due))
        return found
