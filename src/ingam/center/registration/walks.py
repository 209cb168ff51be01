"""A walk through the registration flow: where a session is, who is registering, and what time does to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol

from ingam.center import walks
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
from ingam.center.walks import Owner, Ports, Runs, TrueStep, Visit, With, told
from ingam.customer.additional_auth import proof
from ingam.customer.notice import Notices
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.customers import Customer


class Limits(Protocol):
    """The settings of this flow; seconds and counts."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def vid_max_fail(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Here(walks.Here[State]):
    """Where a session is. `came_from_expired`: the run before it ran out."""

    came_from_expired: bool = False


@dataclass(frozen=True, slots=True)
class Walk(walks.Walk[Here]):
    """One post at its true step."""


class Walks(Runs[State, Event, Walk]):
    """Where a session is in its registration. Posts of one session take turns."""

    def __init__(self, ports: Ports, notices: Notices, limits: Limits) -> None:
        super().__init__(ports, REGISTRATION, Owner.SESSION)
        self._notices = notices
        self._limits = limits

    async def at_run(self, visit: Visit, run: int, *states: type[Any]) -> Walk:
        """See Runs. A finished run that is still shown makes room for the next one."""
        here = await self.settled(visit)
        if self.ended(here.state) and run == here.run + 1:
            here = self._next_run(here)
        if here.run != run or not isinstance(here.state, states):
            raise TrueStep
        return await self.walk(visit, here)

    async def walk(self, visit: Visit, here: Here) -> Walk:
        """Where a session is, with the person who is registering, and the time."""
        customer = await self.head_at(visit, here)
        return Walk(self.flow_id(self.whose(visit), here.run), visit, here, customer, self.now())

    async def head_at(self, visit: Visit, here: Here) -> Customer:
        """Who is registering: the head of a union whose number was shown at ①, else whose the session is.

        Raises NotLoggedIn where that head is one no more.
        """
        return await self._recorder.customer(visit.session, getattr(here.state, "slot", None))

    async def settled(self, visit: Visit, *, anew: bool = False) -> Here:
        """The last run, with what time did to it saved; a finished one that is no longer shown makes room."""
        here, now = await self._last(visit), self.now()
        event = self._what_time_did(here, now)
        if event is not None:
            await self.leave(await self.walk(visit, here), event, "time")
            here = await self._last(visit)
        ended = self.ended(here.state)
        gone = isinstance(here.state, Expired | Cancelled) or (ended and now >= here.expires_at)
        return self._next_run(here) if gone or (ended and anew) else here

    async def _last(self, visit: Visit) -> Here:
        run, stored = await self._newest(visit)
        if stored is None:
            return Here(run, 0, Identifying(), self._later(self.now()))
        return Here(run, stored.version, self.machine.load(stored.state), stored.expires_at)

    def _next_run(self, here: Here) -> Here:
        return Here(here.run + 1, 0, Identifying(), self._later(self.now()), isinstance(here.state, Expired))

    def _later(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._limits.flow_ttl_s)

    def _what_time_did(self, here: Here, now: datetime) -> Event | None:
        if self.ended(here.state) or here.version == 0:
            return None
        if now >= here.expires_at:
            return TimeRanOut()
        if isinstance(here.state, AwaitingCertificate) and now >= here.state.proof_expires_at:
            return ProofLapsed()
        return None

    async def leave(self, walk: Walk, event: Event, act: str) -> None:
        """Save an event that gives up what was reached; a proof that was held is void."""
        state = walk.here.state
        voided = [proof.void(state.proof_id, walk.now)] if isinstance(state, AwaitingCertificate) else []
        reach("registration.19")
        await self.save(walk, event, act, With(ledger=voided))
        reach("registration.20")

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """See Walks. Thirty minutes from the first step; how it ended is shown as long again."""
        state = self.machine.advance(walk.here.state, event).state
        anew = self.ended(state) or walk.here.version == 0
        await self._save(walk, state, self._later(walk.now) if anew else walk.here.expires_at, act, beside, result)

    async def record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        """See Walks."""
        reach("registration.21")
        await super().record(walk, act, result, beside)
        reach("registration.22")

    async def lock(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        """End the flow in Locked and tell the registered contact, one message a day and cause; raises the refusal."""
        reach("registration.21")
        notice = self._notices.registration_locked(walk.customer, walk.now, self.lock_dedup(walk, refusal.code))
        beside = With(outbox=notice, facts=told(refusal))
        await self.save(walk, TriedTooOften(refusal.code), act, beside, refusal.code)
        reach("registration.22")
        raise refusal
