"""The publisher of an authority: looks what is due, makes it, brings it to every place, and tries again what failed.

    make      number, file, books (making.py); the books compare the number in their transaction (security D13)
    deliver   the list that stands goes to each place, which compares the number with what is there (delivering.py)
    remember  what reached which place and what failed lies in notes on the disk, so that a restart goes on

One publisher of a machine works at a time, under a lock that the system releases with its holder; that nothing older
is ever published does not depend on it. Blocks: it belongs into a process of its own, never on a serving loop.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

from ingam.ca.profiles import Authority
from ingam.ca.publishing.delivering import Deliverer, ListLost
from ingam.ca.publishing.lists import Kind, ListId, ListIssuer
from ingam.ca.publishing.making import LOCK, ListBooks
from ingam.ca.publishing.overview import Overview
from ingam.ca.publishing.schedule import Due, due, paused
from ingam.kernel.errors import Failure
from ingam.kernel.steps import reach
from ingam.ports.books import ListRecord, OlderList
from ingam.ports.clock import Clock
from ingam.ports.directory import Directory

BUSY_PAUSE: Final = timedelta(seconds=1)
TICK_S: Final = 0.2
ASKED: Final = "asked"
UNWRITABLE: Final = "directory-unwritable"
_RANK: Final = (Kind.DELTA, Kind.PARTITION, Kind.FULL)
"""What is small and urgent goes first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one act. `what`: `dp1p1`, `issuing-1-delta`, a certificate's `issuing-1.der`. `place` None: the list
    was made, for the reason `why`.

    `code` None: it succeeded; else that of the failure (kernel/words).
    """

    what: str
    place: str | None
    number: int | None
    code: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """`next`: when more is due by time alone, or now. `busy`: another publisher was at work, and nothing was done."""

    outcomes: tuple[Outcome, ...]
    next: datetime | None
    busy: bool = False


class Publisher:
    """`folder`: its own, on the file system of the served one, so that files are linked and not copied."""

    def __init__(
        self,
        authority: Authority,
        issuers: Sequence[ListIssuer],
        books: ListBooks,
        places: Sequence[Directory],
        folder: Path,
        clock: Clock,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._overview = Overview(authority, issuers, books, [one.name for one in places], folder)
        self._deliverer = Deliverer(authority, self._overview, places)
        self._books, self._folder, self._clock = books, folder, clock
        self._swept = False

    def step(self) -> Step:
        """All that is due now: certificates, lists, deliveries. Raises BooksOutage, OSError (its own folder)."""
        with self._alone() as mine:
            if not mine:
                return Step((), self._clock.now() + BUSY_PAUSE, busy=True)
            self._overview.learn()
            found = due(self._clock.now(), self._overview.standings())
            outcomes = [*self._certificates(), *self._perform(found)]
            # What was due and is no more (another publisher was quicker) may be due again, later.
            return Step(tuple(outcomes), self._next() if outcomes or found.making else found.next)

    def publish_now(self, wanted: Callable[[ListId], bool] = lambda _: True) -> Step:
        """Make and deliver lists whether or not they are due; complete ones first, as deltas continue them."""
        with self._alone() as mine:
            if not mine:
                return Step((), self._clock.now() + BUSY_PAUSE, busy=True)
            self._overview.learn()
            chosen = sorted(filter(wanted, self._overview.lists()), key=lambda one: one.kind is Kind.DELTA)
            outcomes = [told for one in chosen for told in self._make_and_deliver(one, ASKED)]
            return Step(tuple(outcomes), None)

    def follow(self, stop: Event, told: Callable[[Step], None] = lambda _: None) -> None:
        """Steps until `stop`: after each change, and whenever something is due. `told` hears of each step."""
        while not stop.is_set():
            step = self.step()
            told(step)
            while not stop.wait(TICK_S):
                if self._books.changed() or (step.next is not None and self._clock.now() >= step.next):
                    break

    def make(self, one: ListId, why: str = ASKED) -> Outcome:
        """A new list in the books, and nowhere else yet. A failure pauses it."""
        overview, now = self._overview, self._clock.now()
        name, note = overview.name(one), overview.note(one)
        try:
            record = overview.maker.make(overview.issuers[one.ca], one, now, overview.seen(one), note.shown)
        except OlderList as older:
            overview.forget(one)  # another publisher was quicker: its list stands
            return Outcome(name, None, None, older.code, why)
        except (Failure, OSError) as failure:
            note.pause = paused(note.pause, now)
            return Outcome(name, None, None, failure.code if isinstance(failure, Failure) else UNWRITABLE, why)
        overview.made(one, record)
        return Outcome(name, None, record.number, None, why)

    def deliver(self, one: ListId, place: str, record: ListRecord | None = None) -> Outcome:
        """The list that stands (or `record`, which stood when somebody looked) to one place. A failure pauses it."""
        name, record = self._overview.name(one), record or self._overview.record(one)
        if record is None:
            return Outcome(name, place, None, ListLost.code)
        code = self._deliverer.deliver(one, record, place, self._clock.now())
        reach("publishing.6")
        return Outcome(name, place, record.number, code)

    def _make_and_deliver(self, one: ListId, why: str) -> Iterator[Outcome]:
        made = self.make(one, why)
        yield made
        if made.code is None:
            yield from [self.deliver(one, place) for place in self._overview.places]
        self._overview.keep(one)

    def _perform(self, found: Due[ListId]) -> Iterator[Outcome]:
        for one, why in sorted(found.making, key=lambda made: _RANK.index(made.key.kind)):
            if self._still_due(one):
                yield from self._make_and_deliver(one, why)
        for one, place in found.delivering:
            yield self.deliver(one, place)
            self._overview.keep(one)

    def _still_due(self, one: ListId) -> bool:
        """Asked of the books once more: another publisher may have been quicker."""
        self._overview.forget(one)
        return bool(due(self._clock.now(), [(one, self._overview.standing(one))]).making)

    def _next(self) -> datetime | None:
        now = self._clock.now()
        found = due(now, self._overview.standings())
        return now if found.making or found.delivering else found.next

    def _certificates(self) -> Iterator[Outcome]:
        for file, place, code in self._deliverer.certificates(self._clock.now()):
            yield Outcome(file, place, None, code)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this publisher has the folder for itself, until it leaves."""
        with (self._folder / LOCK).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            if not self._swept:
                self._overview.sweep()
                self._swept = True
            yield True
