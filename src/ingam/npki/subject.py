"""Names of certificates (X.501 Name, RFC 5280 §4.1.2.4): decoded values, comparison, display and folder names.

Two names are the same when their decoded values are, whatever string type or letter case carries them; raw text is
never compared (npki.md §2.2: `kr` and `KR`, PrintableString and UTF8String stand for the same).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki import der, scan

MAX_NAME: Final = 4096
"""Bytes of a whole Name; real ones stay below 400."""

_CODECS: Final = {
    0x0C: "utf-8",
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # T61String: what the field writes into it is Latin-1 (RFC 5280 §4.1.2.4 forbids new ones)
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

_SHORT: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "E",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}

_SHARED: Final = frozenset({"2.5.4.6", "2.5.4.10", "2.5.4.11"})  # C, O, OU
_THREE_OCTETS: Final = {der.oid(one)[2:]: one for one in _SHORT if one.startswith("2.5.4.")}

# Controls, line separators, changes of direction, and letters that nobody sees (zero width, joiners, byte order marks).
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# What the CA puts behind a person's name: "(english)0020…" of yessign, "-6422061" of SignKorea, "_0000148508".
_SUFFIX: Final = re.compile(r"(?<=.)(?:\(.*|[-_][0-9]+)$", re.DOTALL)
# What some file system refuses, and both path separators: a name never leaves its folder.
_NO_FILE_NAME: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f]')


class NameMalformed(Refusal):
    """The bytes are no Name, or a value is not text of its string type."""

    code = "name-malformed"


class Attribute(NamedTuple):
    """One decoded attribute of a relative distinguished name: dotted type and text."""

    oid: str
    value: str

    @property
    def short(self) -> str:
        """`CN`, `OU` …; the dotted type where there is no short name."""
        return _SHORT.get(self.oid, self.oid)


Rdn = tuple[Attribute, ...]
NameKey = tuple[frozenset[tuple[str, str]], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Name:
    """A distinguished name, root first as encoded. `raw` is the DER of the RDNSequence as received."""

    raw: bytes
    rdns: tuple[Rdn, ...]

    def values(self, short: str) -> tuple[str, ...]:
        """All values of an attribute (`CN`, `OU`, `O`, `C` …), root first."""
        return tuple(one.value for rdn in self.rdns for one in rdn if one.short == short)

    def value(self, short: str) -> str | None:
        """The value nearest the leaf, or None."""
        found = self.values(short)
        return found[-1] if found else None

    @property
    def key(self) -> NameKey:
        """What two same names have in common; a dictionary key."""
        return tuple(frozenset((one.oid, fold(one.value)) for one in rdn) for rdn in self.rdns)

    def __str__(self) -> str:
        return text(self)


def parse(raw: bytes) -> Name:
    """A Name from the DER of its RDNSequence (≤ 4,096 bytes). Raises NameMalformed."""
    if len(raw) > MAX_NAME:
        raise NameMalformed(found="too long")
    try:
        return Name(raw, _rdns(raw, *scan.whole(raw, der.SEQUENCE)))
    except der.NotDer as wrong:
        raise NameMalformed(None, **wrong.facts) from None


@lru_cache(maxsize=256)
def parse_issuer(raw: bytes) -> Name:
    """`parse` for names of authorities, which are few and come with every certificate. Raises NameMalformed."""
    return parse(raw)


def _rdns(data: bytes, at: int, limit: int) -> tuple[Rdn, ...]:
    found: list[Rdn] = []
    while at < limit:
        # Nearly every step is one attribute of a known three-octet type with short lengths:
        # 31 size · 30 size-2 · 06 03 type · string size-9. It is read in place; anything else goes the general way.
        if at + 11 <= limit:
            size = data[at + 1]
            end = at + 2 + size
            oid = _THREE_OCTETS.get(data[at + 6 : at + 9])
            if (
                oid is not None
                and 9 <= size < 0x80
                and end <= limit
                and data[at] == der.SET
                and data[at + 2] == der.SEQUENCE
                and data[at + 3] == size - 2
                and data[at + 4] == der.OID
                and data[at + 5] == 3
                and data[at + 10] == size - 9
            ):
                # Country, CA, branch and firm stand in thousands of names and are read once; a person's name is not.
                one = _shared if oid in _SHARED else _single
                found.append(one(oid, data[at + 9], data[at + 11 : end]))
                at = end
                continue
        tag, body, end = scan.head(data, at, limit)
        found.append(_rdn(data, tag, body, end))
        at = end
    return tuple(found)


def _single(oid: str, tag: int, content: bytes) -> Rdn:
    return (Attribute(oid, decode_string(tag, content)),)


_shared = lru_cache(maxsize=1024)(_single)


def _rdn(data: bytes, tag: int, at: int, limit: int) -> Rdn:
    if tag != der.SET or at == limit:
        raise NameMalformed(expected="a relative distinguished name", found=f"{tag:02x}")
    found: list[Attribute] = []
    while at < limit:
        body, at = scan.inside(data, at, limit, der.SEQUENCE)
        kind, kind_end = scan.inside(data, body, at, der.OID)
        string, start, end = scan.head(data, kind_end, at)
        if end != at:
            raise NameMalformed(expected="type and value", found="more")
        found.append(Attribute(der.decode_oid(data[kind:kind_end]), decode_string(string, data[start:end])))
    return tuple(found)


def decode_string(tag: int, content: bytes) -> str:
    """Text of a string type by its tag. Raises NameMalformed for other types, bad bytes and control characters."""
    codec = _CODECS.get(tag)
    if codec is None:
        raise NameMalformed(expected="a string", found=f"{tag:02x}")
    try:
        value = content.decode(codec)
    except UnicodeDecodeError:
        raise NameMalformed(expected=codec, found="other bytes") from None
    # A NUL, a line break or a change of direction makes a name on a screen another one than in the certificate.
    if not value.isprintable() and _CONTROL.search(value):
        raise NameMalformed(expected="text", found="a control character")
    return value


def fold(value: str) -> str:
    """A value as it is compared: NFKC, case folded, inner spaces single (RFC 4518 §2, as RFC 5280 §7.1 asks)."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def same_name(a: Name, b: Name) -> bool:
    """Whether both name the same entry: the same attributes in the same order, by folded decoded values."""
    return a.raw == b.raw or a.key == b.key


def display_name(name: Name) -> str:
    """The holder as a person reads it: CN without what the CA hung on for uniqueness (npki.md §2.2).

    `홍길동-6422061`, `홍길동(HONG)0020…` and `홍길동_0000148508` give `홍길동`; `(주)코스콤-1` gives `(주)코스콤`.
    """
    common = name.value("CN")
    if common is None:
        return name.rdns[-1][-1].value if name.rdns else ""
    return _SUFFIX.sub("", common, count=1).strip() or common


def folder_name(name: Name) -> str:
    """`cn=홍길동-6422061,ou=HTS,ou=동양,ou=증권,o=SignKorea,c=KR`: the name of an NPKI folder (npki.md §4).

    Leaf first, lower-case attribute names, values as they are, except that what no file system takes becomes `_`.
    """
    pieces = (f"{one.short.lower()}={one.value}" for rdn in reversed(name.rdns) for one in rdn)
    return _NO_FILE_NAME.sub("_", ",".join(pieces))


def text(name: Name) -> str:
    """`CN=홍길동-6422061,OU=HTS,…,C=KR`: leaf first with the escapes of RFC 4514 §2.4."""
    return ",".join("+".join(f"{one.short}={_escape(one.value)}" for one in rdn) for rdn in reversed(name.rdns))


def _escape(value: str) -> str:
    escaped = re.sub(r'([,+"\\<>;])', r"\\\1", value)
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    if escaped.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped
