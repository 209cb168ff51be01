"""An owner's proof that his certificate is in the log, as one text that is checked alone, without a network.

`INGAM-INCLUSION/1` LF `index: `<n> LF `salt: `<hex> LF, `proof: `<base64> LF for each hash, LF, event, LF, signed head
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.protocols.log import event, head, notation
from ingam.protocols.log.commitment import commit
from ingam.protocols.log.event import Event, EventMalformed
from ingam.protocols.log.head import TreeHead, UnverifiedHead
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.protocols.log.note import MOST_NOTE, NoteMalformed
from ingam.protocols.log.proof import MOST_HASHES, verify_inclusion

FIRST_LINE: Final = "INGAM-INCLUSION/1"
MOST_BUNDLE: Final = MOST_NOTE + 8192

_SALT: Final = re.compile(r"[0-9a-f]{64}")


class BundleMalformed(Refusal):
    """The text is no inclusion bundle."""

    code = "log-bundle-malformed"


class UnverifiedBundle(NamedTuple):
    """A bundle, taken apart. `leaf_index`: from 0. `event`: its text, as it was committed to."""

    leaf_index: int
    salt: bytes
    path: tuple[bytes, ...]
    event: bytes
    head: UnverifiedHead

    @property
    def text(self) -> str:
        """The whole bundle."""
        top = f"{FIRST_LINE}\nindex: {self.leaf_index}\nsalt: {self.salt.hex()}\n"
        path = "".join(f"proof: {notation.base64(hash)}\n" for hash in self.path)
        return f"{top}{path}\n{self.event.decode('ascii')}\n{self.head.note.text}"


class Included(NamedTuple):
    """What a bundle proves: the event stands at `leaf_index` (from 0) of the log that `head` tells of."""

    event: Event
    leaf_index: int
    head: TreeHead


def parse(text: str) -> UnverifiedBundle:
    """The parts of a bundle. Raises BundleMalformed."""
    if len(text) > MOST_BUNDLE:
        raise BundleMalformed
    try:
        top, told, note = text.split("\n\n", 2)
        first, index, salt, *path = top.split("\n")
        given = UnverifiedBundle(
            notation.number(index.removeprefix("index: ")), _salt(salt.removeprefix("salt: ")), _path(path),
            f"{told}\n".encode("ascii"), head.parse(note),
        )  # fmt: skip
    except (ValueError, NoteMalformed):
        raise BundleMalformed from None
    if given.text != text or first != FIRST_LINE:
        raise BundleMalformed
    return given


def verify(
    given: UnverifiedBundle, logs: Sequence[LogKey], witnesses: Sequence[WitnessKey] = (), needed: int | None = None
) -> Included:
    """What the bundle proves. Raises as `head.verify` does, BundleMalformed, NotIncluded."""
    # 1. The log signed this head, and witnesses saw it.
    seen = head.verify(given.head, logs, witnesses, needed)
    # 2. The event is one of this log, in its one spelling.
    try:
        happened = event.parse(given.event)
    except EventMalformed:
        raise BundleMalformed from None
    # 3. Its salted commitment stands at this place of that tree.
    verify_inclusion(commit(given.salt, given.event), given.leaf_index, seen.size, given.path, seen.root)
    return Included(happened, given.leaf_index, seen)


def _salt(word: str) -> bytes:
    if _SALT.fullmatch(word) is None:
        raise ValueError("not a salt")
    return bytes.fromhex(word)


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise ValueError("too long")
    return tuple(notation.hash_of(line.removeprefix("proof: ")) for line in lines)
