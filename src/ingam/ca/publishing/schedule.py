"""When a list is due, and when it goes to its places: pure, from what stands; the table TABLE is the specification.

A list is made anew when the first of its reasons comes, never within a second of the one before it (its thisUpdate
rises), and after a failure not before its pause is over. Numbers rise always: above all that was ever seen of the
scope, in the books or at a place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

from ingam.ports.books import ListRecord

GAP: Final = timedelta(seconds=1)
"""Two lists of one scope differ in thisUpdate, which has whole seconds."""

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=10)
AT_ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`interval`: a new list at least this often. `lifetime`: from thisUpdate to nextUpdate, longer than that.

    `after_change`: how long a revocation may wait; None: until the interval is over.
    """

    interval: timedelta
    lifetime: timedelta
    after_change: timedelta | None

    def __post_init__(self) -> None:
        if not GAP <= self.interval < self.lifetime:
            raise ValueError("a list lives longer than until the next one")


class Why(StrEnum):
    """Why a list is made."""

    FIRST = "first"
    OVERTAKEN = "overtaken"  # a place holds another list of this number or above: books came back from a backup
    LOST = "lost"  # the file of the list that stands is gone, and a place still waits for it
    CHANGED = "changed"
    INTERVAL = "interval"


class Pause(NamedTuple):
    """After a failure: how many there were in a row, and when it is tried again."""

    attempts: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the schedule knows of one list.

    `record`: the list that stands. `possible`: False while its signer is away, or a delta has no base. `unlisted`: when
    the first change that is not on it came. `seen`: the highest number of a list at a place that the books do not know,
    or -1. `places`: the number that each place is known to hold, -1 where that is not known. `kept`: the file of the
    record is at hand. `pause`: of making it; `pauses`: of places.
    """

    rhythm: Rhythm
    record: ListRecord | None = None
    possible: bool = True
    unlisted: datetime | None = None
    seen: int = -1
    kept: bool = True
    places: Mapping[str, int] = field(default_factory=dict)
    pause: Pause | None = None
    pauses: Mapping[str, Pause] = field(default_factory=dict)


class Making(NamedTuple, Generic[Key]):
    """A list is due."""

    key: Key
    why: Why


class Delivering(NamedTuple, Generic[Key]):
    """The list that stands is due at a place."""

    key: Key
    place: str


def _first(one: Standing) -> datetime | None:
    return AT_ONCE if one.record is None else None


def _overtaken(one: Standing) -> datetime | None:
    return AT_ONCE if one.record is not None and one.seen >= one.record.number else None


def _lost(one: Standing) -> datetime | None:
    return AT_ONCE if one.record is not None and not one.kept and waiting(one) else None


def _changed(one: Standing) -> datetime | None:
    if one.unlisted is None or one.rhythm.after_change is None:
        return None
    return one.unlisted + one.rhythm.after_change


def _interval(one: Standing) -> datetime | None:
    return None if one.record is None else one.record.this_update + one.rhythm.interval


TABLE: Final[tuple[tuple[Why, Callable[[Standing], datetime | None]], ...]] = (
    (Why.FIRST, _first),
    (Why.OVERTAKEN, _overtaken),
    (Why.LOST, _lost),
    (Why.CHANGED, _changed),
    (Why.INTERVAL, _interval),
)
"""Each reason and the instant at which it holds, or None; the earliest makes the list due."""


def making(one: Standing) -> tuple[datetime, Why] | None:
    """When a list is to be made and why; None: not as things stand."""
    if not one.possible:
        return None
    reasons = [(at, why) for why, when in TABLE if (at := when(one)) is not None]
    if not reasons:
        return None
    at, why = min(reasons, key=lambda found: found[0])
    if one.record is not None:
        at = max(at, one.record.this_update + GAP)
    return (at if one.pause is None else max(at, one.pause.until)), why


def waiting(one: Standing) -> list[str]:
    """The places that do not hold the list that stands; those that hold a higher number wait for the next one."""
    return [] if one.record is None else [name for name, number in one.places.items() if number < one.record.number]


def due(now: datetime, lists: Iterable[tuple[Key, Standing]]) -> Due[Key]:
    """What is to be done now, and when to look again. What is made now is delivered afterwards, not before."""
    make: list[Making[Key]] = []
    deliver: list[Delivering[Key]] = []
    later: list[datetime] = []
    for key, one in lists:
        when = making(one)
        if when is not None and when[0] <= now:
            make.append(Making(key, when[1]))
            continue
        if when is not None:
            later.append(when[0])
        for place in waiting(one) if one.kept else ():
            pause = one.pauses.get(place)
            if pause is not None and pause.until > now:
                later.append(pause.until)
            else:
                deliver.append(Delivering(key, place))
    return Due(tuple(make), tuple(deliver), min(later, default=None))


class Due(NamedTuple, Generic[Key]):
    """`next`: the instant at which something more will be due; None: nothing will, by time alone."""

    making: tuple[Making[Key], ...]
    delivering: tuple[Delivering[Key], ...]
    next: datetime | None


def next_number(*seen: int) -> int:
    """One above every number seen: of the list, of its sibling in the sequence, at any place."""
    return 1 + max(0, *seen)


def paused(before: Pause | None, now: datetime) -> Pause:
    """After one more failure: 5 s, doubled each time, at most 10 min."""
    attempts = 1 if before is None else before.attempts + 1
    return Pause(attempts, now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 20)))
