"""The body of an audit line: canonical JSON, and the salted commitment that stands for it in the chain."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Final, TypeAlias

from ingam.kernel.errors import Refusal
from ingam.protocols.log.commitment import SALT, commit

Field: TypeAlias = str | int | None

FIELDS: Final = ("at", "action", "result", "subject", "operator", "session", "address", "reason", "facts")
"""All of a line: `at` in microseconds, `facts` as JSON text, the rest text or null."""


class BodyChanged(Refusal):
    """A body is not the one that was committed to (facts: seq)."""

    code = "audit-body-changed"


def text(fields: Mapping[str, Field]) -> bytes:
    """The exact bytes that are committed to: JSON of all FIELDS in their order, without blanks, UTF-8."""
    whole = {name: fields[name] for name in FIELDS}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def committed(salt: bytes, fields: Mapping[str, Field]) -> bytes:
    """The commitment, 32 bytes. `salt`: 32 random bytes of this line alone."""
    return commit(salt, text(fields))


def check(seq: int, salt: bytes, fields: Mapping[str, Field], commitment: bytes) -> None:
    """Raises BodyChanged."""
    if len(salt) != SALT or not hmac.compare_digest(committed(salt, fields), commitment):
        raise BodyChanged(seq=seq)
