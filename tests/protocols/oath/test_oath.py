"""One-time codes against the vectors of RFC 4226 appendix D and RFC 6238 appendix B."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingam.kernel.secret import Secret
from ingam.protocols import oath

KEY = Secret(b"12345678901234567890")
RFC_4226 = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
RFC_6238 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226)))
def test_codes_of_a_counter_are_those_of_rfc_4226(counter: int, code: str) -> None:
    assert oath.hotp(KEY, counter) == Secret(code)


@pytest.mark.parametrize(("seconds", "code"), RFC_6238.items())
def test_codes_of_the_time_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert oath.hotp(KEY, oath.step_of(at), 8) == Secret(code)


def test_a_clock_may_be_one_step_off_and_no_used_step_comes_back() -> None:
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    now = oath.step_of(at)
    assert list(oath.by_time(at, 0)) == [now - 1, now, now + 1]
    assert list(oath.by_time(at, now)) == [now + 1]
    assert oath.found(KEY, oath.hotp(KEY, now - 2), oath.by_time(at, 0)) is None
    assert oath.found(KEY, oath.hotp(KEY, 7), oath.by_counter(4)) == 7
    assert oath.found(KEY, oath.hotp(KEY, 3), oath.by_counter(4)) is None
