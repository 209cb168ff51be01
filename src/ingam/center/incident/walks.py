"""A walk through 회복: where a session is, and the ONE transaction of every step."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol
from weakref import WeakValueDictionary

from ingam.center.incident.flow import (
    INCIDENT,
    Confirming,
    Event,
    Idle,
    ProofLapsed,
    State,
    TimeRanOut,
    TriedTooOften,
)
from ingam.center.walks import Act, NotLoggedIn, Recorder, TrueStep, Turn, Visit, With, told
from ingam.customer.additional_auth import Purpose, proof
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.notice import Notices
from ingam.customer.session import Session
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import FlowSave, Store


class Limits(Protocol):
    """Seconds."""

    @property
    def flow_ttl_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Here:
    """Where a session is. `version` 0: this run is not stored yet."""

    run: int
    version: int
    state: State
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Walk:
    """One post at its true step: where, who, when."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        """One id per session and run."""
        return f"incident:{self.visit.session.session}:{self.here.run}"

    @property
    def bound(self) -> Bound:
        """What the proof is bound to (E1)."""
        return Bound(self.customer.customer_id, Purpose.RESUME, self.flow_id, self.visit.session.session)


class Walks:
    """Loads, settles and saves; records refusals. Posts of one session take turns."""

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
        here = await self.settled(visit)
        if here.run != turn.run or here.version != turn.version or not isinstance(here.state, states):
            raise TrueStep
        return await self.walk(visit, here)

    async def walk(self, visit: Visit, here: Here) -> Walk:
        """Where a session is, with its person and the time."""
        return Walk(visit, here, await self.customer(visit.session), self._clock.now())

    async def settled(self, visit: Visit) -> Here:
        """The last run, with what time did to it saved; a finished one makes room for the next."""
        here, now = await self._last(visit), self._clock.now()
        event = _what_time_did(here, now)
        if event is not None:
            await self.leave(await self.walk(visit, here), event, "incident.time")
            here = await self._last(visit)
        if type(here.state) in INCIDENT.ends():
            return Here(here.run + 1, 0, Idle(), now + timedelta(seconds=self._limits.flow_ttl_s))
        return here

    async def last_end(self, visit: Visit) -> State | None:
        """How the last run ended, if nothing is under way."""
        here = await self._last(visit)
        return here.state if type(here.state) in INCIDENT.ends() else None

    async def _last(self, visit: Visit) -> Here:
        session = visit.session
        if session.customer_id is None:
            raise NotLoggedIn
        rows = await self._store.many("flow", {"session": session.session, "machine": INCIDENT.name}, limit=1000)
        runs = [int(str(row["flow_id"]).rpartition(":")[2]) for row in rows]
        if not runs:
            return Here(1, 0, Idle(), self._clock.now() + timedelta(seconds=self._limits.flow_ttl_s))
        stored = await self._store.flow(f"incident:{session.session}:{max(runs)}")
        if stored is None or stored.customer_id != session.customer_id:
            raise NotLoggedIn
        return Here(max(runs), stored.version, INCIDENT.load(stored.state), stored.expires_at)

    async def leave(self, walk: Walk, event: Event, action: str) -> None:
        """Save an event that gives up what was reached; a proof that was held is void."""
        state = walk.here.state
        voided = [proof.void(state.proof_id, walk.now)] if isinstance(state, Confirming) else []
        await self.save(walk, event, action, With(ledger=voided))

    async def save(self, walk: Walk, event: Event, action: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        step = INCIDENT.advance(walk.here.state, event)
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=INCIDENT.name,
            expected_version=walk.here.version,
            state=INCIDENT.dump(step.state),
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=walk.here.expires_at,
        )
        await self._recorder.save(_act(walk, action, result), flow, beside)

    async def refuse(self, walk: Walk, action: str, failure: Failure, beside: With | None = None) -> NoReturn:
        """Record a failure, then raise it."""
        await self._recorder.save(_act(walk, action, failure.code), None, beside or With(facts=told(failure)))
        raise failure

    async def lock(self, walk: Walk, action: str, refusal: Refusal) -> NoReturn:
        """End the flow in Locked and tell the registered contact, one message a day and cause; raises the refusal."""
        whose = self._digests.digest("banking-id", walk.customer.banking_id)
        dedup = f"incident-lock:{whose}:{refusal.code}:{korean_day(walk.now)}"
        notice = self._notices.incident_locked(walk.customer, walk.now, dedup)
        beside = With(outbox=[notice], facts=told(refusal))
        await self.save(walk, TriedTooOften(refusal.code), action, beside, refusal.code)
        raise refusal

    async def customer(self, session: Session) -> Customer:
        """The customer of a session. Raises NotLoggedIn."""
        return await self._recorder.customer(session)


def _act(walk: Walk, action: str, result: str) -> Act:
    return Act(walk.visit, walk.customer, walk.now, action, result)


def _what_time_did(here: Here, now: datetime) -> Event | None:
    if here.version == 0 or type(here.state) in INCIDENT.ends():
        return None
    if now >= here.expires_at:
        return TimeRanOut()
    if isinstance(here.state, Confirming) and now >= here.state.proof_expires_at:
        return ProofLapsed()
    return None
