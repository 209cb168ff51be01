"""The rule for a certificate password that is being SET (since 2014-09-22); never applied when a key is opened.

Older certificates may have eight characters or others: they open as they are (npki.md section 9).
"""

from __future__ import annotations

import string
from typing import Final

from ingam.kernel.errors import Refusal

LEAST, MOST = 10, 56
"""Characters."""

FORBIDDEN: Final = frozenset("'\"\\|")
_KINDS: Final = (string.ascii_letters, string.digits, string.punctuation)


class WeakPassword(Refusal):
    """The new password breaks the rule; `code` says which part of it.

    cert-password-ascii, -length, -kinds, -forbidden, -sequence (manual's messages M-PW-01 to -03).
    """

    code = "cert-password"


def check_new(password: str) -> bytes:
    """The bytes of an acceptable new password. Raises WeakPassword with the first code that applies.

    Only printable ASCII without blanks is accepted: tools differ in how they encode anything else (npki.md section 1).
    """
    for code in broken(password):
        raise WeakPassword(code)
    return password.encode("ascii")


def broken(password: str) -> list[str]:
    """Codes of every part of the rule that the password breaks, for a live checklist; empty if it is acceptable."""
    checks = (
        ("cert-password-ascii", all("!" <= c <= "~" for c in password)),
        ("cert-password-length", LEAST <= len(password) <= MOST),
        ("cert-password-kinds", all(any(c in kind for c in password) for kind in _KINDS)),
        ("cert-password-forbidden", not FORBIDDEN.intersection(password)),
        ("cert-password-sequence", not _has_run(password)),
    )
    return [code for code, kept in checks if not kept]


def _has_run(password: str) -> bool:
    """Three letters or digits in a row that repeat or follow each other, up or down: `aaa`, `abc`, `321`."""
    for three in zip(password, password[1:], password[2:], strict=False):
        a, b, c = map(ord, three)
        if b - a == c - b and (a == b or (abs(b - a) == 1 and _same_kind(three))):
            return True
    return False


def _same_kind(three: tuple[str, str, str]) -> bool:
    return any(
        all(c in kind for c in three) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    )
