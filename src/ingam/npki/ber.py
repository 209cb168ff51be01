"""BER made DER, for .pfx files of other programs: some write indefinite lengths and octet strings in pieces.

Nothing that is signed or hashed may pass through here; what lies inside an octet string comes out as it was.
"""

from __future__ import annotations

from typing import Final

from ingam.npki import der
from ingam.npki.der import NotDer

MOST_DEPTH: Final = 16
_CONSTRUCTED: Final = 0x20
_PIECES: Final = der.OCTET_STRING | _CONSTRUCTED


def to_der(data: bytes) -> bytes:
    """The same value with definite minimal lengths and whole octet strings (X.690 sections 8.1.3 and 8.7).

    `data` is one element to its last byte, nested at most MOST_DEPTH deep. Raises NotDer.
    """
    out, end = _element(data, 0, len(data), MOST_DEPTH)
    if end != len(data):
        raise NotDer(expected="nothing behind", found=len(data) - end)
    return out


def _element(data: bytes, at: int, limit: int, depth: int) -> tuple[bytes, int]:
    """The element at an offset, rewritten, and where it ends."""
    if depth == 0:
        raise NotDer(expected="less nesting")
    tag, body, end = _head(data, at, limit)
    if not tag & _CONSTRUCTED:
        if end is None:
            raise NotDer(expected="a definite length", found=f"{tag:02x}")
        return der.tlv(tag, data[body:end]), end
    parts, end = _children(data, body, limit if end is None else end, end is None, depth)
    if tag == _PIECES:
        return der.octets(b"".join(der.whole(part).expect(der.OCTET_STRING).content for part in parts)), end
    return der.tlv(tag, b"".join(parts)), end


def _children(data: bytes, at: int, limit: int, indefinite: bool, depth: int) -> tuple[list[bytes], int]:
    parts: list[bytes] = []
    while at < limit:
        if indefinite and data[at : at + 2] == b"\0\0":
            return parts, at + 2
        part, at = _element(data, at, limit, depth - 1)
        parts.append(part)
    if indefinite:
        raise NotDer(expected="an end of contents", found="the end")
    return parts, at


def _head(data: bytes, at: int, limit: int) -> tuple[int, int, int | None]:
    """Tag, offset of the content, and its end; None where the length is indefinite."""
    if at + 2 > limit:
        raise NotDer(expected="an element", found="the end")
    tag, first, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise NotDer(expected="a low tag number", found=f"{tag:02x}")
    if first == 0x80:
        return tag, body, None
    length = first
    if first > 0x80:
        count = first & 0x7F
        if count > 4 or body + count > limit:
            raise NotDer(expected="a length of four octets", found=count)
        length, body = int.from_bytes(data[body : body + count], "big"), body + count
    if body + length > limit:
        raise NotDer(expected="the whole element", found=limit - body)
    return tag, body, body + length
