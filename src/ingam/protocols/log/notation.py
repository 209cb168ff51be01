"""The notation of the log's texts: base64 of one spelling only, decimal numbers, instants of whole seconds."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Final

from ingam.protocols.log.tree import HASH, MOST_LEAVES

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


def base64(value: bytes) -> str:
    """Base64 with padding, on one line (RFC 4648 section 4)."""
    return b64encode(value).decode("ascii")


def octets(word: str) -> bytes:
    """What `base64` gave; every other spelling of the same bytes is refused. Raises ValueError."""
    value = b64decode(word.encode("ascii"), validate=True)
    if base64(value) != word:
        raise ValueError("not the canonical base64")
    return value


def hash_of(word: str) -> bytes:
    """A hash, 32 bytes, in base64. Raises ValueError."""
    value = octets(word)
    if len(value) != HASH:
        raise ValueError("not a hash")
    return value


def number(word: str) -> int:
    """A count of leaves: decimal, without leading zeros, below 2^63. Raises ValueError."""
    if _SIZE.fullmatch(word) is None or int(word) > MOST_LEAVES:
        raise ValueError("not a number of leaves")
    return int(word)


def instant(word: str) -> datetime:
    """`2026-11-22T10:00:00Z`. Raises ValueError."""
    return datetime.strptime(word, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
