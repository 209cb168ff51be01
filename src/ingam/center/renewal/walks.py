"""A walk through the renewal flow: where a person is, and the ONE transaction of every step.

A run belongs to a browser, because the draft of the new key lies in it: elsewhere it can only be told of. Until the
authority may have been asked, time or another browser ends it; from then on only the authority's word does.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol
from weakref import WeakValueDictionary

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
from ingam.center.walks import Act, Recorder, TrueStep, Visit, With, told
from ingam.customer import payment
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import FlowSave, Row, Store

RUNS_MOST: Final = 100


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
class Here:
    """Where a person is. `version` 0: nothing is stored of this run, the vault is to choose and make its key.

    `elsewhere`: the run belongs to another browser, until `expires_at` at most; here it can only be told of.
    """

    run: int
    version: int
    state: State | None
    expires_at: datetime
    elsewhere: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing leaves this state."""
        return self.state is not None and type(self.state) in RENEWAL.ends()


@dataclass(frozen=True, slots=True)
class Walk:
    """One request at its true step."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        return flow_id(self.customer.customer_id, self.here.run)


class Walks:
    """Loads, settles and saves runs; records refusals. Posts of one person take turns."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self._ports, self._limits = ports, limits
        self._recorder = Recorder(ports.store, ports.customers, ports.digests)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn_of(self, visit: Visit) -> asyncio.Lock:
        """One post of a person at a time in this process; between processes the flow's version decides."""
        return self._turns.setdefault(visit.session.customer_id or "", asyncio.Lock())

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    async def last(self, visit: Visit) -> Walk:
        """The newest run as it is stored, whatever time has done to it. Raises NotLoggedIn."""
        customer, now = await self.customer(visit), self._ports.clock.now()
        return Walk(visit, await self._last(customer), customer, now)

    async def settled(self, visit: Visit, *, anew: bool = False) -> Walk:
        """The true step. Raises NotLoggedIn."""
        walk = await self.last(visit)
        here = walk.here
        if isinstance(here.state, Agreeing) and (walk.now >= here.expires_at or _elsewhere(here.state, visit)):
            with contextlib.suppress(TrueStep):  # at this very moment it was agreed to
                await self.save(walk, TimeRanOut(), "time", With())
            here = await self._last(walk.customer)
        # Late, too, what was asked for stays as it is stored: a confirmation that is under way counts.
        late = here.state is not None and walk.now >= here.expires_at
        if late or isinstance(here.state, Expired | Cancelled) or (here.ended and anew):
            here = Here(here.run + 1, 0, None, walk.now)
        return replace(walk, here=replace(here, elsewhere=_elsewhere(here.state, visit)))

    async def _last(self, customer: Customer) -> Here:
        where: Row = {"customer_id": customer.customer_id, "machine": RENEWAL.name}
        rows = await self._ports.store.many("flow", where, order="expires_at", descending=True, limit=RUNS_MOST)
        run = max((int(str(row["flow_id"]).rpartition(":")[2]) for row in rows), default=0)
        if not run:
            return Here(1, 0, None, self._ports.clock.now())
        stored = await self._ports.store.flow(flow_id(customer.customer_id, run))
        assert stored is not None
        return Here(run, stored.version, RENEWAL.load(stored.state), stored.expires_at)

    async def at(self, visit: Visit, run: int, *states: type[State] | type[None]) -> Walk:
        """The walk of a post that belongs to one of these states of a run here. Raises TrueStep, NotLoggedIn."""
        walk = await self.settled(visit)
        if walk.here.elsewhere or walk.here.run != run or not isinstance(walk.here.state, states):
            raise TrueStep
        return walk

    # the ONE transaction of every step

    async def begin(self, walk: Walk, state: State, act: str) -> None:
        """The first state of a run. Raises TrueStep."""
        await self._store(walk, state, 0, act, With(), "ok")

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """The next state and everything beside it. Raises TrueStep when somebody moved first."""
        assert walk.here.state is not None
        state = RENEWAL.advance(walk.here.state, event).state
        if type(state) in RENEWAL.ends():
            settled = await payment.ended(self._ports.store, walk.flow_id, walk.now)
            beside = replace(beside, outbox=[*beside.outbox, *settled])
        await self._store(walk, state, walk.here.version, act, beside, result)

    def lasts_until(self, state: State, now: datetime) -> datetime:
        """An hour for fetching, else the flow's own time."""
        limits = self._limits
        seconds = limits.issuance_fetch_s if isinstance(state, Requested | Delivered) else limits.flow_ttl_s
        return now + timedelta(seconds=seconds)

    async def _store(self, walk: Walk, state: State, version: int, act: str, beside: With, result: str) -> None:
        flow = FlowSave(
            walk.flow_id, RENEWAL.name, version, RENEWAL.dump(state), walk.visit.session.session,
            walk.customer.customer_id, self.lasts_until(state, walk.now),
        )  # fmt: skip
        await self._recorder.save(_act(walk, act, result), flow, beside)

    async def declined(self, walk: Walk, refusal: Refusal) -> None:
        """End the run in Refused."""
        await self.save(walk, Declined(refusal.code), "carry", With(facts=told(refusal)), refusal.code)

    async def record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        """An audit line, and what is written beside it."""
        reach("renewal.12")
        await self._recorder.save(_act(walk, act, result), None, beside)

    async def refuse(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        """Record a refusal, then raise it."""
        await self.record(walk, act, refusal.code, With(facts=told(refusal)))
        raise refusal


def flow_id(customer_id: str, run: int) -> str:
    """One id per person and run, so that two tabs cannot start two flows."""
    return f"renewal:{customer_id}:{run}"


def public_id(walk_id: str) -> str:
    """What the vault calls the run: 32 lower hex, of which nobody learns the customer's key."""
    return hashlib.sha256(walk_id.encode()).hexdigest()[:32]


def browser(visit: Visit) -> str:
    """The device cookie's mark; where a browser keeps none, it is known for as long as its session."""
    return visit.session.device or visit.session.session


def _elsewhere(state: State | None, visit: Visit) -> bool:
    """The draft lies in another browser: nothing of that run can be gone on with here."""
    return isinstance(state, Agreeing | Requested | Delivered) and state.device != browser(visit)


def _act(walk: Walk, act: str, result: str) -> Act:
    return Act(walk.visit, walk.customer, walk.now, f"renewal.{act}", result)
