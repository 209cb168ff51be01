"""The number that a person carries from one device to the other, and the same in a QR code (security C4, C5).

Twelve digits: five name the mailbox (the relay gives them), seven are the secret (the device that opens draws them;
they are never sent). The QR text adds sixteen random bytes. It is no URL, and only digits can be typed.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret

MAILBOX_DIGITS: Final = 5
SECRET_DIGITS: Final = 7
QR_BYTES: Final = 16
QR_PREFIX: Final = "INGAM1:"
QR_TEXT: Final = 45
NUMBER_SECONDS: Final = 180
QR_SECONDS: Final = 120

_DIGITS: Final = re.compile(r"[0-9]{12}")
_QR: Final = re.compile(r"INGAM1:([0-9]{12})([A-Z2-7]{26})")


class NumberMalformed(Refusal):
    """What was typed is not twelve digits (blanks and hyphens aside)."""

    code = "copy-number-malformed"


class QrMalformed(Refusal):
    """What was scanned is no QR code of this protocol."""

    code = "copy-qr-malformed"


@dataclass(frozen=True, slots=True)
class Number:
    """`mailbox`: 5 digits, public. `secret`: 7 digits. `qr`: the 16 bytes of a scanned code; None if it was typed."""

    mailbox: str
    secret: Secret[str]
    qr: Secret[bytes] | None = None

    @property
    def shown(self) -> str:
        """In three groups of four, as the screens show it."""
        digits = self.mailbox + self.secret.reveal()
        return f"{digits[:4]} {digits[4:8]} {digits[8:]}"

    @property
    def qr_text(self) -> str:
        """The 45 characters of the QR code; raises ValueError for a number without its 16 bytes."""
        if self.qr is None or len(self.qr) != QR_BYTES:
            raise ValueError("a QR code carries 16 random bytes")
        encoded = base64.b32encode(self.qr.reveal()).decode("ascii").rstrip("=")
        return f"{QR_PREFIX}{self.mailbox}{self.secret.reveal()}{encoded}"


def draw_secret(below: Callable[[int], int] = secrets.randbelow) -> Secret[str]:
    """Seven secret digits, each of the ten million equally likely. `below(n)` gives a random int in [0, n)."""
    return Secret(f"{below(10**SECRET_DIGITS):0{SECRET_DIGITS}d}")


def draw_qr(octets: Callable[[int], bytes] = secrets.token_bytes) -> Secret[bytes]:
    """The sixteen random bytes of a QR code."""
    return Secret(octets(QR_BYTES))


def typed(text: str) -> Number:
    """The number that was typed: twelve ASCII digits; U+0020 and U+002D are passed over. Raises NumberMalformed."""
    digits = text.replace(" ", "").replace("-", "")
    if not _DIGITS.fullmatch(digits):
        raise NumberMalformed
    return Number(digits[:MAILBOX_DIGITS], Secret(digits[MAILBOX_DIGITS:]))


def scanned(text: str) -> Number:
    """The number of a QR text: exactly 45 characters, spare base32 bits zero. Raises QrMalformed."""
    found = _QR.fullmatch(text)
    if found is None:
        raise QrMalformed
    digits, encoded = found.groups()
    octets = base64.b32decode(encoded + "======")
    if base64.b32encode(octets).decode("ascii").rstrip("=") != encoded:
        raise QrMalformed
    return Number(digits[:MAILBOX_DIGITS], Secret(digits[MAILBOX_DIGITS:]), Secret(octets))
