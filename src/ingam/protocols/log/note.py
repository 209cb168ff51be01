"""Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature over the text.

    — <name> <base64 of key id ‖ signature>

Signatures of unknown keys are passed over; one of a known key that does not verify refuses the whole note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki.signature import SignatureAlgorithmRefused, SignatureInvalid
from ingam.protocols.log import notation
from ingam.protocols.log.keys import KEY_ID, VerifierKey

MOST_NOTE: Final = 65_536
MOST_SIGNATURES: Final = 16

_LINE: Final = re.compile(r"— ([!-*,-~]{1,255}) ([A-Za-z0-9+/]{8,8192}={0,2})")


class NoteMalformed(Refusal):
    """The text is no signed note, or larger than any of ours."""

    code = "log-head-malformed"


class NoteSignatureInvalid(Refusal):
    """A signature under a configured key is not that key's (facts: name)."""

    code = "log-head-signature"


class NoteSignature(NamedTuple):
    """One signature line. `key_id`: 4 bytes; `value`: as the key's kind has it."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """With its line feed."""
        return f"— {self.name} {notation.base64(self.key_id + self.value)}\n"

    def by(self, key: VerifierKey) -> bool:
        """Whether it says that it is of this key."""
        return (self.name, self.key_id) == (key.name, key.id)


class UnverifiedNote(NamedTuple):
    """A note, taken apart. `body`: the text that is signed, final line feed included."""

    body: str
    signatures: tuple[NoteSignature, ...]

    @property
    def text(self) -> str:
        """The whole note."""
        return f"{self.body}\n{''.join(signature.line for signature in self.signatures)}"


def parse(text: str) -> UnverifiedNote:
    """The parts of a note. Raises NoteMalformed."""
    body, empty, lines = text[: MOST_NOTE + 1].rpartition("\n\n")
    if len(text) > MOST_NOTE or not empty or not body.isascii() or not body.replace("\n", "").isprintable():
        raise NoteMalformed
    return UnverifiedNote(body + "\n", signatures(lines))


def signatures(lines: str) -> tuple[NoteSignature, ...]:
    """Signature lines, at least one, each with its line feed, no key twice. Raises NoteMalformed."""
    if not lines.endswith("\n") or lines.count("\n") > MOST_SIGNATURES:
        raise NoteMalformed
    found = tuple(map(_signature, lines[:-1].split("\n")))
    if len({(one.name, one.key_id) for one in found}) != len(found):
        raise NoteMalformed
    return found


def signers(note: UnverifiedNote, keys: Sequence[VerifierKey]) -> frozenset[VerifierKey]:
    """Those of the keys that signed. Raises NoteSignatureInvalid where one's signature does not verify."""
    found = set()
    for signature in note.signatures:
        for key in keys:
            if signature.by(key):
                _check(key, signature, note.body)
                found.add(key)
    return frozenset(found)


def _check(key: VerifierKey, signature: NoteSignature, body: str) -> None:
    try:
        key.verify(signature.value, body.encode("ascii"))
    except (SignatureInvalid, SignatureAlgorithmRefused):
        raise NoteSignatureInvalid(name=key.name) from None


def _signature(line: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoteMalformed
    try:
        value = notation.octets(match[2])
    except ValueError:
        raise NoteMalformed from None
    if len(value) <= KEY_ID:
        raise NoteMalformed
    return NoteSignature(match[1], value[:KEY_ID], value[KEY_ID:])
