"""Nobody learns by the clock whether an ID, a password or a number was wrong (security F8)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from tests.limits.enumeration import apart, pairs, samples

CHANCE = 0.001
"""A pair of equal distributions is told apart by mistake as often as that."""


@pytest.mark.soak
def test_F8_a_thousand_refusals_of_each_kind_take_times_that_cannot_be_told_apart(
    sqlite_url: str, tmp_path: Path
) -> None:
    found = pairs(asyncio.run(samples(sqlite_url, tmp_path, 1000)))
    assert len(found) == 4
    assert all(chance > CHANCE for _, chance in found.values()), found


def test_every_case_of_the_samples_is_a_refusal(sqlite_url: str, tmp_path: Path) -> None:
    found = asyncio.run(samples(sqlite_url, tmp_path, 1, warm=0))
    assert {len(seconds) for seconds in found.values()} == {1}


def test_the_comparison_tells_other_distributions_apart_and_equal_ones_not() -> None:
    drawn = random.Random(8)
    one, other = ([drawn.gauss(30, 2) for _ in range(1000)] for _ in range(2))
    later = [seconds + 0.5 for seconds in other]
    assert apart(one, other)[1] > CHANCE
    assert apart(one, later)[1] < CHANCE
    assert apart([1.0, 2.0], [3.0, 4.0])[0] == 1.0
