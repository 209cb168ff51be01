"""A statement of operators (폐지 대행): what two natural persons sign before a certificate ends on somebody's behalf.

The text is ASCII, LF, fixed lines (security D14, in the manner of A1); each signature is Ed25519 over exactly these
bytes. Death, dissolution and a court's order have no holder who could sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.ocsp import REASONS

FIRST_LINE: Final = "INGAM-REVOKE/1"
LIFE: Final = timedelta(hours=24)
SKEW: Final = timedelta(minutes=5)
NEEDED: Final = 2
MOST_TEXT: Final = 1024
BY_NAME: Final = {name: number for number, name in REASONS.items() if number not in (6, 8)}
_LINES: Final = ("authority", "ca", "serial", "reason", "basis", "time")
_BASIS: Final = re.compile(r"[a-z][a-z-]{1,39}")


class StatementRefused(Refusal):
    """The statement does not carry; nothing was revoked (facts: part).

    Parts: text, authority, serial, reason, time, operator-unknown, signature, two-persons.
    """

    code = "ca-statement-refused"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is stated. `reason`: a CRLReason name; `basis`: a word such as `death`, `dissolution`, `court-order`."""

    authority: str
    ca: int
    serial: int
    reason: str
    basis: str
    time: datetime

    def text(self) -> bytes:
        """The exact bytes that are signed. Raises StatementRefused for what no statement can say."""
        if self.reason not in BY_NAME or not _BASIS.fullmatch(self.basis) or not self.authority.isascii():
            raise StatementRefused(part="reason")
        values = (self.authority, str(self.ca), f"{self.serial:x}", self.reason, self.basis, rfc3339(self.time))
        lines = [FIRST_LINE, *(f"{name}: {value}" for name, value in zip(_LINES, values, strict=True))]
        return ("\n".join(lines) + "\n").encode("ascii")


@dataclass(frozen=True, slots=True)
class Operator:
    """Who may state. `person`: the employee number, which is what counts as one natural person (G2)."""

    name: str
    person: str
    key: bytes
    """Ed25519, 32 bytes; or a passkey (`protocols.webauthn.as_key`), which signs changes of the console alone."""


@dataclass(frozen=True, slots=True)
class Signed:
    """An operator's signature. `operator`: the name under which the key is known."""

    operator: str
    signature: bytes


def parse(text: bytes) -> Statement:
    """A statement from its text, which must be to the byte what `Statement.text` makes. Raises StatementRefused."""
    if len(text) > MOST_TEXT:
        raise StatementRefused(part="text")
    try:
        first, *lines, last = text.decode("ascii").split("\n")
        values = dict(line.split(": ", 1) for line in lines)
        stated = Statement(
            values["authority"], int(values["ca"]), int(values["serial"], 16), values["reason"], values["basis"],
            datetime.strptime(values["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        )  # fmt: skip
        canonical = stated.text()
    except (ValueError, KeyError, OverflowError):
        raise StatementRefused(part="text") from None
    if first != FIRST_LINE or last or canonical != text:
        raise StatementRefused(part="text")
    return stated


def verify(
    text: bytes, signatures: Sequence[Signed], operators: Mapping[str, Operator], *, authority: str, at: datetime
) -> tuple[Statement, tuple[Operator, ...]]:
    """The statement and who stated it. Raises StatementRefused with the part of the first check it fails."""
    # 1. The text is a statement, to the byte, and speaks of this authority.
    stated = parse(text)
    if stated.authority != authority:
        raise StatementRefused(part="authority")
    # 2. It is of today: an approval lasts 24 hours (G3).
    if not at - LIFE <= stated.time <= at + SKEW:
        raise StatementRefused(part="time")
    # 3. Every signature is a known operator's over these bytes; one that is not spoils all.
    found = tuple(_checked(text, one, operators) for one in signatures)
    # 4. They are two natural persons, not two keys of one (G2).
    if len({one.person for one in found}) < NEEDED:
        raise StatementRefused(part="two-persons")
    return stated, found


def _checked(text: bytes, one: Signed, operators: Mapping[str, Operator]) -> Operator:
    operator = operators.get(one.operator)
    if operator is None:
        raise StatementRefused(part="operator-unknown")
    try:
        Ed25519PublicKey.from_public_bytes(operator.key).verify(one.signature, text)
    except (InvalidSignature, ValueError):
        raise StatementRefused(part="signature") from None
    return operator
