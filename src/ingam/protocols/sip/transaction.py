"""Transactions (RFC 3261 section 17, with RFC 6026's Accepted): how a request is repeated until it is answered.

`EDGES` is the specification: {kind: {phase: {event: {phase, …}}}}. An event that is not in the table moves nothing.
Timers are named by their letters in RFC 3261; their lengths are parameters, the sending is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple, TypeAlias


class Kind(Enum):
    """Who waits for what: the client of an INVITE, the client of another request, the server of another request."""

    INVITE = "invite"
    REQUEST = "request"
    SERVER = "server"


class Phase(Enum):
    """In RFC 3261's words. CALLING is called Trying where the request is no INVITE."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Event(Enum):
    """What happens: a response by its class, the request again (to a server), a timer, the transport's failure."""

    STARTED = "started"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    AGAIN = "request-again"
    RESEND = "timer-a-e"
    GIVE_UP = "timer-b-f"
    DONE = "timer-d-j-k-m"
    BROKEN = "transport-error"


class Act(Enum):
    """What is to be done: send (again) what is kept, acknowledge a failure, tell who asked, or that nobody answers."""

    SEND = "send"
    ACKNOWLEDGE = "ack"
    TELL = "tell"
    TIMED_OUT = "timed-out"


class Timer(NamedTuple):
    """`event` happens after `seconds`, unless the phase has changed."""

    event: Event
    seconds: float


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds (RFC 3261 table 4). `d`: how long a refused INVITE is acknowledged again over UDP, 32 at least."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    d: float = 32.0

    @property
    def whole(self) -> float:
        """64 · T1: timers B, F, J, L and M."""
        return 64 * self.t1


@dataclass(frozen=True, slots=True)
class State:
    """One transaction. `reliable`: over TCP or TLS. `wait`: the last length of timer A or E."""

    kind: Kind
    reliable: bool
    phase: Phase = Phase.CALLING
    wait: float = 0.0


Effect: TypeAlias = Act | Timer
Edges: TypeAlias = Mapping[Phase, Mapping[Event, frozenset[Phase]]]

_C, _P, _D, _A, _T = Phase.CALLING, Phase.PROCEEDING, Phase.COMPLETED, Phase.ACCEPTED, Phase.TERMINATED
_ASKING: Final[Mapping[Event, frozenset[Phase]]] = {
    Event.PROVISIONAL: frozenset({_P}),
    Event.FAILURE: frozenset({_D}),
    Event.GIVE_UP: frozenset({_T}),
    Event.BROKEN: frozenset({_T}),
}
EDGES: Final[Mapping[Kind, Edges]] = {
    Kind.INVITE: {
        _C: {**_ASKING, Event.STARTED: frozenset({_C}), Event.RESEND: frozenset({_C}), Event.SUCCESS: frozenset({_A})},
        _P: {**{e: to for e, to in _ASKING.items() if e is not Event.GIVE_UP}, Event.SUCCESS: frozenset({_A})},
        _D: {Event.FAILURE: frozenset({_D}), Event.DONE: frozenset({_T}), Event.BROKEN: frozenset({_T})},
        _A: {Event.SUCCESS: frozenset({_A}), Event.DONE: frozenset({_T})},
    },
    Kind.REQUEST: {
        _C: {**_ASKING, Event.STARTED: frozenset({_C}), Event.RESEND: frozenset({_C}), Event.SUCCESS: frozenset({_D})},
        _P: {**_ASKING, Event.RESEND: frozenset({_P}), Event.SUCCESS: frozenset({_D})},
        _D: {Event.DONE: frozenset({_T})},
    },
    Kind.SERVER: {
        _C: {Event.STARTED: frozenset({_D})},
        _D: {Event.AGAIN: frozenset({_D}), Event.DONE: frozenset({_T}), Event.BROKEN: frozenset({_T})},
    },
}


def event_of(status: int) -> Event:
    """Of a response."""
    return Event.PROVISIONAL if status < 200 else Event.SUCCESS if status < 300 else Event.FAILURE


def advance(state: State, event: Event, timers: Timers) -> tuple[State, tuple[Effect, ...]]:
    """The next state, and what is to be done in that order; the same state and nothing where the table has no edge."""
    to = EDGES[state.kind].get(state.phase, {}).get(event)
    if to is None:
        return state, ()
    (phase,) = to
    if event is Event.STARTED:
        return _started(state, phase, timers)
    if event is Event.RESEND:
        return _resent(state, timers)
    acts: tuple[Effect, ...] = _acts(state, event)
    if phase is not state.phase and phase in (Phase.COMPLETED, Phase.ACCEPTED):
        acts = (*acts, Timer(Event.DONE, _kept(state, phase, timers)))
    return replace(state, phase=phase), acts


def _started(state: State, phase: Phase, timers: Timers) -> tuple[State, tuple[Effect, ...]]:
    if state.kind is Kind.SERVER:
        kept = Timer(Event.DONE, 0.0 if state.reliable else timers.whole)
        return replace(state, phase=phase), (Act.SEND, kept)
    give_up = Timer(Event.GIVE_UP, timers.whole)
    if state.reliable:
        return state, (Act.SEND, give_up)
    return replace(state, wait=timers.t1), (Act.SEND, Timer(Event.RESEND, timers.t1), give_up)


def _resent(state: State, timers: Timers) -> tuple[State, tuple[Effect, ...]]:
    """Timer A doubles without end; timer E doubles up to T2 and is T2 after a provisional response."""
    wait = 2 * state.wait
    if state.kind is Kind.REQUEST:
        wait = timers.t2 if state.phase is Phase.PROCEEDING else min(wait, timers.t2)
    return replace(state, wait=wait), (Act.SEND, Timer(Event.RESEND, wait))


def _acts(state: State, event: Event) -> tuple[Effect, ...]:
    if event is Event.AGAIN:
        return (Act.SEND,)
    if event in (Event.GIVE_UP, Event.BROKEN):
        return (Act.TIMED_OUT,) if state.phase in (_C, _P) else ()
    if event is Event.DONE:
        return ()
    if state.kind is Kind.INVITE and event is Event.FAILURE:
        return (Act.ACKNOWLEDGE,) if state.phase is _D else (Act.ACKNOWLEDGE, Act.TELL)
    return (Act.TELL,)


def _kept(state: State, phase: Phase, timers: Timers) -> float:
    """How long an answered transaction takes what comes late: timers D, K and M."""
    if phase is Phase.ACCEPTED:
        return timers.whole
    if state.reliable:
        return 0.0
    return timers.d if state.kind is Kind.INVITE else timers.t4
