"""DER, read strictly and written minimally (X.690 §8-10); every element keeps its raw slice.

What is signed or hashed is always the received slice, never something decoded and encoded again (security A3).
Only what NPKI formats need: definite minimal lengths, low tag numbers, no recursion of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ingam.kernel.errors import Refusal

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
T61_STRING: Final = 0x14
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

MOST_OID: Final = 128
"""Content octets of an OBJECT IDENTIFIER; the longest of NPKI has eleven."""


class NotDer(Refusal):
    """The bytes are not the DER that the place asks for."""

    code = "not-der"


@dataclass(frozen=True, slots=True)
class Element:
    """One tag-length-value: `data[start:end]` is the whole, `data[body:end]` the content."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def raw(self) -> bytes:
        """Tag, length and content, as received."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The content octets, as received."""
        return self.data[self.body : self.end]

    def expect(self, tag: int) -> Element:
        """This element, if it has the tag; raises NotDer."""
        if self.tag != tag:
            raise NotDer(expected=f"{tag:02x}", found=f"{self.tag:02x}")
        return self

    def children(self) -> Iterator[Element]:
        """The elements of a constructed value, to the last byte."""
        at = self.body
        while at < self.end:
            child = element(self.data, at, self.end)
            yield child
            at = child.end

    def sequence(self, tag: int = SEQUENCE) -> list[Element]:
        """The children of a SEQUENCE (or another constructed tag); raises NotDer."""
        return list(self.expect(tag).children())

    def exactly(self, count: int, tag: int = SEQUENCE) -> list[Element]:
        """The children, if there are this many; raises NotDer."""
        parts = self.sequence(tag)
        if len(parts) != count:
            raise NotDer(expected=f"{count} parts", found=len(parts))
        return parts

    def at_least(self, count: int, tag: int = SEQUENCE) -> list[Element]:
        """The children, if there are this many or more; raises NotDer."""
        parts = self.sequence(tag)
        if len(parts) < count:
            raise NotDer(expected=f"{count} parts or more", found=len(parts))
        return parts

    def explicit(self, number: int) -> Element:
        """The one element inside `[number] EXPLICIT`."""
        inside = self.sequence(0xA0 | number)
        if len(inside) != 1:
            raise NotDer(expected="one element", found=len(inside))
        return inside[0]

    def integer(self) -> int:
        """A minimally encoded INTEGER."""
        content = self.expect(INTEGER).content
        if not content or (len(content) > 1 and (content[0] == 0) == (content[1] < 0x80) and content[0] in (0, 0xFF)):
            raise NotDer(expected="minimal integer", found=content[:4].hex())
        return int.from_bytes(content, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER in dotted form."""
        return decode_oid(self.expect(OID).content)

    def bits(self) -> bytes:
        """A BIT STRING without unused bits."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] != 0:
            raise NotDer(expected="whole octets", found=content[:1].hex())
        return content[1:]


def element(data: bytes, at: int = 0, limit: int | None = None) -> Element:
    """The element at an offset; its end may not pass `limit`. Raises NotDer."""
    end = len(data) if limit is None else limit
    if at + 2 > end:
        raise NotDer(expected="an element", found="the end")
    tag, length, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise NotDer(expected="a low tag number", found=f"{tag:02x}")
    if length >= 0x80:
        count = length & 0x7F
        if count == 0 or count > 4 or body + count > end:
            raise NotDer(expected="a definite length", found=f"{length:02x}")
        length = int.from_bytes(data[body : body + count], "big")
        if length < 0x80 or length >> (8 * (count - 1)) == 0:
            raise NotDer(expected="a minimal length", found=length)
        body += count
    if body + length > end:
        raise NotDer(expected="the whole element", found=end - body)
    return Element(data, tag, at, body, body + length)


def whole(data: bytes) -> Element:
    """The one element that is all of `data`, to the last byte. Raises NotDer."""
    found = element(data)
    if found.end != len(data):
        raise NotDer(expected="nothing behind", found=len(data) - found.end)
    return found


@lru_cache(maxsize=512)
def decode_oid(content: bytes) -> str:
    """Dotted form of the content octets of an OBJECT IDENTIFIER (X.690 §8.19)."""
    # An arc of kilobytes costs quadratic time, and Python refuses to print a number of 4,300 digits.
    if len(content) > MOST_OID:
        raise NotDer(expected="a short identifier", found=len(content))
    arcs: list[int] = []
    value, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:
            raise NotDer(expected="a minimal arc", found="80")
        value, fresh = value << 7 | octet & 0x7F, False
        if octet < 0x80:
            arcs.append(value)
            value, fresh = 0, True
    if not fresh or not arcs:
        raise NotDer(expected="a whole arc", found=content[-1:].hex())
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """The whole encoding of a dotted OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in [40 * first + second, *rest]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return tlv(OID, bytes(out))


def tlv(tag: int, content: bytes) -> bytes:
    """One element with the shortest definite length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def seq(*parts: bytes) -> bytes:
    """SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """SET OF in DER order (X.690 §11.6)."""
    return tlv(SET, b"".join(sorted(parts)))


def explicit(number: int, inner: bytes) -> bytes:
    """`[number] EXPLICIT`."""
    return tlv(0xA0 | number, inner)


def integer(value: int) -> bytes:
    """INTEGER, minimal two's complement."""
    return tlv(INTEGER, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\0" + content)


null: Final = b"\x05\x00"


def algorithm(dotted: str, parameters: bytes = null) -> bytes:
    """AlgorithmIdentifier; pass b"" for absent parameters."""
    return seq(oid(dotted), parameters)
