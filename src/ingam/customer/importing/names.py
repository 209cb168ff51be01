"""Distinguished names as databases keep them: `cn=홍길동()0001,ou=RA,o=yessign,c=kr`, leaf or root first (RFC 4514)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki.subject import MAX_NAME, Attribute, Name, Rdn

_TYPES: Final = {
    "cn": "2.5.4.3", "serialnumber": "2.5.4.5", "c": "2.5.4.6", "l": "2.5.4.7", "st": "2.5.4.8", "s": "2.5.4.8",
    "street": "2.5.4.9", "o": "2.5.4.10", "ou": "2.5.4.11", "e": "1.2.840.113549.1.9.1",
    "emailaddress": "1.2.840.113549.1.9.1", "uid": "0.9.2342.19200300.100.1.1", "dc": "0.9.2342.19200300.100.1.25",
}  # fmt: skip
_DOTTED: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_COUNTRY: Final = _TYPES["c"]
_ESCAPED: Final = re.compile(r"\\(.)")
_PIECE: Final = re.compile(r"((?:[^\\,+;]|\\.)*)([,+;]|$)", re.DOTALL)


class NameTextMalformed(Refusal):
    """The text is no distinguished name."""

    code = "import-name-text"


@lru_cache(maxsize=256)
def parse_issuer(text: str) -> Name:
    """`parse` for authorities, which are few. Raises NameTextMalformed."""
    return parse(text)


def parse(text: str) -> Name:
    """The name, root first whichever end the country stands at; `raw` is empty. Raises NameTextMalformed."""
    if not text or len(text) > MAX_NAME:
        raise NameTextMalformed
    rdns: list[Rdn] = []
    rdn: list[Attribute] = []
    for piece, end in _pieces(text):
        rdn.append(_attribute(piece))
        if end != "+":
            rdns.append(tuple(rdn))
            rdn = []
    if rdn:
        raise NameTextMalformed
    root_first = rdns[0][0].oid == _COUNTRY and rdns[-1][0].oid != _COUNTRY
    return Name(b"", tuple(rdns if root_first else reversed(rdns)))


def _pieces(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while True:
        match = _PIECE.match(text, at)
        if match is None:
            raise NameTextMalformed
        found.append((match[1], match[2]))
        at = match.end()
        if not match[2]:
            return found


def _attribute(piece: str) -> Attribute:
    kind, equals, value = piece.partition("=")
    kind, value = kind.strip().lower(), value.strip()
    oid = _TYPES.get(kind) or (kind if _DOTTED.fullmatch(kind) else None)
    if not equals or not value or oid is None or not value.isprintable():
        raise NameTextMalformed
    return Attribute(oid, _ESCAPED.sub(r"\1", value) if "\\" in value else value)
