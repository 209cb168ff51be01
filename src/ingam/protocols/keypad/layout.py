"""Where the keys lie: digits in a random order among blanks; letters and symbols in their order, moved by blanks.

The same bytes give the same layout here and in `browser/src/pure/keypad/layout.ts` (vectors/keypad). A key's id is two
random bytes, distinct within a layout; nothing of it says which character it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

DIGITS: Final = "0123456789"
LETTERS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SYMBOLS: Final = ("!\"#$%&'(", ")*+,-./:", ";<=>?@[\\]", "^_`{|}~")
WIDTHS: Final = (11, 11, 11, 8)
"""Cells of the four rows of a page for text; the last row leaves room for the shift key and the one that erases."""


class Kind(StrEnum):
    """What a field takes."""

    DIGITS = "digits"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `id`: 4 lower hex; `glyph`: the one character it stands for."""

    id: str
    glyph: str


Rows: TypeAlias = tuple[tuple[Key | None, ...], ...]
"""Cells from left to right, rows from top to bottom; None is a blank."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The pages of a keypad by name: `digits`, or `lower`, `upper`, `symbols`; `space`: the key of text, if any."""

    kind: Kind
    pages: Mapping[str, Rows]
    space: Key | None

    def glyphs(self) -> dict[str, str]:
        """What every id stands for."""
        keys = [key for rows in self.pages.values() for row in rows for key in row if key is not None]
        return {key.id: key.glyph for key in (*keys, *([self.space] if self.space else []))}


def layout(kind: Kind, random: Callable[[int], bytes]) -> Layout:
    """A layout drawn from `random(n) -> n bytes`, byte by byte, uniformly (no remainder favours a cell)."""
    draw = _Draw(random)
    return _digits(draw) if kind is Kind.DIGITS else _text(draw)


def _digits(draw: _Draw) -> Layout:
    """Four rows of three: ten digits and two blanks."""
    cells = draw.shuffled([*DIGITS, None, None])
    keys = draw.keys(cells)
    return Layout(Kind.DIGITS, {"digits": tuple(keys[at : at + 3] for at in range(0, 12, 3))}, None)


def _text(draw: _Draw) -> Layout:
    """Digits stand above both pages of letters, and shift moves no key; symbols have a page of their own."""
    digits = draw.keys(draw.shuffled([*DIGITS, None]))
    letters = [draw.spread(row, width) for row, width in zip(LETTERS, WIDTHS[1:], strict=True)]
    lower = tuple(draw.keys(row) for row in letters)
    upper = tuple(draw.keys([None if one is None else one.upper() for one in row]) for row in letters)
    symbols = tuple(draw.keys(draw.spread(row, width)) for row, width in zip(SYMBOLS, WIDTHS, strict=True))
    (space,) = draw.keys([" "])
    return Layout(Kind.TEXT, {"lower": (digits, *lower), "upper": (digits, *upper), "symbols": symbols}, space)


class _Draw:
    """Uniform choices out of random bytes."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._given: set[str] = set()

    def _below(self, most: int) -> int:
        """A number below `most` (≤ 256): bytes that would favour the first ones are thrown away."""
        while True:
            byte = self._random(1)[0]
            if byte < 256 - 256 % most:
                return byte % most

    def shuffled(self, items: Sequence[str | None]) -> list[str | None]:
        """Fisher and Yates, from the end."""
        found = list(items)
        for last in range(len(found) - 1, 0, -1):
            other = self._below(last + 1)
            found[last], found[other] = found[other], found[last]
        return found

    def spread(self, row: str, width: int) -> list[str | None]:
        """The characters in their order, with blanks at random places among them."""
        places = self.shuffled([*row, *[None] * (width - len(row))])
        letters = iter(row)
        return [None if one is None else next(letters) for one in places]

    def keys(self, cells: Sequence[str | None]) -> tuple[Key | None, ...]:
        """An id for every character."""
        return tuple(None if glyph is None else Key(self._id(), glyph) for glyph in cells)

    def _id(self) -> str:
        while True:
            found = self._random(2).hex()
            if found not in self._given:
                self._given.add(found)
                return found
