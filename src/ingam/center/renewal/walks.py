"""A walk through the renewal flow: where a person is, and what is saved with every step.

A run belongs to a browser, because the draft of the new key lies in it: elsewhere it can only be told of. Until the
authority may have been asked, time or another browser ends it; from then on only the authority's word does.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ingam.center import walks
from ingam.center.renewal.flow import (
    RENEWAL,
    Agreeing,
    Cancelled,
    Declined,
    Delivered,
    Event,
    Expired,
    Requested,
    State,
    TimeRanOut,
)
from ingam.center.walks import Owner, Runs, TrueStep, Visit, With, told
from ingam.customer import payment
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Store


class Limits(Protocol):
    """Seconds, and days before its end from which a certificate is renewed."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def issuance_fetch_s(self) -> int: ...
    @property
    def renew_window_days(self) -> int: ...


class Fields(Protocol):
    """Sealed under the customer's own key (H6)."""

    async def seal(self, customer_id: str, table: str, column: str, row: str, clear: bytes) -> bytes: ...
    async def open(self, customer_id: str, table: str, column: str, row: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What a renewal works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    fields: Fields
    certification: Certification


@dataclass(frozen=True, slots=True)
class Here(walks.Here[State | None]):
    """Where a person is. `version` 0: nothing is stored of this run, the vault is to choose and make its key.

    `elsewhere`: the run belongs to another browser, until `expires_at` at most; here it can only be told of.
    """

    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Walk(walks.Walk[Here]):
    """One post at its true step."""


class Walks(Runs[State, Event, Walk]):
    """Where a person is in a renewal. Posts of one person take turns."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        super().__init__(ports, RENEWAL, Owner.PERSON)
        self._limits = limits

    async def last(self, visit: Visit) -> Walk:
        """The newest run as it is stored, whatever time has done to it. Raises NotLoggedIn."""
        customer, now, (run, stored) = await self.customer(visit), self.now(), await self._newest(visit)
        here = Here(run, 0, None, now)
        if stored is not None:
            here = Here(run, stored.version, self.machine.load(stored.state), stored.expires_at)
        return Walk(self.flow_id(self.whose(visit), here.run), visit, here, customer, now)

    async def settled(self, visit: Visit, *, anew: bool = False) -> Walk:
        """The true step. Raises NotLoggedIn."""
        walk = await self.last(visit)
        here = walk.here
        if isinstance(here.state, Agreeing) and (walk.now >= here.expires_at or _elsewhere(here.state, visit)):
            with contextlib.suppress(TrueStep):  # at this very moment it was agreed to
                await self.save(walk, TimeRanOut(), "time", With())
            here = (await self.last(visit)).here
        # Late, too, what was asked for stays as it is stored: a confirmation that is under way counts.
        late = here.state is not None and walk.now >= here.expires_at
        if late or isinstance(here.state, Expired | Cancelled) or (self.ended(here.state) and anew):
            here = Here(here.run + 1, 0, None, walk.now)
        here = replace(here, elsewhere=_elsewhere(here.state, visit))
        return replace(walk, here=here, flow_id=self.flow_id(self.whose(visit), here.run))

    async def at_run(self, visit: Visit, run: int, *states: type[Any]) -> Walk:
        """See Runs."""
        walk = await self.settled(visit)
        if walk.here.elsewhere or walk.here.run != run or not isinstance(walk.here.state, states):
            raise TrueStep
        return walk

    async def begin(self, walk: Walk, state: State, act: str) -> None:
        """The first state of a run. Raises TrueStep."""
        await self._save(walk, state, self._lasts_until(state, walk.now), act, With())

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """See Walks. With the end of a run goes what becomes of a fee that was allowed."""
        assert walk.here.state is not None
        state = self.machine.advance(walk.here.state, event).state
        if self.ended(state):
            settled = await payment.ended(self._store, walk.flow_id, walk.now)
            beside = replace(beside, outbox=[*beside.outbox, *settled])
        await self._save(walk, state, self._lasts_until(state, walk.now), act, beside, result)

    def _lasts_until(self, state: State, now: datetime) -> datetime:
        """An hour for fetching, else the flow's own time."""
        limits = self._limits
        seconds = limits.issuance_fetch_s if isinstance(state, Requested | Delivered) else limits.flow_ttl_s
        return now + timedelta(seconds=seconds)

    async def declined(self, walk: Walk, refusal: Refusal) -> None:
        """End the run in Refused."""
        await self.save(walk, Declined(refusal.code), "carry", With(facts=told(refusal)), refusal.code)

    async def record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        """See Walks."""
        reach("renewal.12")
        await super().record(walk, act, result, beside)


def browser(visit: Visit) -> str:
    """The device cookie's mark; where a browser keeps none, it is known for as long as its session."""
    return visit.session.device or visit.session.session


def _elsewhere(state: State | None, visit: Visit) -> bool:
    """The draft lies in another browser: nothing of that run can be gone on with here."""
    return isinstance(state, Agreeing | Requested | Delivered) and state.device != browser(visit)
