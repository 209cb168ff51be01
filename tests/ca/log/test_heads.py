"""Heads in batches: grown in any steps, signed once, never a fork, and everybody can follow from the files alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ca.log.ground import NOW, ORIGIN, Ground, KeySigner, p256
from tests.npki import certs
from tests.protocols.log import trees

from ingam.ca.log import durable
from ingam.ca.log.heads import Log, WitnessesAway
from ingam.ca.log.published import PublicationOutage, PublishedLog
from ingam.ca.log.stored import BooksChanged, BooksCut, StoredTree, TreeIncomplete
from ingam.ca.log.witness import SeenAnother, WitnessOutage
from ingam.kernel.errors import Failure
from ingam.ports.books import BooksOutage
from ingam.ports.signing import SigningOutage
from ingam.protocols.log import head, keys
from ingam.protocols.log.following import follow
from ingam.protocols.log.keys import WitnessKey
from ingam.protocols.log.proof import Inconsistent, verify_inclusion


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_H3_heads_are_published_in_batches_and_co_signed_by_an_outside_witness(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    first = ground.publish()
    ground.leaves.issue_many(700)
    second = ground.publish()
    assert (first.size, second.size) == (300, 1000)
    assert second.root == trees.mth([leaf.hash for leaf in ground.leaves.leaves])
    kept = head.verify(head.parse(first.text), [ground.key], [ground.witnesses[0].key])
    assert ground.follow(kept).size == 1000
    assert ground.shown == second.text
    assert ground.signer.signed == 2


def test_a_log_begins_with_a_head_over_nothing(ground: Ground) -> None:
    ground.publish()
    kept = ground.follow()
    assert kept.size == 0
    ground.leaves.issue(1)
    ground.publish()
    assert ground.follow(kept).size == 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 40), st.sampled_from([255, 256, 257, 700])), min_size=1, max_size=8))
def test_any_way_of_growing_gives_the_same_tree_and_every_old_head_is_its_beginning(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[int]
) -> None:
    ground = Ground(tmp_path_factory.mktemp("log"))
    kept = []
    for step in steps:
        ground.leaves.fill(step)
        ground.publish()
        kept.append(ground.believed())
    hashes = [leaf.hash for leaf in ground.leaves.leaves]
    assert kept[-1].root == trees.mth(hashes)
    for old in kept:
        ground.follow(old)
        assert old.root == trees.mth(hashes[: old.size])


def test_nothing_new_is_not_signed_again(ground: Ground) -> None:
    ground.leaves.issue_many(3)
    first, shown = ground.publish(), ground.shown
    ground.clock.forward(60)
    assert ground.publish() == first
    assert (ground.signer.signed, ground.shown) == (1, shown)


def test_G6_a_log_in_which_nothing_happens_says_so_every_five_minutes(ground: Ground) -> None:
    ground.leaves.issue_many(3)
    first = ground.publish()
    ground.clock.forward(299)
    assert ground.publish() == first
    ground.clock.forward(1)
    second = ground.publish()
    assert (second.size, second.root, second.at) == (3, first.root, NOW + timedelta(minutes=5))
    assert ground.follow(head.parse(first.text).head).at == second.at


def test_the_log_s_time_does_not_go_back(ground: Ground) -> None:
    ground.leaves.issue(1)
    ground.publish()
    ground.leaves.issue(2)
    assert ground.log().publish(NOW - timedelta(hours=1)).at == NOW


def test_an_rsa_key_signs_heads_too(ground: Ground) -> None:
    signer = KeySigner(certs.key("rsa2048-00"))
    key = keys.log_key(ORIGIN, signer.public.spki)
    ground.leaves.issue(1)
    Log(ground.leaves, signer, ORIGIN, PublishedLog(ground.folder, [key])).publish(NOW)
    assert head.verify(head.parse(ground.shown), [key]).size == 1


def test_the_next_generation_of_the_log_s_key_goes_on_where_the_last_one_was(ground: Ground) -> None:
    ground.leaves.issue_many(3)
    ground.publish()
    kept = ground.believed()
    signer = KeySigner(p256(1))
    key = keys.log_key(ORIGIN, signer.public.spki)
    ground.leaves.issue(9)
    Log(ground.leaves, signer, ORIGIN, PublishedLog(ground.folder, [key, ground.key])).publish(NOW)
    seen = head.verify(head.parse(ground.shown), [key])
    follow(lambda name: (ground.folder / name).read_bytes(), seen, kept)


# Nothing is signed that forks


def test_D13_books_that_lost_leaves_get_no_head(ground: Ground) -> None:
    ground.leaves.issue_many(5)
    ground.publish()
    del ground.leaves.leaves[3:]
    with pytest.raises(BooksCut):
        ground.publish()
    ground.leaves.issue_many(7)
    with pytest.raises(BooksChanged):
        ground.publish()
    assert ground.signer.signed == 1


def test_D13_books_restored_from_before_get_no_head_since_the_published_one_is_newer(ground: Ground) -> None:
    ground.leaves.issue_many(5)
    ground.publish()
    del ground.leaves.leaves[3:], ground.leaves.heads[:]
    with pytest.raises(BooksCut):
        ground.publish()
    ground.leaves.issue_many(20)
    with pytest.raises(BooksChanged):
        ground.publish()
    assert ground.believed().size == 5


def test_a_changed_leaf_gets_no_head(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    ground.publish()
    ground.leaves.leaves[299] = replace(ground.leaves.leaves[299], hash=bytes(32))
    ground.leaves.issue(999)
    with pytest.raises(BooksChanged):
        ground.publish()
    assert ground.signer.signed == 1


def test_a_leaf_that_changed_under_its_kept_subtree_changes_nothing_that_is_signed(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    ground.publish()
    kept = ground.believed()
    ground.leaves.leaves[3] = replace(ground.leaves.leaves[3], hash=bytes(32))
    ground.leaves.issue(999)
    ground.publish()
    assert ground.follow(kept).size == 301


def test_books_without_their_kept_subtrees_get_no_head(ground: Ground) -> None:
    ground.leaves.issue_many(300)
    ground.publish()
    ground.leaves.kept.clear()
    ground.leaves.issue(999)
    with pytest.raises(TreeIncomplete):
        ground.publish()


def test_a_published_head_that_our_key_did_not_sign_stops_nothing(ground: Ground) -> None:
    ground.leaves.issue_many(5)
    ground.publish()
    forged = trees.signed(trees.leaves(900), trees.LOG)
    for text in (forged.encode(), b"", b"\xff\xfe", ground.shown.replace("\n5\n", "\n6\n").encode()):
        (ground.folder / "checkpoint").write_bytes(text)
        ground.leaves.issue(len(ground.leaves.leaves) + 1)
        ground.publish()
        assert ground.follow().size == len(ground.leaves.leaves)


def test_H3_a_witness_refuses_the_fork_that_the_log_itself_would_sign(ground: Ground) -> None:
    """Books, published folder and memory of the log are all made anew; only the witness remembers."""
    ground.leaves.issue_many(5)
    ground.publish()
    ground.leaves.leaves[2] = replace(ground.leaves.leaves[2], hash=bytes(32))
    ground.leaves.heads.clear()
    (ground.folder / "checkpoint").unlink()
    ground.leaves.issue_many(5)
    log = ground.log()
    with pytest.raises(WitnessesAway):
        log.publish(NOW)
    assert log.answers == {"witness.test/0": "log-forked"}
    del ground.leaves.leaves[2:]
    with pytest.raises(WitnessesAway):
        log.publish(NOW)
    assert log.answers == {"witness.test/0": "log-witness-size"}
    assert ground.leaves.heads == []


# Outages


class Away:
    """A witness that does not answer, or answers what it likes."""

    def __init__(self, key: WitnessKey, answer: str | Failure) -> None:
        self.key, self._answer = key, answer

    def cosign(self, request: str) -> str:
        if isinstance(self._answer, str):
            return self._answer
        raise self._answer


def test_too_few_witnesses_publish_nothing_and_the_leaves_wait(ground: Ground) -> None:
    ground.leaves.issue(1)
    away = Away(ground.witnesses[0].key, WitnessOutage())
    log = ground.log([away])
    with pytest.raises(WitnessesAway) as found:
        log.publish(NOW)
    assert found.value.facts == {"found": 0, "needed": 1}
    assert log.answers == {"witness.test/0": "log-witness-outage"}
    assert ground.leaves.heads == []
    assert not (ground.folder / "checkpoint").exists()
    assert ground.publish().size == 1


def test_a_witness_that_was_away_signs_the_same_head_when_it_is_back(tmp_path: Path) -> None:
    ground = Ground(tmp_path, witnesses=2)
    one, two = ground.witnesses
    ground.leaves.issue_many(300)
    first = ground.log([one, Away(two.key, WitnessOutage())], needed=1).publish(NOW)
    ground.clock.forward(60)
    second = ground.log([one, two], needed=1).publish(ground.clock.now())
    assert (second.size, second.root, second.at) == (first.size, first.root, first.at)
    assert second.text.startswith(first.text)
    assert ground.follow().size == 300
    assert ground.signer.signed == 1


@pytest.mark.parametrize("answer", ["", "no", "— witness.test/0 AAAAAAAA\n", "— other.test AAAAAAAA\n", "\n\n"])
def test_what_is_no_signature_of_the_witness_is_none(ground: Ground, answer: str) -> None:
    ground.leaves.issue(1)
    with pytest.raises(WitnessesAway):
        ground.log([Away(ground.witnesses[0].key, answer)]).publish(NOW)


@pytest.mark.parametrize("claim", [SeenAnother(size=1 << 40), Inconsistent(), SeenAnother(size=0)])
def test_a_lying_witness_withholds_its_own_signature_and_no_more(tmp_path: Path, claim: Failure) -> None:
    ground = Ground(tmp_path, witnesses=2)
    ground.leaves.issue(1)
    liar = Away(ground.witnesses[1].key, claim)
    assert ground.log([ground.witnesses[0], liar], needed=1).publish(NOW).size == 1


@pytest.mark.parametrize("back", [0, 3])
def test_H3_a_witness_that_forgot_is_told_and_is_not_fed_again(tmp_path: Path, back: int) -> None:
    """Wiped or put back to a copy of before: it would sign a fork from there on, so somebody has to look at it."""
    ground = Ground(tmp_path)
    witness, folder = ground.witnesses[0], tmp_path / "witness-0"
    copies: dict[int, dict[Path, bytes]] = {0: {}}
    for size in (3, 5):
        ground.leaves.issue_many(size - ground.leaves.size())
        ground.publish()
        copies[size] = {path: path.read_bytes() for path in folder.glob("*.head")}
    for path in folder.glob("*.head"):
        path.unlink()
    for path, octets in copies[back].items():
        path.write_bytes(octets)
    ground.leaves.issue_many(4)
    log = ground.log(needed=0)  # a log that was started anew knows it by its last head
    for minutes in range(3):
        log.publish(NOW + timedelta(minutes=minutes * 5))
        assert log.answers == {"witness.test/0": "log-witness-forgot"}
        assert log.alarms["witness.test/0"].facts == {"size": back, "known": 5}
    seen = witness.seen(ORIGIN)
    assert (0 if seen is None else seen.size) == back


def test_a_witness_that_no_longer_serves_the_log_has_forgotten_it(ground: Ground) -> None:
    ground.leaves.issue(1)
    ground.publish()
    ground.leaves.issue(2)
    log = ground.log([Away(ground.witnesses[0].key, head.OtherLog(origin=ORIGIN))], needed=0)
    log.publish(NOW)
    assert log.alarms["witness.test/0"].facts == {"size": 0, "known": 1}


def test_H3_a_witness_to_which_the_log_is_a_fork_is_an_alarm_and_one_that_is_away_is_none(ground: Ground) -> None:
    ground.leaves.issue(1)
    for claim, alarms in ((Inconsistent(), {"witness.test/0": "log-forked"}), (WitnessOutage(), {})):
        log = ground.log([Away(ground.witnesses[0].key, claim)], needed=0)
        log.publish(ground.clock.now())
        assert {name: alarm.code for name, alarm in log.alarms.items()} == alarms
        ground.clock.forward(300)


def test_a_head_that_was_recorded_and_not_published_is_published_next_time(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.leaves.issue_many(300)

    written = durable.replace

    def full(path: Path, octets: bytes) -> None:
        if path.is_relative_to(ground.folder):
            raise OSError(28, "No space left on device")
        written(path, octets)

    with monkeypatch.context() as broken, pytest.raises(PublicationOutage):
        broken.setattr(durable, "replace", full)
        ground.publish()
    (recorded,) = ground.leaves.heads
    assert not (ground.folder / "checkpoint").exists()
    assert ground.publish() == recorded
    assert ground.follow().size == 300
    assert ground.signer.signed == 1


def test_after_any_interruption_the_next_batch_goes_on(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.leaves.issue_many(600)
    ground.publish()
    ground.leaves.issue_many(600)

    def stop(*words: object) -> None:
        raise BooksOutage

    for owner, name in ((ground.leaves, "keep_nodes"), (ground.leaves, "publish_head"), (ground.signer, "sign")):
        with monkeypatch.context() as broken, pytest.raises((BooksOutage, SigningOutage)):
            broken.setattr(owner, name, stop)
            ground.publish()
        assert ground.follow().size == 600
    with monkeypatch.context() as broken, pytest.raises(BooksOutage):
        broken.setattr(PublishedLog, "publish", stop)
        ground.publish()
    assert ground.follow().size == 600
    assert ground.publish().size == 1200
    assert ground.follow().size == 1200


def test_D13_a_process_that_was_slower_leaves_the_newer_head(ground: Ground) -> None:
    ground.leaves.issue_many(3)

    class Slow:
        """A witness that signs, and takes so long that another process publishes meanwhile."""

        key = ground.witnesses[0].key

        def cosign(self, request: str) -> str:
            lines = ground.witnesses[0].cosign(request)
            ground.leaves.issue_many(300)
            ground.publish()
            return lines

    assert ground.log([Slow()]).publish(NOW).size == 303
    assert [one.size for one in ground.leaves.heads] == [303]
    assert ground.follow().size == 303


def test_a_note_has_room_for_fifteen_witnesses(ground: Ground) -> None:
    with pytest.raises(ValueError, match="witnesses"):
        ground.log(ground.witnesses * 16)


def test_D13_processes_that_publish_at_once_leave_the_newest(ground: Ground) -> None:
    failures: list[Failure] = []

    def run() -> None:
        for _ in range(5):
            ground.leaves.fill(37)
            try:
                ground.log(needed=0).publish(NOW)
            except Failure as failure:
                failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    newest = ground.publish()
    assert newest.size == 3 * 5 * 37
    assert ground.follow().size == newest.size


# What it costs


def test_a_batch_reads_the_edge_of_the_tree_and_what_is_new(ground: Ground) -> None:
    ground.leaves.fill(256 * 300)
    ground.publish()
    ground.leaves.fill(10)
    ground.leaves.read = 0
    ground.publish()
    assert ground.leaves.read <= 3 * 256


def test_a_proof_reads_a_few_tiles(ground: Ground) -> None:
    ground.leaves.fill(256 * 300 + 7)
    ground.publish()
    ground.leaves.read = 0
    tree = StoredTree(ground.leaves, ground.leaves.size())
    path = tree.inclusion(70_000, tree.size)
    assert ground.leaves.read <= 5 * 256
    verify_inclusion(ground.leaves.leaves[70_000].hash, 70_000, tree.size, path, tree.root())
