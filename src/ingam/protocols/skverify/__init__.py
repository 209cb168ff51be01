"""The verifying daemon's frames (npki.md §5): 4-byte big-endian length, opcode, data; both roles, no socket.

The length counts what follows it. An answer carries a status (0 accepted, 1 refused with four digits, 2 other) and,
where it accepts, twelve fields with exactly eleven `$` between them: with a `$` more or less nothing of it counts,
since whoever writes a name or a text could else move the fields (security A18).
"""

from __future__ import annotations

import base64
import re
from typing import Final, NamedTuple

from ingam.kernel.errors import Outage, Refusal
from ingam.npki.certificate import Certificate

OCSP: Final = 46
CRL: Final = 18
"""Opcodes: signature and status by OCSP; by a list, where the daemon's own OCSP failed (errors 4000-5000)."""

ACCEPTED, REFUSED, OTHER = 0, 1, 2
HEAD: Final = 4
MOST: Final = 256 * 1024
ENCODING: Final = "cp949"
_ERROR: Final = re.compile(rb"[0-9]{4}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,64}")


class DaemonUnusable(Outage):
    """Nothing is confirmed: the daemon is away, its answer is none, or it tells of another certificate.

    Codes: daemon-outage, daemon-malformed, daemon-mismatch.
    """

    code = "daemon-outage"


class DaemonRefused(Refusal):
    """The daemon does not accept the message (facts: error, its four digits)."""

    code = "daemon-refused"


class Told(NamedTuple):
    """What the daemon says of a message that it accepts; texts as it gave them."""

    version: str
    serial: str
    issuer: str
    subject: str
    begins: str
    ends: str
    policy: str
    crl: str
    aki: str
    ski: str
    public_key: str
    plaintext: str


FIELDS: Final = len(Told._fields)


def request(opcode: int, signed: bytes) -> bytes:
    """A question: the signed message in base64. Raises ValueError for one that is too large."""
    data = base64.b64encode(signed)
    if len(data) >= MOST:
        raise ValueError("too large")
    return (len(data) + 1).to_bytes(HEAD, "big") + bytes([opcode]) + data


def length_of(head: bytes) -> int:
    """How many bytes follow. Raises DaemonUnusable."""
    length = int.from_bytes(head, "big")
    if len(head) != HEAD or not 1 <= length <= MOST:
        raise DaemonUnusable("daemon-malformed")
    return length


def question(body: bytes) -> tuple[int, bytes]:
    """The daemon's side: opcode and signed message. Raises DaemonUnusable."""
    try:
        return body[0], base64.b64decode(body[1:], validate=True)
    except (IndexError, ValueError):
        raise DaemonUnusable("daemon-malformed") from None


def accepted(opcode: int, told: Told) -> bytes:
    """The daemon's side: an answer."""
    return _framed(opcode, ACCEPTED, "$".join(told).encode(ENCODING))


def refused(opcode: int, error: int) -> bytes:
    """The daemon's side: a refusal by four digits."""
    return _framed(opcode, REFUSED, b"%04d" % error)


def _framed(opcode: int, status: int, data: bytes) -> bytes:
    return (len(data) + 2).to_bytes(HEAD, "big") + bytes([opcode, status]) + data


def answer(opcode: int, body: bytes) -> Told:
    """What the daemon told. Raises DaemonRefused, DaemonUnusable."""
    if len(body) < 2 or body[0] != opcode:
        raise DaemonUnusable("daemon-malformed")
    status, data = body[1], body[2:]
    if status == REFUSED and _ERROR.fullmatch(data):
        raise DaemonRefused(error=data.decode("ascii"))
    if status != ACCEPTED or data.count(b"$") != FIELDS - 1:
        raise DaemonUnusable("daemon-malformed")
    try:
        return Told(*data.decode(ENCODING).split("$"))
    except (UnicodeDecodeError, TypeError):
        raise DaemonUnusable("daemon-malformed") from None


def check_same(told: Told, certificate: Certificate) -> None:
    """It is about the very certificate that our own parse found (A18). Raises DaemonUnusable daemon-mismatch."""
    if not _HEX.fullmatch(told.serial) or int(told.serial, 16) != certificate.serial:
        raise DaemonUnusable("daemon-mismatch")
    if _flat(told.subject) != _flat(str(certificate.subject)):
        raise DaemonUnusable("daemon-mismatch")


def _flat(name: str) -> str:
    """Attribute types in either case, spaces behind commas: how programs of the field write one name."""
    return ",".join(part.strip().casefold() for part in name.split(","))
