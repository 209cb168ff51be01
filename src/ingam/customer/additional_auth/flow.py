"""본인확인 추가인증, one machine for every purpose: Choosing → Requested → Proved → Used.

A parent's state holds one of these states as a value, and moves it by `FACTOR.advance`, so that a step of it is ONE
save of the parent's flow. Pure; nothing secret: no code, and of a telephone only which of the registered ones it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Choosing:
    """No code and no call is under way; a branch number or a designated device proves from here. `lapsed`: an earlier
    proof ran out."""

    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class Requested:
    """A code or a call is under way until `expires_at`. `method`: sms or ars; `to`: a Phone."""

    method: str
    request_id: str
    sent_at: datetime
    expires_at: datetime
    to: str = "mobile"


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof is held until `expires_at`; it is good for one act of its purpose, flow and session (E1)."""

    proof_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """The proof went into the transaction that it authorised."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Stopped: too many failures, or the person refused on the telephone; `cause` is the code."""

    cause: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The flow's own time is over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A code leaves with this save, or a call is placed after it; what was under way before is void."""

    method: str
    request_id: str
    sent_at: datetime
    expires_at: datetime
    to: str = "mobile"


@dataclass(frozen=True, slots=True)
class Answered:
    """The code was right, the call approved, the branch's number good, or a designated device signed."""

    proof_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProofLapsed:
    """The proof ran out before it was used."""


@dataclass(frozen=True, slots=True)
class ProofUsed:
    """What the proof authorises is saved."""


@dataclass(frozen=True, slots=True)
class WentBack:
    """이전: what was reached is void."""


@dataclass(frozen=True, slots=True)
class TriedTooOften:
    """A counter is at its ceiling, or `0` was keyed into the telephone (E4); `cause` is the code."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The flow's own time is over."""


State: TypeAlias = Choosing | Requested | Proved | Used | Locked | Expired
Event: TypeAlias = Asked | Answered | ProofLapsed | ProofUsed | WentBack | TriedTooOften | TimeRanOut

_ENDINGS: Final = {TriedTooOften: frozenset({Locked}), TimeRanOut: frozenset({Expired})}
_ASKABLE: Final = {Asked: frozenset({Requested}), Answered: frozenset({Proved}), **_ENDINGS}

EDGES: Final = {
    Choosing: {**_ASKABLE},
    Requested: {**_ASKABLE, WentBack: frozenset({Choosing})},
    Proved: {
        ProofLapsed: frozenset({Choosing}),
        ProofUsed: frozenset({Used}),
        WentBack: frozenset({Choosing}),
        **_ENDINGS,
    },
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match event:
        case Asked(method, request_id, sent_at, expires_at, to):
            return Step(Requested(method, request_id, sent_at, expires_at, to))
        case Answered(proof_id, expires_at):
            return Step(Proved(proof_id, expires_at))
        case ProofLapsed():
            return Step(Choosing(lapsed=True))
        case ProofUsed():
            return Step(Used())
        case WentBack():
            return Step(Choosing())
        case TriedTooOften(cause):
            return Step(Locked(cause))
        case TimeRanOut():
            return Step(Expired())
    raise Defect("flow-off-table", machine="additional-auth", state=type(state).__name__)


FACTOR: Final[Machine[State, Event]] = Machine("additional-auth", 1, EDGES, move)


def asked(state: Choosing | Requested, event: Asked) -> Requested:
    """The next state of a parent's value when a code or a call was asked for."""
    found = FACTOR.advance(state, event).state
    assert isinstance(found, Requested)
    return found


def answered(state: Choosing | Requested, event: Answered) -> Proved:
    """The next state of a parent's value when it was proved."""
    found = FACTOR.advance(state, event).state
    assert isinstance(found, Proved)
    return found


def lapsed(state: Proved) -> Choosing:
    """The next state of a parent's value when its proof ran out."""
    found = FACTOR.advance(state, ProofLapsed()).state
    assert isinstance(found, Choosing)
    return found
