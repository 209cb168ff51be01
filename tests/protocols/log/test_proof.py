"""Proofs: every true one verifies, and none does once a bit, a size, an order or a history is another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocols.log import trees
from tests.protocols.log.test_tree import KNOWN, ROOTS

from ingam.protocols.log import proof
from ingam.protocols.log.proof import (
    Inconsistent,
    NotIncluded,
    verify_consistency,
    verify_inclusion,
)
from ingam.protocols.log.tree import EMPTY

# From the same shared test data: the path of the first leaf of eight, of the sixth, of the third of three; and growth.
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
GROWTH = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MOST = 600
HASHES = trees.leaves(MOST)
NODE = trees.stored(HASHES)
sizes = st.one_of(st.integers(1, MOST), st.sampled_from([1, 2, 255, 256, 257, 511, 512, 513]))


def flipped(value: bytes, bit: int) -> bytes:
    at = bit % (8 * len(value))
    return bytes(octet ^ (1 << at % 8 if place == at // 8 else 0) for place, octet in enumerate(value))


def hexed(path: Sequence[bytes]) -> list[str]:
    return [hash.hex() for hash in path]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    path = proof.inclusion(trees.stored(KNOWN), index, size)
    assert hexed(path) == PATHS[index, size]
    verify_inclusion(KNOWN[index], index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "size"), GROWTH)
def test_known_consistency_proofs(old: int, size: int) -> None:
    path = proof.consistency(trees.stored(KNOWN), old, size)
    assert hexed(path) == GROWTH[old, size]
    verify_consistency(old, bytes.fromhex(ROOTS[old]), size, bytes.fromhex(ROOTS[size]), path)


def test_every_proof_of_every_small_tree_verifies() -> None:
    for size in range(1, 34):
        root = trees.mth(HASHES[:size])
        for index in range(size):
            verify_inclusion(HASHES[index], index, size, proof.inclusion(NODE, index, size), root)
        for old in range(size + 1):
            verify_consistency(old, trees.mth(HASHES[:old]), size, root, proof.consistency(NODE, old, size))


@given(sizes, st.data())
def test_any_leaf_of_any_tree_is_proven_and_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, path = trees.mth(HASHES[:size]), proof.inclusion(NODE, index, size)
    verify_inclusion(HASHES[index], index, size, path, root)
    bit = data.draw(st.integers(0, 255))
    wrong: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        (flipped(HASHES[index], bit), index, size, path, root),
        (HASHES[index], index, size, path, flipped(root, bit)),
        (HASHES[index], index, size, [*path, HASHES[0]], root),
        (HASHES[index], size, size, path, root),
        (HASHES[index], -1, size, path, root),
        (HASHES[index][:31], index, size, path, root),
    ]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        wrong += [
            (HASHES[index], index, size, [*path[:at], flipped(path[at], bit), *path[at + 1 :]], root),
            (HASHES[index], index, size, path[:-1], root),
            (HASHES[index], index, size, [*path[:at], path[at][:31], *path[at + 1 :]], root),
        ]
    if len(path) > 1:
        wrong.append((HASHES[index], index, size, path[::-1], root))
    for leaf, place, of, steps, top in wrong:
        with pytest.raises(NotIncluded):
            verify_inclusion(leaf, place, of, steps, top)


@given(sizes, st.data())
def test_a_leaf_is_proven_at_its_own_place_only(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    root, path = trees.mth(HASHES[:size]), proof.inclusion(NODE, index, size)
    if other != index:
        with pytest.raises(NotIncluded):
            verify_inclusion(HASHES[other], index, size, path, root)
        with pytest.raises(NotIncluded):
            verify_inclusion(HASHES[index], other, size, path, root)


@given(sizes, st.data())
def test_any_growth_is_proven_and_no_other_history(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    before, root, path = trees.mth(HASHES[:old]), trees.mth(HASHES[:size]), proof.consistency(NODE, old, size)
    verify_consistency(old, before, size, root, path)
    bit = data.draw(st.integers(0, 255))
    wrong: list[tuple[int, bytes, int, bytes, list[bytes]]] = [
        (old, flipped(before, bit), size, root, path),
        (old, before, size, flipped(root, bit), path),
        (old, before, size, root, [*path, HASHES[0]]),
        (size + 1, before, size, root, path),
        (-1, before, size, root, path),
        (0, before, size, root, path),
    ]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        wrong += [
            (old, before, size, root, [*path[:at], flipped(path[at], bit), *path[at + 1 :]]),
            (old, before, size, root, path[:-1]),
            (old, before, size, root, []),
        ]
    for smaller, first, larger, second, steps in wrong:
        with pytest.raises(Inconsistent):
            verify_consistency(smaller, first, larger, second, steps)


@given(st.integers(2, MOST), st.data())
def test_a_changed_or_reordered_leaf_in_the_past_is_a_fork(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    at = data.draw(st.integers(0, old - 1))
    forked = list(HASHES[:size])
    if data.draw(st.booleans()):
        forked[at] = trees.leaf(MOST + 1)
    else:
        forked[at], forked[-1] = forked[-1], forked[at]
    with pytest.raises(Inconsistent):
        verify_consistency(
            old, trees.mth(HASHES[:old]), size, trees.mth(forked), proof.consistency(trees.stored(forked), old, size)
        )


def test_everything_begins_with_nothing() -> None:
    verify_consistency(0, EMPTY, 7, trees.mth(HASHES[:7]), [])
    verify_consistency(0, EMPTY, 0, EMPTY, [])
    with pytest.raises(Inconsistent):
        verify_consistency(0, HASHES[0], 7, trees.mth(HASHES[:7]), [])


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(-3, 1 << 64), st.integers(-3, 1 << 64))
def test_a_stranger_s_proof_is_refused_and_never_an_accident(path: list[bytes], one: int, two: int) -> None:
    with pytest.raises(NotIncluded):
        verify_inclusion(HASHES[0], one, two, path, HASHES[1])
    with pytest.raises(Inconsistent):
        verify_consistency(one, HASHES[0], two, HASHES[1], path)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        proof.inclusion(NODE, index, size)


def test_there_is_no_proof_from_a_larger_tree() -> None:
    with pytest.raises(ValueError, match="smaller"):
        proof.consistency(NODE, 4, 3)
