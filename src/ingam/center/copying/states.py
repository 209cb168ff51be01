"""Who the two devices of a copy are, and what is true at each of its steps: nothing secret, and no address (H9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from ingam.customer.additional_auth.flow import Choosing, Requested


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


Unfinished: TypeAlias = Announced | Confirmed | AwaitingFactor | Cleared | Proved | Allowed | Arrived
State: TypeAlias = Unfinished | Copied | Cancelled | Failed | Expired


def factor_of(state: Confirmed | AwaitingFactor) -> Choosing | Requested:
    """Where the additional authentication is."""
    return state.factor if isinstance(state, AwaitingFactor) else Choosing()


def sender_of(state: State) -> Sender | None:
    """Who said yes, if anybody did."""
    return None if isinstance(state, Announced) else state.sender
