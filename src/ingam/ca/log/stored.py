"""The tree in the books: leaf hashes, and kept roots of subtrees of 2^8, 2^16, 2^24 … leaves, read a tile at a time.

Any node of the tree is a fold of a part of one tile of 256 hashes, so a proof in a log of ten million leaves reads five
tiles: 1,280 hashes or fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ingam.kernel.errors import Defect
from ingam.ports.books import Nodes
from ingam.protocols.log import proof, tree
from ingam.protocols.log.tiles import BITS, WIDTH, Tile, rows
from ingam.protocols.log.tree import fold

_TILES = 64
"""Tiles in memory: half a megabyte."""
_AT_ONCE = 64
"""Tiles of one question to the books."""


class BooksCut(Defect):
    """The books have fewer leaves than a head that was signed (facts: size, kept). No head is signed any more."""

    code = "log-books-cut"


class BooksChanged(Defect):
    """The leaves in the books are not those of a head that was signed (facts: kept). No head is signed any more."""

    code = "log-books-changed"


class TreeIncomplete(Defect):
    """The books do not have all leaves or subtrees of a head that was signed (facts: row, first)."""

    code = "log-books-incomplete"


class StoredTree:
    """The first `size` leaves in the books, whose subtrees are kept."""

    def __init__(self, leaves: Nodes, size: int) -> None:
        self.size = size
        self._leaves = leaves
        self._tile = lru_cache(maxsize=_TILES)(self._read)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, or of all."""
        return tree.root(self.node, self.size if size is None else size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof for a leaf in the tree of the first `size`."""
        return proof.inclusion(self.node, index, size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the first `size` leaves begin with the first `old`."""
        return proof.consistency(self.node, old, size)

    def node(self, level: int, place: int) -> bytes:
        """`protocols.log.tree.Node`. Raises TreeIncomplete."""
        row, height = divmod(level, BITS)
        number, within = divmod(place << height, WIDTH)
        return fold(self._tile(row, number)[within : within + (1 << height)])

    def hashes(self, tile: Tile) -> Sequence[bytes]:
        """The hashes of a tile, as wide as its name says."""
        return self._tile(tile.row, tile.number)[: tile.width]

    def _read(self, row: int, number: int) -> Sequence[bytes]:
        first = number * WIDTH
        return kept(self._leaves, row, first, min(first + WIDTH, self.size >> BITS * row))


def kept(leaves: Nodes, row: int, first: int, last: int) -> list[bytes]:
    """Hashes [first, last) of a row. Raises TreeIncomplete."""
    found = leaves.nodes(BITS * row, first, last) if row else leaves.hashes(first, last)
    if len(found) != last - first:
        raise TreeIncomplete(row=row, first=first)
    return found


def keep(leaves: Nodes, begin: int, size: int) -> None:
    """Keep the subtrees that `size` leaves complete and the first `begin` did not; twice is as good as once."""
    for row in rows(size)[1:]:
        for first, roots in _completed(leaves, row, begin >> BITS * row, size >> BITS * row):
            leaves.keep_nodes(BITS * row, first, roots)


def _completed(leaves: Nodes, row: int, first: int, last: int) -> Iterator[tuple[int, list[bytes]]]:
    for at in range(first, last, _AT_ONCE):
        end = min(at + _AT_ONCE, last)
        below = kept(leaves, row - 1, at * WIDTH, end * WIDTH)
        yield at, [fold(below[n : n + WIDTH]) for n in range(0, len(below), WIDTH)]
