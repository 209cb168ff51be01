"""The icon of the installed web app: the seal 印, drawn as a PNG (W3C PNG, 8-bit RGB) of any size.

Every form is a rectangle with round corners on a grid of 16; rows that look the same are drawn once.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Final

GRID: Final = 16
SUBROWS: Final = 4
PAPER: Final = (255, 255, 255)
SEAL: Final = (200, 55, 45)
Colour = tuple[int, int, int]
Span = tuple[float, float, Colour]


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle on the grid, from (left, top) to (right, bottom)."""

    left: float
    top: float
    right: float
    bottom: float
    radius: float
    colour: Colour

    def span(self, y: float) -> Span | None:
        """What it covers of the line at `y`."""
        if not self.top <= y <= self.bottom:
            return None
        into = max(self.top + self.radius - y, y - (self.bottom - self.radius), 0.0)
        cut = self.radius - math.sqrt(max(self.radius**2 - into**2, 0.0))
        return (self.left + cut, self.right - cut, self.colour)


def _strokes(*boxes: tuple[float, float, float, float]) -> tuple[Box, ...]:
    return tuple(Box(*box, 0.3, PAPER) for box in boxes)


# 印: at the left a hand, three strokes on a stem; at the right a person who kneels.
MARK: Final = _strokes(
    (3.5, 4.0, 4.7, 11.8), (3.5, 4.0, 7.6, 5.2), (3.5, 7.3, 7.6, 8.5), (3.5, 10.6, 7.6, 11.8),
    (8.8, 4.0, 10.0, 12.6), (8.8, 4.0, 12.7, 5.2), (11.5, 4.0, 12.7, 9.4), (10.6, 8.2, 12.7, 9.4),
)  # fmt: skip
# Any other mark of an institution: a plain seal, a ring on the field.
RING: Final = (Box(4, 4, 12, 12, 4, PAPER), Box(5.4, 5.4, 10.6, 10.6, 2.6, SEAL))


@cache
def icon(size: int, mark: str = "印", *, maskable: bool = False) -> bytes:
    """A PNG of `size` × `size`. `maskable`: filled to the edges, the mark within the inner 80 % (W3C manifest)."""
    drawn = MARK if mark == "印" else RING
    if maskable:
        boxes = (Box(0, 0, GRID, GRID, 0, SEAL), *(_smaller(box) for box in drawn))
    else:
        boxes = (Box(0, 0, GRID, GRID, 0, PAPER), Box(0.75, 0.75, 15.25, 15.25, 3.2, SEAL), *drawn)
    rows = b"".join(b"\0" + _row(size, _lines(boxes, size, y)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _smaller(box: Box) -> Box:
    """Towards the middle, for the safe zone of a mask."""
    left, top, right, bottom = (GRID / 2 + (at - GRID / 2) * 0.8 for at in (box.left, box.top, box.right, box.bottom))
    return Box(left, top, right, bottom, box.radius * 0.8, box.colour)


def _lines(boxes: tuple[Box, ...], size: int, y: int) -> tuple[tuple[Span, ...], ...]:
    """What covers each of the lines that a row of pixels is made of, from the back to the front."""
    lines = ((y + (part + 0.5) / SUBROWS) * GRID / size for part in range(SUBROWS))
    return tuple(tuple(span for box in boxes if (span := box.span(line))) for line in lines)


@cache
def _row(size: int, lines: tuple[tuple[Span, ...], ...]) -> bytes:
    whole = [_line(size, spans) for spans in lines]
    return bytes(round(sum(values) / len(whole)) for values in zip(*whole, strict=True))


@cache
def _line(size: int, spans: tuple[Span, ...]) -> tuple[float, ...]:
    """One line of red, green, blue … from 0 to 255, before rounding."""
    line = [255.0] * (3 * size)
    for left, right, colour in spans:
        start, end = left * size / GRID, right * size / GRID
        for x in range(max(0, math.floor(start)), min(size, math.ceil(end))):
            covered = min(end, x + 1) - max(start, x)
            for part, value in enumerate(colour):
                line[3 * x + part] += (value - line[3 * x + part]) * covered
    return tuple(line)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
