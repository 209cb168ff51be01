"""Inclusion proofs (RFC 9162 section 2.1.3) and consistency proofs (section 2.1.4): made and verified.

A verifier raises; it never answers with a boolean.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.protocols.log.tree import EMPTY, HASH, MOST_LEAVES, Node, node_hash, span_root, split

MOST_HASHES: Final = 64
"""Hashes of a proof: more than any tree of 2^63 leaves needs."""


class NotIncluded(Refusal):
    """The proof does not lead from this leaf to this root."""

    code = "log-not-included"


class Inconsistent(Refusal):
    """The smaller tree is not the beginning of the larger one, as far as this proof shows: a fork."""

    code = "log-forked"


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D_size): from the leaf's neighbour upwards. Raises ValueError where there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    path, first, last = [], 0, size
    while last - first > 1:
        middle = first + split(last - first)
        if index < middle:
            path.append(span_root(node, middle, last))
            last = middle
        else:
            path.append(span_root(node, first, middle))
            first = middle
    return path[::-1]


def consistency(node: Node, old: int, size: int) -> list[bytes]:
    """PROOF(old, D_size); empty where `old` is 0 or `size`. Raises ValueError where `old` is larger."""
    if not 0 <= old <= size:
        raise ValueError("no such smaller tree")
    if old == 0:
        return []
    path, first, last = [], 0, size
    while old != last:
        middle = first + split(last - first)
        if old <= middle:
            path.append(span_root(node, middle, last))
            last = middle
        else:
            path.append(span_root(node, first, middle))
            first = middle
    if first:
        path.append(span_root(node, first, last))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Whether `leaf` (a leaf hash) stands at `index` in the tree of this root (section 2.1.3.2). Raises NotIncluded."""
    if not 0 <= index < size <= MOST_LEAVES or not _hashes((leaf, root, *path)):
        raise NotIncluded
    fn, sn, reached = index, size - 1, leaf
    for hash in path:
        if sn == 0:
            raise NotIncluded
        if fn & 1 or fn == sn:
            reached = node_hash(hash, reached)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            reached = node_hash(reached, hash)
        fn, sn = fn >> 1, sn >> 1
    if sn or not hmac.compare_digest(reached, root):
        raise NotIncluded


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Whether the tree of `old` leaves is the beginning of that of `size` (section 2.1.4.2). Raises Inconsistent.

    Everything begins with the tree without leaves; the proof is empty then, and also where the sizes are the same.
    """
    if not 0 <= old <= size <= MOST_LEAVES or not _hashes((old_root, root, *path)):
        raise Inconsistent
    if old in (0, size):
        if path or old_root != (root if old else EMPTY):
            raise Inconsistent
        return
    _verify_growth(old, old_root, size, root, path)


def _verify_growth(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """0 < old < size."""
    # A complete old tree is a node of the new one, and the proof leaves out what the verifier has.
    hashes = iter((old_root, *path) if old & (old - 1) == 0 else path)
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    reached_old = reached = next(hashes, b"")
    for hash in hashes:
        if sn == 0:
            raise Inconsistent
        if fn & 1 or fn == sn:
            reached_old, reached = node_hash(hash, reached_old), node_hash(hash, reached)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            reached = node_hash(reached, hash)
        fn, sn = fn >> 1, sn >> 1
    if sn or not hmac.compare_digest(reached_old, old_root) or not hmac.compare_digest(reached, root):
        raise Inconsistent


def _hashes(values: Sequence[bytes]) -> bool:
    return len(values) <= MOST_HASHES + 2 and all(len(value) == HASH for value in values)
