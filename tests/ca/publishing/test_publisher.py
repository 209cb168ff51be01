"""The publisher at work: what is due is made and brought everywhere, what fails is tried again, nothing goes back."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.ca.publishing.world import (
    DELTA,
    FIRST,
    FULL,
    SECOND,
    START,
    TwinBooks,
    World,
    authority,
    issuer,
    issuing,
    root,
    signer,
)

from ingam.adapters.directory.folder import FolderDirectory
from ingam.ca.publishing import generating
from ingam.ca.publishing.lists import ROOT_PLAN, Kind, ListIssuer, Plan, own_place, root_number
from ingam.ca.publishing.publisher import Outcome, Publisher, Step
from ingam.kernel.errors import Failure
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.books import BooksOutage
from ingam.ports.directory import Attribute
from ingam.ports.signing import Intent, PublicHalf, SigningOutage
from ingam.protocols import crl
from ingam.protocols.crl import glance
from ingam.protocols.crl.writing import Reason

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read(world: World, name: str, partition: str | None, by: Certificate | None = None) -> crl.RevocationList:
    """As a relying party believes it now."""
    return crl.verify(
        crl.parse(world.file(name)), issuer=by or issuing(), partition=partition, lowest_number=0,
        at=world.clock.now(), max_age=DAY,
    )  # fmt: skip


def codes(step: Step) -> set[str | None]:
    return {one.code for one in step.outcomes}


def settle(publisher: Publisher, world: World, most: int = 20) -> list[Outcome]:
    """Steps until nothing is due at this second, as `follow` takes them."""
    outcomes: list[Outcome] = []
    for _ in range(most):
        step = publisher.step()
        outcomes += step.outcomes
        if step.next is None or step.next > world.clock.now():
            return outcomes
    raise AssertionError("something is due for ever")


def test_a_new_authority_publishes_its_certificate_and_empty_lists(world: World) -> None:
    settle(world.publisher(), world)
    assert read(world, "dp1p1.crl", "dp1p1").entries == {}
    assert read(world, "issuing-1.crl", None).entries == {}
    delta = glance.of(world.file("issuing-1-delta.crl"))
    assert delta.base == world.number("issuing-1.crl")
    assert world.file("issuing-1.der") == issuing().der
    attributes = {attribute for _, attribute in world.directory.stands}
    assert attributes == {Attribute.LIST, Attribute.DELTA, Attribute.CERTIFICATE}


def test_H4_what_is_served_are_lists_and_authorities_alone(world: World) -> None:
    world.books.issue(101)
    world.books.revoke(101)
    settle(world.publisher(), world)
    served = [path for path in (world.folder / "published").iterdir() if path.name != ".lock"]
    for path in served:
        if path.suffix == ".der":
            assert certificate.parse(path.read_bytes()).basic_constraints == (True, 0)
        else:
            assert glance.of(path.read_bytes()).number > 0
    assert {path.suffix for path in served} == {".crl", ".der"}


def test_then_nothing_is_done_until_something_is_due(world: World) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    step = publisher.step()
    assert step.outcomes == ()
    assert step.next == START + HOUR  # the delta
    world.clock.at = step.next
    assert [one.what for one in settle(publisher, world) if one.place is None] == ["issuing-1-delta"]


def test_a_revocation_is_listed_within_seconds_on_its_partition_and_the_delta(world: World) -> None:
    publisher = world.publisher()
    for serial in range(101, 106):
        world.books.issue(serial)
    settle(publisher, world)
    world.clock.forward(60)
    world.books.revoke(105)
    step = publisher.step()
    assert (step.outcomes, step.next) == ((), START + timedelta(seconds=65))
    world.clock.forward(5)
    made = [one for one in settle(publisher, world) if one.place is None]
    assert [(one.what, one.why, one.code) for one in made] == [
        ("issuing-1-delta", "changed", None), ("dp1p2", "changed", None),
    ]  # fmt: skip
    assert read(world, "dp1p2.crl", "dp1p2").entries == {105: crl.Entry(START + timedelta(minutes=1), "keyCompromise")}
    assert read(world, "dp1p1.crl", "dp1p1").entries == {}
    assert read(world, "issuing-1.crl", None).entries == {}  # waits for its interval; its delta tells


def test_a_hold_leaves_the_list_when_it_ends_and_the_delta_says_so(world: World) -> None:
    publisher = world.publisher()
    world.books.issue(101)
    settle(publisher, world)
    world.clock.forward(60)
    world.books.revoke(101, reason=Reason.CERTIFICATE_HOLD)
    world.clock.forward(60)
    settle(publisher, world)
    assert read(world, "dp1p1.crl", "dp1p1").entries[101].reason == "certificateHold"
    publisher.publish_now(lambda one: one == FULL)
    assert 101 in read(world, "issuing-1.crl", None).entries
    world.clock.forward(60)
    world.books.release(101)
    world.clock.forward(60)
    settle(publisher, world)
    assert read(world, "dp1p1.crl", "dp1p1").entries == {}
    (told,) = x509.load_der_x509_crl(world.file("issuing-1-delta.crl"))
    assert told.serial_number == 101
    assert told.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.remove_from_crl


def test_a_list_and_its_delta_count_in_one_sequence(world: World) -> None:
    publisher = world.publisher()
    world.books.issue(101)
    for _ in range(30):
        settle(publisher, world)
        world.clock.forward(3600)
    numbers = [one.number for one in world.books.published if one.partition == -1]
    assert numbers == sorted(set(numbers))
    assert {one.kind for one in world.books.published if one.partition == -1} == {"full", "delta"}


def test_a_new_partition_gets_its_list_by_itself(world: World) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    for serial in range(101, 105):
        world.books.issue(serial)
    settle(publisher, world)
    assert read(world, "dp1p2.crl", "dp1p2").entries == {}


def test_what_expired_leaves_the_list_after_it_stood_on_one_after_its_end(world: World) -> None:
    world.books.issue(101, until=START + 2 * HOUR)
    world.books.revoke(101)
    publisher = world.publisher()
    settle(publisher, world)
    stood = []
    for _ in range(5):
        world.clock.forward(12 * 3600)
        settle(publisher, world)
        stood.append(101 in read(world, "dp1p1.crl", "dp1p1").entries)
    assert stood == [True, False, False, False, False]


def test_what_expired_stays_while_a_place_never_saw_it(world: World) -> None:
    world.books.issue(101, until=START + 2 * HOUR)
    world.books.revoke(101)
    publisher = world.publisher()
    settle(publisher, world)
    world.directory.fails = "directory-unreachable"
    for _ in range(5):
        world.clock.forward(12 * 3600)
        settle(publisher, world)
        assert 101 in read(world, "dp1p1.crl", "dp1p1").entries
    world.directory.fails = None
    for _ in range(2):
        world.clock.forward(12 * 3600)
        settle(publisher, world)
    assert read(world, "dp1p1.crl", "dp1p1").entries == {}


def test_a_place_that_fails_is_tried_again_ever_more_rarely_and_the_other_has_its_list(world: World) -> None:
    world.plan = Plan(full=False, deltas=())
    world.directory.fails = "directory-unreachable"
    publisher = world.publisher()
    first = settle(publisher, world)
    assert {(one.what, one.code) for one in first if one.place == world.directory.name} == {
        ("issuing-1.der", "directory-unreachable"), ("dp1p1", "directory-unreachable"),
    }  # fmt: skip
    assert read(world, "dp1p1.crl", "dp1p1").number == 1
    tries = []
    for _ in range(7):
        step = publisher.step()
        assert step.next is not None
        tries.append((step.next - world.clock.now()).total_seconds())
        world.clock.at = step.next
        settle(publisher, world)
    assert tries == [5, 10, 20, 40, 80, 160, 320]
    world.directory.fails = None
    world.clock.forward(600)
    settle(publisher, world)
    assert {glance.of(one).number for (_, what), one in world.directory.stands.items() if what is Attribute.LIST} == {1}


def test_after_a_restart_what_failed_goes_on_where_it_was(world: World) -> None:
    world.plan = Plan(full=False, deltas=())
    world.directory.fails = "directory-slow"
    first = world.publisher()
    for _ in range(4):
        settle(first, world)
        world.clock.forward(30)
    world.directory.fails, before = None, world.directory.asked
    second = world.publisher()
    step = second.step()
    assert [(one.what, one.place) for one in step.outcomes if one.number is not None] == []  # its pause is not over
    world.clock.forward(80)
    settle(second, world)
    place = world.directory.name
    assert world.directory.asked > before
    assert [key for key in world.directory.history if key[1] is Attribute.LIST] != []
    assert settle(world.publisher(), world) == [
        Outcome("issuing-1.der", "folder", None, None), Outcome("issuing-1.der", place, None, None),
    ]  # fmt: skip


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_published_twice(world: World) -> None:
    world.plan = Plan(full=False, deltas=())
    world.directory.deaf = True
    publisher = world.publisher()
    settle(publisher, world)
    world.directory.deaf = False
    world.clock.forward(5)
    assert {one.code for one in settle(publisher, world)} == {None}
    assert len(world.books.published) == 1


def test_lost_notes_cost_a_question_and_no_list(world: World) -> None:
    settle(world.publisher(), world)
    before = len(world.books.published)
    for note in (world.folder / "lists").glob("*.json"):
        note.write_bytes(b"{" if "delta" in note.name else b"[]")
    world.clock.forward(2)
    again = settle(world.publisher(), world)
    assert {one.code for one in again} == {None}
    assert len(world.books.published) == before


def test_a_lost_file_is_made_anew_only_where_a_place_waits_for_it(world: World) -> None:
    world.plan = Plan(full=False, deltas=())
    publisher = world.publisher()
    settle(publisher, world)
    for path in (world.folder / "lists").glob("dp1p1.*.crl"):
        path.unlink()
    world.clock.forward(2)
    assert settle(publisher, world) == []
    for note in (world.folder / "lists").glob("*.json"):
        note.unlink()
    made = [one for one in settle(world.publisher(), world) if one.place is None]
    assert [(one.what, one.number, one.why) for one in made] == [("dp1p1", 2, "lost")]


def test_a_broken_file_is_never_published(world: World) -> None:
    world.plan = Plan(full=False, deltas=())
    world.directory.fails = "directory-unreachable"
    publisher = world.publisher()
    settle(publisher, world)
    (kept,) = (world.folder / "lists").glob("dp1p1.*.crl")
    served = world.file("dp1p1.crl")
    kept.unlink()
    kept.write_bytes(served[:-7])
    world.directory.fails = None
    world.clock.forward(5)
    told = settle(publisher, world)
    assert ("dp1p1", world.directory.name, 1, "crl-lost") in [(o.what, o.place, o.number, o.code) for o in told]
    assert world.number("dp1p1.crl") == 2
    assert all(
        glance.of(octets).number == 2 for (_, what), octets in world.directory.stands.items() if what is Attribute.LIST
    )


class Away:
    """A token that is away until it comes back."""

    waits = True

    def __init__(self) -> None:
        self.failure: Failure | None = SigningOutage()

    @property
    def public(self) -> PublicHalf:
        return signer("issuing-1").public

    def sign(self, intent: Intent) -> bytes:
        if self.failure is not None:
            raise self.failure
        return signer("issuing-1").sign(intent)


def test_a_token_that_is_away_leaves_the_old_list_and_is_tried_again(world: World) -> None:
    away = Away()
    publisher = world.publisher(ListIssuer(1, issuing(), away, Plan(full=False, deltas=())))
    first = publisher.step()
    assert [(one.what, one.code) for one in first.outcomes if one.place is None] == [("dp1p1", "signing-outage")]
    assert first.next == START + timedelta(seconds=5)
    assert publisher.step().outcomes == ()
    away.failure = None
    world.clock.forward(5)
    settle(publisher, world)
    assert read(world, "dp1p1.crl", "dp1p1").number == 1


def test_after_a_success_the_pauses_begin_anew(world: World) -> None:
    away = Away()
    publisher = world.publisher(ListIssuer(1, issuing(), away, Plan(full=False, deltas=())))
    for _ in range(4):
        settle(publisher, world)
        world.clock.forward(60)
    away.failure = None
    settle(publisher, world)
    world.clock.forward(12 * 3600)
    away.failure, now = SigningOutage(), world.clock.now()
    assert publisher.step().next == now + timedelta(seconds=5)


def test_a_change_that_the_base_holds_makes_no_delta_due(world: World) -> None:
    world.books.issue(101)
    publisher = world.publisher()
    settle(publisher, world)
    world.clock.forward(60)
    world.books.revoke(101)
    publisher.publish_now(lambda one: one == FULL)
    world.clock.forward(60)
    assert "issuing-1-delta" not in {one.what for one in settle(publisher, world)}


def test_a_disk_that_is_full_is_an_outcome_and_no_half_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space")

    publisher = world.publisher()
    settle(publisher, world)
    world.clock.forward(12 * 3600)
    monkeypatch.setattr(generating, "_finish", full)
    step = publisher.step()
    assert {one.code for one in step.outcomes if one.place is None} == {"directory-unwritable"}
    assert [path.name for path in (world.folder / "lists").iterdir() if path.name.startswith(".")] == [".lock"]
    monkeypatch.undo()
    world.clock.forward(5)
    settle(publisher, world)
    assert read(world, "dp1p1.crl", "dp1p1").number == 2


def test_books_that_are_away_stop_the_step_and_nothing_is_lost(world: World) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    world.clock.forward(12 * 3600)
    world.books.down = BooksOutage()
    with pytest.raises(BooksOutage):
        publisher.step()
    world.books.down = None
    settle(publisher, world)
    assert world.number("dp1p1.crl") == 2


def test_D13_books_from_a_backup_go_on_above_what_the_places_hold(world: World) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    backup = dict(world.books.lists)
    for _ in range(3):
        world.clock.forward(12 * 3600)
        settle(publisher, world)
    assert world.number("dp1p1.crl") == 4
    world.books.lists = backup
    for path in (world.folder / "lists").iterdir():
        path.unlink()
    restored = world.publisher()
    for _ in range(4):
        world.clock.forward(3600)
        settle(restored, world)
    assert world.number("dp1p1.crl") == 5
    assert read(world, "dp1p1.crl", "dp1p1").this_update > START + 36 * HOUR
    for numbers in world.directory.history.values():
        assert numbers == sorted(set(numbers))


def test_D13_a_publisher_with_an_old_list_in_its_hands_does_not_put_it_back(world: World) -> None:
    slow, quick = world.publisher(), world.publisher()
    settle(slow, world)
    old = world.books.lists[FIRST]
    world.clock.forward(12 * 3600)
    settle(quick, world)
    told = slow.deliver(FIRST, "folder", old)
    assert told.code in ("ca-older-list", "crl-lost")
    assert world.number("dp1p1.crl") == 2
    world.clock.forward(1)
    settle(slow, world)
    assert world.number("dp1p1.crl") == 2


def test_two_publishers_take_turns_and_one_goes_on_when_the_other_dies(world: World) -> None:
    first, second = world.publisher(), world.publisher()
    with first._alone() as mine:
        assert mine
        step = second.step()
        assert (step.busy, step.outcomes, step.next) == (True, (), START + timedelta(seconds=1))
        assert second.publish_now().busy
    settle(second, world)
    assert world.number("dp1p1.crl") == 1


def test_a_list_that_another_made_meanwhile_leaves_the_next_change_due(world: World) -> None:
    publisher, other = world.publisher(), world.publisher()
    for serial in (101, 102):
        world.books.issue(serial)
    settle(publisher, world)
    world.clock.forward(60)
    world.books.revoke(101)
    publisher.step()
    world.clock.forward(2)
    other.publish_now()
    world.books.revoke(102)
    publisher.step()
    world.clock.forward(3)  # the first one is due, but for the other's list
    step = publisher.step()
    assert not [one for one in step.outcomes if one.place is None]
    assert step.next is not None and step.next <= START + timedelta(seconds=67)
    world.clock.forward(2)
    settle(publisher, world)
    assert set(read(world, "dp1p1.crl", "dp1p1").entries) == {101, 102}


def test_two_publishers_that_do_not_wait_for_each_other_make_one_list_of_a_number(world: World) -> None:
    first, second = world.publisher(), world.publisher()
    assert first.make(FIRST).code is None
    second._overview.record(FIRST)
    assert second.make(SECOND).number == 1
    stale = world.books.lists.copy()
    assert first.make(FIRST).number == 2
    world.books.lists, newer = stale, world.books.lists  # what `second` read before `first` published
    record = second._overview.maker._outline(issuer(), b"", FIRST, None, world.clock.now(), -1)
    world.books.lists = newer
    assert record.number == 2
    assert second.make(FIRST).number == 3


def test_this_update_rises_where_the_clock_was_set_back_a_little_and_no_list_comes_from_far_behind(
    world: World,
) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    world.clock.forward(-60)
    assert publisher.make(FIRST).code is None
    assert world.books.lists[FIRST].this_update == START + timedelta(seconds=1)
    world.clock.forward(-3600)
    assert publisher.make(FIRST).code == "crl-clock-behind"


def test_a_roots_list_waits_for_its_key_and_names_the_revoked_ca(world: World) -> None:
    number = root_number(1)
    world.books.issue(4139, number, until=START + 3650 * DAY)
    absent = ListIssuer(number, root(), None, ROOT_PLAN)
    assert [one.what for one in settle(world.publisher(absent), world)] == ["root-1.der"] * 2  # its certificate alone
    present = replace(absent, signer=signer("root-1"))
    publisher = world.publisher(present)
    settle(publisher, world)
    assert read(world, "root-1.crl", None, root()).entries == {}
    world.clock.forward(3600)
    world.books.revoke(4139, number, Reason.CA_COMPROMISE)
    settle(publisher, world)
    found = read(world, "root-1.crl", None, root())
    assert found.entries[4139].reason == "cACompromise"
    assert found.next_update - found.this_update == 14 * DAY
    place = own_place(authority(), number, root())
    assert glance.of(world.directory.stands[place, Attribute.AUTHORITY_LIST]).number == found.number


def test_lists_of_two_generations_stand_side_by_side(world: World) -> None:
    second = ListIssuer(2, issuing(), signer("issuing-1"), issuer().plan)
    settle(world.publisher(issuer(), second), world)
    for name in ("dp1p1.crl", "dp2p1.crl", "issuing-1.crl", "issuing-2.crl"):
        assert world.number(name) > 0


def test_lists_are_made_at_once_when_somebody_asks(world: World) -> None:
    publisher = world.publisher()
    settle(publisher, world)
    world.clock.forward(1)
    step = publisher.publish_now(lambda one: one.partition == -1)
    assert [(one.what, one.why) for one in step.outcomes if one.place is None] == [
        ("issuing-1", "asked"), ("issuing-1-delta", "asked"),
    ]  # fmt: skip
    assert codes(step) == {None}


def test_only_the_list_that_stands_is_kept(world: World) -> None:
    publisher = world.publisher()
    for _ in range(4):
        settle(publisher, world)
        world.clock.forward(12 * 3600)
    kept = [path.name.split(".")[0] for path in (world.folder / "lists").glob("*.crl")]
    assert sorted(kept) == ["dp1p1", "issuing-1", "issuing-1-delta"]


def test_drafts_of_one_who_was_killed_are_swept_away(world: World) -> None:
    (world.folder / "lists").mkdir()
    for name in (".dp1p1.0123456789abcdef", ".dp1p1.0123456789abcdef.tbs", ".dp1p1.json.1234"):
        (world.folder / "lists" / name).write_bytes(b"half")
    settle(world.publisher(), world)
    assert [path.name for path in (world.folder / "lists").glob(".*")] == [".lock"]


def test_a_bulk_revocation_is_remembered_in_a_handful_of_numbers(world: World) -> None:
    world.plan = Plan(partitions=False)
    publisher = world.publisher()
    for serial in range(1, 901):
        world.books.issue(serial)
    publisher.step()
    for serial in range(1, 901):
        world.books.revoke(serial)
        world.clock.forward(0.5)
    publisher._overview.learn()
    unlisted = publisher._overview._unlisted
    assert unlisted is not None
    assert max(len(spans) for spans in unlisted._spans.values()) <= 256
    assert unlisted.since(1, -1, 0) == START
    assert unlisted.since(1, -1, 900) is None
    assert unlisted.since(1, 1, 3) is None


def test_follow_steps_at_a_change_and_ends_when_it_is_told(world: World) -> None:
    publisher, stop, revoked = world.publisher(), threading.Event(), list[Step]()
    world.books.issue(101)

    def told(step: Step) -> None:
        if not revoked and step.next is not None and step.next > world.clock.now():
            revoked.append(step)  # all is done; from here on only the change wakes it
            world.clock.forward(60)
            world.books.revoke(101)
        elif revoked and step.next == world.clock.now() + timedelta(seconds=5):
            world.clock.forward(5)
        if any(one.why == "changed" for one in step.outcomes):
            stop.set()

    publisher.follow(stop, told)
    assert 101 in read(world, "dp1p1.crl", "dp1p1").entries


def test_the_lists_are_those_of_the_kinds_that_are_planned(world: World) -> None:
    world.plan = Plan(full=True, partitions=False, deltas=())
    made = {one.what for one in settle(world.publisher(), world) if one.place is None}
    assert made == {"issuing-1"}
    assert isinstance(world.places[0], FolderDirectory)
    assert isinstance(world.books, TwinBooks)
    assert DELTA.kind is Kind.DELTA
