"""What is to happen to each customer of the year, drawn from a seed; it knows nothing of how any of it is done.

Day 0 is 1 December in Korea. Everybody's first certificate begins in the four weeks from it and ends a year later;
the simulation goes on until the last of them is over.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

START: Final = date(2026, 12, 1)
BEGINNINGS: Final = 28
YEAR: Final = 365
DAYS: Final = BEGINNINGS + YEAR + 9
REASONS: Final = {"key": 1, "facts": 3, "unused": 5}
"""Why somebody revokes a certificate, as 폐지 asks, and what a CRL says of it."""


SILENT: Final = range(180, 187)
"""Days in whose nights the authority elsewhere does not answer questions about its certificates."""

AWAY: Final = range(215, 218)
"""Days on which our own authority cannot be reached: what it is to be told of them it hears on the morning after."""


class Authority(StrEnum):
    """Whose certificate it is."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


class Kind(StrEnum):
    """A kind of life. `THERE`: it was done at the authority elsewhere, and the center finds it at night."""

    RENEWED = "renewed"
    REISSUED = "reissued"
    REVOKED = "revoked"
    RESUMED = "suspended and resumed"
    LAPSED = "suspended and never resumed"
    RELEASED = "released"
    EXPIRES = "expires"
    REVOKED_THERE = "revoked there"
    SUSPENDED_THERE = "suspended there"
    RESUMED_THERE = "suspended and resumed there"
    REISSUED_THERE = "reissued there"
    REISSUED_HELD = "suspended and then reissued"
    REVOKED_HELD = "suspended and then revoked"
    REGISTERED_AGAIN = "released and registered again"
    ISSUED_AFTER = "revoked and issued anew"
    ISSUED_OVER = "issued anew while the old one stands"
    BOTH = "another product beside the first"
    RENEWED_THERE = "renewed at our authority and not through the center"
    ISSUED_LATE = "issued anew in the small hours after the end"
    REPORTED_TWICE = "suspended here, and revoked there"
    MOVED_HELD = "suspended there, and issued anew here"
    MOVED = "issued here to who was registered with one from elsewhere"


BY_OUTBOX: Final = (Kind.REVOKED, Kind.RESUMED, Kind.LAPSED)
"""What the authority hears of through the outbox alone."""


class Buying(StrEnum):
    """What happens until a certificate for a fee is there."""

    AT_ONCE = "at once"
    DECLINED = "the card is declined first"
    GIVEN_BACK = "the vault gives the first one back"
    LEFT = "the first run is left after paying"


ANYWHERE: Final = (Kind.RESUMED, Kind.LAPSED, Kind.RELEASED, Kind.EXPIRES, Kind.REGISTERED_AGAIN)
OURS: Final = (
    *ANYWHERE, Kind.REISSUED, Kind.REVOKED, Kind.REISSUED_HELD, Kind.REVOKED_HELD, Kind.ISSUED_AFTER, Kind.ISSUED_OVER,
)  # fmt: skip
KINDS: Final = {
    (Authority.HERE, "securities"): (*OURS, Kind.RENEWED, Kind.BOTH, Kind.RENEWED_THERE, Kind.ISSUED_LATE),
    (Authority.HERE, "universal"): (*OURS, Kind.RENEWED),
    (Authority.ELSEWHERE, "securities"): (
        *ANYWHERE, Kind.REVOKED_THERE, Kind.SUSPENDED_THERE, Kind.RESUMED_THERE, Kind.REISSUED_THERE, Kind.MOVED,
        Kind.REPORTED_TWICE, Kind.MOVED_HELD,
    ),
}  # fmt: skip
"""By authority and product. Elsewhere nobody but its holder revokes."""


@dataclass(frozen=True)
class Life:
    """A customer's year. `begins`, `at` and `then` are days; `at`: of what happens, `then`: of what follows on it.

    `by_report`: suspended by 사고신고 rather than by 효력정지; `silent`: does without reminders.
    """

    number: int
    authority: Authority
    product: str
    kind: Kind
    begins: int
    at: int
    then: int
    reason: str
    by_report: bool
    silent: bool
    buying: Buying

    @property
    def costs(self) -> bool:
        return self.product == "universal"


def drawn(customers: int, seed: int, stride: int) -> list[Life]:
    """As many lives. `stride`: days between two nightly questions, which what follows on a discovery waits for."""
    one = random.Random(seed)
    every = [(authority, product, kind) for (authority, product), kinds in KINDS.items() for kind in kinds]
    return [_life(one, number, *every[number % len(every)], stride) for number in range(customers)]


def _life(one: random.Random, number: int, authority: Authority, product: str, kind: Kind, stride: int) -> Life:
    begins = one.randrange(BEGINNINGS)
    at, then = (_reached(kind, number) for number in _days(one, kind, begins, stride))
    return Life(
        number, authority, product, kind, begins, at, then,
        reason=one.choice(list(REASONS)), by_report=one.random() < 0.5, silent=one.random() < 0.1,
        buying=one.choice(list(Buying)),
    )  # fmt: skip


def _days(one: random.Random, kind: Kind, begins: int, stride: int) -> tuple[int, int]:
    end = begins + YEAR
    if kind in BY_OUTBOX and one.random() < 0.3:
        at = one.choice(AWAY)
        return at, at + one.randrange(100) if kind is Kind.RESUMED else 0
    match kind:
        case Kind.RENEWED:
            return one.randint(end - 30, end), 0
        case Kind.RESUMED | Kind.REISSUED_HELD | Kind.REVOKED_HELD:
            at = one.randint(30, end - 20)
            return at, one.randint(at, min(at + 170, end))
        case Kind.LAPSED | Kind.SUSPENDED_THERE:
            return one.randint(30, end - 30), 0
        case Kind.RESUMED_THERE:
            at = one.randint(30, end - 2 * stride - 10)
            return at, one.randint(at + stride + 1, min(at + stride + 100, end))
        case Kind.RENEWED_THERE:
            return one.randint(end - 30, end - 1), end
        case Kind.ISSUED_LATE:
            return end + 1, 0
        case Kind.REPORTED_TWICE | Kind.MOVED_HELD:
            at = one.randint(30, end - 20)
            return at, one.randint(at, end)
        case Kind.REGISTERED_AGAIN | Kind.ISSUED_AFTER:
            at = one.randint(30, end - 1)
            return at, one.randint(at, end)
        case Kind.REISSUED_THERE:
            at = one.randint(30, end - 2)
            return at, one.randint(at, min(at + 2 * stride + 3, end))
        case _:
            return one.randint(30, end), 0


def _reached(kind: Kind, number: int) -> int:
    """Only what the outbox tells the authority is done while it is away."""
    return AWAY.stop if number in AWAY and kind not in BY_OUTBOX else number


def day(number: int) -> date:
    """The date in Korea."""
    return START + timedelta(days=number)
