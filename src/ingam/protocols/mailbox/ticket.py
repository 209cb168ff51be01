"""A ticket lets one session of one person use the relay once; the center signs it, the relay reads it (security C12).

    base64url(payload) "." base64url(Ed25519 signature over "ingam-copy-ticket/1" ‖ 00 ‖ payload)

No padding. The payload is compact JSON with exactly the members below in this order; anything else is refused, so that
one ticket has one text.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingam.kernel.errors import Refusal

LABEL: Final = b"ingam-copy-ticket/1\x00"
SECONDS: Final = 180
SKEW: Final = 30
MOST: Final = 1_024
TTL_MOST_S: Final = 180

Act = Literal["open", "join"]
Role = Literal["sender", "receiver"]

_MEMBERS: Final = ("v", "id", "relay", "act", "role", "mailbox", "peer", "who", "iat", "exp", "ttl")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_WHO: Final = re.compile(r"[0-9a-f]{64}")
_MAILBOX: Final = re.compile(r"[0-9]{5}")
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,253}")


class TicketInvalid(Refusal):
    """Not a ticket of the center for this relay: form, signature, or what it says."""

    code = "ticket-invalid"


class TicketOver(Refusal):
    """Its three minutes are over."""

    code = "ticket-over"


@dataclass(frozen=True, slots=True)
class Ticket:
    """`id`: 32 lower hex. `relay`: its origin. `act` "open": a new mailbox, `mailbox` and `peer` None; "join": the
    mailbox (5 digits) whose opener's ticket id is `peer`. `who`: the person's pseudonym of the month, 64 lower hex.
    `iat`, `exp`: Unix seconds. `ttl`: how long the mailbox waits for its peer, seconds, at most 180.
    """

    id: str
    relay: str
    act: Act
    role: Role
    mailbox: str | None
    peer: str | None
    who: str
    iat: int
    exp: int
    ttl: int

    def check(self, relay: str, now: int, since: int | None = None) -> None:
        """Raises TicketInvalid for another relay, or one issued ahead of `now` or before `since` (the start of a relay
        whose memory is gone), TicketOver at its end. `now`, `since`: Unix seconds.
        """
        if self.relay != relay or self.iat > now + SKEW or (since is not None and self.iat < since):
            raise TicketInvalid
        if now >= self.exp:
            raise TicketOver


def write(ticket: Ticket, sign: Callable[[bytes], bytes]) -> str:
    """The ticket's text. `sign(message)` gives the 64 bytes of an Ed25519 signature. ValueError: no such ticket."""
    if not _consistent(ticket):
        raise ValueError("this is no ticket")
    payload = _payload(ticket)
    return f"{_text(payload)}.{_text(sign(LABEL + payload))}"


def read(text: str, keys: Iterable[bytes]) -> Ticket:
    """The ticket of a text that one of the raw public `keys` (32 bytes each) signed. Raises TicketInvalid."""
    payload, signature = _parts(text)
    if not any(_signed(key, payload, signature) for key in keys):
        raise TicketInvalid
    return _ticket(payload)


def unverified(text: str) -> Ticket:
    """What a ticket says, signature aside: for the device that carries it to the relay. Raises TicketInvalid."""
    return _ticket(_parts(text)[0])


def _parts(text: str) -> tuple[bytes, bytes]:
    parts = text.split(".") if len(text) <= MOST else []
    if len(parts) != 2:
        raise TicketInvalid
    payload, signature = map(_octets, parts)
    if len(signature) != 64:
        raise TicketInvalid
    return payload, signature


def _signed(key: bytes, payload: bytes, signature: bytes) -> bool:
    try:
        _loaded(key).verify(signature, LABEL + payload)
    except InvalidSignature:
        return False
    return True


@lru_cache(16)
def _loaded(key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)


def _ticket(payload: bytes) -> Ticket:
    try:
        members: Any = json.loads(payload)
        if members.pop("v") != 1:
            raise TicketInvalid
        ticket = Ticket(**members)
        canonical = _payload(ticket)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise TicketInvalid from None
    if canonical != payload or not _consistent(ticket):
        raise TicketInvalid
    return ticket


def _payload(ticket: Ticket) -> bytes:
    members: dict[str, Any] = {"v": 1}
    for name in _MEMBERS[1:]:
        members[name] = getattr(ticket, name)
    return json.dumps(members, separators=(",", ":")).encode("ascii")


def _consistent(ticket: Ticket) -> bool:
    texts = (ticket.id, ticket.relay, ticket.act, ticket.role, ticket.who)
    if not all(isinstance(one, str) for one in texts) or not all(
        _whole(n) for n in (ticket.iat, ticket.exp, ticket.ttl)
    ):
        return False
    return bool(
        _ID.fullmatch(ticket.id)
        and _ORIGIN.fullmatch(ticket.relay)
        and _WHO.fullmatch(ticket.who)
        and ticket.role in ("sender", "receiver")
        and _mailbox_fits(ticket)
        and 0 < ticket.exp - ticket.iat <= SECONDS
        and 1 <= ticket.ttl <= TTL_MOST_S
    )


def _mailbox_fits(ticket: Ticket) -> bool:
    if ticket.act == "open":
        return ticket.mailbox is None and ticket.peer is None
    return bool(
        ticket.act == "join"
        and isinstance(ticket.mailbox, str)
        and _MAILBOX.fullmatch(ticket.mailbox)
        and isinstance(ticket.peer, str)
        and _ID.fullmatch(ticket.peer)
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _octets(text: str) -> bytes:
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TicketInvalid from None
    if _text(octets) != text:
        raise TicketInvalid
    return octets
