"""Following a published log from its files alone: every leaf hash, every row, the root, and what was kept of before.

Works over any way of reading: a folder, an address. Each finding has an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ingam.kernel.errors import Refusal
from ingam.protocols.log import tiles
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.proof import Inconsistent
from ingam.protocols.log.tiles import BITS, WIDTH, Cut, Tile
from ingam.protocols.log.tree import Frontier, fold

Read: TypeAlias = Callable[[str], bytes | None]
"""The bytes of a name below the log's folder, or None where there are none."""


class LeavesChanged(Refusal):
    """Hashes are not those that were signed (facts: tile, or `-` where only the root tells)."""

    code = "log-leaves-changed"


class Shrunk(Refusal):
    """The head is of a smaller tree than one that was signed before (facts: size, kept)."""

    code = "log-shrunk"


def compare(head: TreeHead, kept: TreeHead) -> None:
    """What two heads say of each other without any leaf. Raises Shrunk, Inconsistent."""
    if head.size < kept.size:
        raise Shrunk(size=head.size, kept=kept.size)
    if head.size == kept.size and head.root != kept.root:
        raise Inconsistent


def follow(read: Read, head: TreeHead, kept: TreeHead | None = None) -> None:
    """Whether the tiles are the tree of `head`, and the tree of `kept` its beginning.

    Raises Shrunk, Inconsistent, Cut, LeavesChanged.
    """
    # 1. The log did not become smaller, and one size has one root.
    if kept is not None:
        compare(head, kept)
    # 2. Every tile is there with all its hashes, and is what the row above says.
    edge, before, subtrees = _leaves(read, head.size, 0 if kept is None else kept.size)
    _check_rows(read, head.size, subtrees)
    # 3. The leaves are those that the head signs.
    if edge.root() != head.root:
        raise LeavesChanged(tile="-")
    # 4. The beginning is what it was.
    if kept is not None and before.root() != kept.root:
        raise Inconsistent


def _leaves(read: Read, size: int, kept: int) -> tuple[Frontier, Frontier, list[bytes]]:
    """The edge of all leaves, of the first `kept`, and the roots of the full tiles."""
    edge, before, subtrees = Frontier(), Frontier(), []
    for tile, hashes in _row(read, size, 0):
        inside = kept - tile.number * WIDTH
        if tile.width == WIDTH:
            subtrees.append(fold(hashes))
            edge.append(subtrees[-1], BITS)
        else:
            edge.extend(hashes)
        if inside >= WIDTH:
            before.append(subtrees[-1], BITS)
        elif inside > 0:
            before.extend(hashes[:inside])
    return edge, before, subtrees


def _check_rows(read: Read, size: int, roots: list[bytes]) -> None:
    """`roots`: of the full tiles of row 0."""
    for row in tiles.rows(size)[1:]:
        above: list[bytes] = []
        for tile, hashes in _row(read, size, row):
            _compare_tile(tile, hashes, roots)
            if tile.width == WIDTH:
                above.append(fold(hashes))
        roots = above


def _compare_tile(tile: Tile, hashes: list[bytes], roots: list[bytes]) -> None:
    """`roots`: of all full tiles of the row below."""
    first = tile.number * WIDTH
    for number, published in enumerate(hashes, first):
        if published != roots[number]:
            raise LeavesChanged(tile=Tile(tile.row - 1, number).name)


def _row(read: Read, size: int, row: int) -> Iterator[tuple[Tile, list[bytes]]]:
    for tile in tiles.row_of(size, row):
        yield tile, _fetched(read, tile)


def _fetched(read: Read, tile: Tile) -> list[bytes]:
    """A narrow tile may be gone since the full one grew from it (C2SP tlog-tiles). Raises Cut."""
    for stored in (tile, tile._replace(width=WIDTH)):
        data = read(stored.name)
        if data is not None:
            return tiles.hashes(stored, data)[: tile.width]
    raise Cut(tile=tile.name)
