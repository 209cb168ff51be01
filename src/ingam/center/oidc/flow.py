"""The machine of a login for another service: Asked → (AwaitingSecond → Proved) → Given, or Refused.

Pure. A state holds the request as it was read, and nothing secret; the code that is given is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Choosing, Requested
from ingam.customer.additional_auth.flow import Asked as CodeAsked
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step
from ingam.protocols.oidc import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for, and when."""

    request: AuthorizationRequest
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Nothing was decided yet. `lapsed`: an additional authentication ran out."""

    wanted: Wanted
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class AwaitingSecond:
    """Of the additional authentication, a code or a call is under way."""

    wanted: Wanted
    factor: Requested


@dataclass(frozen=True, slots=True)
class Proved:
    """The additional authentication succeeded, in this session, by `method`; the proof is good until `expires_at`."""

    wanted: Wanted
    proof_id: str
    expires_at: datetime
    session: str
    method: str


@dataclass(frozen=True, slots=True)
class Given:
    """A code went to the client."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The person said no, or was stopped; `error` is what the client is told."""

    wanted: Wanted
    error: str


@dataclass(frozen=True, slots=True)
class SecondAsked:
    """A code leaves with this save, or a call is placed after it."""

    asked: CodeAsked


@dataclass(frozen=True, slots=True)
class SecondProved:
    """The additional authentication succeeded."""

    answered: Answered
    session: str
    method: str


@dataclass(frozen=True, slots=True)
class ProofLapsed:
    """The proof ran out, or belongs to a session that is over."""


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """The person said yes."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The person said no, or was stopped."""

    error: str


State: TypeAlias = Asked | AwaitingSecond | Proved | Given | Refused
Event: TypeAlias = SecondAsked | SecondProved | ProofLapsed | CodeGiven | Declined

_Edges: TypeAlias = Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]]

_NO: Final[Mapping[type[Any], frozenset[type[Any]]]] = {Declined: frozenset({Refused})}
_SECOND: Final[Mapping[type[Any], frozenset[type[Any]]]] = {
    SecondAsked: frozenset({AwaitingSecond}),
    SecondProved: frozenset({Proved}),
}

EDGES: Final[_Edges] = {
    Asked: {**_SECOND, CodeGiven: frozenset({Given}), **_NO},
    AwaitingSecond: {**_SECOND, CodeGiven: frozenset({Given}), **_NO},
    Proved: {ProofLapsed: frozenset({Asked}), CodeGiven: frozenset({Given}), **_NO},
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match state, event:
        case ((Asked() | AwaitingSecond() | Proved()), Declined(error)):
            return Step(Refused(state.wanted, error))
        case _, CodeGiven():
            return Step(Given())
        case ((Asked() | AwaitingSecond()), SecondAsked(asked)):
            return Step(AwaitingSecond(state.wanted, factor.asked(second(state), asked)))
        case ((Asked() | AwaitingSecond()), SecondProved(answered, session, method)):
            proved = factor.answered(second(state), answered)
            return Step(Proved(state.wanted, proved.proof_id, proved.expires_at, session, method))
        case Proved(wanted, proof_id, expires_at), ProofLapsed():
            return Step(Asked(wanted, factor.lapsed(factor.Proved(proof_id, expires_at)).lapsed))
    raise Defect("flow-off-table", machine="oidc", state=type(state).__name__)


def second(state: Asked | AwaitingSecond) -> Choosing | Requested:
    """Where the additional authentication stands."""
    return state.factor if isinstance(state, AwaitingSecond) else Choosing(state.lapsed)


OIDC: Final[Machine[State, Event]] = Machine("oidc", 1, EDGES, move)
