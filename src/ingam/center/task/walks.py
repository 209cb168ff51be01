"""A walk through one task: where a session is, what time did to it, and what is given up on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol, TypeAlias

from ingam.center import walks
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
from ingam.center.walks import Owner, Ports, Runs, TrueStep, Visit, With, told
from ingam.customer.additional_auth import Purpose, proof
from ingam.customer.additional_auth.proof import Bound
from ingam.kernel.errors import Refusal
from ingam.kernel.flow import Machine
from ingam.ports.customers import Customer
from ingam.ports.store import LedgerMove, Outgoing

LockNotice: TypeAlias = Callable[[Customer, datetime, str], list[Outgoing]]
"""Tells a person that their tasks were stopped; the last argument is the dedup key."""


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
class Here(walks.Here[State]):
    """Where a session is."""

    @property
    def task(self) -> Task | None:
        """What is under way."""
        return task_of(self.state)


@dataclass(frozen=True, slots=True)
class Walk(walks.Walk[Here]):
    """One post at its true step."""

    feature: Feature

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


class Walks(Runs[State, Event, Walk]):
    """Where a session is in the tasks of one feature. Posts of one session take turns."""

    def __init__(self, ports: Ports, limits: Limits, feature: Feature) -> None:
        super().__init__(ports, feature.machine, Owner.SESSION)
        self.feature = feature
        self._limits = limits

    async def at_run(self, visit: Visit, run: int, *states: type[Any]) -> Walk:
        """See Runs."""
        here = await self.settled(visit)
        if here.run != run or not isinstance(here.state, states):
            raise TrueStep
        return await self.walk(visit, here)

    async def walk(self, visit: Visit, here: Here) -> Walk:
        """Where a session is, with the person whose task it is, and the time."""
        slot = None if here.task is None else here.task.slot
        customer = await self._recorder.customer(visit.session, slot)
        return Walk(self.flow_id(self.whose(visit), here.run), visit, here, customer, self.now(), self.feature)

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
        here, now = await self._last(visit), self.now()
        event = self._what_time_did(here, now)
        if event is not None:
            await self.leave(await self.walk(visit, here), event, "time")
            here = await self._last(visit)
        return self._first(here.run + 1) if self.ended(here.state) else here

    async def last_end(self, visit: Visit) -> State | None:
        """How the last run ended, if nothing is under way."""
        here = await self._last(visit)
        return here.state if self.ended(here.state) else None

    async def _last(self, visit: Visit) -> Here:
        run, stored = await self._newest(visit)
        if stored is None:
            return self._first(run)
        return Here(run, stored.version, self.machine.load(stored.state), stored.expires_at)

    def _first(self, run: int) -> Here:
        return Here(run, 0, Idle(), self.now() + timedelta(seconds=self._limits.flow_ttl_s))

    def _what_time_did(self, here: Here, now: datetime) -> Event | None:
        if here.version == 0 or self.ended(here.state):
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

    async def lock(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        """End the flow in Locked and tell the registered contact, one message a day and cause; raises the refusal."""
        notice = self.feature.locked(walk.customer, walk.now, self.lock_dedup(walk, refusal.code))
        beside = With(outbox=notice, facts=told(refusal))
        await self.save(walk, TriedTooOften(refusal.code), act, beside, refusal.code)
        raise refusal
