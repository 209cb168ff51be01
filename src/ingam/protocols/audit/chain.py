"""Entries of the chain: a number without gaps, two instants, a salted commitment, and the link over all before.

    link(n) = SHA-256(`INGAM-AUDIT/1` LF ‖ link(n-1) ‖ n ‖ at ‖ delete_at ‖ commitment)

Numbers and instants are 8 bytes, big-endian, instants in microseconds since 1970 UTC; link(0) is SHA-256 of the first
line. Entries hold nothing of a person and stay for ever; what they commit to may be deleted on its date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.protocols.log.tree import leaf_hash

FIRST_LINE: Final = b"INGAM-AUDIT/1\n"
START: Final = sha256(FIRST_LINE).digest()
"""The link before the first entry."""


class Gap(Refusal):
    """An entry is missing in the middle (facts: seq, the first that is missing)."""

    code = "audit-gap"


class Relinked(Refusal):
    """An entry is not the one that was chained here: it or one before it was changed (facts: seq)."""

    code = "audit-entry-changed"


class Entry(NamedTuple):
    """One entry. `seq` from 1; `at`, `delete_at`: microseconds; `commitment`, `link`: 32 bytes."""

    seq: int
    at: int
    delete_at: int
    commitment: bytes
    link: bytes

    @property
    def leaf(self) -> bytes:
        """Its leaf hash in the tree that checkpoints sign."""
        return leaf_hash(self.link)


def link(before: bytes, seq: int, at: int, delete_at: int, commitment: bytes) -> bytes:
    """The link of an entry, 32 bytes. `before`: the link of the entry before it."""
    numbers = b"".join(number.to_bytes(8, "big", signed=True) for number in (seq, at, delete_at))
    return sha256(FIRST_LINE + before + numbers + commitment).digest()


def walk(entries: Iterable[Entry], seq: int = 0, before: bytes = START) -> Iterator[Entry]:
    """The same entries, each held against the one before; `seq`, `before`: of the last one known.

    Raises Gap, Relinked.
    """
    for entry in entries:
        if entry.seq != seq + 1:
            raise Gap(seq=seq + 1)
        if link(before, *entry[:4]) != entry.link:
            raise Relinked(seq=entry.seq)
        yield entry
        seq, before = entry.seq, entry.link
