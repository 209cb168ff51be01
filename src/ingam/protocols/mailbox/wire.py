"""What a device and the relay say to each other besides sealed messages: JSON texts, and the number before a body.

Every text has exactly one shape; members that are unknown, missing or of another type are WireMalformed. The
WebSocket's subprotocol is `ingam-copy.1`; the HTTP fallback says the same (docs/reference/copy-protocol.md).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.mailbox.frames import MOST_BODY
from ingam.protocols.mailbox.mailbox import MOST_MESSAGES
from ingam.protocols.mailbox.ticket import MOST as MOST_TICKET

SUBPROTOCOL: Final = "ingam-copy.1"
PATH: Final = "/copy"
MOST_TEXT: Final = 4_096
MOST_FRAME: Final = 4 + MOST_BODY
FIRST_SECONDS: Final = 5
CLOSED: Final = 1000
WHYS: Final = ("done", "wrong", "cancelled", "broken", "declined", "expired")
CLOSED_WHYS: Final = (*WHYS, "crowded", "gone", "stopping")

_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-]{43}")
_MAILBOX: Final = re.compile(r"[0-9]{5}")
_CODE: Final = re.compile(r"[a-z0-9\-]{1,64}")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class WireMalformed(Refusal):
    """A text or binary frame that the relay's protocol does not have."""

    code = "relay-message"


@dataclass(frozen=True, slots=True)
class Open:
    """Open a mailbox with this ticket."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Join:
    """Join the mailbox that the ticket names."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Come back. `token`: as told. `got`: how many of the peer's messages have arrived here."""

    token: str
    got: int


@dataclass(frozen=True, slots=True)
class Close:
    """It is over for this device; `why` one of WHYS."""

    why: str


First: TypeAlias = Open | Join | Resume
Act: TypeAlias = Open | Join | Resume | Close


@dataclass(frozen=True, slots=True)
class Opened:
    """The mailbox (5 digits), the token to resume with (43 of base64url), when the number is over (UTC)."""

    mailbox: str
    token: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """The mailbox was joined; when the run is over."""

    token: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Peer:
    """To the opener: the other device is there; `ends`: when the run is over."""

    ends: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """`have`: how many of this device's messages the relay has; it sends the rest again, the same bytes."""

    have: int
    ends: datetime


@dataclass(frozen=True, slots=True)
class Away:
    """The other device's connection is lost, for now."""


@dataclass(frozen=True, slots=True)
class Back:
    """It is there again."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The mailbox is no more; `why` one of CLOSED_WHYS."""

    why: str


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """The relay refuses; `s`: seconds after which another try makes sense, or None."""

    code: str
    s: int | None = None


Told: TypeAlias = Opened | Joined | Peer | Resumed | Away | Back | Closed | RefusedBy

_WORDS: Final[dict[type[Any], tuple[str, str]]] = {
    Open: ("act", "open"),
    Join: ("act", "join"),
    Resume: ("act", "resume"),
    Close: ("act", "close"),
    Opened: ("told", "opened"),
    Joined: ("told", "joined"),
    Peer: ("told", "peer"),
    Resumed: ("told", "resumed"),
    Away: ("told", "away"),
    Back: ("told", "back"),
    Closed: ("told", "closed"),
    RefusedBy: ("told", "refused"),
}
_KINDS: Final = {word: kind for kind, word in _WORDS.items()}


def write(message: Act | Told) -> str:
    """The compact JSON text of a message."""
    name, word = _WORDS[type(message)]
    members: dict[str, Any] = {name: word}
    for field in type(message).__slots__:
        value = getattr(message, field)
        if value is not None:
            members[field] = rfc3339(value) if isinstance(value, datetime) else value
    return json.dumps(members, separators=(",", ":"))


def read_act(text: str) -> Act:
    """What a device says. Raises WireMalformed."""
    found = _read(text, "act")
    if not isinstance(found, Open | Join | Resume | Close) or (isinstance(found, Close) and found.why not in WHYS):
        raise WireMalformed
    return found


def read_told(text: str) -> Told:
    """What the relay says. Raises WireMalformed."""
    found = _read(text, "told")
    if isinstance(found, Open | Join | Resume | Close):
        raise WireMalformed
    return found


def write_post(sequence: int, body: bytes) -> bytes:
    """A binary frame: uint32 sequence (a direction's own, from 0), then the body."""
    return sequence.to_bytes(4, "big") + body


def read_post(frame: bytes) -> tuple[int, bytes]:
    """Sequence and body. Raises WireMalformed."""
    if not 4 < len(frame) <= MOST_FRAME:
        raise WireMalformed
    return int.from_bytes(frame[:4], "big"), frame[4:]


def _read(text: str, name: str) -> Act | Told:
    try:
        if len(text.encode()) > MOST_TEXT:
            raise WireMalformed
        members = json.loads(text, object_pairs_hook=_once)
        kind = _KINDS[name, members.pop(name)]
        if kind is RefusedBy:
            members.setdefault("s", None)
        if set(members) != set(kind.__slots__):
            raise WireMalformed
        message: Act | Told = kind(**{field: _value(field, value) for field, value in members.items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WireMalformed from None
    return message


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WireMalformed
    return members


def _value(field: str, value: Any) -> Any:
    """Checks one member by its name; the same name means the same everywhere."""
    if not _fits(field, value):
        raise WireMalformed
    return datetime.fromisoformat(value) if field == "ends" else value


def _fits(field: str, value: Any) -> bool:
    match field:
        case "got" | "have":
            return type(value) is int and 0 <= value <= MOST_MESSAGES
        case "s":
            return value is None or (type(value) is int and 0 <= value <= 86_400)
        case "ticket":
            return isinstance(value, str) and 0 < len(value) <= MOST_TICKET
        case "why":
            return isinstance(value, str) and value in CLOSED_WHYS
        case "token":
            return isinstance(value, str) and _TOKEN.fullmatch(value) is not None
        case "mailbox":
            return isinstance(value, str) and _MAILBOX.fullmatch(value) is not None
        case "ends":
            return isinstance(value, str) and _INSTANT.fullmatch(value) is not None
        case _:
            return isinstance(value, str) and _CODE.fullmatch(value) is not None
