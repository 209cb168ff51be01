"""Whatever somebody does to a chain that was signed, it is found, at its place; a chain left alone never is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingam.kernel.instants import from_micros
from ingam.protocols.audit import examining
from ingam.protocols.audit.chain import START, Entry, link
from ingam.protocols.audit.examining import Examiner
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.tree import Frontier

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SIZES = st.integers(1, 40)


def chain(size: int, *, first: int = 1, before: bytes = START, salt: bytes = b"") -> list[Entry]:
    made = []
    for seq in range(first, first + size):
        commitment = (salt + seq.to_bytes(4, "big")).rjust(32, b"\x01")[-32:]
        before = link(before, seq, seq * 10, seq * 10 + 5, commitment)
        made.append(Entry(seq, seq * 10, seq * 10 + 5, commitment, before))
    return made


def head(entries: Sequence[Entry]) -> TreeHead:
    edge = Frontier()
    edge.extend(entry.leaf for entry in entries)
    return TreeHead("audit.example", edge.size, edge.root(), NOW)


def found(entries: Sequence[Entry], *heads: TreeHead, late: datetime | None = None) -> list[tuple[str, int]]:
    examiner = Examiner(heads, late)
    examiner.take(entries)
    return [(finding.code, finding.seq) for finding in examiner.end()]


@given(SIZES, st.data())
def test_a_chain_left_alone_has_no_findings_whatever_was_signed(size: int, data: st.DataObject) -> None:
    entries = chain(size)
    signed = data.draw(st.lists(st.integers(0, size), max_size=4))
    assert found(entries, *(head(entries[:at]) for at in signed)) == []


@given(SIZES, st.data())
def test_one_changed_entry_is_found_at_its_number(size: int, data: st.DataObject) -> None:
    entries = chain(size)
    at = data.draw(st.integers(0, size - 1))
    entry = entries[at]
    ways = (entry._replace(at=-7), entry._replace(delete_at=-7), entry._replace(commitment=bytes(32)))
    changed = [*entries[:at], data.draw(st.sampled_from(ways)), *entries[at + 1 :]]
    assert found(changed, head(entries)) == [(examining.CHANGED, at + 1)]


@given(SIZES, st.data())
def test_a_tail_that_was_signed_over_is_missed(size: int, data: st.DataObject) -> None:
    entries = chain(size)
    left = data.draw(st.integers(0, size - 1))
    assert found(entries[:left], head(entries)) == [(examining.CUT, left + 1)]
    assert found(entries[:left], head(entries[:left])) == []  # what nobody signed over, nobody misses


@given(st.integers(3, 40), st.data())
def test_an_entry_left_out_in_the_middle_is_a_gap(size: int, data: st.DataObject) -> None:
    entries = chain(size)
    at = data.draw(st.integers(0, size - 2))
    assert (examining.GAP, at + 1) in found([*entries[:at], *entries[at + 1 :]], head(entries))


@given(SIZES, st.data())
def test_a_chain_made_anew_is_a_fork(size: int, data: st.DataObject) -> None:
    entries = chain(size)
    at = data.draw(st.integers(0, size - 1))
    before = entries[at - 1].link if at else START
    anew = [*entries[:at], *chain(size - at + 3, first=at + 1, before=before, salt=b"another")]
    assert found(anew, head(entries)) == [(examining.FORKED, size)]
    assert found(anew, *([head(entries[:at])] if at else [])) == []


def test_two_checkpoints_of_one_size_cannot_both_be_of_one_chain() -> None:
    ours, theirs = chain(5), chain(5, salt=b"another")
    assert found(ours, head(ours), head(theirs)) == [(examining.FORKED, 5)]


def test_findings_end_somewhere() -> None:
    entries = [entry._replace(at=-1) for entry in chain(500)]
    assert len(found(entries)) == examining.MOST


def test_G6_an_old_entry_under_no_checkpoint_is_found_and_a_fresh_tail_is_not() -> None:
    """Without an auditor a tail can be made anew at leisure: it holds together by its own links only."""
    entries = chain(9)
    fresh = head(entries[:6])._replace(at=from_micros(80))
    assert found(entries, fresh, late=from_micros(70)) == []
    assert found(entries, fresh, late=from_micros(71)) == [(examining.UNCOVERED, 7)]
    assert found(entries, head(entries[:2]), fresh, late=from_micros(71)) == [(examining.UNCOVERED, 7)]
    assert found(entries[:6], fresh, late=from_micros(71)) == []


def test_G6_fresh_instants_do_not_hide_that_the_last_checkpoint_is_old() -> None:
    entries = chain(9)
    old = head(entries[:6])._replace(at=from_micros(50))
    assert found(entries, old, late=from_micros(55)) == [(examining.UNCOVERED, 7)]
    assert found(entries[:6], old, late=from_micros(55)) == []  # nothing was added since


def test_without_a_checkpoint_nothing_is_held_to_be_under_one() -> None:
    assert found(chain(9), late=from_micros(1000)) == []
