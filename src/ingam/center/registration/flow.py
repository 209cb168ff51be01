"""The registration machine: Identifying → ChoosingFactor → AwaitingFactor → AwaitingCertificate → Registered.

Pure: instants, ids and fingerprints arrive on events. A state carries exactly what is true in it, and nothing secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Asked, Choosing, Requested
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Identifying:
    """①본인확인: nobody has shown ID, password and number in this flow yet."""


@dataclass(frozen=True, slots=True)
class ChoosingFactor:
    """②비밀번호 등록: identified, as the head of this slot; no code and no call is under way."""

    factor: Choosing = field(default_factory=Choosing)
    slot: int = 1


@dataclass(frozen=True, slots=True)
class AwaitingFactor:
    """②: a code or a call is under way."""

    factor: Requested
    slot: int = 1


@dataclass(frozen=True, slots=True)
class AwaitingCertificate:
    """③인증서 등록: a proof is held until `proof_expires_at`.

    `replaces`: the fingerprint of the binding whose replacement was agreed to before signing, or None.
    """

    proof_id: str
    proof_expires_at: datetime
    replaces: str | None = None
    slot: int = 1


@dataclass(frozen=True, slots=True)
class Registered:
    """④등록완료. `already`: it was this customer's certificate before, and nothing changed."""

    fingerprint: str
    replaced: bool
    already: bool


@dataclass(frozen=True, slots=True)
class Locked:
    """Stopped for too many failures; `cause` is the code that says which and what to do next."""

    cause: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The thirty minutes are over; the next visit starts anew."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The person left it."""


@dataclass(frozen=True, slots=True)
class Identified:
    """ID, password and number belong to the customer of this session; `slot`: to which head of a union."""

    slot: int = 1


@dataclass(frozen=True, slots=True)
class FactorRequested:
    """A code was made and leaves with this save, or a call is placed after it."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class FactorProved:
    """The additional authentication succeeded, and so did 보안매체 미소지고객 인증."""

    answered: Answered


@dataclass(frozen=True, slots=True)
class ReplacementAgreed:
    """The person said yes to replacing the binding of this fingerprint, before signing; None: there is none."""

    replaces: str | None


@dataclass(frozen=True, slots=True)
class ProofLapsed:
    """The proof ran out before a certificate was chosen."""


@dataclass(frozen=True, slots=True)
class CertificateBound:
    """All twelve checks passed."""

    fingerprint: str
    replaced: bool
    already: bool


@dataclass(frozen=True, slots=True)
class WentBack:
    """이전."""


@dataclass(frozen=True, slots=True)
class TriedTooOften:
    """A counter is at its ceiling; `cause` is its code."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The flow's own time is over."""


@dataclass(frozen=True, slots=True)
class Left:
    """나가기, or another start."""


State: TypeAlias = (
    Identifying | ChoosingFactor | AwaitingFactor | AwaitingCertificate | Registered | Locked | Expired | Cancelled
)
Event: TypeAlias = (
    Identified
    | FactorRequested
    | FactorProved
    | ReplacementAgreed
    | ProofLapsed
    | CertificateBound
    | WentBack
    | TriedTooOften
    | TimeRanOut
    | Left
)

_ENDINGS: Final = {
    TriedTooOften: frozenset({Locked}),
    TimeRanOut: frozenset({Expired}),
    Left: frozenset({Cancelled}),
}

_FACTOR: Final = {
    FactorRequested: frozenset({AwaitingFactor}),
    FactorProved: frozenset({AwaitingCertificate}),
    WentBack: frozenset({Identifying}),
    **_ENDINGS,
}

EDGES: Final = {
    Identifying: {Identified: frozenset({ChoosingFactor}), **_ENDINGS},
    ChoosingFactor: {**_FACTOR},
    AwaitingFactor: {**_FACTOR},
    AwaitingCertificate: {
        ReplacementAgreed: frozenset({AwaitingCertificate}),
        ProofLapsed: frozenset({ChoosingFactor}),
        CertificateBound: frozenset({Registered}),
        WentBack: frozenset({ChoosingFactor}),
        **_ENDINGS,
    },
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
        case Identifying(), Identified(slot):
            return Step(ChoosingFactor(slot=slot))
        case ((ChoosingFactor() | AwaitingFactor()), FactorRequested(asked)):
            return Step(AwaitingFactor(factor.asked(state.factor, asked), state.slot))
        case ((ChoosingFactor() | AwaitingFactor()), FactorProved(answered)):
            proved = factor.answered(state.factor, answered)
            return Step(AwaitingCertificate(proved.proof_id, proved.expires_at, slot=state.slot))
        case ((ChoosingFactor() | AwaitingFactor()), WentBack()):
            return Step(Identifying())
        case AwaitingCertificate(proof_id, expires_at, _, slot), ReplacementAgreed(replaces):
            return Step(AwaitingCertificate(proof_id, expires_at, replaces, slot))
        case AwaitingCertificate(), CertificateBound(fingerprint, replaced, already):
            return Step(Registered(fingerprint, replaced, already))
        case AwaitingCertificate(), ProofLapsed():
            lapsed = factor.lapsed(factor.Proved(state.proof_id, state.proof_expires_at))
            return Step(ChoosingFactor(lapsed, state.slot))
        case AwaitingCertificate(), WentBack():
            return Step(ChoosingFactor(slot=state.slot))
    raise Defect("flow-off-table", machine="registration", state=type(state).__name__)


def upgrade(version: int, name: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Version 1 had the additional authentication's facts in its own states."""
    if version == 1 and name in ("ChoosingFactor", "AwaitingFactor"):
        return name, {"factor": facts}
    return name, facts


REGISTRATION: Final[Machine[State, Event]] = Machine("registration", 2, EDGES, move, upgrade)
