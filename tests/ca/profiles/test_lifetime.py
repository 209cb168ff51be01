"""From when to when: a year to the end of the Korean day; renewals carry what remains, reissues keep the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ingam.ca.profiles import Operation, preset, validity
from ingam.ca.profiles.lifetime import GenerationEnds, ReissueLate, RenewalEarly, RenewalLate
from ingam.kernel.errors import Defect
from ingam.kernel.instants import KST
from ingam.npki.shapes import Validity, end_of_day

GOLD = preset("ingam").profile("securities")
ISSUE, RENEW, REISSUE = Operation.ISSUE, Operation.RENEW, Operation.REISSUE


def korean(text: str) -> datetime:
    """`2026-03-29 10:02:03`, in Korea."""
    return datetime.fromisoformat(text).replace(tzinfo=KST)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2021-03-23 10:09:40", "2021-03-23 10:09:00", date(2022, 3, 23)),  # as SignKorea's test certificate has it
        ("2026-03-29 00:00:00", "2026-03-29 00:00:00", date(2027, 3, 29)),
        ("2026-03-29 23:59:59", "2026-03-29 23:59:00", date(2027, 3, 29)),
        ("2026-12-31 23:59:59", "2026-12-31 23:59:00", date(2027, 12, 31)),
        ("2028-02-29 12:00:00", "2028-02-29 12:00:00", date(2029, 2, 28)),
    ],
)
def test_a_new_one_ends_a_year_later_at_the_end_of_the_korean_day(now: str, first: str, last: date) -> None:
    found = validity(GOLD, korean(now), ISSUE)
    assert found == Validity(korean(first).astimezone(UTC), end_of_day(last))
    assert found.not_after.strftime("%H%M%SZ") == "145959Z"


def test_a_renewed_one_carries_the_remaining_days() -> None:
    """A real one of 2026 began on 29 March and ends on 17 April of the next year (npki.md section 2.1)."""
    found = validity(GOLD, korean("2026-03-29 09:00:00"), RENEW, end_of_day(date(2026, 4, 17)))
    assert found.not_after == end_of_day(date(2027, 4, 17))


def test_renewal_begins_thirty_days_before_the_end_and_ends_with_it() -> None:
    old = end_of_day(date(2026, 4, 30))
    with pytest.raises(RenewalEarly) as caught:
        validity(GOLD, korean("2026-03-30 23:59:59"), RENEW, old)
    assert caught.value.facts == {"days": 1}
    for now in ("2026-03-31 00:00:00", "2026-04-30 23:59:58"):
        assert validity(GOLD, korean(now), RENEW, old).not_after == end_of_day(date(2027, 4, 30))
    with pytest.raises(RenewalLate):
        validity(GOLD, korean("2026-04-30 23:59:59"), RENEW, old)


def test_a_reissued_one_keeps_the_end() -> None:
    old = end_of_day(date(2026, 4, 30))
    assert validity(GOLD, korean("2025-06-01 12:00:00"), REISSUE, old).not_after == old
    with pytest.raises(ReissueLate):
        validity(GOLD, korean("2026-05-01 00:00:00"), REISSUE, old)


def test_a_profile_may_say_otherwise() -> None:
    plain = replace(GOLD, day_end=False, renewal_carries=False, reissue_keeps=False, years=2)
    now, old = korean("2026-04-29 12:34:56"), end_of_day(date(2026, 4, 30))
    for operation, end in ((ISSUE, None), (RENEW, old), (REISSUE, old)):
        assert validity(plain, now, operation, end).not_after == korean("2028-04-29 12:34:56")


def test_nothing_outlives_its_ca() -> None:
    now = korean("2026-03-29 10:00:30")
    for within in (
        Validity(korean("2026-01-01 00:00:00"), korean("2027-03-29 23:59:58")),
        Validity(korean("2026-03-29 10:00:31"), korean("2036-01-01 00:00:00")),
    ):
        with pytest.raises(GenerationEnds):
            validity(GOLD, now, ISSUE, within=within)
    young = Validity(korean("2026-03-29 10:00:20"), korean("2036-01-01 00:00:00"))
    assert validity(GOLD, now, ISSUE, within=young).not_before == young.not_before


@pytest.mark.parametrize(
    ("now", "operation", "old"),
    [
        (datetime(2026, 1, 1), ISSUE, None),  # noqa: DTZ001
        (korean("2026-01-01 00:00:00"), RENEW, None),
        (korean("2026-01-01 00:00:00"), ISSUE, korean("2026-01-02 00:00:00")),
    ],
)
def test_a_question_without_its_facts_is_our_defect(now: datetime, operation: Operation, old: datetime | None) -> None:
    with pytest.raises(Defect):
        validity(GOLD, now, operation, old)


@given(
    now=some.integers(0, 60 * 366 * 86400).map(
        lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    left=some.integers(1, 30 * 86400),
)
def test_whenever_it_is_renewed_nobody_loses_a_day(now: datetime, left: int) -> None:
    old = end_of_day((now + timedelta(seconds=left)).astimezone(KST).date())
    if (old.astimezone(KST).date() - now.astimezone(KST).date()).days > 30:
        return
    found = validity(GOLD, now, RENEW, old)
    assert timedelta(days=364) < found.not_after - old <= timedelta(days=366)
    assert found.not_after - found.not_before <= timedelta(days=366 + 31)
    assert (found.not_after.hour, found.not_after.minute, found.not_after.second) == (14, 59, 59)
    assert found.not_before <= now < found.not_before + timedelta(minutes=1)
