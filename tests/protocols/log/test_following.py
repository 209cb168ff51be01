"""Following a log by its tiles: names, rows, and every way in which a log could lie, each found under its own code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocols.log import trees

from ingam.protocols.log import tiles
from ingam.protocols.log.following import LeavesChanged, Shrunk, follow
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.proof import Inconsistent
from ingam.protocols.log.tiles import Cut, Tile

BIG = 256 * 256 + 256 * 3 + 5


def published(hashes: Sequence[bytes]) -> dict[str, bytes]:
    """The tiles of a tree, by the formal definition of C2SP tlog-tiles."""
    rows, files = [list(hashes)], {}
    while len(rows[-1]) >= 256:
        last = rows[-1]
        rows.append([trees.mth(last[at : at + 256]) for at in range(0, len(last) - 255, 256)])
    for row, content in enumerate(rows):
        for number, at in enumerate(range(0, len(content), 256)):
            part = content[at : at + 256]
            files[Tile(row, number, len(part)).name] = b"".join(part)
    return files


@cache
def big() -> tuple[list[bytes], dict[str, bytes], TreeHead]:
    hashes = trees.leaves(BIG)
    return hashes, published(hashes), told(hashes)


def told(hashes: Sequence[bytes]) -> TreeHead:
    return TreeHead(trees.ORIGIN, len(hashes), trees.mth(hashes), trees.NOW)


@pytest.mark.parametrize(
    ("tile", "name"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 67, 12), "tile/0/067.p/12"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(2, 1000, 1), "tile/2/x001/000.p/1"),
        (Tile(0, 999), "tile/0/999"),
    ],
)
def test_tiles_have_the_names_of_c2sp(tile: Tile, name: str) -> None:
    assert tile.name == name


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_a_tree_has_the_tiles_of_c2sp(size: int) -> None:
    found = [tile.name for tile in tiles.tiles(size)]
    assert len(found) == len(set(found))
    assert sum(tile.width for tile in tiles.tiles(size) if tile.row == 0) == size
    if size == 70_000:
        rows = [[tile for tile in tiles.tiles(size) if tile.row == row] for row in tiles.rows(size)]
        assert [len(row) for row in rows] == [274, 2, 1]
        assert [row[-1].width for row in rows] == [112, 17, 1]


@pytest.mark.parametrize(("begin", "size"), [(0, 300), (200, 300), (256, 300), (300, 300), (65_000, 70_000)])
def test_growth_writes_only_what_is_not_there_in_full(begin: int, size: int) -> None:
    before = {tile for tile in tiles.tiles(begin) if tile.width == tiles.WIDTH}
    assert set(tiles.tiles(size, begin)) == set(tiles.tiles(size)) - before


def test_every_small_log_is_as_it_should_be_from_every_head_that_was_kept() -> None:
    hashes = trees.leaves(520)
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 513, 520):
        files, now = published(hashes[:size]), told(hashes[:size])
        for kept in (0, 1, 2, 100, 255, 256, 257, 511, 512, 513, 520):
            if kept <= size:
                follow(files.get, now, told(hashes[:kept]))
        follow(files.get, now)


def test_a_log_of_three_rows_is_as_it_should_be() -> None:
    hashes, files, now = big()
    for kept in (0, 255, 65_536, 65_537, BIG - 1, BIG):
        follow(files.get, now, told(hashes[:kept]))


def test_a_narrow_tile_may_have_grown_since() -> None:
    hashes = trees.leaves(512)
    then, now = published(hashes[:300]), published(hashes)
    del then["tile/0/001.p/44"]
    follow((then | now).get, told(hashes[:300]))


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_a_tile_that_is_missing_or_short_is_a_cut(data: st.DataObject) -> None:
    _, files, now = big()
    name = data.draw(st.sampled_from(sorted(files)))
    for content in (None, files[name][:-32], files[name][:-1], b"", files[name] + bytes(32)):
        with pytest.raises(Cut) as found:
            follow({**files, name: content}.get, now)
        assert found.value.facts == {"tile": name}


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_a_changed_leaf_is_found_and_its_tile_named(data: st.DataObject) -> None:
    _, files, now = big()
    name = data.draw(st.sampled_from(sorted(files)))
    octets = bytearray(files[name])
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(LeavesChanged) as found:
        follow({**files, name: bytes(octets)}.get, now)
    row, number = int(name.split("/")[1]), int(name.split(".p")[0].split("/", 2)[2].replace("x", "").replace("/", ""))
    if row:
        assert found.value.facts == {"tile": Tile(row - 1, number * 256 + at // 32).name}
    else:
        assert found.value.facts == {"tile": "-" if ".p/" in name else name}


@given(st.integers(2, 600), st.data())
def test_reordered_leaves_are_found(size: int, data: st.DataObject) -> None:
    hashes = trees.leaves(size)
    one, two = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    other = list(hashes)
    other[one], other[two] = other[two], other[one]
    if one != two:
        with pytest.raises(LeavesChanged):
            follow(published(other).get, told(hashes))


@given(st.integers(1, 600), st.integers(0, 600), st.data())
def test_a_fork_is_found_by_whoever_kept_a_head(kept: int, more: int, data: st.DataObject) -> None:
    """The log signs another past, and all its files fit: only the head of before tells."""
    hashes = trees.leaves(kept + more)
    forked = list(hashes)
    forked[data.draw(st.integers(0, kept - 1))] = trees.leaf(10_000)
    follow(published(forked).get, told(forked))
    with pytest.raises(Inconsistent):
        follow(published(forked).get, told(forked), told(hashes[:kept]))


def test_D13_a_log_that_became_smaller_is_found() -> None:
    hashes = trees.leaves(300)
    with pytest.raises(Shrunk) as found:
        follow(published(hashes[:299]).get, told(hashes[:299]), told(hashes))
    assert found.value.facts == {"size": 299, "kept": 300}
