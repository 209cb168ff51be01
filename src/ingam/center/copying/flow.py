"""A copy at the center: Announced → Confirmed → [AwaitingFactor →] Cleared → Proved → Allowed → Arrived → Copied.

One flow per person. What happens between the two devices is the relay's and the vaults'; here is what was asked before
the password (security C2, C3), and which certificate may arrive (C14). Pure. What is true in each state: `states`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cancelled,
    Cleared,
    Confirmed,
    Copied,
    Expired,
    Failed,
    Opening,
    Proved,
    Receiver,
    Role,
    Sender,
    State,
    factor_of,
    sender_of,
)
from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Asked
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class ReceiverAnnounced:
    """A receiving page was opened by another session: what was unfinished is over."""

    receiver: Receiver


@dataclass(frozen=True, slots=True)
class ReceiverOpens:
    """The receiver was given a ticket to open a mailbox; an earlier number is over."""

    ticket: str


@dataclass(frozen=True, slots=True)
class SenderOpens:
    """The sender was given a ticket to open a mailbox (the PC shows the QR code); an earlier number is over."""

    ticket: str


@dataclass(frozen=True, slots=True)
class MailboxTold:
    """Whoever opened says which mailbox the relay gave it."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class ReceiverConfirmed:
    """Yes to C3's question. `known`: this person has used that device before (C2)."""

    sender: Sender
    known: bool


@dataclass(frozen=True, slots=True)
class ReceiverDenied:
    """No to C3's question: the receiver is in other hands."""

    code: str


@dataclass(frozen=True, slots=True)
class FactorRequested:
    """A code was made and leaves with this save, or a call is placed after it."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class FactorProved:
    """The additional authentication succeeded."""

    answered: Answered


@dataclass(frozen=True, slots=True)
class FactorStopped:
    """The person refused on the telephone (E4), or tried too often; `code` says which."""

    code: str


@dataclass(frozen=True, slots=True)
class ProofLapsed:
    """The proof ran out before a certificate signed."""


@dataclass(frozen=True, slots=True)
class CertificateProved:
    """The person's registered certificate signed the challenge that names the receiver."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class JoinAllowed:
    """The other end was given its ticket for the mailbox."""

    ticket: str


@dataclass(frozen=True, slots=True)
class CertificateArrived:
    """The receiver asks for the certificate that was proved."""


@dataclass(frozen=True, slots=True)
class ArrivalRefused:
    """The receiver asks for another certificate; `code` says why it may not be stored."""

    code: str


@dataclass(frozen=True, slots=True)
class CertificateStored:
    """The receiver has stored it and read it back."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CopyReported:
    """The sender has the receiver's sealed word that it is stored; this completes nothing."""


@dataclass(frozen=True, slots=True)
class LeftBy:
    """취소 at one of the ends."""

    by: Role


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The copy's own time is over."""


Event: TypeAlias = (
    ReceiverAnnounced
    | ReceiverOpens
    | SenderOpens
    | MailboxTold
    | ReceiverConfirmed
    | ReceiverDenied
    | FactorRequested
    | FactorProved
    | FactorStopped
    | ProofLapsed
    | CertificateProved
    | JoinAllowed
    | CertificateArrived
    | ArrivalRefused
    | CertificateStored
    | CopyReported
    | LeftBy
    | TimeRanOut
)

_Edges: TypeAlias = Mapping[type[Any], frozenset[type[Any]]]

_ALWAYS: Final[_Edges] = {
    ReceiverAnnounced: frozenset({Announced}),
    LeftBy: frozenset({Cancelled}),
    TimeRanOut: frozenset({Expired}),
}
_ASKED: Final[_Edges] = {
    ReceiverConfirmed: frozenset({Confirmed, Cleared}),
    ReceiverDenied: frozenset({Failed}),
    **_ALWAYS,
}
_FACTOR: Final[_Edges] = {
    FactorRequested: frozenset({AwaitingFactor}),
    FactorProved: frozenset({Cleared}),
    FactorStopped: frozenset({Failed}),
    **_ASKED,
}


def _same(state: type[Any]) -> _Edges:
    return {ReceiverOpens: frozenset({state}), MailboxTold: frozenset({state})}


_ANEW: Final[_Edges] = {
    ReceiverOpens: frozenset({Proved}),
    SenderOpens: frozenset({Proved}),
    CertificateProved: frozenset({Proved}),
    ReceiverDenied: frozenset({Failed}),
    **_ALWAYS,
}

EDGES: Final[Mapping[type[Any], _Edges]] = {
    Announced: {**_same(Announced), **_ASKED},
    Confirmed: {**_same(Confirmed), **_FACTOR},
    AwaitingFactor: {**_same(AwaitingFactor), **_FACTOR},
    Cleared: {
        **_same(Cleared),
        ProofLapsed: frozenset({Confirmed}),
        CertificateProved: frozenset({Proved}),
        **_ASKED,
    },
    Proved: {
        MailboxTold: frozenset({Proved}),
        JoinAllowed: frozenset({Allowed}),
        ReceiverConfirmed: frozenset({Confirmed, Cleared}),
        **_ANEW,
    },
    Allowed: {CertificateArrived: frozenset({Arrived}), ArrivalRefused: frozenset({Failed}), **_ANEW},
    Arrived: {CertificateStored: frozenset({Copied}), CopyReported: frozenset({Arrived}), **_ANEW},
    Copied: {CopyReported: frozenset({Copied})},
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match event:
        case ReceiverAnnounced(receiver):
            return Step(Announced(receiver))
        case ReceiverOpens() | SenderOpens() | MailboxTold():
            return Step(_opening(state, event))
        case ReceiverDenied(code) | ArrivalRefused(code) | FactorStopped(code):
            return Step(Failed(code, state.receiver, sender_of(state)))
        case LeftBy(by):
            return Step(Cancelled(by, state.receiver, sender_of(state)))
        case TimeRanOut():
            return Step(Expired(state.receiver, sender_of(state)))
    return Step(_onward(state, event))


def _opening(state: State, event: ReceiverOpens | SenderOpens | MailboxTold) -> State:
    match state, event:
        case ((Announced() | Confirmed() | AwaitingFactor() | Cleared() | Proved()), MailboxTold(mailbox)):
            return replace(state, opening=None if state.opening is None else replace(state.opening, mailbox=mailbox))
        case ((Announced() | Confirmed() | AwaitingFactor() | Cleared() | Proved()), ReceiverOpens(ticket)):
            return replace(state, opening=Opening(Role.RECEIVER, ticket))
        case ((Allowed() | Arrived()), ReceiverOpens(ticket)):
            return Proved(state.receiver, state.sender, state.fingerprint, Opening(Role.RECEIVER, ticket))
        case ((Proved() | Allowed() | Arrived()), SenderOpens(ticket)):
            return Proved(state.receiver, state.sender, state.fingerprint, Opening(Role.SENDER, ticket))
    raise _off_table(state)


def _onward(state: State, event: Event) -> State:
    """What brings a copy nearer to its end, and what takes the proof away again."""
    match state, event:
        case ((Announced() | Confirmed() | AwaitingFactor() | Cleared() | Proved()), ReceiverConfirmed(sender, known)):
            kind = Cleared if known else Confirmed
            return kind(state.receiver, sender, opening=_receivers(state.opening))
        case ((Confirmed() | AwaitingFactor()), FactorRequested(asked)):
            return AwaitingFactor(state.receiver, state.sender, factor.asked(factor_of(state), asked), state.opening)
        case ((Confirmed() | AwaitingFactor()), FactorProved(answered)):
            proved = factor.answered(factor_of(state), answered)
            return Cleared(state.receiver, state.sender, proved.proof_id, proved.expires_at, state.opening)
        case Cleared(), ProofLapsed():
            return Confirmed(state.receiver, state.sender, state.opening)
        case ((Cleared() | Proved() | Allowed() | Arrived()), CertificateProved(fingerprint)):
            opening = state.opening if isinstance(state, Cleared | Proved) else None
            return Proved(state.receiver, state.sender, fingerprint, opening)
        case Proved(), JoinAllowed(ticket) if state.opening is not None:
            return Allowed(state.receiver, state.sender, state.fingerprint, state.opening, ticket)
        case Allowed(), CertificateArrived():
            return Arrived(state.receiver, state.sender, state.fingerprint)
        case Arrived(), CertificateStored(at):
            return Copied(state.receiver, state.sender, state.fingerprint, at, state.reported)
        case ((Arrived() | Copied()), CopyReported()):
            return replace(state, reported=True)
    raise _off_table(state)


def _receivers(opening: Opening | None) -> Opening | None:
    """A number of the receiver stays when the sender's page is another one; a code of the old sender does not."""
    return opening if opening is not None and opening.role is Role.RECEIVER else None


def _off_table(state: State) -> Defect:
    return Defect("flow-off-table", machine="copying", state=type(state).__name__)


def upgrade(version: int, name: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Version 1 had the additional authentication's facts in its own state."""
    if version == 1 and name == "AwaitingFactor":
        asked = {key: facts.pop(key) for key in ("request_id", "sent_at", "expires_at")}
        return name, {**facts, "factor": {"method": "sms", **asked}}
    return name, facts


COPYING: Final[Machine[State, Event]] = Machine("copying", 2, EDGES, move, upgrade)

OVER: Final = COPYING.ends() | {Copied}
"""States in which there is no copy any more: after Copied only the sender's report is heard."""
