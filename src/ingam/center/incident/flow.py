"""회복 after a report of loss: Idle → ChoosingFactor → AwaitingFactor → Confirming → Done (E11, W7).

Reporting has no flow: it is one form. Pure; nothing here is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Asked, Choosing, Proved, Requested
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is under way."""


@dataclass(frozen=True, slots=True)
class ChoosingFactor:
    """No code and no call is under way."""

    factor: Choosing = field(default_factory=Choosing)


@dataclass(frozen=True, slots=True)
class AwaitingFactor:
    """A code or a call is under way."""

    factor: Requested


@dataclass(frozen=True, slots=True)
class Confirming:
    """A proof is held; what is resumed is shown, and a press resumes it."""

    proof_id: str
    proof_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """It is resumed."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Stopped for too many failures, or by the person on the telephone; `cause` is the code."""

    cause: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The thirty minutes are over."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The person left it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """회복 was asked for."""


@dataclass(frozen=True, slots=True)
class FactorAsked:
    """A code or a call leaves with this save."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class FactorAnswered:
    """The additional authentication is proved."""

    answered: Answered


@dataclass(frozen=True, slots=True)
class ProofLapsed:
    """The proof ran out before it was used."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The binding is active again."""


@dataclass(frozen=True, slots=True)
class TriedTooOften:
    """`cause` is the code of what stops."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The flow's own time is over."""


@dataclass(frozen=True, slots=True)
class Left:
    """취소."""


State: TypeAlias = Idle | ChoosingFactor | AwaitingFactor | Confirming | Done | Locked | Expired | Cancelled
Event: TypeAlias = Begun | FactorAsked | FactorAnswered | ProofLapsed | Finished | TriedTooOften | TimeRanOut | Left

_ENDINGS: Final[Mapping[type[Any], frozenset[type[Any]]]] = {
    TriedTooOften: frozenset({Locked}),
    TimeRanOut: frozenset({Expired}),
    Left: frozenset({Cancelled}),
}
_ASKABLE: Final[Mapping[type[Any], frozenset[type[Any]]]] = {
    FactorAsked: frozenset({AwaitingFactor}),
    FactorAnswered: frozenset({Confirming}),
    **_ENDINGS,
}

EDGES: Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]] = {
    Idle: {Begun: frozenset({ChoosingFactor})},
    ChoosingFactor: {**_ASKABLE},
    AwaitingFactor: {**_ASKABLE},
    Confirming: {ProofLapsed: frozenset({ChoosingFactor}), Finished: frozenset({Done}), **_ENDINGS},
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match state, event:
        case _, TriedTooOften(cause):
            return Step(Locked(cause))
        case _, TimeRanOut():
            return Step(Expired())
        case _, Left():
            return Step(Cancelled())
        case Idle(), Begun():
            return Step(ChoosingFactor())
        case ((ChoosingFactor(held) | AwaitingFactor(held)), FactorAsked(asked)):
            return Step(AwaitingFactor(factor.asked(held, asked)))
        case ((ChoosingFactor(held) | AwaitingFactor(held)), FactorAnswered(answered)):
            proved: Proved = factor.answered(held, answered)
            return Step(Confirming(proved.proof_id, proved.expires_at))
        case Confirming(), ProofLapsed():
            return Step(ChoosingFactor(Choosing(lapsed=True)))
        case Confirming(), Finished():
            return Step(Done())
    raise Defect("flow-off-table", machine="incident", state=type(state).__name__)


INCIDENT: Final[Machine[State, Event]] = Machine("incident", 1, EDGES, move)
