"""One task behind the login: Idle → ChoosingFactor → AwaitingFactor → Confirming → Done (W4, W7, W8; F5).

A feature makes a machine of its own of this table, by its name. Where keys sign, a task may begin at Confirming. Pure;
nothing secret: what is typed at the last step is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Asked, Choosing, Proved, Requested
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Task:
    """What is done – `kind` is one of the feature's – and to which: an id, a word of a closed list, or "".

    `slot`: whose it is, of a union with several heads; None: whoever is in the session.
    """

    kind: str
    target: str = ""
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is under way."""


@dataclass(frozen=True, slots=True)
class ChoosingFactor:
    """No code and no call is under way."""

    task: Task
    factor: Choosing = field(default_factory=Choosing)


@dataclass(frozen=True, slots=True)
class AwaitingFactor:
    """A code or a call is under way."""

    task: Task
    factor: Requested


@dataclass(frozen=True, slots=True)
class Confirming:
    """The last step. `proof_id` None: nothing but a signature of one of the person's keys will do."""

    task: Task
    proof_id: str | None = None
    proof_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    kind: str


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
    """A task was chosen. `signs`: a key of the person may do without additional authentication."""

    task: Task
    signs: bool = False


@dataclass(frozen=True, slots=True)
class AuthenticatedInstead:
    """None of the keys is at hand: additional authentication after all."""


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
    """What the task is for is saved."""


@dataclass(frozen=True, slots=True)
class TriedTooOften:
    """`cause` is the code of what stops."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The flow's own time is over."""


@dataclass(frozen=True, slots=True)
class Left:
    """취소, or another task."""


State: TypeAlias = Idle | ChoosingFactor | AwaitingFactor | Confirming | Done | Locked | Expired | Cancelled
Event: TypeAlias = (
    Begun
    | AuthenticatedInstead
    | FactorAsked
    | FactorAnswered
    | ProofLapsed
    | Finished
    | TriedTooOften
    | TimeRanOut
    | Left
)
Edges: TypeAlias = Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]]
Upgrade: TypeAlias = Callable[[int, str, dict[str, Any]], tuple[str, dict[str, Any]]]

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
PROVED: Final[Edges] = {
    Idle: {Begun: frozenset({ChoosingFactor})},
    ChoosingFactor: {**_ASKABLE},
    AwaitingFactor: {**_ASKABLE},
    Confirming: {ProofLapsed: frozenset({ChoosingFactor}), Finished: frozenset({Done}), **_ENDINGS},
}
"""Additional authentication always comes first."""

SIGNED: Final[Edges] = {
    **PROVED,
    Idle: {Begun: frozenset({ChoosingFactor, Confirming})},
    Confirming: {AuthenticatedInstead: frozenset({ChoosingFactor}), **PROVED[Confirming]},
}
"""A signature may take its place."""


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match state, event:
        case _, TriedTooOften(cause):
            return Step(Locked(cause))
        case _, TimeRanOut():
            return Step(Expired())
        case _, Left():
            return Step(Cancelled())
        case Idle(), Begun(task, signs):
            return Step(Confirming(task) if signs else ChoosingFactor(task))
        case ((ChoosingFactor(task, held) | AwaitingFactor(task, held)), FactorAsked(asked)):
            return Step(AwaitingFactor(task, factor.asked(held, asked)))
        case ((ChoosingFactor(task, held) | AwaitingFactor(task, held)), FactorAnswered(answered)):
            proved: Proved = factor.answered(held, answered)
            return Step(Confirming(task, proved.proof_id, proved.expires_at))
        case Confirming(task), AuthenticatedInstead():
            return Step(ChoosingFactor(task))
        case Confirming(task), ProofLapsed():
            return Step(ChoosingFactor(task, Choosing(lapsed=True)))
        case Confirming(task), Finished():
            return Step(Done(task.kind))
    raise Defect("flow-off-table", state=type(state).__name__)


def task_of(state: State) -> Task | None:
    """What is under way."""
    return state.task if isinstance(state, ChoosingFactor | AwaitingFactor | Confirming) else None


def proving(state: State, event: Event) -> Step[State]:
    """As `move`, of a machine in which no signature stands in for the additional authentication."""
    return move(state, Begun(event.task) if isinstance(event, Begun) else event)


def machine(name: str, edges: Edges, version: int = 1, upgrade: Upgrade | None = None) -> Machine[State, Event]:
    """A feature's own. `name` is the first word of its flows' ids and of its audit lines."""
    return Machine(name, version, edges, proving if edges is PROVED else move, upgrade)
