"""The schedule by its table: each reason, each pause, and that nothing is due too early or forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ca.publishing.world import START

from ingam.ca.publishing.lists import RHYTHMS
from ingam.ca.publishing.schedule import (
    FIRST_PAUSE,
    GAP,
    LONGEST_PAUSE,
    TABLE,
    Pause,
    Rhythm,
    Standing,
    Why,
    due,
    making,
    next_number,
    paused,
    waiting,
)
from ingam.ports.books import ListRecord

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
RHYTHM = Rhythm(12 * HOUR, 24 * HOUR, 5 * SECOND)
RECORD = ListRecord(1, 1, "partition", 7, START, START + RHYTHM.lifetime, b"", 40)
STANDS = Standing(RHYTHM, RECORD, places={"folder": 7, "dir": 7})


def test_the_table_names_every_reason_once() -> None:
    assert [why for why, _ in TABLE] == list(Why)


@pytest.mark.parametrize(
    ("standing", "after", "why"),
    [
        (Standing(RHYTHM), timedelta(0), Why.FIRST),
        (STANDS, 12 * HOUR, Why.INTERVAL),
        (replace(STANDS, unlisted=START + HOUR), HOUR + 5 * SECOND, Why.CHANGED),
        (replace(STANDS, unlisted=START - HOUR), GAP, Why.CHANGED),
        (replace(STANDS, unlisted=START + 12 * HOUR), 12 * HOUR, Why.INTERVAL),
        (replace(STANDS, seen=7), GAP, Why.OVERTAKEN),
        (replace(STANDS, seen=100), GAP, Why.OVERTAKEN),
        (replace(STANDS, kept=False, places={"folder": 7, "dir": 6}), GAP, Why.LOST),
        (replace(STANDS, kept=False), 12 * HOUR, Why.INTERVAL),
        (replace(STANDS, unlisted=START, rhythm=replace(RHYTHM, after_change=None)), 12 * HOUR, Why.INTERVAL),
        (replace(STANDS, pause=Pause(3, START + 13 * HOUR)), 13 * HOUR, Why.INTERVAL),
        (Standing(RHYTHM, pause=Pause(1, START + HOUR)), HOUR, Why.FIRST),
    ],
)
def test_a_list_is_due_at_its_instant_and_not_a_second_before(standing: Standing, after: timedelta, why: Why) -> None:
    assert due(START + after, [("x", standing)]).making == (("x", why),)
    before = due(START + after - SECOND, [("x", standing)])
    if after:
        assert before.making == ()
        assert before.next == START + after


def test_a_list_that_cannot_be_made_is_never_due_and_still_delivered() -> None:
    away = replace(STANDS, possible=False, places={"folder": 7, "dir": 6})
    found = due(START + 100 * HOUR, [("root", away)])
    assert (found.making, found.delivering, found.next) == ((), (("root", "dir"),), None)


def test_what_stands_goes_where_it_is_missing_and_nowhere_twice() -> None:
    one = replace(STANDS, places={"folder": 7, "dir": 6, "new": -1, "ahead": 9})
    assert waiting(one) == ["dir", "new"]
    assert due(START, [("x", one)]).delivering == (("x", "dir"), ("x", "new"))
    assert waiting(Standing(RHYTHM, places={"folder": -1})) == []


def test_a_place_that_failed_has_its_pause_and_others_do_not_wait_for_it() -> None:
    one = replace(STANDS, places={"folder": 6, "dir": 6}, pauses={"dir": Pause(1, START + HOUR)})
    found = due(START, [("x", one)])
    assert (found.delivering, found.next) == ((("x", "folder"),), START + HOUR)
    assert ("x", "dir") in due(START + HOUR, [("x", one)]).delivering


def test_what_is_about_to_be_made_is_not_delivered_before() -> None:
    one = replace(STANDS, places={"folder": 6})
    assert due(START + 12 * HOUR, [("x", one)]).delivering == ()


def test_a_list_whose_file_is_gone_is_not_delivered() -> None:
    one = replace(STANDS, kept=False, places={"folder": 6})
    assert due(START, [("x", one)]).delivering == ()


def test_pauses_double_from_five_seconds_to_ten_minutes() -> None:
    pause: Pause | None = None
    lengths = []
    for _ in range(12):
        pause = paused(pause, START)
        lengths.append(pause.until - START)
    assert lengths[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert lengths[-1] == LONGEST_PAUSE
    assert paused(Pause(10_000, START), START).until == START + LONGEST_PAUSE


def test_a_list_lives_longer_than_until_the_next_one() -> None:
    assert all(one.interval < one.lifetime for one in RHYTHMS.values())
    for interval, lifetime in ((HOUR, HOUR), (timedelta(0), HOUR), (2 * HOUR, HOUR)):
        with pytest.raises(ValueError, match="longer"):
            Rhythm(interval, lifetime, None)


numbers = st.integers(-1, 50)
instants = st.integers(-100_000, 200_000).map(lambda seconds: START + timedelta(seconds=seconds))
pauses = st.none() | st.builds(Pause, st.integers(1, 9), instants)
standings = st.builds(
    Standing,
    rhythm=st.just(RHYTHM),
    record=st.none() | st.builds(replace, st.just(RECORD), number=st.integers(0, 50), this_update=instants),
    possible=st.booleans(),
    unlisted=st.none() | instants,
    seen=numbers,
    kept=st.booleans(),
    places=st.dictionaries(st.sampled_from(["folder", "dir"]), numbers),
    pause=pauses,
    pauses=st.dictionaries(st.sampled_from(["folder", "dir"]), st.builds(Pause, st.integers(1, 9), instants)),
)


@given(standings, instants)
def test_whatever_stands_something_is_due_now_or_an_instant_is_named(one: Standing, now: object) -> None:
    assert isinstance(now, type(START))
    found = due(now, [("x", one)])
    when = making(one)
    if when is None:
        assert found.making == ()
    elif when[0] <= now:
        assert found.making == (("x", when[1]),)
    else:
        assert found.making == ()
        assert found.next is not None
        assert now < found.next <= when[0]
    for _, place in found.delivering:
        assert one.record is not None
        assert one.places[place] < one.record.number
        assert one.kept


@given(standings, instants)
def test_at_the_instant_that_was_named_something_is_due(one: Standing, now: object) -> None:
    assert isinstance(now, type(START))
    found = due(now, [("x", one)])
    if found.next is not None:
        later = due(found.next, [("x", one)])
        assert len(later.making) + len(later.delivering) > 0
        assert (later.making, later.delivering) != (found.making, found.delivering)


@given(standings)
def test_two_lists_of_one_scope_are_a_second_apart_at_least(one: Standing) -> None:
    when = making(one)
    if when is not None and one.record is not None:
        assert when[0] >= one.record.this_update + GAP


@given(st.lists(numbers, min_size=1))
def test_a_number_is_above_all_that_were_seen(seen: list[int]) -> None:
    assert next_number(*seen) > max(seen)
    assert next_number(*seen) > 0
