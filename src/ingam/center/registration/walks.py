"""A walk through the registration flow: where a session is, and the ONE transaction of every step it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol
from weakref import WeakValueDictionary

from ingam.center.registration.flow import (
    REGISTRATION,
    AwaitingCertificate,
    Cancelled,
    Event,
    Expired,
    Identifying,
    ProofLapsed,
    State,
    TimeRanOut,
    TriedTooOften,
)
from ingam.center.walks import Act, NotLoggedIn, Recorder, TrueStep, Turn, Visit, With, told
from ingam.customer.additional_auth import proof
from ingam.customer.notice import Notices
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, FlowSave, Store


class Limits(Protocol):
    """The settings of this flow; seconds and counts."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def vid_max_fail(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Here:
    """Where a session is. `version` 0: the run is not stored yet. `came_from_expired`: the run before it ran out."""

    run: int
    version: int
    state: State
    expires_at: datetime
    came_from_expired: bool = False

    def flow_id(self, session: Session) -> str:
        """One id per session and run, so that two first posts cannot start two flows."""
        return f"registration:{session.session}:{self.run}"

    @property
    def turn(self) -> Turn:
        """What the forms of this screen send back."""
        return Turn(self.run, self.version)

    @property
    def ended(self) -> bool:
        """Whether nothing leaves this state."""
        return type(self.state) in REGISTRATION.ends()


@dataclass(frozen=True, slots=True)
class Walk:
    """One post at its true step: where, who, when."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        return self.here.flow_id(self.visit.session)


class Walks:
    """Loads, settles and saves flows; records refusals. Posts of one session take turns."""

    def __init__(
        self, store: Store, clock: Clock, customers: Customers, notices: Notices, digests: Digests, limits: Limits
    ) -> None:
        self._store = store
        self._clock = clock
        self._recorder = Recorder(store, customers, digests)
        self._notices = notices
        self._digests = digests
        self._limits = limits
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn_of(self, session: Session) -> asyncio.Lock:
        """One post of a session at a time in this process; between processes the flow's version decides."""
        return self._turns.setdefault(session.session, asyncio.Lock())

    async def at(self, visit: Visit, turn: Turn, *states: type[State]) -> Walk:
        """The walk of a post whose screen is still the true one. Raises TrueStep."""
        walk = await self.at_run(visit, turn.run, *states)
        if walk.here.version != turn.version:
            raise TrueStep
        return walk

    async def at_run(self, visit: Visit, run: int, *states: type[State]) -> Walk:
        """The walk of a post of this run, if its state is one of these. Raises TrueStep."""
        here = await self.settled(visit)
        if here.ended and run == here.run + 1:
            here = self._next_run(here, self._clock.now())
        if here.run != run or not isinstance(here.state, states):
            raise TrueStep
        return Walk(visit, here, await self.head_at(visit, here), self._clock.now())

    async def head_at(self, visit: Visit, here: Here) -> Customer:
        """Who is registering: the head of a union whose number was shown at ①, else whose the session is.

        Raises NotLoggedIn where that head is one no more.
        """
        slot = getattr(here.state, "slot", None)
        if slot is None:
            return await self.customer(visit.session)
        return await self._recorder.customer(visit.session, slot)

    async def settled(self, visit: Visit, *, anew: bool = False) -> Here:
        """The last run, with what time did to it saved; a finished one that is no longer shown makes room."""
        here, now = await self._last(visit), self._clock.now()
        event = _what_time_did(here, now)
        if event is not None:
            walk = Walk(visit, here, await self.head_at(visit, here), now)
            await self.leave_by(walk, event, "registration.time")
            here = await self._last(visit)
        gone = isinstance(here.state, Expired | Cancelled) or (here.ended and now >= here.expires_at)
        return self._next_run(here, now) if gone or (here.ended and anew) else here

    async def _last(self, visit: Visit) -> Here:
        session = visit.session
        if session.customer_id is None:
            raise NotLoggedIn
        rows = await self._store.many("flow", {"session": session.session, "machine": REGISTRATION.name}, limit=1000)
        runs = [int(str(row["flow_id"]).rpartition(":")[2]) for row in rows]
        if not runs:
            expires = self._clock.now() + timedelta(seconds=self._limits.flow_ttl_s)
            return Here(1, 0, Identifying(), expires)
        here = Here(max(runs), 0, Identifying(), self._clock.now())
        stored = await self._store.flow(here.flow_id(session))
        if stored is None or stored.customer_id != session.customer_id:
            raise NotLoggedIn
        return Here(here.run, stored.version, REGISTRATION.load(stored.state), stored.expires_at)

    def _next_run(self, here: Here, now: datetime) -> Here:
        expires = now + timedelta(seconds=self._limits.flow_ttl_s)
        return Here(here.run + 1, 0, Identifying(), expires, isinstance(here.state, Expired))

    async def leave_by(self, walk: Walk, event: Event, action: str) -> None:
        """Save an event that gives up what was reached; a proof that was held is void."""
        state = walk.here.state
        voided = [proof.void(state.proof_id, walk.now)] if isinstance(state, AwaitingCertificate) else []
        reach("registration.19")
        await self.save(walk, event, action, With(ledger=voided))
        reach("registration.20")

    async def save(self, walk: Walk, event: Event, action: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        step = REGISTRATION.advance(walk.here.state, event)
        ended = type(step.state) in REGISTRATION.ends()
        ttl = timedelta(seconds=self._limits.flow_ttl_s)
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=REGISTRATION.name,
            expected_version=walk.here.version,
            state=REGISTRATION.dump(step.state),
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=walk.now + ttl if ended or walk.here.version == 0 else walk.here.expires_at,
        )
        await self._recorder.save(_act(walk, action, result), flow, beside)

    async def refuse(self, walk: Walk, action: str, refusal: Refusal) -> NoReturn:
        """Record a refusal, then raise it."""
        await self.record(walk, action, refusal.code, With(facts=told(refusal)))
        raise refusal

    async def record(self, walk: Walk, action: str, result: str, beside: With) -> None:
        """An audit line, and the counters that a refused post still clears."""
        reach("registration.21")
        await self._recorder.save(_act(walk, action, result), None, beside)
        reach("registration.22")

    async def lock(self, walk: Walk, action: str, refusal: Refusal) -> NoReturn:
        """End the flow in Locked and tell the registered contact, then raise the refusal.

        One message a day and cause, however many runs are begun anew: nobody's phone is flooded with locks.
        """
        reach("registration.21")
        whose = self._digests.digest("banking-id", walk.customer.banking_id)
        dedup = f"registration-lock:{whose}:{refusal.code}:{korean_day(walk.now)}"
        notice = self._notices.registration_locked(walk.customer, walk.now, dedup)
        beside = With(outbox=notice, facts=told(refusal))
        await self.save(walk, TriedTooOften(refusal.code), action, beside, refusal.code)
        reach("registration.22")
        raise refusal

    def audit(self, walk: Walk, action: str, result: str, facts: Mapping[str, str | int]) -> Audit:
        """One line: keyed pseudonyms, codes and counts (H9)."""
        return self._recorder.line(_act(walk, action, result), facts)

    async def customer(self, session: Session) -> Customer:
        """The customer of a session. Raises NotLoggedIn."""
        return await self._recorder.customer(session)


def _act(walk: Walk, action: str, result: str) -> Act:
    return Act(walk.visit, walk.customer, walk.now, action, result)


def _what_time_did(here: Here, now: datetime) -> Event | None:
    if here.ended or here.version == 0:
        return None
    if now >= here.expires_at:
        return TimeRanOut()
    if isinstance(here.state, AwaitingCertificate) and now >= here.state.proof_expires_at:
        return ProofLapsed()
    return None
