"""A walk through the issuance flow: where a person is, who may go on, and the ONE transaction of every step.

A run belongs to a person, not to a session: who was interrupted goes on at the last finished step for ten minutes, on
the same device, with the banking password again (security F10). Until then the run shows the password's screen.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol
from weakref import WeakValueDictionary

from ingam.center.issuance.flow import (
    ISSUANCE,
    AwaitingOneWon,
    Cancelled,
    Consenting,
    Declined,
    Delivered,
    Door,
    Event,
    Expired,
    HolderRegistered,
    Kind,
    OneWonLapsed,
    OneWonSent,
    Refused,
    Requested,
    Resumed,
    State,
    TimeRanOut,
    kind_of,
)
from ingam.center.walks import Act, Recorder, TrueStep, Turn, Visit, With, told
from ingam.customer import payment
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Delete, FlowSave, Row, Store, Update

RUNS_MOST = 100
"""The last one is among them, however many there are: no run ends later than one that was begun after it."""

FETCHING = (Requested, Delivered)
_BEGIN = {Kind.NEW: "issuance.begin", Kind.REISSUE: "issuance.begin-reissue"}
ISSUED: Final = {Kind.NEW: "issuance.issued", Kind.REISSUE: "issuance.reissued"}
"""The line of the certificate that stands now, by what was asked for."""


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
class Here:
    """Where a person is. `version` 0: no run is under way; then, and where `away`, the password comes first.

    `away`: a run of this person that another session began; `resumable`: and it may be gone on with here.
    """

    run: int
    version: int
    state: State | None
    expires_at: datetime
    away: bool = False
    resumable: bool = False
    came_from_expired: bool = False

    @property
    def turn(self) -> Turn:
        """What the forms of this screen send back."""
        return Turn(self.run, self.version)

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
class Walk:
    """One post at its true step: where, who, when."""

    visit: Visit
    here: Here
    customer: Customer
    now: datetime

    @property
    def flow_id(self) -> str:
        return flow_id(self.customer.customer_id, self.here.run)


def flow_id(customer_id: str, run: int) -> str:
    """One id per person and run, so that two tabs cannot start two flows."""
    return f"issuance:{customer_id}:{run}"


def public_id(walk_id: str) -> str:
    """What the vault calls the run: 32 lower hex, of which nobody learns the customer's key."""
    return hashlib.sha256(walk_id.encode()).hexdigest()[:32]


class Walks:
    """Loads, settles and saves runs; records refusals. Posts of one person take turns."""

    def __init__(self, store: Store, clock: Clock, customers: Customers, digests: Digests, limits: Limits) -> None:
        self._store = store
        self._clock = clock
        self._recorder = Recorder(store, customers, digests)
        self._limits = limits
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn_of(self, visit: Visit) -> asyncio.Lock:
        """One post of a person at a time in this process; between processes the flow's version decides."""
        return self._turns.setdefault(visit.session.customer_id or "", asyncio.Lock())

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    async def begin(self, visit: Visit, kind: Kind, *, resets: list[str]) -> None:
        """The password was right: go on with an interrupted run of whatever kind, or begin one. Raises TrueStep."""
        here, customer, now = await self.settled(visit), await self.customer(visit), self._clock.now()
        walk, door = Walk(visit, here, customer, now), Door(visit.session.session, visit.session.device, now, kind)
        if here.open:
            raise TrueStep
        reach("issuance.1")
        if here.resumable:
            await self.save(walk, Resumed(door), "issuance.resume", With(resets=resets))
        else:
            if here.away:
                await self.save(walk, TimeRanOut(), "issuance.time", With())
                here = await self.settled(visit)
                walk = Walk(visit, here, customer, now)
            await self._store_first(walk, Consenting(door), resets)
        reach("issuance.2")

    async def _store_first(self, walk: Walk, state: Consenting, resets: list[str]) -> None:
        run = walk.here.run + 1 if walk.here.ended else walk.here.run
        expires = walk.now + timedelta(seconds=self._limits.flow_ttl_s)
        flow = FlowSave(
            flow_id(walk.customer.customer_id, run), ISSUANCE.name, 0, ISSUANCE.dump(state),
            walk.visit.session.session, walk.customer.customer_id, expires,
        )  # fmt: skip
        await self._recorder.save(_act(walk, _BEGIN[state.door.kind]), flow, With(resets=resets))

    async def at(self, visit: Visit, turn: Turn, *states: type[State]) -> Walk:
        """The walk of a post whose screen is still the true one. Raises TrueStep."""
        walk = await self.at_run(visit, turn.run, *states)
        if walk.here.version != turn.version:
            raise TrueStep
        return walk

    async def at_run(self, visit: Visit, run: int, *states: type[State]) -> Walk:
        """The walk of a post of this run, if it is this session's and its state is one of these. Raises TrueStep."""
        here = await self.settled(visit)
        if here.run != run or here.away or not isinstance(here.state, states):
            raise TrueStep
        return Walk(visit, here, await self.customer(visit), self._clock.now())

    async def settled(self, visit: Visit, *, anew: bool = False) -> Here:
        """The last run, with what time did to it saved; a finished one that is no longer shown makes room."""
        customer = await self.customer(visit)
        here, now = await self._last(visit, customer), self._clock.now()
        event = _what_time_did(here, now)
        if event is not None:
            await self.save(Walk(visit, here, customer, now), event, "issuance.time", With())
            here = await self._last(visit, customer)
        gone = isinstance(here.state, Expired | Cancelled) or (here.ended and now >= here.expires_at)
        if gone or (here.ended and anew):
            return Here(here.run + 1, 0, None, now, came_from_expired=isinstance(here.state, Expired))
        return here

    async def _last(self, visit: Visit, customer: Customer) -> Here:
        where = {"customer_id": customer.customer_id, "machine": ISSUANCE.name}
        rows = await self._store.many("flow", where, order="expires_at", descending=True, limit=RUNS_MOST)
        runs = [int(str(row["flow_id"]).rpartition(":")[2]) for row in rows]
        if not runs:
            return Here(1, 0, None, self._clock.now())
        run = max(runs)
        stored = await self._store.flow(flow_id(customer.customer_id, run))
        assert stored is not None
        state = ISSUANCE.load(stored.state)
        door = getattr(state, "door", None)
        away = isinstance(door, Door) and door.session != visit.session.session
        resumable = away and isinstance(door, Door) and self._resumable(visit, door, state)
        return Here(run, stored.version, state, stored.expires_at, away, resumable)

    def _resumable(self, visit: Visit, door: Door, state: State) -> bool:
        """The same device, soon enough; what the authority may have issued is fetched for as long as it answers."""
        length = self._limits.issuance_fetch_s if isinstance(state, FETCHING) else self._limits.flow_resume_s
        soon = self._clock.now() < door.stepped_at + timedelta(seconds=length)
        return soon and door.device is not None and door.device == visit.session.device

    async def save(self, walk: Walk, event: Event, action: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        assert walk.here.state is not None
        step = ISSUANCE.advance(walk.here.state, event)
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=ISSUANCE.name,
            expected_version=walk.here.version,
            state=ISSUANCE.dump(step.state),
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=self._expires(walk, event, step.state),
        )
        beside = replace(beside, rows=[*beside.rows, *self._picture(walk, step.state, event)])
        if type(step.state) in ISSUANCE.ends():
            settled = await payment.ended(self._store, walk.flow_id, walk.now)
            beside = replace(beside, outbox=[*beside.outbox, *settled])
        await self._recorder.save(_act(walk, action, result), flow, beside)

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
        """Thirty minutes from the start; anew from 인증요청, whose digits live as long; an hour for fetching."""
        if isinstance(state, FETCHING):
            return walk.now + timedelta(seconds=self._limits.issuance_fetch_s)
        later = walk.now + timedelta(seconds=self._limits.flow_ttl_s)
        if isinstance(event, OneWonSent):
            return max(later, event.expires_at + timedelta(seconds=self._limits.flow_resume_s))
        if type(state) in ISSUANCE.ends():
            return later
        return walk.here.expires_at

    async def record(self, walk: Walk, action: str, result: str, beside: With) -> None:
        """An audit line, and the rows and counters that a refused post still writes."""
        reach("issuance.35")
        await self._recorder.save(_act(walk, action, result), None, beside)

    async def refuse(self, walk: Walk, action: str, refusal: Refusal, rows: Sequence[Change] = ()) -> NoReturn:
        """Record a refusal, and what stays true in spite of it, then raise it."""
        await self.record(walk, action, refusal.code, With(rows=rows, facts=told(refusal)))
        raise refusal

    async def declined(self, walk: Walk, action: str, refusal: Refusal) -> None:
        """End the run in Refused."""
        await self.save(walk, Declined(refusal.code), action, With(facts=told(refusal)), refusal.code)

    async def decline(self, walk: Walk, action: str, refusal: Refusal) -> NoReturn:
        """End the run in Refused, then raise."""
        await self.declined(walk, action, refusal)
        raise refusal

    def now(self) -> datetime:
        """The clock's."""
        return self._clock.now()


def _act(walk: Walk, action: str, result: str = "ok") -> Act:
    return Act(walk.visit, walk.customer, walk.now, action, result)


def _what_time_did(here: Here, now: datetime) -> Event | None:
    if here.state is None or here.ended:
        return None
    if now >= here.expires_at:
        return TimeRanOut()
    if isinstance(here.state, AwaitingOneWon) and now >= here.state.expires_at:
        return OneWonLapsed()
    return None
