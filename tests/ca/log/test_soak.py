"""A log of a million leaves: batches, an outsider, a proof (`make soak`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ca.log.ground import Ground

from ingam.ca.log.stored import StoredTree
from ingam.protocols.log.proof import verify_inclusion


@pytest.mark.soak
def test_a_million_leaves_in_batches(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    kept = None
    for _ in range(10):
        ground.leaves.fill(100_003)
        ground.publish()
        kept = kept or ground.believed()
    seen = ground.follow(kept)
    assert seen.size == 1_000_030
    ground.leaves.read = 0
    path = StoredTree(ground.leaves, seen.size).inclusion(777_777, seen.size)
    assert ground.leaves.read <= 5 * 256
    verify_inclusion(ground.leaves.leaves[777_777].hash, 777_777, seen.size, path, seen.root)
