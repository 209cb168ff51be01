"""D13 under everything at once: two publishers, failing places, lost answers, restarts, lost notes, a stubborn clock.

Whatever the order: each place's numbers only rise, what is served is whole and signed, the books' lists rise too; and
when all is well again, every place holds the list of the books, with every revocation on it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.ca.publishing.world import DELTA, FIRST, FULL, World, authority, issuing

from ingam.ca.publishing.lists import Kind, ListId, Plan, attribute_of, name_of, place_of
from ingam.ca.publishing.publisher import Publisher
from ingam.npki.signature import known_key, verify
from ingam.ports.books import BooksOutage, ListRecord, OlderList, State
from ingam.ports.directory import DirectoryOutage, PublicList
from ingam.protocols import crl
from ingam.protocols.crl import glance

LISTS = (FIRST, FULL, DELTA)
NAMES = {one: name_of(authority(), one, issuing()) for one in LISTS}
FAILURES = (None, "directory-unreachable", "directory-slow", "deaf")
lists = st.sampled_from(LISTS)
who = st.integers(0, 1)


class Publication(RuleBasedStateMachine):
    """Two publishers of one authority over the same books, folder and directory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ingam-machine-"))
        self.world = World(self.folder, plan=Plan(full=True, deltas=(Kind.FULL,)))
        self.publishers = [self.world.publisher(), self.world.publisher()]
        self.held: list[tuple[Path, ListId]] = []
        self.served: dict[str, int] = {}
        self.revoked: set[int] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def one(self) -> Publisher:
        return self.publishers[0]

    @initialize()
    def people(self) -> None:
        for serial in range(1, 4):
            self.world.books.issue(serial)

    @rule(serial=st.integers(1, 3))
    def revoke(self, serial: int) -> None:
        if serial not in self.revoked:
            self.revoked.add(serial)
            self.world.books.revoke(serial)

    @rule(seconds=st.sampled_from([0, 1, 5, 600, 3600, 50_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.forward(seconds)

    @rule(seconds=st.sampled_from([1, 100]))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.world.clock.forward(-seconds)

    @rule(how=st.sampled_from(FAILURES))
    def the_directory(self, how: str | None) -> None:
        self.world.directory.fails = how if how not in (None, "deaf") else None
        self.world.directory.deaf = how == "deaf"

    @rule(who=who)
    def steps(self, who: int) -> None:
        self.publishers[who].step()
        self.hold_what_stands()

    @rule(who=who, one=lists)
    def makes(self, who: int, one: ListId) -> None:
        """Made and recorded, not yet delivered: it may be overtaken from here on."""
        if one != DELTA or FULL in self.world.books.lists:
            self.publishers[who].make(one)
            self.hold_what_stands()

    def hold_what_stands(self) -> None:
        """Somebody has a copy of every list that ever stood, and lets go of it when it pleases him."""
        for path in (self.folder / "lists").glob("*.crl"):
            one = next(one for one in LISTS if path.name.startswith(f"{NAMES[one]}."))
            kept = self.folder / f"held-{path.name}"
            if not kept.exists():
                shutil.copyfile(path, kept)
                self.held.append((kept, one))

    @rule(who=who, one=lists, old=st.booleans())
    def delivers(self, who: int, one: ListId, old: bool) -> None:
        """What it believes to stand, or one that stood some time ago."""
        record = next((found for found in self.world.books.published if old and belongs(found, one)), None)
        for place in ("folder", self.world.directory.name):
            self.publishers[who].deliver(one, place, record)

    @rule(data=st.data())
    def lets_go_of_it(self, data: st.DataObject) -> None:
        if self.held:
            path, one = data.draw(st.sampled_from(self.held))
            for place in self.world.places:
                try:
                    place.publish_list(place_of(authority(), one, issuing()), PublicList(path, attribute_of(one)))
                except (OlderList, DirectoryOutage):
                    continue

    @rule(who=who)
    def restarts(self, who: int) -> None:
        self.publishers[who] = self.world.publisher()

    @rule(who=who, lost=st.sampled_from(["*.json", "*.crl", "*"]))
    def restarts_with_lost_files(self, who: int, lost: str) -> None:
        for path in (self.folder / "lists").glob(lost):
            path.unlink()
        self.publishers[who] = self.world.publisher()

    @rule(down=st.booleans())
    def the_books_are_away(self, down: bool) -> None:
        self.world.books.down = BooksOutage() if down else None
        try:
            self.one.step()
        except BooksOutage:
            assert down
        self.world.books.down = None

    @invariant()
    def numbers_of_every_place_only_rise(self) -> None:
        for numbers in self.world.directory.history.values():
            firsts = [number for at, number in enumerate(numbers) if at == 0 or numbers[at - 1] != number]
            assert firsts == sorted(set(firsts))
        for path in (self.folder / "published").glob("*.crl"):
            number = glance.of(path.read_bytes()).number
            assert number >= self.served.get(path.name, 0)
            self.served[path.name] = number

    @invariant()
    def numbers_of_the_books_only_rise_and_are_given_once(self) -> None:
        for scope in (1, -1):
            numbers = [one.number for one in self.world.books.published if one.partition == scope]
            assert numbers == sorted(set(numbers))

    @invariant()
    def what_is_served_is_whole_and_signed(self) -> None:
        for path in (self.folder / "published").glob("*.crl"):
            given = crl.parse(path.read_bytes())
            verify(known_key(issuing().spki), given.algorithm, given.signature, given.tbs)

    def settled(self) -> None:
        """All is well for a while: what the books hold stands everywhere."""
        world = self.world
        world.directory.fails, world.directory.deaf = None, False
        world.clock.forward(13 * 3600)
        for _ in range(40):
            self.one.step()
            world.clock.forward(20)
        for one in LISTS:
            record = world.books.lists[one]
            place, attribute = place_of(authority(), one, issuing()), attribute_of(one)
            assert world.places[0].number(place, attribute) == record.number
            assert world.places[1].number(place, attribute) == record.number
        listed = crl.verify(
            crl.parse(world.file("dp1p1.crl")), issuer=issuing(), partition="dp1p1", lowest_number=0,
            at=world.clock.now(), max_age=None,
        )  # fmt: skip
        assert set(listed.entries) == self.revoked
        assert all(change.state is State.REVOKED for change, _ in world.books.log)


class AndThenSettled(Publication):
    """The same, and at the end of each run everything comes right."""

    def teardown(self) -> None:
        try:
            if self.world.books.rows:
                self.settled()
        finally:
            super().teardown()


def belongs(record: ListRecord, one: ListId) -> bool:
    """Whether it was this list's."""
    return (record.ca, record.partition, record.kind) == (one.ca, one.partition, one.kind.value)


def test_D13_no_older_list_is_ever_published() -> None:
    few = settings(max_examples=20, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(AndThenSettled, settings=few)


@pytest.mark.soak
def test_D13_no_older_list_is_ever_published_in_long_histories() -> None:
    many = settings(max_examples=200, stateful_step_count=60, deadline=None)
    run_state_machine_as_test(AndThenSettled, settings=many)
