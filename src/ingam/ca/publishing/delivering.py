"""The list that stands goes to a place, which compares its number with what is there; what came of it is noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ingam.ca.profiles import Authority
from ingam.ca.publishing.lists import ListId, ListIssuer, attribute_of, own_place, place_of
from ingam.ca.publishing.overview import Overview
from ingam.ca.publishing.schedule import Pause, paused
from ingam.kernel.errors import Failure, Outage
from ingam.ports.books import ListRecord, OlderList
from ingam.ports.directory import Attribute, AuthorityCertificate, Directory, NotPublic, PublicList


class ListLost(Outage):
    """The file of the list that stands is gone or broken; what places hold stands, and a new list is made."""

    code = "crl-lost"


class Deliverer:
    """To each of `places`, by its name."""

    def __init__(self, authority: Authority, overview: Overview, places: Sequence[Directory]) -> None:
        self._authority, self._overview = authority, overview
        self._places = {one.name: one for one in places}
        self._certificates: dict[tuple[int, str], Pause | None] = {}

    def deliver(self, one: ListId, record: ListRecord, place: str, now: datetime) -> str | None:
        """The code of what went wrong, or None; the note knows, whoever calls keeps it. Raises BooksOutage."""
        try:
            self._bring(one, record, place)
        except OlderList as older:
            self._overtaken(one, record, place, older)
            return older.code
        except ListLost as lost:
            self._overview.forget(one)  # perhaps another publisher made a newer one
            return lost.code
        except Failure as failure:
            note = self._overview.note(one)
            note.pauses[place] = paused(note.pauses.get(place), now)
            return failure.code
        self._arrived(one, record, place)
        return None

    def certificates(self, now: datetime) -> Iterator[tuple[str, str, str | None]]:
        """Each CA's certificate to each place, once in a process's life: file, place, code of what went wrong."""
        for issuer in self._overview.issuers.values():
            for name in self._places:
                pause = self._certificates.get((issuer.ca, name))
                if (issuer.ca, name) not in self._certificates or (pause is not None and pause.until <= now):
                    yield self._certificate(issuer, name, pause, now)

    def _certificate(
        self, issuer: ListIssuer, name: str, before: Pause | None, now: datetime
    ) -> tuple[str, str, str | None]:
        where = own_place(self._authority, issuer.ca, issuer.certificate)
        pause, code = None, None
        try:
            self._places[name].publish_certificate(where, AuthorityCertificate(issuer.certificate.der))
        except Failure as failure:
            pause, code = paused(before, now), failure.code
        self._certificates[issuer.ca, name] = pause
        return where.file_name(Attribute.CERTIFICATE), name, code

    def _bring(self, one: ListId, record: ListRecord, place: str) -> None:
        issuer = self._overview.issuers[one.ca]
        file = self._overview.maker.file(issuer, record)
        try:
            given = PublicList(file, attribute_of(one))
        except (NotPublic, OSError):
            file.unlink(missing_ok=True)
            raise ListLost from None
        self._places[place].publish_list(place_of(self._authority, one, issuer.certificate), given)

    def _arrived(self, one: ListId, record: ListRecord, place: str) -> None:
        note = self._overview.note(one)
        note.places[place] = record.number
        note.pauses.pop(place, None)
        if all(note.places.get(each) == record.number for each in self._places):
            note.shown = record.this_update

    def _overtaken(self, one: ListId, record: ListRecord, place: str, older: OlderList) -> None:
        """The place holds this number or a higher one, which is not this list: whose is it?"""
        note, found = self._overview.note(one), int(older.facts.get("found", record.number))
        note.places[place] = found
        self._overview.forget(one)
        newest = self._overview.record(one)
        if newest is None or newest.number <= record.number:
            note.seen = max(note.seen, found)  # of nobody that our books know: the next number goes above it
