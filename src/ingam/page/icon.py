"""The icon of the installed web app: the seal 印, drawn as a PNG (W3C PNG, palette of 256) of any size.

Every form is a convex polygon on a grid of 16, in one of two colours: a pixel is how much paper it shows, and the
palette runs from the seal's red to the paper. Lines that look the same are drawn once.
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
PAPER, SEAL = 255, 0  # indices of the palette
RED: Final = (200, 55, 45)
Span = tuple[float, float, int]


@dataclass(frozen=True, slots=True)
class Form:
    """A filled convex polygon on the grid."""

    corners: tuple[tuple[float, float], ...]
    colour: int

    def span(self, y: float) -> Span | None:
        """What it covers of the line at `y`."""
        sides = zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True)
        met = [x + (y - top) * (to - x) / (low - top) for (x, top), (to, low) in sides if (top <= y) != (low <= y)]
        return (min(met), max(met), self.colour) if met else None


def _square(edge: float, radius: float, colour: int) -> Form:
    """Around the middle, `edge` from each side, with round corners."""
    quarters = ((0, GRID - edge - radius, edge + radius), (1, edge + radius, edge + radius),
                (2, edge + radius, GRID - edge - radius), (3, GRID - edge - radius, GRID - edge - radius))  # fmt: skip
    turns = [(quarter * 90 + degree, x, y) for quarter, x, y in quarters for degree in range(0, 91, 5)]
    corners = [
        (x + radius * math.cos(math.radians(turn)), y - radius * math.sin(math.radians(turn))) for turn, x, y in turns
    ]
    return Form(tuple(corners), colour)


# 印: at the left a hand with its falling and its rising stroke, at the right a person who kneels.
MARK: Final = tuple(
    Form(corners, PAPER)
    for corners in (
        ((7.3, 3.1), (7.9, 4.2), (4.9, 5.6), (3.6, 5.6), (3.6, 4.6)),
        ((3.6, 4.9), (4.9, 4.9), (4.9, 11.9), (3.6, 12.4)),
        ((4.8, 7.0), (7.7, 7.0), (7.7, 8.2), (4.8, 8.2)),
        ((3.6, 11.1), (8.0, 9.7), (8.2, 10.9), (3.6, 12.5)),
        ((8.9, 4.0), (10.2, 4.0), (10.2, 13.2), (8.9, 13.2)),
        ((8.9, 4.0), (12.9, 4.0), (12.9, 5.2), (8.9, 5.2)),
        ((11.6, 4.0), (12.9, 4.0), (12.9, 9.0), (11.6, 9.0)),
        ((11.6, 8.3), (12.9, 8.3), (12.9, 9.4), (12.2, 10.2), (11.2, 10.2), (10.7, 9.1), (11.4, 9.1)),
    )
)
# Any other mark of an institution: a plain seal, a ring on the field.
RING: Final = (_square(4, 3.9, PAPER), _square(5.4, 2.5, SEAL))


@cache
def icon(size: int, mark: str = "印", *, maskable: bool = False) -> bytes:
    """A PNG of `size` × `size`. `maskable`: filled to the edges, the mark within the inner 80 % (W3C manifest)."""
    drawn = MARK if mark == "印" else RING
    forms = (_square(0, 0, SEAL), *map(_smaller, drawn)) if maskable else (_square(0.75, 3.2, SEAL), *drawn)
    rows = b"".join(b"\0" + _row(size, _lines(forms, size, y)) for y in range(size))
    palette = bytes(round(red + (255 - red) * step / 255) for step in range(256) for red in RED)
    head = struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _smaller(form: Form) -> Form:
    """Towards the middle, for the safe zone of a mask."""
    middle = GRID / 2
    return Form(tuple((middle + (x - middle) * 0.8, middle + (y - middle) * 0.8) for x, y in form.corners), form.colour)


def _lines(forms: tuple[Form, ...], size: int, y: int) -> tuple[tuple[Span, ...], ...]:
    """What covers each of the lines that a row of pixels is made of, from the back to the front."""
    lines = ((y + (part + 0.5) / SUBROWS) * GRID / size for part in range(SUBROWS))
    return tuple(tuple(span for form in forms if (span := form.span(line))) for line in lines)


@cache
def _row(size: int, lines: tuple[tuple[Span, ...], ...]) -> bytes:
    whole = [_line(size, spans) for spans in lines]
    return bytes(round(sum(values) / SUBROWS) for values in zip(*whole, strict=True))


@cache
def _line(size: int, spans: tuple[Span, ...]) -> tuple[float, ...]:
    """One line of palette indices before rounding: whole pixels at once, the two at its ends by what is covered."""
    line = [float(PAPER)] * size
    for left, right, colour in spans:
        start, end = left * size / GRID, right * size / GRID
        first, last = math.ceil(start), math.floor(end)
        line[first:last] = [float(colour)] * (last - first)
        for x, covered in ((first - 1, first - start), (last, end - last)):
            if covered > 0 and first <= last:
                line[x] += (colour - line[x]) * covered
    return tuple(line)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
