"""The first bytes of a picture: what it is and how many pixels it claims, before anything decodes it (security F11).

JPEG, PNG and WebP only, by their own marks; a file's name and its stated type count for nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""SOF markers: they hold the size."""

_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""

_MOST_SEGMENTS: Final = 2_000
_MOST_FILL: Final = 64


class Format(Enum):
    """What is decoded."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class Header(NamedTuple):
    """Pixels as the file claims them."""

    format: Format
    wide: int
    high: int


def header(image: bytes) -> Header | None:
    """The format and size of a picture; None for anything else, for broken ones and for moving ones. Never raises."""
    if image.startswith(_PNG):
        return _png(image)
    if image.startswith(_JPEG):
        return _jpeg(image)
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return _webp(image)
    return None


def _sized(format: Format, wide: int, high: int) -> Header | None:
    return Header(format, wide, high) if wide > 0 and high > 0 else None


def _png(image: bytes) -> Header | None:
    if len(image) < 33 or image[8:16] != b"\x00\x00\x00\x0dIHDR":
        return None
    return _sized(Format.PNG, int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big"))


def _jpeg(image: bytes) -> Header | None:
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marked = image[at : at + _MOST_FILL]
        bare = marked.lstrip(b"\xff")  # the mark, and fill bytes before the marker
        if not bare or len(bare) == len(marked):
            return None
        at += len(marked) - len(bare)
        marker, at = image[at], at + 1
        if marker in _BARE:
            continue
        length = int.from_bytes(image[at : at + 2], "big")
        if length < 2 or at + length > len(image) or marker in (0xD9, 0xDA):
            return None
        if marker in _FRAMES:
            if length < 8:
                return None
            high, wide = (int.from_bytes(image[at + skip : at + skip + 2], "big") for skip in (3, 5))
            return _sized(Format.JPEG, wide, high)
        at += length
    return None


def _webp(image: bytes) -> Header | None:
    chunk = image[12:16]
    if len(image) < 30:
        return None
    if chunk == b"VP8X":
        if image[20] & 0x02:  # moving
            return None
        sides = (int.from_bytes(image[at : at + 3], "little") + 1 for at in (24, 27))
        return _sized(Format.WEBP, *sides)
    if chunk == b"VP8 " and image[23:26] == b"\x9d\x01\x2a":
        sides = (int.from_bytes(image[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return _sized(Format.WEBP, *sides)
    if chunk == b"VP8L" and image[20] == 0x2F:
        bits = int.from_bytes(image[21:25], "little")
        return _sized(Format.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return None
