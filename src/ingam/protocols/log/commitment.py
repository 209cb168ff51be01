"""What stands in the log for an event: a commitment that says nothing without its salt (security H3).

    entry = `INGAM-LEAF/1` LF hex(HMAC-SHA256(salt, event)) LF          leaf hash = SHA-256(00 ‖ entry)

The salt is 32 random bytes of this entry alone, at the owner's and in the books. Once salt and event are deleted,
nobody can tell what the entry was, and every proof of the others still holds.
"""

from __future__ import annotations

import hmac
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.protocols.log.tree import leaf_hash

SALT: Final = 32
FIRST_LINE: Final = "INGAM-LEAF/1"


class SaltMalformed(Refusal):
    """A salt is 32 bytes: HMAC reads a shorter one as if zeros followed, so two salts could say the same."""

    code = "log-salt-malformed"


def entry(salt: bytes, event: bytes) -> bytes:
    """The entry of an event's text, 78 bytes of ASCII. Raises SaltMalformed."""
    if len(salt) != SALT:
        raise SaltMalformed
    return f"{FIRST_LINE}\n{hmac.digest(salt, event, 'sha256').hex()}\n".encode("ascii")


def commit(salt: bytes, event: bytes) -> bytes:
    """The leaf hash of an event's text, 32 bytes. Raises SaltMalformed."""
    return leaf_hash(entry(salt, event))
