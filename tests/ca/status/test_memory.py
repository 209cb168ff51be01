"""Kept answers: found by every way of asking, dropped by serial, bounded, and looked at when they are due."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ca.status.ground import Framed, TestFraming

from ingam.ca.status.framing import Signed
from ingam.ca.status.memory import LONGEST_NAME, MOST_NAMES, Kept, Memory
from ingam.protocols.ocsp.answering import CertId


def kept(serial: int, at: int = 0, variant: bytes = b"") -> Kept[Framed]:
    one = CertId(b"%d" % serial + variant, b"", serial)
    return Kept(one, Signed(b"%d %d" % (serial, at), at, at + 3600, 300), TestFraming())


def test_an_answer_ends_before_what_caches_may_add() -> None:
    assert (kept(1, 100).until, kept(1, 100).refresh) == (100 + 3600 - 300 - 60, 100 + 1800)


def test_all_that_is_said_of_a_serial_goes_at_once() -> None:
    memory: Memory[Framed] = Memory(10)
    by_sha1, by_sha256, other = kept(1), kept(1, variant=b"256"), kept(2)
    for number, one in enumerate((by_sha1, by_sha256, other)):
        memory.keep(one)
        memory.name(b"raw%d" % number, one)
    assert memory.drop(1) == 2 and by_sha1.gone and by_sha256.gone
    assert list(memory.found) == [b"raw2"] and len(memory) == 1 and not other.gone
    assert memory.drop(1) == 0


def test_a_newer_answer_takes_over_the_names_of_the_older_one() -> None:
    memory: Memory[Framed] = Memory(10)
    older, newer = kept(1), kept(1, 1800)
    memory.keep(older)
    memory.name(b"raw", older)
    memory.keep(newer)
    assert memory.found == {b"raw": newer} and memory.of(b"1") is newer


def test_a_stranger_cannot_fill_the_memory_with_ways_of_asking() -> None:
    memory: Memory[Framed] = Memory(10)
    one = kept(1)
    memory.keep(one)
    for number in range(100):
        memory.name(b"%d" % number, one)
    assert len(memory.found) == MOST_NAMES
    other = kept(2)
    memory.keep(other)
    memory.name(bytes(LONGEST_NAME + 1), other)
    memory.name(bytes(LONGEST_NAME), other)
    assert list(map(len, other.names)) == [LONGEST_NAME]


def test_the_memory_is_bounded_and_what_nobody_asks_for_goes_first() -> None:
    memory: Memory[Framed] = Memory(4)
    asked = kept(0)
    asked.asked = 5
    memory.keep(asked)
    for serial in range(1, 100):
        memory.keep(kept(serial))
    assert len(memory) == 4 and memory.of(b"0") is asked


def test_what_is_asked_often_is_due_half_way_and_the_rest_goes_at_its_end() -> None:
    memory: Memory[Framed] = Memory(10)
    often, seldom, later = kept(1), kept(2), kept(3)
    often.asked = 2
    for one in (often, seldom, later):
        memory.keep(one)
    assert list(memory.due(1799, 2)) == []
    assert list(memory.due(1800, 2)) == [often]
    assert list(memory.due(1801, 2)) == []
    later.asked = 2
    found = [one for now in range(1802, 3240) for one in memory.due(now, 2)]
    assert found == [later]
    assert [one for now in range(3240, 3250) for one in memory.due(now, 2)] == []
    assert len(memory) == 0


def test_what_was_dropped_does_not_pile_up() -> None:
    memory: Memory[Framed] = Memory(10)
    for serial in range(1000):
        memory.keep(kept(serial))
        memory.drop(serial)
    assert len(memory._due) <= 40


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["keep", "drop", "name", "ask", "due", "clear"]), st.integers(0, 6), st.integers(0, 1)
        ),
        max_size=80,
    )
)
def test_names_identities_and_serials_always_agree(acts: list[tuple[str, int, int]]) -> None:
    memory: Memory[Framed] = Memory(4)
    now = 0
    for what, serial, variant in acts:
        now += 200
        found = memory.of(b"%d" % serial + bytes(variant))
        if what == "keep":
            memory.keep(kept(serial, now, bytes(variant)))
        elif what == "drop":
            memory.drop(serial)
        elif what == "due":
            list(memory.due(now, 1))
        elif what == "clear":
            memory.clear()
        elif found is not None and what == "ask":
            found.asked += 1
        elif found is not None:
            memory.name(b"%d/%d/%d" % (now, serial, variant), found)
        held = set(memory._by_identity.values())
        assert len(held) <= 4
        assert {id(one) for many in memory._by_serial.values() for one in many} == {id(one) for one in held}
        assert all(one in held and name in one.names for name, one in memory.found.items())
        assert sum(len(one.names) for one in held) == len(memory.found)
