"""The Merkle tree of RFC 9162 section 2.1 over SHA-256: hashes of leaves and nodes, roots, and a frontier that grows.

A tree is reached through a `Node`: whoever stores it gives the root of any complete subtree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

HASH: Final = 32
EMPTY: Final = sha256(b"").digest()
"""The root of the tree without leaves."""
MOST_LEAVES: Final = (1 << 63) - 1

Node: TypeAlias = Callable[[int, int], bytes]
"""`node(level, place)`: root, 32 bytes, of the complete subtree of 2^level leaves at a place of that level, from 0."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree, from the hashes of its 2^n lowest nodes. Raises ValueError for another count."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise ValueError("a complete subtree has 2^n nodes")
    while len(hashes) > 1:
        hashes = row_above(hashes)
    return hashes[0]


def row_above(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes over pairs of nodes; a last one without a neighbour has none."""
    pairs = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]


def split(size: int) -> int:
    """The largest power of two below `size` (2 or more): the leaves left of the root."""
    return 1 << ((size - 1).bit_length() - 1)


def span_root(node: Node, first: int, last: int) -> bytes:
    """The root over the leaves [first, last) of one subtree: `first` is a multiple of a power of two ≥ their number."""
    peaks, at = [], first
    for level in reversed(range((last - first).bit_length())):
        if (last - first) >> level & 1:
            peaks.append(node(level, at >> level))
            at += 1 << level
    return _join(peaks)


def root(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves (MTH of RFC 9162 section 2.1.1)."""
    return span_root(node, 0, size) if size else EMPTY


def _join(peaks: Sequence[bytes]) -> bytes:
    """One root over complete subtrees that stand side by side, the largest first."""
    joined = peaks[-1]
    for peak in reversed(peaks[:-1]):
        joined = node_hash(peak, joined)
    return joined


class Frontier:
    """The right edge of a tree: what is needed to append to it and to know its root, at most 63 hashes."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """`peaks`: roots of the complete subtrees of `size`, one for each bit that is set, the largest first."""
        self.size, self._peaks = size, list(peaks)
        if len(self._peaks) != size.bit_count():
            raise ValueError("one peak for each bit of the size")

    @classmethod
    def of(cls, node: Node, size: int) -> Frontier:
        """The edge of a stored tree of `size` leaves."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size, [node(level, (size >> level) - 1) for level in levels])

    def append(self, hash: bytes, level: int = 0) -> None:
        """A leaf's hash, or the root of a complete subtree of 2^level leaves, where the size is a multiple of that.

        Raises ValueError where it is not.
        """
        if self.size & ((1 << level) - 1):
            raise ValueError("the subtree does not begin here")
        self.size += 1 << level
        while not self.size >> level & 1:
            hash = node_hash(self._peaks.pop(), hash)
            level += 1
        self._peaks.append(hash)

    def extend(self, hashes: Iterable[bytes]) -> None:
        """Leaf hashes, in order."""
        for hash in hashes:
            self.append(hash)

    def root(self) -> bytes:
        """The root of all that was appended."""
        return _join(self._peaks) if self._peaks else EMPTY
