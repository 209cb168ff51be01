"""A QR code (ISO/IEC 18004) of an address, as the path of an SVG and as lines of a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import segno

QUIET: Final = 4  # modules around it (ISO/IEC 18004 section 9.1)


@dataclass(frozen=True, slots=True)
class QrCode:
    """`rows`: dark modules, without the quiet zone around them."""

    rows: tuple[tuple[bool, ...], ...]

    @staticmethod
    def of(text: str) -> QrCode:
        """Of a short text, with error correction M."""
        made = segno.make(text, error="m", micro=False)
        return QrCode(tuple(tuple(bool(module) for module in row) for row in made.matrix))

    @property
    def size(self) -> int:
        """Modules of a side, with the quiet zone."""
        return len(self.rows) + 2 * QUIET

    @property
    def path(self) -> str:
        """An SVG path in a box of `size`: every run of dark modules a rectangle."""
        return "".join(
            f"M{start + QUIET} {y + QUIET}h{end - start}v1h-{end - start}z"
            for y, row in enumerate(self.rows)
            for start, end in _runs(row)
        )

    def lines(self) -> list[str]:
        """For a terminal: two rows of modules in a line of half blocks, in black and white whatever its colours."""
        bare = (False,) * self.size
        side = (False,) * QUIET
        rows = [bare] * QUIET + [(*side, *row, *side) for row in self.rows] + [bare] * (QUIET + len(self.rows) % 2)
        told = zip(rows[::2], rows[1::2], strict=False)
        return ["\x1b[30;47m" + "".join(_HALVES[one] for one in zip(*two, strict=True)) + "\x1b[0m" for two in told]


_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if dark and found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + 1)
        elif dark:
            found.append((at, at + 1))
    return found
