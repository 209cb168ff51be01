"""A walk through a copy: which of the two ends asks, at its true step, and the ONE transaction of every step.

A copy belongs to a person and has one row: a second receiving page takes the place of the first, and the version of
the row lets one of two posts through. Each end is one session; nobody else's, not even of the same person, is let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

from ingam.center.copying.changes import Changes
from ingam.center.copying.flow import (
    COPYING,
    OVER,
    Announced,
    Cleared,
    Event,
    JoinAllowed,
    ProofLapsed,
    Receiver,
    ReceiverConfirmed,
    Role,
    State,
    TimeRanOut,
    sender_of,
)
from ingam.center.copying.refusals import CopyOver, NoReceiver, OtherSession, OutOfOrder
from ingam.center.walks import Act, Recorder, TrueStep, Visit, With, told
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, FlowSave, Store

RUN_S: Final = 240
"""From the ticket to join on: what the relay gives a run, and some more."""


class Limits(Protocol):
    """The settings of a copy's time, in seconds."""

    @property
    def copy_ttl_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Here:
    """Where a person's copy is. `version` 0: there never was one."""

    version: int
    state: State | None
    expires_at: datetime

    @property
    def ended(self) -> bool:
        """Whether there is no copy, or none any more."""
        return self.state is None or type(self.state) in OVER


@dataclass(frozen=True, slots=True)
class Walk:
    """One post at its true step: where, who, when."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def receiver(self) -> Receiver:
        """The receiver of the copy."""
        assert self.here.state is not None
        return self.here.state.receiver

    @property
    def flow_id(self) -> str:
        return flow_id(self.customer.customer_id)

    @property
    def copy_id(self) -> str:
        """Names this very copy, for proofs and challenges: the row is every copy's of this person."""
        return f"{self.flow_id}:{self.receiver.id}"


def flow_id(customer_id: str) -> str:
    """One row per person, so that there is one copy at a time."""
    return f"copying:{customer_id}"


class Walks:
    """Loads, settles and saves copies; records refusals. Posts of one person take turns."""

    def __init__(self, store: Store, clock: Clock, customers: Customers, digests: Digests, limits: Limits) -> None:
        self._store = store
        self._clock = clock
        self._recorder = Recorder(store, customers, digests)
        self._limits = limits
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.changes: Final = Changes()

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    @asynccontextmanager
    async def acting(self, visit: Visit, action: str) -> AsyncIterator[None]:
        """One post of a person at a time in this process, and its refusal recorded; between processes the version."""
        customer = await self.customer(visit)
        async with self._turns.setdefault(customer.customer_id, asyncio.Lock()):
            try:
                yield
            except Refusal as refused:
                act = Act(visit, customer, self._clock.now(), action, refused.code)
                reach("copying.21")
                await self._recorder.save(act, None, With(facts=told(refused)))
                raise

    async def here(self, visit: Visit) -> Here:
        """The person's last copy, with what time did to it saved."""
        customer = await self.customer(visit)
        here, now = await self._stored(customer), self._clock.now()
        event = _what_time_did(here, now)
        if event is None:
            return here
        with suppress(TrueStep):  # somebody else saved it, or moved on
            await self.save(Walk(visit, here, customer, now), event, "copying.time", With())
        return await self._stored(customer)

    async def _stored(self, customer: Customer) -> Here:
        stored = await self._store.flow(flow_id(customer.customer_id))
        if stored is None:
            return Here(0, None, self._clock.now())
        return Here(stored.version, COPYING.load(stored.state), stored.expires_at)

    async def walk(self, visit: Visit) -> Walk:
        """Wherever the person's copy is."""
        return Walk(visit, await self.here(visit), await self.customer(visit), self._clock.now())

    async def at(self, visit: Visit, role: Role, *states: type[State]) -> Walk:
        """The walk of one end's post. Raises CopyOver, OtherSession, OutOfOrder."""
        walk = await self.walk(visit)
        state = walk.here.state
        if state is None:
            raise CopyOver(cause="none")
        if _session(state, role) != visit.session.session:
            raise OtherSession if _session(state, role) is not None else OutOfOrder(cause=type(state).__name__)
        if walk.here.ended and not isinstance(state, states):
            raise CopyOver(cause=type(state).__name__)
        if not isinstance(state, states):
            raise OutOfOrder(cause=type(state).__name__)
        return walk

    async def announced(self, visit: Visit, *states: type[State]) -> Walk:
        """The walk of somebody of this person who answers C3's question. Raises NoReceiver, OutOfOrder."""
        walk = await self.walk(visit)
        if walk.here.ended:
            raise NoReceiver
        if not isinstance(walk.here.state, states):
            raise OutOfOrder(cause=type(walk.here.state).__name__)
        return walk

    async def begin(self, walk: Walk, receiver: Receiver) -> None:
        """A first announcement, where no copy is under way."""
        state = COPYING.dump(Announced(receiver))
        await self._save(walk, state, "copying.announced", With(), self._until(walk), "ok")

    async def renew(self, walk: Walk) -> None:
        """The receiver's page was opened again: the same state, its time anew."""
        assert walk.here.state is not None
        until = max(walk.here.expires_at, self._until(walk))
        await self._save(walk, COPYING.dump(walk.here.state), "copying.announced", With(), until, "ok")

    async def save(self, walk: Walk, event: Event, action: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        assert walk.here.state is not None
        step = COPYING.advance(walk.here.state, event)
        until = walk.here.expires_at
        if isinstance(event, ReceiverConfirmed) or isinstance(step.state, Announced):
            until = max(until, self._until(walk))
        if isinstance(event, JoinAllowed):
            until = max(until, walk.now + timedelta(seconds=RUN_S))
        await self._save(walk, COPYING.dump(step.state), action, beside, until, result)

    async def _save(self, walk: Walk, state: str, action: str, beside: With, until: datetime, result: str) -> None:
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=COPYING.name,
            expected_version=walk.here.version,
            state=state,
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=until,
        )
        await self._recorder.save(Act(walk.visit, walk.customer, walk.now, action, result), flow, beside)
        self.changes.tell(walk.customer.customer_id)

    def line(self, walk: Walk, action: str) -> Audit:
        """An audit line of a walk, to save beside its own."""
        return self._recorder.line(Act(walk.visit, walk.customer, walk.now, action), {})

    def _until(self, walk: Walk) -> datetime:
        return walk.now + timedelta(seconds=self._limits.copy_ttl_s)


def _session(state: State, role: Role) -> str | None:
    if role is Role.RECEIVER:
        return state.receiver.session
    sender = sender_of(state)
    return None if sender is None else sender.session


def _what_time_did(here: Here, now: datetime) -> Event | None:
    if here.ended:
        return None
    if now >= here.expires_at:
        return TimeRanOut()
    state = here.state
    lapsed = isinstance(state, Cleared) and state.proof_expires_at is not None and now >= state.proof_expires_at
    return ProofLapsed() if lapsed else None
