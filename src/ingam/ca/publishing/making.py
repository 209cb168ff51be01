"""A list made and recorded: its number, its outline, its file, and the books, which alone say which list stands.

The file is whole and durable before the books name it, and its name holds number and digest, so that of two publishers
at once each has its own; the books take the first of a number (security D13), the other's file goes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from ingam.ca.profiles import Authority
from ingam.ca.publishing.generating import write
from ingam.ca.publishing.lists import Kind, ListId, ListIssuer, addresses_of, freshest_of, name_of
from ingam.ca.publishing.schedule import AT_ONCE, GAP, next_number
from ingam.kernel.errors import Defect, Outage
from ingam.kernel.steps import reach
from ingam.ports.books import Change, ListRecord, RevokedEntries
from ingam.protocols.crl.writing import Outline, authority_key

CLOCK_SKEW: Final = timedelta(minutes=5)
KEPT_AFTER_SHOWN: Final = timedelta(hours=1)
"""A revocation recorded while a list was being made is on the next one, even if its certificate ended in between."""


LOCK: Final = ".lock"
"""Of whoever is at work in the folder."""


class ClockBehind(Outage):
    """The clock is far behind the list that stands; a list from the past would be refused, so none is made."""

    code = "crl-clock-behind"


class ListBooks(RevokedEntries, Protocol):
    """What publishing asks of the books (`ports.books.Books`); from one thread at a time."""

    def changed(self) -> bool:
        """Whether any process committed a status change since this was asked last."""

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Status changes behind a sequence number, in order."""

    def last_change(self) -> int:
        """The newest sequence number."""

    def count_of(self, ca: int) -> int:
        """How many certificates a generation issued."""


class Maker:
    """`folder` holds drafts and the lists that stand; it is not served."""

    def __init__(self, authority: Authority, books: ListBooks, folder: Path) -> None:
        self._authority, self._books, self._folder = authority, books, folder

    def file(self, issuer: ListIssuer, record: ListRecord) -> Path:
        """Where the file of a record lies."""
        name = name_of(self._authority, id_of(record), issuer.certificate)
        return self._folder / f"{name}.{record.number}.{record.digest.hex()[:16]}.crl"

    def make(self, issuer: ListIssuer, one: ListId, now: datetime, seen: int, shown: datetime | None) -> ListRecord:
        """A new list of everything that the books hold now, signed, durable and recorded.

        `seen`: the highest number met at a place. `shown`: the thisUpdate of the last list that stood everywhere; what
        expired before it has been on a list after its end and is left out (RFC 5280 section 3.3).
        Raises OlderList (another publisher was quicker), ClockBehind, SigningOutage, BooksOutage, OSError.
        """
        reach("publishing.1")
        if issuer.signer is None:
            raise Defect("crl-no-signer")
        before, base = self._newest(one), self._base(one)
        outline = self._outline(issuer, issuer.signer.public.algorithm, one, base, now, seen)
        seq = self._books.last_change()  # before the entries are read: they hold this change, and perhaps later ones
        draft = self._folder / f".{name_of(self._authority, one, issuer.certificate)}.{secrets.token_hex(8)}"
        try:
            written = write(draft, outline, self._entries(one, base, shown), issuer.signer)
            record = ListRecord(
                one.ca, one.partition, one.kind.value, outline.number, outline.this_update, outline.next_update,
                written.digest, seq,
            )  # fmt: skip
            self._enter(draft, self.file(issuer, record), record)
        finally:
            draft.unlink(missing_ok=True)
        if before is not None:
            self.file(issuer, before).unlink(missing_ok=True)
        return record

    def sweep(self, kept: Collection[str]) -> None:
        """Take away every draft, and every list but those of these names."""
        for path in self._folder.iterdir():
            draft = path.name.startswith(".") and path.name != LOCK
            if draft or (path.suffix == ".crl" and path.name not in kept):
                path.unlink(missing_ok=True)

    def _outline(
        self, issuer: ListIssuer, algorithm: bytes, one: ListId, base: ListRecord | None, now: datetime, seen: int
    ) -> Outline:
        before = self._newest(one)
        numbers = [found.number for found in map(self._newest, (one.complete, one.delta)) if found is not None]
        begins = _begins(now, before)
        return Outline(
            algorithm=algorithm,
            issuer=issuer.certificate.subject.raw,
            authority_key=authority_key(issuer.certificate),
            number=next_number(seen, *numbers),
            this_update=begins,
            next_update=begins + issuer.plan.rhythms[one.kind].lifetime,
            addresses=addresses_of(self._authority, one),
            base=None if base is None else base.number,
            freshest=freshest_of(self._authority, issuer, one),
        )

    def _newest(self, one: ListId) -> ListRecord | None:
        return self._books.newest_list(one.ca, one.partition, one.kind.value)

    def _base(self, one: ListId) -> ListRecord | None:
        """The complete list that a delta continues; None for a complete list."""
        if one.kind is not Kind.DELTA:
            return None
        found = self._newest(one.complete)
        if found is None:
            raise Defect("crl-no-base")
        return found

    def _entries(self, one: ListId, base: ListRecord | None, shown: datetime | None) -> Iterator[list[bytes]]:
        if base is not None:
            return self._books.delta(one.ca, one.partition, base.seq)
        return self._books.entries(one.ca, one.partition, AT_ONCE if shown is None else shown - KEPT_AFTER_SHOWN)

    def _enter(self, draft: Path, file: Path, record: ListRecord) -> None:
        draft.rename(file)
        _sync(self._folder)
        reach("publishing.4")
        try:
            self._books.publish(record)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        reach("publishing.5")


def id_of(record: ListRecord) -> ListId:
    """Whose record it is."""
    return ListId(record.ca, record.partition, Kind(record.kind))


def _begins(now: datetime, before: ListRecord | None) -> datetime:
    """thisUpdate rises with the number, also where the clock was set back a little."""
    begins = now.replace(microsecond=0)
    if before is None or begins > before.this_update:
        return begins
    if before.this_update - begins > CLOCK_SKEW:
        raise ClockBehind
    return before.this_update + GAP


def _sync(folder: Path) -> None:
    """A new name is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
