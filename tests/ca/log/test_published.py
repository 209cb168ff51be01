"""The published folder: tiles before the head, the newest head whoever comes last, narrow tiles while needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ca.log.ground import Ground, reader

from ingam.ca.log import durable
from ingam.ca.log.published import PublicationOutage, PublishedLog
from ingam.ca.log.stored import StoredTree
from ingam.protocols.log import tiles
from ingam.protocols.log.following import follow


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_the_folder_holds_the_tiles_of_its_tree_and_the_head(ground: Ground) -> None:
    ground.leaves.fill(256 * 257 + 3)
    ground.publish()
    names = {path.relative_to(ground.folder).as_posix() for path in ground.folder.rglob("*") if path.is_file()}
    assert names == {"checkpoint", *(tile.name for tile in tiles.tiles(256 * 257 + 3))}
    assert (ground.folder / "tile/0/256").stat().st_size == 256 * 32


def test_whoever_has_an_older_head_can_still_follow_it(ground: Ground) -> None:
    heads = []
    for step in (200, 30, 50, 300, 1):
        ground.leaves.fill(step)
        ground.publish()
        heads.append(ground.believed())
    for seen in heads:
        follow(reader(ground.folder), seen)
    assert not (ground.folder / "tile/0/000.p").exists()
    assert (ground.folder / "tile/0/001.p").exists() is False
    assert {path.name for path in (ground.folder / "tile/0/002.p").iterdir()} == {"68", "69"}


def test_D13_an_older_head_is_never_put_in_place_of_a_newer_one(ground: Ground) -> None:
    ground.leaves.fill(100)
    older = ground.publish()
    ground.leaves.fill(100)
    newer = ground.publish()
    PublishedLog(ground.folder, [ground.key]).publish(StoredTree(ground.leaves, older.size), older)
    assert ground.shown == newer.text
    ground.clock.forward(600)
    renewed = ground.publish()
    PublishedLog(ground.folder, [ground.key]).publish(StoredTree(ground.leaves, newer.size), newer)
    assert ground.shown == renewed.text != newer.text


def test_a_head_is_there_only_with_all_its_tiles(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.leaves.fill(300)
    ground.publish()
    ground.leaves.fill(3000)
    written: list[Path] = []
    replace = durable.replace

    def stop(path: Path, octets: bytes) -> None:
        if len(written) == 7:
            raise OSError(5, "Input/output error")
        written.append(path)
        replace(path, octets)

    with monkeypatch.context() as broken, pytest.raises(PublicationOutage):
        broken.setattr(durable, "replace", stop)
        ground.publish()
    assert ground.follow().size == 300
    ground.publish()
    assert ground.follow().size == 3300


def test_without_its_head_a_folder_is_written_anew(ground: Ground) -> None:
    ground.leaves.fill(600)
    ground.publish()
    for path in sorted(ground.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    ground.publish()
    assert ground.follow().size == 600


def test_a_folder_that_cannot_be_read_is_an_outage(ground: Ground) -> None:
    ground.folder.parent.mkdir(parents=True)
    ground.folder.write_text("in the way")
    with pytest.raises(PublicationOutage):
        ground.publish()


def test_drafts_do_not_stay(ground: Ground) -> None:
    ground.leaves.fill(600)
    ground.publish()
    assert list(ground.folder.rglob(".*")) == []
