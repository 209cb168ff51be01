"""What a log asks of a witness (C2SP tlog-witness, add-checkpoint): its last size, a consistency proof, the new head.

`old `<size> LF, then <base64 hash> LF for each of the proof, LF, then the signed note
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.protocols.log import head, notation
from ingam.protocols.log.head import UnverifiedHead
from ingam.protocols.log.note import MOST_NOTE
from ingam.protocols.log.proof import MOST_HASHES

MOST_REQUEST: Final = MOST_NOTE + 4096
_OLD: Final = "old "


class RequestMalformed(Refusal):
    """The text is no request to a witness."""

    code = "log-request-malformed"


class CosignRequest(NamedTuple):
    """`old`: the size that the witness saw last; `path`: consistency proof from there; `head`: to be co-signed."""

    old: int
    path: tuple[bytes, ...]
    head: UnverifiedHead


def text(old: int, path: Sequence[bytes], note: str) -> str:
    """The request's text."""
    return f"{_OLD}{old}\n{''.join(notation.base64(hash) + chr(10) for hash in path)}\n{note}"


def parse(request: str) -> CosignRequest:
    """The parts of a request. Raises RequestMalformed, NoteMalformed."""
    top, empty, note = request[: MOST_REQUEST + 1].partition("\n\n")
    first, *hashes = top.split("\n")
    if len(request) > MOST_REQUEST or not empty or not first.startswith(_OLD) or len(hashes) > MOST_HASHES:
        raise RequestMalformed
    try:
        old, path = notation.number(first.removeprefix(_OLD)), tuple(map(notation.hash_of, hashes))
    except ValueError:
        raise RequestMalformed from None
    return CosignRequest(old, path, head.parse(note))
