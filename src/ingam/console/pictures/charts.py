"""Charts as numbers for a template to draw: whole pixels in a view box, the same everywhere; no script, no style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HOURS: Final = 24
WIDTH, HEIGHT = 720, 240
LEFT, TOP, BOTTOM = 54, 14, 44
_STEPS: Final = (1, 2, 4, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of an hour, in pixels."""

    x: int
    y: int
    width: int
    height: int
    series: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars by hour with their lines of equal height. `grid`: (y, number); `labels`: (x, hour)."""

    bars: tuple[Bar, ...]
    grid: tuple[tuple[int, int], ...]
    labels: tuple[tuple[int, int], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def by_hour(series: Sequence[Sequence[int]]) -> Chart:
    """Series of 24 counts side by side."""
    top = ceiling(max((count for one in series for count in one), default=0))
    room, tall = WIDTH - LEFT, HEIGHT - TOP - BOTTOM
    slot = room // HOURS
    thick = (slot - 6) // len(series)
    bars = [
        Bar(LEFT + hour * slot + 3 + number * thick, HEIGHT - BOTTOM - _pixels(count, top, tall), thick - 1,
            _pixels(count, top, tall), number)
        for number, one in enumerate(series)
        for hour, count in enumerate(one)
        if count
    ]  # fmt: skip
    grid = [(HEIGHT - BOTTOM - tall * part // 2, top * part // 2) for part in ((0, 1, 2) if top > 1 else (0, 2))]
    labels = [(LEFT + hour * slot + slot // 2, hour) for hour in range(0, HOURS, 3)]
    return Chart(tuple(bars), tuple(grid), tuple(labels))


def ceiling(most: int) -> int:
    """The round, halvable number that the tallest bar fits below: 2, 4, 10, 20, 40, 50, 100 … (1 where that is all)."""
    if most <= 1:
        return 1
    scale: int = 10 ** (len(str(most)) - 1)
    return next(step * scale for step in _STEPS if most <= step * scale and step * scale % 2 == 0)


@dataclass(frozen=True, slots=True)
class Row:
    """A code with its count and the length of its bar of 100."""

    code: str
    count: int
    length: int


def longest_first(counts: Mapping[str, int], most: int = 12) -> list[Row]:
    """The most frequent codes first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    top = max((count for _, count in ordered), default=1)
    return [Row(code, count, max(1, count * 100 // top)) for code, count in ordered]


def _pixels(count: int, top: int, tall: int) -> int:
    return max(2, count * tall // top)
