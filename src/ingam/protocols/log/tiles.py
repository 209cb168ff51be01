"""The tree as static files (C2SP tlog-tiles): 256 hashes of one height each, named by row, number and width.

Row 0 holds leaf hashes; row r the roots of complete subtrees of 256^r leaves, each being a full tile of the row below.
The last tile of a row may be narrower and says so in its name: `tile/0/x001/x234/067.p/12`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.protocols.log.tree import HASH

WIDTH: Final = 256
BITS: Final = 8
"""Levels of the tree between one row of tiles and the next."""
HEAD_NAME: Final = "checkpoint"


class Cut(Refusal):
    """A tile that the head speaks of is not there, or not with all its hashes (facts: tile)."""

    code = "log-cut"


class Tile(NamedTuple):
    """`row` from 0, `number` within the row from 0, `width` 1 to 256 hashes."""

    row: int
    number: int
    width: int = WIDTH

    @property
    def name(self) -> str:
        """Its path below the log's folder or address."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *folders, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
        narrow = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.row}/{''.join(f'x{folder}/' for folder in folders)}{last}{narrow}"


def rows(size: int) -> range:
    """The rows that a tree of this size has."""
    return range(-(-size.bit_length() // BITS))


def row_of(size: int, row: int, begin: int = 0) -> Iterator[Tile]:
    """The tiles of a row of a tree of `size` leaves, those that a tree of `begin` leaves has in full left out."""
    hashes = size >> BITS * row
    for number in range(begin >> BITS * (row + 1), hashes // WIDTH):
        yield Tile(row, number)
    if hashes % WIDTH:
        yield Tile(row, hashes // WIDTH, hashes % WIDTH)


def tiles(size: int, begin: int = 0) -> Iterator[Tile]:
    """All tiles of a tree, row by row, those that a tree of `begin` leaves has in full left out."""
    for row in rows(size):
        yield from row_of(size, row, begin)


def hashes(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises Cut."""
    if len(data) != tile.width * HASH:
        raise Cut(tile=tile.name)
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]
