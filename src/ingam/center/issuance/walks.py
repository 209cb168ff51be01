"""A walk through the issuance flow: where a person is, who may go on, and what is saved with every step.

A run belongs to a person, not to a session: who was interrupted goes on at the last finished step for ten minutes, on
the same device, with the banking password again (security F10). Until then the run shows the password's screen.
However often it is gone on with, a day after it began it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, Protocol

from ingam.center import walks
from ingam.center.issuance.flow import (
    ISSUANCE,
    Declined,
    Event,
    HolderRegistered,
    OneWonLapsed,
    OneWonSent,
    Resumed,
    TimeRanOut,
)
from ingam.center.issuance.states import (
    AwaitingOneWon,
    Cancelled,
    Consenting,
    Delivered,
    Door,
    Expired,
    Kind,
    Refused,
    Requested,
    State,
    kind_of,
)
from ingam.center.walks import Owner, Ports, Runs, TrueStep, Visit, With, told
from ingam.customer import payment
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.customers import Customer
from ingam.ports.store import Change, Delete, Row, Update

FETCHING = (Requested, Delivered)
LONGEST: Final = timedelta(days=1)
"""Of a run: nobody keeps one open by coming back to it, while who they are, or whose the account is, changes. Whoever
waits for the authority is done within the hour that the fetching has."""
_BEGIN = {Kind.NEW: "begin", Kind.REISSUE: "begin-reissue"}
ISSUED: Final = {Kind.NEW: "issued", Kind.REISSUE: "reissued"}
"""How the line of the certificate that stands now ends, by what was asked for."""


class Limits(Protocol):
    """The settings of this flow's time, and of a picture's, in seconds."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def flow_resume_s(self) -> int: ...
    @property
    def issuance_fetch_s(self) -> int: ...
    @property
    def idcard_keep_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Here(walks.Here[State | None]):
    """Where a person is. `version` 0: no run is under way; then, and where `away`, the password comes first.

    `away`: a run of this person that another session began; `resumable`: and it may be gone on with here.
    """

    away: bool = False
    resumable: bool = False
    came_from_expired: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing leaves this state."""
        return self.state is not None and type(self.state) in ISSUANCE.ends()

    @property
    def kind(self) -> Kind | None:
        """What it is for; None where there is none."""
        return None if self.state is None else kind_of(self.state)

    @property
    def open(self) -> bool:
        """Whether this session may go on with it."""
        return self.state is not None and not self.ended and not self.away


@dataclass(frozen=True, slots=True)
class Walk(walks.Walk[Here]):
    """One post at its true step."""

    @property
    def kind(self) -> Kind:
        """What the run is for."""
        assert self.here.state is not None
        return kind_of(self.here.state)


class Walks(Runs[State, Event, Walk]):
    """Where a person is in an issuance. Posts of one person take turns."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        super().__init__(ports, ISSUANCE, Owner.PERSON)
        self._limits = limits

    async def begin(self, visit: Visit, kind: Kind, *, resets: list[str]) -> None:
        """The password was right: go on with an interrupted run of whatever kind, or begin one. Raises TrueStep."""
        here, customer, now = await self.settled(visit), await self.customer(visit), self.now()
        walk = self._walk(visit, here, customer, now)
        door = Door(visit.session.session, visit.session.device, now, kind, visit.session.head, now)
        if here.open:
            raise TrueStep
        reach("issuance.1")
        if here.resumable:
            await self.save(walk, Resumed(door), "resume", With(resets=resets))
        else:
            if here.away:
                await self.save(walk, TimeRanOut(), "time", With())
                here = await self.settled(visit)
            first = Here(here.run + 1 if here.ended else here.run, 0, None, now)
            walk, until = self._walk(visit, first, customer, now), now + timedelta(seconds=self._limits.flow_ttl_s)
            await self._save(walk, Consenting(door), until, _BEGIN[kind], With(resets=resets))
        reach("issuance.2")

    async def at_run(self, visit: Visit, run: int, *states: type[Any]) -> Walk:
        """See Runs."""
        here = await self.settled(visit)
        if here.run != run or here.away or not isinstance(here.state, states):
            raise TrueStep
        return self._walk(visit, here, await self.customer(visit), self.now())

    def _walk(self, visit: Visit, here: Here, customer: Customer, now: datetime) -> Walk:
        return Walk(self.flow_id(self.whose(visit), here.run), visit, here, customer, now)

    async def settled(self, visit: Visit, *, anew: bool = False) -> Here:
        """The last run, with what time did to it saved; a finished one that is no longer shown makes room."""
        customer, here, now = await self.customer(visit), await self._last(visit), self.now()
        event = _what_time_did(here, now)
        if event is not None:
            await self.save(self._walk(visit, here, customer, now), event, "time", With())
            here = await self._last(visit)
        gone = isinstance(here.state, Expired | Cancelled) or (here.ended and now >= here.expires_at)
        if gone or (here.ended and anew):
            return Here(here.run + 1, 0, None, now, came_from_expired=isinstance(here.state, Expired))
        return here

    async def _last(self, visit: Visit) -> Here:
        run, stored = await self._newest(visit)
        if stored is None:
            return Here(run, 0, None, self.now())
        state = self.machine.load(stored.state)
        door = getattr(state, "door", None)
        away = isinstance(door, Door) and (door.session, door.head) != (visit.session.session, visit.session.head)
        resumable = away and isinstance(door, Door) and self._resumable(visit, door, state)
        return Here(run, stored.version, state, stored.expires_at, away, resumable)

    def _resumable(self, visit: Visit, door: Door, state: State) -> bool:
        """The same person and device, soon enough; what may have been issued is fetched while the authority answers.

        The key of the run says whose it is; that the state says it too is a second line (A17).
        """
        length = self._limits.issuance_fetch_s if isinstance(state, FETCHING) else self._limits.flow_resume_s
        soon = self.now() < door.stepped_at + timedelta(seconds=length)
        same = (door.device, door.head) == (visit.session.device, visit.session.head)
        return soon and door.device is not None and same

    async def save(self, walk: Walk, event: Event, act: str, beside: With, result: str = "ok") -> None:
        """See Walks. With it goes what becomes of the card's picture and, at an end, of a fee that was allowed."""
        assert walk.here.state is not None
        state = self.machine.advance(walk.here.state, event).state
        beside = replace(beside, rows=[*beside.rows, *self._picture(walk, state, event)])
        if self.ended(state):
            settled = await payment.ended(self._store, walk.flow_id, walk.now)
            beside = replace(beside, outbox=[*beside.outbox, *settled])
        await self._save(walk, state, self._expires(walk, event, state), act, beside, result)

    def _picture(self, walk: Walk, state: State, event: Event) -> list[Change]:
        """Of the card: evidence for its time once the authority is asked; where nothing comes of a run, none (H8)."""
        where: Row = {"flow_id": walk.flow_id}
        if isinstance(event, HolderRegistered):
            until = walk.now + timedelta(seconds=self._limits.idcard_keep_s)
            return [Update("id_card_image", where, {"delete_at": until})]
        # Of a run that was being fetched, nobody here knows whether its certificate stands.
        lost = isinstance(state, Expired) and not isinstance(walk.here.state, FETCHING)
        return [Delete("id_card_image", where)] if lost or isinstance(state, Cancelled | Refused) else []

    def _expires(self, walk: Walk, event: Event, state: State) -> datetime:
        """Thirty minutes from the start; anew from 인증요청, whose digits live as long; an hour for fetching.

        Never later than LONGEST after the start.
        """
        door, later = getattr(state, "door", None), walk.now + timedelta(seconds=self._limits.flow_ttl_s)
        if not isinstance(door, Door):
            return later
        until = walk.here.expires_at
        if isinstance(state, FETCHING):
            until = walk.now + timedelta(seconds=self._limits.issuance_fetch_s)
        elif isinstance(event, OneWonSent):
            until = max(later, event.expires_at + timedelta(seconds=self._limits.flow_resume_s))
        return min(until, door.began + LONGEST)

    async def record(self, walk: Walk, act: str, result: str, beside: With) -> None:
        """See Walks."""
        reach("issuance.35")
        await super().record(walk, act, result, beside)

    async def declined(self, walk: Walk, act: str, refusal: Refusal) -> None:
        """End the run in Refused."""
        await self.save(walk, Declined(refusal.code), act, With(facts=told(refusal)), refusal.code)

    async def decline(self, walk: Walk, act: str, refusal: Refusal) -> NoReturn:
        """End the run in Refused, then raise."""
        await self.declined(walk, act, refusal)
        raise refusal


def _what_time_did(here: Here, now: datetime) -> Event | None:
    if here.state is None or here.ended:
        return None
    if now >= here.expires_at:
        return TimeRanOut()
    if isinstance(here.state, AwaitingOneWon) and now >= here.state.expires_at:
        return OneWonLapsed()
    return None
