"""DER heads read without making objects: the login path's fast twin of `der.element`, just as strict.

`der.Element` is the comfortable form; a certificate and a signed message have about a hundred elements, and one frozen
object for each costs more than the two RSA verifications that they are read for. Tests hold both to the same refusals.
"""

from __future__ import annotations

from ingam.npki.der import INTEGER, NotDer

Part = tuple[int, int, int, int]
"""One element: its tag, where it starts, where its content starts, where it ends. A bare tuple: made by the dozen."""


def head(data: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """Tag, start of the content and end of the element at `at`, which may not pass `limit`. Raises NotDer."""
    if at + 2 > limit:
        raise NotDer(expected="an element", found="the end")
    tag, length, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise NotDer(expected="a low tag number", found=f"{tag:02x}")
    if length >= 0x80:
        body, length = _long(data, body, length & 0x7F, limit)
    end = body + length
    if end > limit:
        raise NotDer(expected="the whole element", found=limit - body)
    return tag, body, end


def _long(data: bytes, at: int, count: int, limit: int) -> tuple[int, int]:
    if count == 0 or count > 4 or at + count > limit:
        raise NotDer(expected="a definite length", found=count)
    length = int.from_bytes(data[at : at + count], "big")
    if length < 0x80 or length >> (8 * (count - 1)) == 0:
        raise NotDer(expected="a minimal length", found=length)
    return at + count, length


def inside(data: bytes, at: int, limit: int, tag: int) -> tuple[int, int]:
    """Start and end of the content of the element at `at`, which must have the tag. Raises NotDer."""
    body = at + 2
    if body > limit:
        raise NotDer(expected="an element", found="the end")
    if data[at] != tag:
        raise NotDer(expected=f"{tag:02x}", found=f"{data[at]:02x}")
    length = data[at + 1]
    if length >= 0x80:
        # The usual long forms, read in place; everything else, and everything wrong, goes the general way.
        if length == 0x82 and body + 2 <= limit and data[body]:
            length = data[body] << 8 | data[body + 1]
            body += 2
        elif length == 0x81 and body < limit and data[body] >= 0x80:
            length = data[body]
            body += 1
        else:
            body, length = _long(data, body, length & 0x7F, limit)
    end = body + length
    if end > limit:
        raise NotDer(expected="the whole element", found=limit - body)
    return body, end


def whole(data: bytes, tag: int) -> tuple[int, int]:
    """Content of the one element that is all of `data`. Raises NotDer where anything stands behind it."""
    body, end = inside(data, 0, len(data), tag)
    if end != len(data):
        raise NotDer(expected="nothing behind", found=len(data) - end)
    return body, end


def parts(data: bytes, at: int, limit: int) -> list[Part]:
    """The elements from `at` to exactly `limit`. Raises NotDer."""
    found = []
    while at < limit:
        tag, body, end = head(data, at, limit)
        found.append((tag, at, body, end))
        at = end
    return found


def sequence(value: bytes, tag: int = 0x30) -> list[Part]:
    """The elements of the SEQUENCE (or of another constructed tag) that is all of `value`. Raises NotDer."""
    return parts(value, *whole(value, tag))


def integer(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """A minimally encoded INTEGER and the end of its element. Raises NotDer."""
    body, end = inside(data, at, limit, INTEGER)
    if body == end:
        raise NotDer(expected="an integer", found="nothing")
    first = data[body]
    if end - body > 1 and ((first == 0 and data[body + 1] < 0x80) or (first == 0xFF and data[body + 1] >= 0x80)):
        raise NotDer(expected="minimal integer", found=f"{first:02x}")
    return int.from_bytes(data[body:end], "big", signed=True), end
