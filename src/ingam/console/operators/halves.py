"""The two halves of an enrolment that two operators approved: the checker's link and the maker's code (security G2).

Neither opens anything alone, so no one of the two can make a passkey in the new person's place. The ledger knows an
invitation by a hash over both; of the code it keeps a hash from the maker's signature to the checker's.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

CODE_BYTES: Final = 10
"""80 bits: a hash of it can be read by whoever reads the database, and is guessed by nobody."""

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})
_GROUP: Final = 4


def written_code(code: bytes) -> str:
    """Ten bytes as a person hands them on: 16 characters of base32 without I, L, O and U, in fours."""
    number = int.from_bytes(code, "big")
    letters = "".join(_LETTERS[number >> shift & 31] for shift in range(len(code) * 8 - 5, -1, -5))
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def half_of(code: str) -> str:
    """The stored half of a code as it was typed: SHA-256, 64 lower hex; "" where none was typed."""
    typed = "".join(code.upper().split()).translate(_MISREAD)
    return sha256(b"ingam operator handover\0" + typed.encode("utf-8", "replace")).hexdigest() if typed else ""


def invitation_id(token: str, half: str = "") -> str:
    """The stored name of an invitation: SHA-256, 64 lower hex, over the link's secret and the other half if it has one.

    What is hashed of two halves are 64 bytes that no link's secret is: that is text.
    """
    link = sha256(token.encode("utf-8", "replace"))
    return sha256(link.digest() + bytes.fromhex(half)).hexdigest() if half else link.hexdigest()
