"""Hashes and roots of the tree: known ones, the RFC's recursion, and growth in any steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocols.log import trees

from ingam.protocols.log import tree
from ingam.protocols.log.tree import EMPTY, Frontier

# Inputs and roots of the test data that Certificate Transparency implementations share since RFC 6962.
INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN = [tree.leaf_hash(bytes.fromhex(data)) for data in INPUTS]


@pytest.mark.parametrize("size", range(9))
def test_the_known_trees_have_their_known_roots(size: int) -> None:
    edge = Frontier()
    edge.extend(KNOWN[:size])
    assert tree.root(trees.stored(KNOWN), size).hex() == edge.root().hex() == ROOTS[size]


def test_the_tree_without_leaves_is_the_hash_of_nothing() -> None:
    assert Frontier().root() == tree.root(trees.stored([]), 0) == EMPTY


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 513])
def test_roots_are_those_of_the_recursion_of_the_rfc(size: int) -> None:
    hashes = trees.leaves(size)
    edge = Frontier()
    edge.extend(hashes)
    assert edge.root() == trees.mth(hashes) == tree.root(trees.stored(hashes), size)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_frontier_goes_on_from_wherever_it_was_kept(begin: int, more: int) -> None:
    hashes = trees.leaves(begin + more)
    edge = Frontier.of(trees.stored(hashes), begin)
    assert edge.root() == trees.mth(hashes[:begin])
    edge.extend(hashes[begin:])
    assert (edge.size, edge.root()) == (begin + more, trees.mth(hashes))


@given(st.lists(st.integers(0, 6), max_size=12))
def test_subtrees_may_be_appended_whole_where_they_begin(levels: list[int]) -> None:
    hashes = trees.leaves(12 * 64)
    edge = Frontier()
    for level in levels:
        if edge.size % (1 << level):
            with pytest.raises(ValueError, match="begin"):
                edge.append(trees.leaf(0), level)
            continue
        edge.append(trees.mth(hashes[edge.size : edge.size + (1 << level)]), level)
    assert edge.root() == trees.mth(hashes[: edge.size])


@pytest.mark.parametrize("count", [0, 3, 5, 6, 255])
def test_only_complete_subtrees_fold(count: int) -> None:
    with pytest.raises(ValueError, match="complete"):
        tree.fold(trees.leaves(count))


def test_a_frontier_has_one_peak_for_each_bit_of_its_size() -> None:
    with pytest.raises(ValueError, match="peak"):
        Frontier(3, [trees.leaf(0)])
