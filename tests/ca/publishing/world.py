"""A demo authority whose books lie in memory and whose places fail when they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.clocks import SetClock
from tests.npki import certs

from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.hsm.signing_file import FileSigner
from ingam.ca.profiles import Authority, preset
from ingam.ca.profiles.shaping import service_shape
from ingam.ca.publishing.lists import EVERYTHING, Kind, ListId, ListIssuer, Plan, plan_of
from ingam.ca.publishing.publisher import Publisher
from ingam.npki import certificate, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import AuthorityKey, Shape, Validity
from ingam.ports.books import Change, ListRecord, OlderList, State
from ingam.ports.directory import Attribute, AuthorityCertificate, Directory, DirectoryOutage, Place, PublicList
from ingam.ports.signing import Intent
from ingam.protocols.crl import glance, writing
from ingam.protocols.crl.writing import Reason

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
YEAR = timedelta(days=365)
FULL, DELTA = ListId(1, EVERYTHING, Kind.FULL), ListId(1, EVERYTHING, Kind.DELTA)
FIRST, SECOND = ListId(1, 1, Kind.PARTITION), ListId(1, 2, Kind.PARTITION)


@cache
def authority() -> Authority:
    """The demo authority, with three certificates to a partition."""
    return replace(preset("ingam"), partition_size=3)


@cache
def signer(name: str) -> FileSigner:
    """The same key in every process."""
    return FileSigner(name, certs.key("rsa2048-00" if name == "root-1" else "rsa2048-01"))


@cache
def root() -> Certificate:
    """The demo root."""
    return made(service_shape(authority(), "root", 1), authority().root_name(1), signer("root-1"), 1)


@cache
def issuing() -> Certificate:
    """The first generation of its issuing CA."""
    return made(service_shape(authority(), "issuing", 1), authority().issuing_name(1), signer("issuing-1"), 4139)


def made(shape: Shape, subject: bytes, of: FileSigner, serial: int) -> Certificate:
    """A certificate that the root's key signs."""
    by = signer("root-1")
    tbs = shapes.tbs_certificate(
        shape, serial=serial, issuer=authority().root_name(1), subject=subject, spki=of.public.spki,
        validity=Validity(START - timedelta(days=1), START + 10 * YEAR), algorithm=by.public.algorithm,
        authority_key=AuthorityKey(shapes.key_identifier(by.public.spki), authority().root_name(1), 1),
    )  # fmt: skip
    return certificate.parse(shapes.assemble(tbs, by.sign(Intent.of(tbs)), by.public.algorithm))


def issuer(plan: Plan | None = None) -> ListIssuer:
    """The issuing CA as the publisher is given it."""
    return ListIssuer(1, issuing(), signer("issuing-1"), plan or plan_of(authority()))


@dataclass(slots=True)
class _Row:
    serial: int
    partition: int
    not_after: datetime
    entry: bytes | None = None


@dataclass(slots=True)
class TwinBooks:
    """`ListBooks` in memory, the numbers compared as the real ones do. `down`: raise this instead of answering."""

    clock: SetClock
    rows: dict[tuple[int, int], _Row] = field(default_factory=dict)
    log: list[tuple[Change, bytes]] = field(default_factory=list)
    lists: dict[ListId, ListRecord] = field(default_factory=dict)
    published: list[ListRecord] = field(default_factory=list)
    down: Exception | None = None
    seen: int = 0

    def issue(self, serial: int, ca: int = 1, *, until: datetime = START + YEAR) -> None:
        """A certificate in the partition of its place."""
        self.rows[ca, serial] = _Row(serial, authority().partition_number(self.count_of(ca)), until)

    def revoke(self, serial: int, ca: int = 1, reason: int = Reason.KEY_COMPROMISE) -> None:
        """Revoked or held at this second."""
        at = self.clock.now().replace(microsecond=0)
        self._change(ca, serial, State.REVOKED, writing.entry(serial, at, reason), listed=True)

    def release(self, serial: int, ca: int = 1) -> None:
        """The end of a hold."""
        at = self.clock.now().replace(microsecond=0)
        self._change(ca, serial, State.VALID, writing.entry(serial, at, Reason.REMOVE_FROM_CRL), listed=False)

    def _change(self, ca: int, serial: int, state: State, entry: bytes, *, listed: bool) -> None:
        row = self.rows[ca, serial]
        row.entry = entry if listed else None
        change = Change(len(self.log) + 1, ca, serial, row.partition, state, self.clock.now())
        self.log.append((change, entry))

    def count_of(self, ca: int) -> int:
        return sum(1 for each, _ in self.rows if each == ca)

    def changed(self) -> bool:
        before, self.seen = self.seen, len(self.log)
        return before != self.seen

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        self._answer()
        return [change for change, _ in self.log[after : after + limit]]

    def last_change(self) -> int:
        self._answer()
        return len(self.log)

    def entries(self, ca: int, partition: int, at: datetime, chunk: int = 4096) -> Iterator[list[bytes]]:
        self._answer()
        for (of, _), row in list(self.rows.items()):
            if of == ca and partition in (EVERYTHING, row.partition) and row.entry and row.not_after >= at:
                yield [row.entry]

    def delta(self, ca: int, partition: int, after: int, chunk: int = 4096) -> Iterator[list[bytes]]:
        self._answer()
        newest = {
            change.serial: entry
            for change, entry in self.log[after:]
            if change.ca == ca and partition in (EVERYTHING, change.partition)
        }
        yield list(newest.values())

    def newest_list(self, ca: int, partition: int, kind: str) -> ListRecord | None:
        self._answer()
        return self.lists.get(ListId(ca, partition, Kind(kind)))

    def publish(self, record: ListRecord) -> None:
        self._answer()
        one = ListId(record.ca, record.partition, Kind(record.kind))
        if one in self.lists and self.lists[one].number >= record.number:
            raise OlderList
        self.lists[one] = record
        self.published.append(record)

    def _answer(self) -> None:
        if self.down is not None:
            raise self.down


@dataclass(slots=True)
class TwinDirectory:
    """`Directory` in memory. `fails`: the code of its outage; `deaf`: it takes what it gets and its answer is lost."""

    name: str = "dir.ingam.test:389"
    fails: str | None = None
    deaf: bool = False
    stands: dict[tuple[Place, Attribute], bytes] = field(default_factory=dict)
    history: dict[tuple[Place, Attribute], list[int]] = field(default_factory=dict)
    asked: int = 0

    def publish_list(self, place: Place, given: PublicList) -> None:
        self._answer()
        standing, octets = self.stands.get((place, given.attribute)), given.public_octets()
        if standing is not None and standing != octets and glance.of(standing).number >= given.number:
            raise OlderList(found=glance.of(standing).number, given=given.number)
        self.stands[place, given.attribute] = octets
        self.history.setdefault((place, given.attribute), []).append(given.number)
        if self.deaf:
            raise DirectoryOutage("directory-lost")

    def publish_certificate(self, place: Place, given: AuthorityCertificate) -> None:
        self._answer()
        self.stands[place, Attribute.CERTIFICATE] = given.public_octets()

    def number(self, place: Place, attribute: Attribute) -> int | None:
        self._answer()
        standing = self.stands.get((place, attribute))
        return None if standing is None else glance.of(standing).number

    def close(self) -> None:
        pass

    def _answer(self) -> None:
        self.asked += 1
        if self.fails is not None:
            raise DirectoryOutage(self.fails)


@dataclass(slots=True)
class World:
    """All of it in one folder; `publisher()` is a new process's."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    plan: Plan = field(default_factory=lambda: plan_of(authority()))
    books: TwinBooks = field(init=False)
    directory: TwinDirectory = field(default_factory=TwinDirectory)

    def __post_init__(self) -> None:
        self.books = TwinBooks(self.clock)

    @property
    def places(self) -> list[Directory]:
        return [FolderDirectory(self.folder / "published"), self.directory]

    def publisher(self, *issuers: ListIssuer) -> Publisher:
        chosen = issuers or (issuer(self.plan),)
        return Publisher(authority(), chosen, self.books, self.places, self.folder / "lists", self.clock)

    def file(self, name: str) -> bytes:
        """What HTTP would serve."""
        return (self.folder / "published" / name).read_bytes()

    def number(self, name: str) -> int:
        return glance.of(self.file(name)).number
