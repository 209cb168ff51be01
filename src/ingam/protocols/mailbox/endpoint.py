"""What both ends of a copy share: what a device brings, what happens to it, what it does, and how a run ends.

`sender` and `receiver` are the two machines. One number is one run (C8): a machine is made with its random bytes,
spends them once, and no state leads back. A driver (link, screen, terminal) feeds events that the table allows and
carries out the effects in order; after an end it feeds nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from ingam.kernel.flow import Step
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox.schedule import Mode


@dataclass(frozen=True, slots=True)
class Own:
    """What a device brings into a run, spent with it.

    `relay`: its origin. `device`: this device's text. `opened`: it opened the mailbox. `secret`: 7 digits, drawn by
    itself or typed. `qr`: the 16 bytes it shows or has scanned. `nonce`: 16 random bytes. `scalar`: cpace.scalar.
    `lot`: 16 random bytes, of which a sender makes the check words depend; a receiver's is of no use.
    """

    relay: str
    device: str
    opened: bool
    secret: Secret[str]
    qr: Secret[bytes] | None
    nonce: bytes
    scalar: Secret[bytes]
    lot: Secret[bytes]

    @property
    def mode(self) -> Mode:
        """What the joining side fixes: `q` if it has scanned, else `n`. A sender that opens shows a QR only: `q`."""
        return "n" if self.qr is None else "q"


# Events.


@dataclass(frozen=True, slots=True)
class Admitted:
    """The relay took the ticket; `mailbox`: 5 digits, allotted or joined."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class PeerCame:
    """The other device has joined the mailbox that this one opened."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the other device, as the relay gave it."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Agreed:
    """The sender's person compared the words and said yes: this is what leaves."""

    certificate: bytes
    key_file: Secret[bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """The receiver has it and asks its person (or the center) whether it may be kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The receiver's store kept it; `digest`: SHA-256 of what was read back (frames.Payload.digest)."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver does not keep it; `code` says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Left:
    """This device's person cancels."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The relay ended the mailbox; `why` as `wire` has it."""

    why: str


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The relay could not be reached again in time."""


@dataclass(frozen=True, slots=True)
class TimeOver:
    """The number's or the run's time is over by this device's clock."""


Event: TypeAlias = Admitted | PeerCame | Heard | Agreed | Asked | Stored | Refused | Left | Closed | LinkLost | TimeOver

# Effects.


@dataclass(frozen=True, slots=True)
class Send:
    """To the other device. The link keeps the bytes and sends the same again after a reconnect (C8)."""

    body: bytes


@dataclass(frozen=True, slots=True)
class ShowWords:
    """Both keys are the same: show these two check words (indices), and the other device's text."""

    first: int
    second: int
    device: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """To the receiver's store, which answers with Stored or Refused. Parsing and asking are the store's (C14)."""

    certificate: bytes
    key_file: Secret[bytes]


@dataclass(frozen=True, slots=True)
class Close:
    """Tell the relay that it is over; after everything that was to be sent."""

    why: str


# Ends.


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Sender: the receiver has read back from its storage exactly what was sent. Receiver: it has told so."""

    code: str = "copy-done"


@dataclass(frozen=True, slots=True)
class WrongCode:
    """The devices do not share number, roles, relay and messages."""

    code: str = "copy-wrong-number"


@dataclass(frozen=True, slots=True)
class PeerGone:
    """One of the two connections did not come back; `copy-link-lost`: this device's own."""

    code: str = "copy-peer-gone"


@dataclass(frozen=True, slots=True)
class Expired:
    """The time was over."""

    code: str = "copy-expired"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One of the two persons cancelled; `copy-peer-cancelled`: the other device's."""

    code: str = "copy-cancelled"


@dataclass(frozen=True, slots=True)
class Declined:
    """The receiver did not keep it; `code` is the receiver's reason."""

    code: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that is not the protocol happened; `code` says as much as is known."""

    code: str = "copy-broken"


End: TypeAlias = Acknowledged | WrongCode | PeerGone | Expired | Cancelled | Declined | Broken
ENDS: Final = (Acknowledged, WrongCode, PeerGone, Expired, Cancelled, Declined, Broken)

LEAVING: Final = {
    Left: frozenset({Cancelled}),
    Closed: frozenset({WrongCode, PeerGone, Expired, Cancelled, Declined, Broken}),
    LinkLost: frozenset({PeerGone}),
    TimeOver: frozenset({Expired}),
}

PEER_CANCELLED: Final = Cancelled("copy-peer-cancelled")
UNCONFIRMED: Final = "copy-unconfirmed"

_CLOSED: Final[dict[str, End]] = {
    "wrong": WrongCode(),
    "cancelled": PEER_CANCELLED,
    "declined": Declined("copy-declined"),
    "expired": Expired(),
    "gone": PeerGone(),
    "crowded": Broken("copy-crowded"),
    "stopping": Broken("relay-stopping"),
}


def closed(why: str) -> End:
    """How a run ends that the relay ended: the relay's word for it, and never a success."""
    return _CLOSED.get(why, Broken())


def broken(code: str = "copy-broken") -> Step[End]:
    """The other side or the relay left the protocol."""
    return Step(Broken(code), (Close("broken"),))


def leave(event: Left | Closed | LinkLost | TimeOver) -> Step[End]:
    """What every state does that has shared no key yet."""
    match event:
        case Left():
            return Step(Cancelled(), (Close("cancelled"),))
        case Closed(why):
            return Step(closed(why))
        case LinkLost():
            return Step(PeerGone("copy-link-lost"))
        case TimeOver():
            return Step(Expired(), (Close("expired"),))
