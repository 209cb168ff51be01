"""What stands and what is missing, of every list: the books' records, the notes, the changes that are on no list yet.

Records are kept in memory, as the books change them only by publishing; one that another publisher changed is forgotten
when the books or a place say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ingam.ca.profiles import Authority
from ingam.ca.publishing.lists import Kind, ListId, ListIssuer, lists_of, name_of
from ingam.ca.publishing.making import ListBooks, Maker
from ingam.ca.publishing.notes import Note, Notes
from ingam.ca.publishing.schedule import Standing
from ingam.ca.publishing.unlisted import Unlisted
from ingam.ports.books import ListRecord

_PAGE: Final = 10_000


class Overview:
    """`places`: the names of the places that lists go to."""

    def __init__(
        self, authority: Authority, issuers: Sequence[ListIssuer], books: ListBooks, places: Sequence[str], folder: Path
    ) -> None:
        self.issuers = {one.ca: one for one in issuers}
        self.places = tuple(places)
        self.maker = Maker(authority, books, folder)
        self._authority, self._books, self._notes = authority, books, Notes(folder)
        self._names: dict[ListId, str] = {}
        self._records: dict[ListId, ListRecord | None] = {}
        self._unlisted: Unlisted | None = None

    def lists(self) -> list[ListId]:
        """Every list that there is to be. Raises BooksOutage."""
        return [
            one
            for issuer in self.issuers.values()
            for one in lists_of(self._authority, issuer, self._books.count_of(issuer.ca))
        ]

    def name(self, one: ListId) -> str:
        """`dp1p1`, `issuing-1-delta`."""
        found = self._names.get(one)
        if found is None:
            found = self._names[one] = name_of(self._authority, one, self.issuers[one.ca].certificate)
        return found

    def record(self, one: ListId) -> ListRecord | None:
        """The list that stands. Raises BooksOutage."""
        if one not in self._records:
            self._records[one] = self._books.newest_list(one.ca, one.partition, one.kind.value)
        return self._records[one]

    def forget(self, one: ListId) -> None:
        """Somebody else changed its record."""
        self._records.pop(one, None)

    def note(self, one: ListId) -> Note:
        """What is remembered of it; a change of it is kept by `keep`."""
        return self._notes.of(self.name(one))

    def keep(self, one: ListId) -> None:
        """Write its note. Raises OSError."""
        self._notes.keep(self.name(one))

    def sweep(self) -> None:
        """Take away what killed makers left: drafts, and lists that the books do not name. Nobody may be at work."""
        kept = [(self.issuers[one.ca], record) for one in self.lists() if (record := self.record(one)) is not None]
        self.maker.sweep({self.maker.file(issuer, record).name for issuer, record in kept})

    def seen(self, one: ListId) -> int:
        """The highest number met at a place, of this list and its sibling in the sequence."""
        return max(self.note(one.complete).seen, self.note(one.delta).seen)

    def made(self, one: ListId, record: ListRecord) -> None:
        """This list stands now; what all lists of its scope hold is no longer looked at."""
        self._records[one] = record
        self.note(one).pause = None
        if self._unlisted is not None:
            scope = [found for found in map(self._records.get, (one.complete, one.delta)) if found is not None]
            self._unlisted.listed(one.ca, one.partition, min(found.seq for found in scope))

    def learn(self) -> None:
        """Read what changed; from the oldest list that stands when it is asked first. Raises BooksOutage."""
        if self._unlisted is None:
            records = [record for one in self.lists() if (record := self.record(one)) is not None]
            self._unlisted = Unlisted(min((record.seq for record in records), default=self._books.last_change()))
        while found := self._books.changes(self._unlisted.newest, _PAGE):
            self._unlisted.feed(found)

    def standings(self) -> Iterator[tuple[ListId, Standing]]:
        """The schedule's view of every list."""
        return ((one, self.standing(one)) for one in self.lists())

    def standing(self, one: ListId) -> Standing:
        """The schedule's view of one. Raises BooksOutage."""
        issuer, record, note = self.issuers[one.ca], self.record(one), self.note(one)
        base = self.record(one.complete)
        places = {place: note.places.get(place, -1) for place in self.places}
        return Standing(
            rhythm=issuer.plan.rhythms[one.kind],
            record=record,
            possible=issuer.signer is not None and (one.kind is not Kind.DELTA or base is not None),
            unlisted=self._since(one, [found for found in (record, base) if found is not None]),
            seen=note.seen,
            places=places,
            kept=record is None or self._kept(issuer, record, places.values()),
            pause=note.pause,
            pauses=note.pauses,
        )

    def _since(self, one: ListId, records: Iterable[ListRecord]) -> datetime | None:
        """A delta repeats nothing that its base holds, so a change is listed by either."""
        newest = max((record.seq for record in records), default=None)
        if newest is None or self._unlisted is None:
            return None
        return self._unlisted.since(one.ca, one.partition, newest)

    def _kept(self, issuer: ListIssuer, record: ListRecord, places: Iterable[int]) -> bool:
        """Asked of the disk only where a place waits for it."""
        return all(number >= record.number for number in places) or self.maker.file(issuer, record).exists()
