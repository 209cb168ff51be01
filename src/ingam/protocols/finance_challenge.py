"""The text that a person signs in the window of 금융인증서, which is nobody's window of ours (docs/decisions/0015).

It begins with a word of its own: no signature made here is one over a text of the vault (A1), and the other way round.
The certificate is not named in it, because nobody knows it before the person has chosen; `replaces` is the fingerprint
of the registration that a new one ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingam.kernel.instants import rfc3339

FIRST_LINE = "INGAM-FINANCE/1"


@dataclass(frozen=True, slots=True)
class FinanceChallenge:
    """The server's record. `nonce`, `session`: 64 lower hex; `replaces`: 64 lower hex, "" is `-`."""

    purpose: str
    origin: str
    nonce: str
    issued: datetime
    expires: datetime
    session: str
    replaces: str = ""


def text(one: FinanceChallenge) -> bytes:
    """The exact bytes that are signed: ASCII, eight lines, each ending in LF; rebuilt from the record (A1)."""
    return (
        f"{FIRST_LINE}\n"
        f"purpose: {one.purpose}\n"
        f"origin: {one.origin}\n"
        f"nonce: {one.nonce}\n"
        f"issued: {rfc3339(one.issued)}\n"
        f"expires: {rfc3339(one.expires)}\n"
        f"session: {one.session}\n"
        f"replaces: {one.replaces or '-'}\n"
    ).encode("ascii")
