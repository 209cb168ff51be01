"""A walk through a copy: which of the two ends asks, at its true step, and who hears of every step.

A copy belongs to a person and has one row: a second receiving page takes the place of the first, and the version of
the row lets one of two posts through. Each end is one session; nobody else's, not even of the same person, is let in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ingam.center import walks
from ingam.center.copying.changes import Changes
from ingam.center.copying.flow import COPYING, OVER, Event, JoinAllowed, ProofLapsed, ReceiverConfirmed, TimeRanOut
from ingam.center.copying.refusals import CopyOver, NoReceiver, OtherSession, OutOfOrder
from ingam.center.copying.states import Announced, Cleared, Receiver, Role, State, sender_of
from ingam.center.walks import Act, Owner, Ports, TrueStep, Visit, With, told
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach

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
class Walk(walks.Walk[Here]):
    """One post at its true step."""

    @property
    def receiver(self) -> Receiver:
        """The receiver of the copy."""
        assert self.here.state is not None
        return self.here.state.receiver

    @property
    def copy_id(self) -> str:
        """Names this very copy, for proofs and challenges: the row is every copy's of this person."""
        return f"{self.flow_id}:{self.receiver.id}"


class Walks(walks.Walks[State, Event, Walk]):
    """Where a person's copy is: one row per person, so that there is one copy at a time."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        super().__init__(ports, COPYING, Owner.PERSON)
        self._limits = limits
        self.changes: Final = Changes()

    @asynccontextmanager
    async def acting(self, visit: Visit, act: str) -> AsyncIterator[None]:
        """One post of a person at a time, and its refusal recorded. `act`: as in Walks."""
        customer = await self.customer(visit)
        async with self.turn_of(visit):
            try:
                yield
            except Refusal as refused:
                line = Act(visit, customer, self.now(), f"{self.machine.name}.{act}", refused.code)
                reach("copying.21")
                await self._recorder.save(line, None, With(facts=told(refused)))
                raise

    async def here(self, visit: Visit) -> Here:
        """The person's last copy, with what time did to it saved."""
        customer = await self.customer(visit)
        here, now = await self._stored(visit), self.now()
        event = _what_time_did(here, now)
        if event is None:
            return here
        with suppress(TrueStep):  # somebody else saved it, or moved on
            await self.save(Walk(self._flow_id(visit), visit, here, customer, now), event, "time", With())
        return await self._stored(visit)

    async def _stored(self, visit: Visit) -> Here:
        stored = await self._store.flow(self._flow_id(visit))
        if stored is None:
            return Here(0, None, self.now())
        return Here(stored.version, self.machine.load(stored.state), stored.expires_at)

    async def walk(self, visit: Visit) -> Walk:
        """Wherever the person's copy is."""
        here, customer = await self.here(visit), await self.customer(visit)
        return Walk(self._flow_id(visit), visit, here, customer, self.now())

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
        await self._save(walk, Announced(receiver), self._until(walk), "announced", With())

    async def renew(self, walk: Walk) -> None:
        """The receiver's page was opened again: the same state, its time anew."""
        assert walk.here.state is not None
        await self._save(walk, walk.here.state, max(walk.here.expires_at, self._until(walk)), "announced", With())

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """See walks. An announcement, a yes to it and a way to join give the copy more time."""
        assert walk.here.state is not None
        state, until = self.machine.advance(walk.here.state, event).state, walk.here.expires_at
        if isinstance(event, ReceiverConfirmed) or isinstance(state, Announced):
            until = max(until, self._until(walk))
        if isinstance(event, JoinAllowed):
            until = max(until, walk.now + timedelta(seconds=RUN_S))
        await self._save(walk, state, until, act, beside, result)

    async def _save(
        self, walk: Walk, state: State, until: datetime, act: str, beside: With, result: str = "ok"
    ) -> None:
        await super()._save(walk, state, until, act, beside, result)
        self.changes.tell(walk.customer.customer_id)

    def _flow_id(self, visit: Visit) -> str:
        return f"{self.machine.name}:{self.whose(visit)}"

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
