"""Ends that are told beforehand, and the hours in which nobody is told."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ingam.customer.notice.expiry import DAYS, NEVER, look
from ingam.customer.notice.quiet import Quiet
from ingam.kernel.instants import KST

END = datetime(2027, 4, 17, 14, 59, 59, tzinfo=UTC)  # 23:59:59 in Korea
SINCE = END - timedelta(days=365)
WAKES = time(8, 0)


def korean(day: int, hour: int, minute: int = 0) -> datetime:
    """So many days before the end, at an hour in Korea."""
    return datetime(2027, 4, 17, hour, minute, tzinfo=KST) - timedelta(days=day)


@pytest.mark.parametrize("day", DAYS)
def test_each_day_is_told_once_and_the_next_one_is_looked_at_in_the_morning(day: int) -> None:
    seen = look(END, SINCE, korean(day, 8), WAKES)
    later = [one for one in DAYS if one < day]
    assert (seen.day, seen.left) == (day, day)
    assert seen.again == (korean(max(later), 8) if later else NEVER)


def test_before_the_first_day_nothing_is_told() -> None:
    assert look(END, SINCE, korean(31, 23, 59), WAKES)[:2] == (None, 31)
    assert look(END, SINCE, korean(200, 12), WAKES).again == korean(30, 8)


def test_a_day_that_was_missed_is_made_up_for_with_the_nearest_and_the_true_number_of_days() -> None:
    assert look(END, SINCE, korean(12, 9), WAKES) == (14, 12, korean(7, 8))
    assert look(END, SINCE, korean(3, 9), WAKES)[:2] == (7, 3)


def test_of_what_is_over_nobody_is_told_that_it_ends() -> None:
    assert look(END, SINCE, END, WAKES) == (None, 0, NEVER)
    assert look(END, SINCE, END + timedelta(days=3), WAKES) == (None, -3, NEVER)


def test_whoever_registers_a_certificate_late_is_told_of_the_days_to_come() -> None:
    registered = korean(20, 10)
    assert look(END, registered, korean(20, 11), WAKES) == (None, 20, korean(14, 8))
    assert look(END, registered, korean(14, 8), WAKES).day == 14
    assert look(END, korean(14, 7), korean(14, 8), WAKES).day is None


@given(
    end=some.integers(min_value=0, max_value=4 * 365 * 86_400).map(lambda seconds: END + timedelta(seconds=seconds)),
    looks=some.lists(some.integers(min_value=0, max_value=400 * 24 * 60), min_size=1, max_size=40),
)
def test_however_often_and_late_somebody_looks_no_day_is_told_twice_and_no_two_on_one_day(
    end: datetime, looks: list[int]
) -> None:
    since, again = end - timedelta(days=400), end - timedelta(days=400)
    told: list[int] = []
    days: list[object] = []
    for minutes in sorted(looks):
        at = since + timedelta(minutes=minutes)
        if at < again:
            continue
        seen = look(end, since, at, WAKES)
        assert seen.again > at or seen.again == NEVER
        again = seen.again
        if seen.day is not None:
            assert 0 <= seen.left <= seen.day
            told.append(seen.day)
            days.append(at.astimezone(KST).date())
    assert told == sorted(set(told), reverse=True) and len(set(days)) == len(days)


def test_quiet_hours_run_over_midnight_and_end_in_the_morning() -> None:
    quiet = Quiet.read("21:00-08:00")
    morning = datetime(2027, 4, 17, 8, 0, tzinfo=KST)
    for at in (morning - timedelta(minutes=1), morning - timedelta(hours=11)):
        assert quiet.holds(at) and quiet.after(at) == morning
    for at in (morning, morning - timedelta(hours=11, minutes=1)):
        assert not quiet.holds(at) and quiet.after(at) == at


def test_quiet_hours_of_one_day_and_none_at_all() -> None:
    noon = datetime(2027, 4, 17, 12, 0, tzinfo=KST)
    assert Quiet.read("12:00-13:30").after(noon) == noon + timedelta(minutes=90)
    assert not Quiet.read("").holds(noon)


@pytest.mark.parametrize("text", ["9-5", "21:00", "24:00-08:00", "21:00-08:60", "21:00 - 08:00"])
def test_quiet_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        Quiet.read(text)
