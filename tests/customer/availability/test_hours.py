"""The hours of a way are Korean ones, by day of the week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingam.customer.availability.hours import EVERY_DAY, Hours, HoursRefused, clock, minutes
from ingam.kernel.instants import KST

OFFICE = Hours("01234", minutes("09:00"), minutes("18:00"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST).astimezone(UTC)


@pytest.mark.parametrize(
    ("when", "open_then"),
    [
        ("2026-11-23 09:00", True),  # a Monday
        ("2026-11-23 08:59", False),
        ("2026-11-23 17:59", True),
        ("2026-11-23 18:00", False),
        ("2026-11-22 10:00", False),  # a Sunday
    ],
)
def test_hours_are_counted_in_korea(when: str, open_then: bool) -> None:
    assert OFFICE.contain(at(when)) is open_then


def test_the_next_opening_leaps_over_a_weekend() -> None:
    assert OFFICE.next_opening(at("2026-11-20 18:00")) == at("2026-11-23 09:00")
    assert OFFICE.next_opening(at("2026-11-23 03:00")) == at("2026-11-23 09:00")


def test_hours_read_as_people_write_them() -> None:
    assert OFFICE.text("ko") == "월–금 09:00–18:00"
    assert OFFICE.text("en") == "Mon–Fri 09:00–18:00"
    assert Hours("025", 0, minutes("24:00")).text("ko") == "월·수·토 00:00–24:00"
    assert Hours(EVERY_DAY, 30, 1410).text("ko") == "매일 00:30–23:30"


@pytest.mark.parametrize(
    ("days", "opens", "closes"), [("", 0, 1), ("7", 0, 1), ("10", 0, 1), ("0", 5, 5), ("0", 0, 1441)]
)
def test_what_is_no_hours_is_refused(days: str, opens: int, closes: int) -> None:
    with pytest.raises(HoursRefused):
        Hours(days, opens, closes)


@pytest.mark.parametrize("text", ["9:00", "09:60", "25:00", "24:01", "", "09.00"])
def test_what_is_no_time_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(HoursRefused):
        minutes(text)


@given(
    st.sets(st.sampled_from(EVERY_DAY), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.integers(0, 366 * 1440),
)
def test_it_is_open_at_its_next_opening(days: set[str], opens: int, closes: int, passed: int) -> None:
    assume(opens < closes)
    hours, now = Hours("".join(sorted(days)), opens, closes), at("2026-01-01 00:00") + timedelta(minutes=passed)
    opening = hours.next_opening(now)
    assert now < opening <= now + timedelta(days=7)
    assert hours.contain(opening)
    assert minutes(clock(opens)) == opens
