"""Signed tree heads (C2SP tlog-checkpoint): a note of four lines by the log, co-signed by its witnesses.

<origin> LF <size> LF <base64 of the root> LF `time: `<2026-11-22T10:00:00Z> LF
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.log import notation, note
from ingam.protocols.log.keys import NAME, LogKey, WitnessKey
from ingam.protocols.log.note import NoteMalformed, UnverifiedNote
from ingam.protocols.log.tree import EMPTY

_TIME: Final = "time: "


class OtherLog(Refusal):
    """The head is of a log whose key is not among the configured ones (facts: origin)."""

    code = "log-other-origin"


class HeadUnsigned(Refusal):
    """No configured key of the log has signed this head."""

    code = "log-head-unsigned"


class WitnessMissing(Refusal):
    """Fewer of the configured witnesses co-signed than there must be (facts: found, needed)."""

    code = "log-witness-missing"


class TreeHead(NamedTuple):
    """The first `size` leaves of the log `origin` have this root, 32 bytes, said `at` an instant of whole seconds."""

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def body(self) -> str:
        """What is signed, ASCII."""
        return f"{self.origin}\n{self.size}\n{notation.base64(self.root)}\n{_TIME}{rfc3339(self.at)}\n"


class UnverifiedHead(NamedTuple):
    """A head, taken apart; who signed it is not looked at yet."""

    head: TreeHead
    note: UnverifiedNote


def parse(text: str) -> UnverifiedHead:
    """The head of a note. Raises NoteMalformed."""
    parts = note.parse(text)
    lines = parts.body.split("\n")
    try:
        origin, size, root, time, end = lines
        head = TreeHead(
            origin, notation.number(size), notation.hash_of(root), notation.instant(time.removeprefix(_TIME))
        )
    except ValueError:
        raise NoteMalformed from None
    if head.body != parts.body or end or NAME.fullmatch(origin) is None or (not head.size and head.root != EMPTY):
        raise NoteMalformed
    return UnverifiedHead(head, parts)


def verify(
    given: UnverifiedHead, logs: Sequence[LogKey], witnesses: Sequence[WitnessKey] = (), needed: int | None = None
) -> TreeHead:
    """The head, if the log and enough witnesses signed it. `needed`: co-signatures, or None for all of `witnesses`.

    Raises OtherLog, NoteSignatureInvalid, HeadUnsigned, WitnessMissing.
    """
    # 1. It is of a log that we know.
    keys = [key for key in logs if key.name == given.head.origin]
    if not keys:
        raise OtherLog(origin=given.head.origin)
    # 2. No known key's signature is wrong, and one of the log's is right.
    signed = note.signers(given.note, [*keys, *witnesses])
    if not signed.intersection(keys):
        raise HeadUnsigned
    # 3. Enough witnesses saw it.
    found, wanted = len({key.name for key in signed.intersection(witnesses)}), _wanted(witnesses, needed)
    if found < wanted:
        raise WitnessMissing(found=found, needed=wanted)
    return given.head


def _wanted(witnesses: Sequence[WitnessKey], needed: int | None) -> int:
    return len({key.name for key in witnesses}) if needed is None else needed
