"""A walk through one task: where a session is, what time did to it, and the ONE transaction of every step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol, TypeAlias
from weakref import WeakValueDictionary

from ingam.center.task.flow import (
    Begun,
    Confirming,
    Event,
    Idle,
    Left,
    ProofLapsed,
    State,
    Task,
    TimeRanOut,
    TriedTooOften,
    task_of,
)
from ingam.center.walks import Act, NotLoggedIn, Recorder, TrueStep, Turn, Visit, With, told
from ingam.customer.additional_auth import Purpose, proof
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.session import Session
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.flow import Machine
from ingam.kernel.instants import korean_day
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import FlowSave, LedgerMove, Outgoing, Store

RUNS_MOST = 1000

LockNotice: TypeAlias = Callable[[Customer, datetime, str], list[Outgoing]]
"""Tells a person that their tasks were stopped; the last argument is the dedup key."""


class Ports(Protocol):
    """What the walks work on."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def digests(self) -> Digests: ...


class Limits(Protocol):
    """Seconds."""

    @property
    def flow_ttl_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Feature:
    """Whose tasks. `purposes`: what the additional authentication of each kind is for (E1)."""

    machine: Machine[State, Event]
    purposes: Mapping[str, Purpose]
    locked: LockNotice

    @property
    def name(self) -> str:
        """The first word of ids and audit lines."""
        return self.machine.name


@dataclass(frozen=True, slots=True)
class Here:
    """Where a session is. `version` 0: this run is not stored yet."""

    run: int
    version: int
    state: State
    expires_at: datetime

    @property
    def task(self) -> Task | None:
        """What is under way."""
        return task_of(self.state)


@dataclass(frozen=True, slots=True)
class Walk:
    """One post at its true step: where, who, when."""

    feature: Feature
    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        """One id per session and run."""
        return _flow_id(self.feature, self.visit.session, self.here.run)

    @property
    def task(self) -> Task:
        """What is under way. Raises TrueStep where nothing is."""
        if self.here.task is None:
            raise TrueStep
        return self.here.task

    @property
    def purpose(self) -> Purpose:
        """What the additional authentication of this task is for (E1)."""
        return self.feature.purposes[self.task.kind]

    @property
    def bound(self) -> Bound:
        """What the proof of this task is bound to (E1)."""
        session, whose = self.visit.session.session, self.customer
        return Bound(whose.customer_id, self.purpose, self.flow_id, session, whose.slot)

    @property
    def proof_id(self) -> str | None:
        """The proof that is held; None where there is none."""
        return self.here.state.proof_id if isinstance(self.here.state, Confirming) else None


class Walks:
    """Loads, settles and saves flows; records refusals. Posts of one session take turns."""

    def __init__(self, ports: Ports, limits: Limits, feature: Feature) -> None:
        self.feature = feature
        self._store = ports.store
        self._clock = ports.clock
        self._recorder = Recorder(ports.store, ports.customers, ports.digests)
        self._digests = ports.digests
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
        """Where a session is, with the person whose task it is, and the time."""
        slot = None if here.task is None else here.task.slot
        return Walk(self.feature, visit, here, await self._recorder.customer(visit.session, slot), self._clock.now())

    async def begin(self, visit: Visit, task: Task, *, signs: bool = False) -> None:
        """Another task; one that was under way is left."""
        here = await self.settled(visit)
        if here.task is not None:
            await self.leave(await self.walk(visit, here), Left(), "leave")
            here = await self.settled(visit)
        beside = With(facts={"kind": str(task.kind)})
        await self.save(await self.walk(visit, here), Begun(task, signs), "begin", beside)

    async def settled(self, visit: Visit) -> Here:
        """The last run, with what time did to it saved; a finished one makes room for the next."""
        here, now = await self._last(visit), self._clock.now()
        event = self._what_time_did(here, now)
        if event is not None:
            await self.leave(await self.walk(visit, here), event, "time")
            here = await self._last(visit)
        if self._ended(here.state):
            return Here(here.run + 1, 0, Idle(), now + timedelta(seconds=self._limits.flow_ttl_s))
        return here

    async def last_end(self, visit: Visit) -> State | None:
        """How the last run ended, if nothing is under way."""
        here = await self._last(visit)
        return here.state if self._ended(here.state) else None

    async def _last(self, visit: Visit) -> Here:
        session, machine = visit.session, self.feature.machine
        if session.customer_id is None:
            raise NotLoggedIn
        where = {"session": session.session, "machine": machine.name}
        rows = await self._store.many("flow", where, limit=RUNS_MOST)
        runs = [int(str(row["flow_id"]).rpartition(":")[2]) for row in rows]
        if not runs:
            return Here(1, 0, Idle(), self._clock.now() + timedelta(seconds=self._limits.flow_ttl_s))
        stored = await self._store.flow(_flow_id(self.feature, session, max(runs)))
        if stored is None or stored.customer_id != session.customer_id:
            raise NotLoggedIn
        return Here(max(runs), stored.version, machine.load(stored.state), stored.expires_at)

    def _ended(self, state: State) -> bool:
        return type(state) in self.feature.machine.ends()

    def _what_time_did(self, here: Here, now: datetime) -> Event | None:
        if here.version == 0 or self._ended(here.state):
            return None
        if now >= here.expires_at:
            return TimeRanOut()
        state = here.state
        if isinstance(state, Confirming) and state.proof_expires_at is not None and now >= state.proof_expires_at:
            return ProofLapsed()
        return None

    async def leave(self, walk: Walk, event: Event, act: str) -> None:
        """Save an event that gives up what was reached; a proof that was held is void."""
        voided = [] if walk.proof_id is None else [proof.void(walk.proof_id, walk.now)]
        await self.save(walk, event, act, With(ledger=voided))

    async def used(self, walk: Walk) -> list[LedgerMove]:
        """The proof that is held, used up; nothing where a signature stands in its place. Raises ProofMissing."""
        if walk.proof_id is None:
            return []
        return [await proof.consume(self._store, walk.proof_id, walk.bound, walk.now)]

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        machine = self.feature.machine
        step = machine.advance(walk.here.state, event)
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=machine.name,
            expected_version=walk.here.version,
            state=machine.dump(step.state),
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=walk.here.expires_at,
        )
        await self._recorder.save(self._act(walk, act, result), flow, beside)

    async def refuse(self, walk: Walk, act: str, failure: Failure, beside: With | None = None) -> NoReturn:
        """Record a failure, then raise it."""
        await self.record(walk, act, failure.code, beside or With(facts=told(failure)))
        raise failure

    async def record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        """An audit line, and what goes into its transaction."""
        await self._recorder.save(self._act(walk, act, result), None, beside)

    async def lock(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        """End the flow in Locked and tell the registered contact, one message a day and cause; raises the refusal."""
        whose = self._digests.digest("banking-id", walk.customer.banking_id)
        dedup = f"{self.feature.name}-lock:{whose}:{refusal.code}:{korean_day(walk.now)}"
        notice = self.feature.locked(walk.customer, walk.now, dedup)
        beside = With(outbox=notice, facts=told(refusal))
        await self.save(walk, TriedTooOften(refusal.code), act, beside, refusal.code)
        raise refusal

    async def customer(self, session: Session) -> Customer:
        """The customer of a session. Raises NotLoggedIn."""
        return await self._recorder.customer(session)

    def _act(self, walk: Walk, act: str, result: str) -> Act:
        """`act`: the last word of the audit line's action."""
        return Act(walk.visit, walk.customer, walk.now, f"{self.feature.name}.{act}", result)


def _flow_id(feature: Feature, session: Session, run: int) -> str:
    return f"{feature.name}:{session.session}:{run}"
