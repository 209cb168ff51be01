"""A copy at the center: Announced → Confirmed → [AwaitingFactor →] Cleared → Proved → Allowed → Arrived → Copied.

One flow per person. What happens between the two devices is the relay's and the vaults'; here is who the two devices
are, what was asked before the password (security C2, C3), and which certificate may arrive (C14). Pure; nothing secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from ingam.customer.additional_auth import flow as factor
from ingam.customer.additional_auth.flow import Answered, Asked, Choosing, Requested
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


class Role(StrEnum):
    """The two ends, as tickets name them."""

    RECEIVER = "receiver"
    SENDER = "sender"


@dataclass(frozen=True, slots=True)
class Device:
    """What the center knows of a device, in words of closed lists; `network` is a keyed digest, no address (H9)."""

    kind: str  # pc | phone | tablet | command-line
    system: str
    browser: str
    region_ko: str
    region_en: str
    network: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """The device that announced itself. `id`: 32 lower hex; `mark`: the hash of its device cookie, if it has one."""

    id: str
    session: str
    mark: str | None
    device: Device
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """The device whose person said yes to the receiver; `lang`: in which language the notices speak."""

    session: str
    device: Device
    lang: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The one ticket that may open a mailbox, and the mailbox once its holder told it (5 digits, never the secret)."""

    role: Role
    ticket: str
    mailbox: str | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """A receiving device is open; nobody has said yes to it."""

    receiver: Receiver
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The sender's person has the receiver in hand; it is new to this person, so that ② is asked for (C2)."""

    receiver: Receiver
    sender: Sender
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class AwaitingFactor:
    """A code or a call is under way."""

    receiver: Receiver
    sender: Sender
    factor: Requested
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """A certificate may be chosen: the receiver is known (no proof), or a proof is held until `proof_expires_at`."""

    receiver: Receiver
    sender: Sender
    proof_id: str | None = None
    proof_expires_at: datetime | None = None
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Proved:
    """The registered certificate of this fingerprint signed for this receiver; the proof is used up (E1, F5)."""

    receiver: Receiver
    sender: Sender
    fingerprint: str
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The other end has its ticket for the mailbox of `opening`; one number is one run (C8)."""

    receiver: Receiver
    sender: Sender
    fingerprint: str
    opening: Opening
    ticket: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """The receiver has the certificate that was proved, and may store it (C14); `reported`: as in Copied."""

    receiver: Receiver
    sender: Sender
    fingerprint: str
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """The receiver has stored it and read it back (C13); `reported`: the sender says so too, so it is known (C2)."""

    receiver: Receiver
    sender: Sender
    fingerprint: str
    at: datetime
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One of the two left. `by`: which end."""

    by: Role
    receiver: Receiver
    sender: Sender | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Stopped; `code` says why: the receiver is not in the person's hands, or the wrong certificate arrived."""

    code: str
    receiver: Receiver
    sender: Sender | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """Its time is over."""

    receiver: Receiver
    sender: Sender | None = None


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


Unfinished: TypeAlias = Announced | Confirmed | AwaitingFactor | Cleared | Proved | Allowed | Arrived
State: TypeAlias = Unfinished | Copied | Cancelled | Failed | Expired
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


def factor_of(state: Confirmed | AwaitingFactor) -> Choosing | Requested:
    """Where the additional authentication is."""
    return state.factor if isinstance(state, AwaitingFactor) else Choosing()


def sender_of(state: State) -> Sender | None:
    """Who said yes, if anybody did."""
    return None if isinstance(state, Announced) else state.sender


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
