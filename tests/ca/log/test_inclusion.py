"""Owners' proofs from the books, and what remains once an entry is erased (security H3)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ca.log.ground import NOW, Ground, certificate

from ingam.ca.log import entries
from ingam.ca.log.inclusion import Erased, NeverIssued, NotYetSigned, bundle, bundle_at
from ingam.ca.log.stored import BooksChanged
from ingam.kernel.errors import Defect
from ingam.ports.books import ListRecord, State
from ingam.protocols.log import bundle as bundles
from ingam.protocols.log import event
from ingam.protocols.log.bundle import Included
from ingam.protocols.log.commitment import commit
from ingam.protocols.log.event import Bundle, Issue, List, ListKind, LoggedState, Status


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def proven(ground: Ground, text: str) -> Included:
    """An owner checks offline, with the keys of the log and of its witness."""
    return bundles.verify(bundles.parse(text), [ground.key], [witness.key for witness in ground.witnesses])


def test_H3_an_owner_gets_a_proof_that_is_checked_offline(ground: Ground) -> None:
    ground.leaves.issue_many(700)
    ground.publish()
    found = proven(ground, bundle(ground.leaves, 1, 400).text)
    assert isinstance(found.event, Issue)
    assert (found.leaf_index, found.event.serial) == (399, 400)
    assert found.event == Issue(1, 400, sha256(certificate(400)).digest(), NOW)


def test_a_proof_holds_for_ever(ground: Ground) -> None:
    ground.leaves.issue_many(3)
    ground.publish()
    kept = bundle(ground.leaves, 1, 2).text
    ground.leaves.issue_many(600)
    ground.publish()
    assert proven(ground, kept).head.size == 3


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 600), st.data())
def test_every_leaf_of_any_log_is_proven(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    ground = Ground(tmp_path_factory.mktemp("log"))
    ground.leaves.issue_many(size)
    ground.publish()
    for index in data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=5)):
        assert proven(ground, bundle_at(ground.leaves, index).text).leaf_index == index


def test_H3_deleting_salt_and_event_keeps_every_other_proof_and_the_head(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    before = ground.publish()
    bundles_before = [bundle_at(ground.leaves, index).text for index in range(300)]
    erased = ground.leaves.leaves[123]
    ground.leaves.erase(123)
    assert ground.publish() == before
    assert ground.follow().size == 300
    for index, text in enumerate(bundles_before):
        if index != 123:
            assert bundle_at(ground.leaves, index).text == text
            proven(ground, text)
    with pytest.raises(Erased):
        bundle(ground.leaves, 1, 124)
    # What is left is a hash that any salt would have to be guessed for: the event alone does not give it.
    left = ground.leaves.leaves[123]
    assert (left.salt, left.event, left.hash) == (b"", b"", erased.hash)
    assert commit(bytes(32), erased.event) != left.hash
    # The log goes on over it.
    ground.leaves.issue_many(300)
    ground.publish()
    assert ground.follow().size == 600


def test_H3_nothing_but_hashes_is_published(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    ground.publish()
    names = {path.relative_to(ground.folder).as_posix() for path in ground.folder.rglob("*") if path.is_file()}
    assert names == {"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"}
    every = b"".join((ground.folder / name).read_bytes() for name in names)
    for leaf in ground.leaves.leaves:
        assert leaf.hash in every
        assert leaf.salt not in every
        assert leaf.event not in every


def test_H3_two_events_that_are_the_same_are_two_leaves(ground: Ground) -> None:
    one, two = (entries.changed(1, 5, State.HELD, 6, NOW) for _ in range(2))
    assert one.event == two.event
    assert one.salt != two.salt
    assert one.hash != two.hash


def test_a_certificate_is_proven_once_a_head_speaks_of_it(ground: Ground) -> None:
    ground.leaves.issue(1)
    with pytest.raises(NotYetSigned):
        bundle(ground.leaves, 1, 1)
    ground.publish()
    ground.leaves.issue(2)
    with pytest.raises(NotYetSigned):
        bundle(ground.leaves, 1, 2)
    with pytest.raises(NeverIssued):
        bundle(ground.leaves, 1, 3)
    with pytest.raises(NeverIssued):
        bundle_at(ground.leaves, 2)
    assert proven(ground, bundle(ground.leaves, 1, 1).text).leaf_index == 0


def test_everything_that_the_authority_does_has_its_entry() -> None:
    record = ListRecord(1, -1, "full", 7, NOW, NOW, bytes(32), 3)
    for leaf, happened in (
        (entries.issued(1, 9, b"", NOW), Issue(1, 9, sha256(b"").digest(), NOW)),
        (entries.changed(1, 9, State.HELD, 6, NOW), Status(1, 9, LoggedState.HELD, 6, NOW)),
        (entries.changed(1, 9, State.VALID, None, NOW), Status(1, 9, LoggedState.VALID, None, NOW)),
        (entries.changed(1, 9, State.REVOKED, 1, NOW), Status(1, 9, LoggedState.REVOKED, 1, NOW)),
        (entries.listed(record), List(1, ListKind.FULL, None, 7, bytes(32), NOW)),
        (entries.released(bytes(32), NOW), Bundle(bytes(32), NOW)),
    ):
        assert event.parse(leaf.event) == happened
        assert leaf.hash == commit(leaf.salt, leaf.event)


def test_a_proof_that_would_fail_is_not_handed_out(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    ground.publish()
    ground.leaves.leaves[3] = replace(ground.leaves.leaves[3], hash=bytes(32))
    assert proven(ground, bundle_at(ground.leaves, 3).text).leaf_index == 3
    for index, changed in ((2, {}), (7, {"event": b"INGAM-LOG/1\n"}), (8, {"salt": bytes(31)})):
        ground.leaves.leaves[index] = replace(ground.leaves.leaves[index], **changed)
        with pytest.raises(BooksChanged):
            bundle_at(ground.leaves, index)


def test_a_pending_certificate_has_not_changed_its_state() -> None:
    with pytest.raises(Defect):
        entries.changed(1, 9, State.PENDING, None, NOW)
