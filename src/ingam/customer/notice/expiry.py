"""On which days a person is told that a certificate ends: 30, 14, 7 and 1 before, and on the day itself, in Korea.

A day that was missed is made up for with the nearest one, and two never fall on one day: each look tells of the last
day that has come, and is made again when the next one comes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from ingam.kernel.instants import KST

DAYS: Final = (30, 14, 7, 1, 0)

NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


class Look(NamedTuple):
    """What a look at a certificate comes to.

    `day`: which of `DAYS` is told of now, or None; `left`: days that are left in truth; `again`: when to look next.
    """

    day: int | None
    left: int
    again: datetime


def look(not_after: datetime, since: datetime, at: datetime, wakes: time) -> Look:
    """`since`: when it was registered: of the days up to then nobody is told. `wakes`: the hour of the next look."""
    end, today = _day(not_after), _day(at)
    left = (end - today).days
    come = [day for day in DAYS if day >= left]
    told = min(come) if come and at < not_after else None
    if told is not None and end - timedelta(days=told) <= _day(since):
        told = None
    return Look(told, left, _next(end, left, wakes))


def _next(end: date, left: int, wakes: time) -> datetime:
    to_come = [day for day in DAYS if day < left]
    if not to_come:
        return NEVER
    return datetime.combine(end - timedelta(days=max(to_come)), wakes, KST).astimezone(UTC)


def _day(at: datetime) -> date:
    return at.astimezone(KST).date()
