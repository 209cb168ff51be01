"""What every walk through a flow of the center shares: who asks, which screen was answered, and the ONE transaction.

A feature's own `walks.py` says where a person is and what time does to it; here is how a step and a refusal are saved.
"""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar
from weakref import WeakValueDictionary

from ingam.customer.heads import in_session, person_key, session_key
from ingam.customer.session import Session
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.flow import Machine
from ingam.kernel.instants import korean_day, to_micros
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, Flow, FlowSave, LedgerMove, Outgoing, Row, Save, Stale, Store

RUNS_MOST: Final = 100
"""The last one is among them, however many there are: no run ends later than one that was begun after it."""

RUNS_A_DAY: Final = 1000
"""More than anybody begins: their limits stop them long before."""
_DAY: Final = 86_400_000_000


class NotLoggedIn(Refusal):
    """What the center does for a person follows the 아이디 login."""

    code = "login-required"


class TrueStep(Refusal):
    """The screen that was answered is no longer the one where the person is; nothing happened, show the true one."""

    code = "true-step"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks: a live session, its network address, the language of the screen."""

    session: Session
    address: str
    lang: str

    def began(self, flow_id: str) -> bool:
        """Whether a run is this very person's: of a union with several heads each has their own."""
        return flow_id.rpartition(":")[0].partition(":")[2] == session_key(self.session)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which screen was answered: the run of the flow, and the version that the screen was drawn from."""

    run: int
    version: int


@dataclass(slots=True)
class With:
    """What goes into the one transaction beside the flow."""

    rows: Sequence[Change] = ()
    ledger: Sequence[LedgerMove] = ()
    outbox: Sequence[Outgoing] = ()
    resets: Sequence[str] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    audit: Sequence[Audit] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What is recorded: who did what, when, and how it ended."""

    visit: Visit
    customer: Customer
    at: datetime
    action: str
    result: str = "ok"


class Recorder:
    """Writes steps and refusals of flows."""

    def __init__(self, store: Store, customers: Customers, digests: Digests) -> None:
        self._store = store
        self._customers = customers
        self._digests = digests

    async def save(self, act: Act, flow: FlowSave | None, beside: With) -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        save = Save(
            flow=flow,
            rows=beside.rows,
            ledger=beside.ledger,
            outbox=beside.outbox,
            audit=[self.line(act, beside.facts), *beside.audit],
            resets=beside.resets,
        )
        try:
            await self._store.save(save)
        except Stale:
            raise TrueStep from None

    def line(self, act: Act, facts: Mapping[str, str | int]) -> Audit:
        """One audit line: keyed pseudonyms, codes and counts (H9)."""
        return Audit(
            at=act.at,
            action=act.action,
            result=act.result,
            subject=self._digests.digest("banking-id", act.customer.banking_id),
            session=act.visit.session.session,
            address=self._digests.digest("address", act.visit.address),
            facts={**facts, "head": act.customer.slot} if act.customer.heads else facts,
        )

    async def customer(self, session: Session, slot: int | None = None) -> Customer:
        """The customer of a session, as the head who is in it sees the account, or the head of `slot`.

        Raises NotLoggedIn, also where that head is one no more.
        """
        if session.customer_id is None:
            raise NotLoggedIn
        found = await self._customers.by_id(session.customer_id)
        own = None if found is None else in_session(self._digests, found, session)
        customer = own if own is None or slot is None else own.as_head(slot)
        if customer is None:
            raise NotLoggedIn
        return customer


def told(failure: Failure) -> dict[str, str | int]:
    """A failure's facts for the audit line: codes and counts; dates of certificates stay out."""
    return {name: fact for name, fact in failure.facts.items() if name in ("check", "cause", "n", "max", "s", "source")}


# ── runs of one machine ─────────────────────────────────────────────────────────────────────────────────────────────

S = TypeVar("S")
E = TypeVar("E")
H = TypeVar("H")


class Ports(Protocol):
    """What walks work on."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def digests(self) -> Digests: ...


class Owner(StrEnum):
    """Whose the runs of a flow are; nobody else goes on with one."""

    SESSION = "session"
    PERSON = "customer_id"


@dataclass(frozen=True, slots=True)
class Here(Generic[S]):
    """Where a session or a person is. `version` 0: this run is not stored yet."""

    run: int
    version: int
    state: S
    expires_at: datetime

    @property
    def turn(self) -> Turn:
        """What the forms of this screen send back."""
        return Turn(self.run, self.version)


@dataclass(frozen=True, slots=True)
class Walk(Generic[H]):
    """One post at its true step: in which run, who, where, when."""

    flow_id: str
    visit: Visit
    here: H
    customer: Customer
    now: datetime

    @property
    def public_id(self) -> str:
        """What the vault calls the run: 32 lower hex, of which nobody learns the customer's key."""
        return hashlib.sha256(self.flow_id.encode()).hexdigest()[:32]


W = TypeVar("W", bound=Walk[Any])


class Walks(Generic[S, E, W]):
    """Saves the steps of one machine's flows and records refusals. Posts of whomever a flow belongs to take turns.

    `act`, everywhere: the last word of the audit line's action; the first is the machine's name.
    """

    def __init__(self, ports: Ports, machine: Machine[S, E], owner: Owner) -> None:
        self.machine = machine
        self._owner = owner
        self._store, self._clock, self._digests = ports.store, ports.clock, ports.digests
        self._recorder = Recorder(ports.store, ports.customers, ports.digests)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def whose(self, visit: Visit) -> str:
        """The session, or the person's key. Raises NotLoggedIn."""
        if visit.session.customer_id is None:
            raise NotLoggedIn
        return visit.session.session if self._owner is Owner.SESSION else session_key(visit.session)

    def key_of(self, customer: Customer) -> str:
        """`whose` of a person."""
        return person_key(self._digests, customer)

    def turn_of(self, visit: Visit) -> asyncio.Lock:
        """One post at a time in this process; between processes the flow's version decides. Raises NotLoggedIn."""
        return self._turns.setdefault(self.whose(visit), asyncio.Lock())

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    def now(self) -> datetime:
        """The clock's."""
        return self._clock.now()

    def ended(self, state: S | None) -> bool:
        """Whether nothing leaves this state."""
        return type(state) in self.machine.ends()

    async def save(self, walk: W, event: E, act: str, beside: With, result: str = "ok") -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        state = self.machine.advance(walk.here.state, event).state
        await self._save(walk, state, walk.here.expires_at, act, beside, result)

    async def _save(self, walk: W, state: S, until: datetime, act: str, beside: With, result: str = "ok") -> None:
        flow = FlowSave(
            flow_id=walk.flow_id,
            machine=self.machine.name,
            expected_version=walk.here.version,
            state=self.machine.dump(state),
            session=walk.visit.session.session,
            customer_id=walk.customer.customer_id,
            expires_at=until,
        )
        await self._recorder.save(self._act(walk, act, result), flow, beside)

    async def record(self, walk: W, act: str, result: str, beside: With) -> None:
        """An audit line, and the rows and counters that a refused post still writes."""
        await self._recorder.save(self._act(walk, act, result), None, beside)

    async def refuse(self, walk: W, act: str, failure: Failure, beside: With | None = None) -> NoReturn:
        """Record a failure, and what stays true in spite of it, then raise it."""
        beside = beside or With()
        await self.record(walk, act, failure.code, replace(beside, facts=beside.facts or told(failure)))
        raise failure

    def line(self, walk: W, act: str) -> Audit:
        """An audit line of a walk, to save beside its own."""
        return self._recorder.line(self._act(walk, act), {})

    def lock_dedup(self, walk: W, cause: str) -> str:
        """One notice of a lock a day, person and cause: nobody's phone is flooded, however many runs are begun anew."""
        whose = self._digests.digest("lock-notice", self.key_of(walk.customer))
        return f"{self.machine.name}-lock:{whose}:{cause}:{korean_day(walk.now)}"

    def _act(self, walk: W, act: str, result: str = "ok") -> Act:
        return Act(walk.visit, walk.customer, walk.now, f"{self.machine.name}.{act}", result)


class Runs(Walks[S, E, W], ABC):
    """Of a flow that is walked again and again: each run has a number, and only the last one can be gone on with."""

    def flow_id(self, whose: str, run: int) -> str:
        """One id for each run of a session or a person, so that two first posts cannot start two flows."""
        return f"{self.machine.name}:{whose}:{run}"

    async def _newest(self, visit: Visit) -> tuple[int, Flow | None]:
        """The number of the last run, and how it is stored; of the first one, and None. Raises NotLoggedIn."""
        whose = self.whose(visit)
        where: Row = {"runs": f"{self.machine.name}:{whose}"}
        rows = await self._store.many("flow", where, order="expires_at", descending=True, limit=RUNS_MOST)
        run = max((int(str(row["flow_id"]).rpartition(":")[2]) for row in rows), default=0)
        if not run:
            return self._first_run(), None
        stored = await self._store.flow(self.flow_id(whose, run))
        if stored is None or stored.customer_id != visit.session.customer_id:
            raise NotLoggedIn
        return run, stored

    def _first_run(self) -> int:
        """No number comes back. A session's name never does; a person comes again after what they did is tidied away,
        while a payment and the picture of a card are kept for years, by the run that they were of.
        """
        if self._owner is Owner.SESSION:
            return 1
        return to_micros(self.now()) // _DAY * RUNS_A_DAY + 1

    @abstractmethod
    async def at_run(self, visit: Visit, run: int, *states: type[Any]) -> W:
        """The walk of a post of this run, if whoever asks may go on with it in one of these states. Raises TrueStep."""

    async def at(self, visit: Visit, turn: Turn, *states: type[Any]) -> W:
        """The walk of a post whose screen is still the true one. Raises TrueStep."""
        walk = await self.at_run(visit, turn.run, *states)
        if walk.here.version != turn.version:
            raise TrueStep
        return walk
