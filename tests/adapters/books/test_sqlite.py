"""The books on SQLite: what is written together stands together, and every process sees it at once."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.adapters.books.entries import (
    NOW,
    PERSON,
    SENDER,
    YEAR,
    answer,
    confirmation,
    digest,
    intent,
    issued,
    leaf,
    line,
    recorded,
    registration,
    revoked,
)

from ingam.adapters.books.sqlite import SqliteBooks, WrongBooks, check, make
from ingam.kernel.errors import Defect
from ingam.ports.books import (
    BooksOutage,
    Change,
    Head,
    IntentGone,
    KeyInUse,
    ListRecord,
    Notice,
    OlderList,
    Open,
    RegistrationUsed,
    StandingRefused,
    State,
    SupersessionStale,
    TransactionInUse,
    UpdateUnfinished,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "ca" / "books.db"
    make(made)
    return made


@pytest.fixture
async def books(path: Path) -> AsyncIterator[SqliteBooks]:
    opened = SqliteBooks(path)
    yield opened
    await opened.shut()


@pytest.fixture
def other(path: Path) -> Iterator[SqliteBooks]:
    """The same books, as another process reads them."""
    opened = SqliteBooks(path)
    yield opened
    opened.close()


async def test_books_are_made_once_for_their_owner_only(path: Path) -> None:
    make(path)
    check(path)
    assert path.stat().st_mode & 0o077 == 0


async def test_books_of_another_revision_are_refused(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(WrongBooks):
        check(path)


async def test_a_registration_is_found_by_its_reference_as_it_was_entered(books: SqliteBooks) -> None:
    one = registration(spki_hash=digest("key"), not_after=NOW + YEAR, npki=True)
    await books.register(one, line())
    assert books.registration(one.reference) == one
    assert books.registration("another") is None


async def test_a_taken_reference_is_a_defect(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    with pytest.raises(Defect):
        await books.register(registration(), line())


async def test_wrong_codes_are_counted_and_burn_where_a_bound_is_given(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    assert [await books.wrong_code("1234567890", line(), 3) for _ in range(2)] == [1, 2]
    assert books.registration("1234567890").open is Open.OPEN  # type: ignore[union-attr]
    assert await books.wrong_code("1234567890", line(), 3) == 3
    assert books.registration("1234567890").open is Open.BURNT  # type: ignore[union-attr]


async def test_wrong_codes_never_burn_a_long_code(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    for _ in range(50):
        await books.wrong_code("1234567890", line(), None)
    assert books.registration("1234567890").open is Open.OPEN  # type: ignore[union-attr]


async def test_a_certificate_goes_through_intent_and_record(books: SqliteBooks, other: SqliteBooks) -> None:
    await books.register(registration(), line())
    one = intent(reference="1234567890")
    await books.intend(one)
    assert other.intent(one.transaction) == one
    assert other.registration("1234567890").open is Open.BEGUN  # type: ignore[union-attr]
    assert other.certificate(1, one.serial) is None
    made = await books.record(recorded(one))
    assert other.certificate(1, one.serial) == made
    assert other.certificate_by_id(made.id) == made
    assert other.by_spki(one.spki_hash) == other.of_person(PERSON) == other.listed(None, 0, 9) == [made]
    assert other.intent(one.transaction) is None
    assert other.registration("1234567890").open is Open.DONE  # type: ignore[union-attr]
    assert other.answered(one.transaction, one.request_hash) == b"ip"
    assert (other.size(), other.leaf_of(1, one.serial), other.count_of(1)) == (1, 0, 1)
    assert other.leaf(0) == leaf("issue", one.serial)


async def test_certificates_are_counted_by_state_and_end(books: SqliteBooks) -> None:
    made = [await issued(books, number, policy=f"1.{number}") for number in (1, 2, 3)]
    await books.change(revoked(made[0]))
    await books.intend(intent(4, policy="1.4"))
    await books.record(recorded(intent(4, policy="1.4"), confirmed=False))
    assert books.counts(NOW) == {"pending": 1, "valid": 2, "revoked": 1}
    assert books.counts(NOW + 2 * YEAR) == {"expired": 3, "revoked": 1}
    assert [one.serial for one in books.newest(2)] == [intent(4).serial, intent(3).serial]


async def test_a_certificate_of_a_ceremony_is_entered_once(books: SqliteBooks) -> None:
    one = intent(7, person=None)
    for _ in range(2):
        await books.enter(one, b"der", leaf("ceremony"), line("ceremony"))
    (entered,) = books.listed(None, 0, 9)
    assert (entered.serial, entered.state, entered.der) == (one.serial, State.VALID, b"der")
    assert (books.size(), books.exchange(one.transaction)) == (1, None)


async def test_a_registration_begins_once(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    await books.intend(intent(1, reference="1234567890"))
    with pytest.raises(RegistrationUsed):
        await books.intend(intent(2, reference="1234567890"))


async def test_a_registration_past_its_time_does_not_begin(books: SqliteBooks) -> None:
    await books.register(registration(expires_at=NOW), line())
    with pytest.raises(RegistrationUsed):
        await books.intend(intent(reference="1234567890"))
    assert books.intent(intent().transaction) is None


async def test_a_reusable_registration_begins_again(books: SqliteBooks) -> None:
    await books.register(registration(reusable=True, person=None), line())
    for number in (1, 2):
        one = intent(number, reference="1234567890", person=None)
        await books.intend(one)
        await books.record(recorded(one))
    assert books.registration("1234567890").open is Open.OPEN  # type: ignore[union-attr]


async def test_D9_an_exchange_that_has_begun_takes_no_other_intent(books: SqliteBooks) -> None:
    one = intent(1)
    await books.intend(one)
    with pytest.raises(TransactionInUse):
        await books.intend(intent(2, transaction=one.transaction))
    await books.record(recorded(one))
    with pytest.raises(TransactionInUse):
        await books.intend(intent(3, transaction=one.transaction))


async def test_D9_a_transaction_is_its_beginners_alone(books: SqliteBooks) -> None:
    one, stranger = intent(1), digest("stranger")
    await books.intend(one)
    with pytest.raises(TransactionInUse):
        await books.intend(intent(2, sender=stranger, transaction=one.transaction))
    made = await books.record(recorded(one, confirmed=False))
    for follows in (False, True):
        with pytest.raises(TransactionInUse):
            await books.answer(replace(answer(one, "other"), sender=stranger, follows=follows), line())
    exchange = books.exchange(one.transaction)
    assert exchange is not None
    assert (exchange.sender, exchange.pending) == (SENDER, made.id)


async def test_D9_a_first_request_takes_no_transaction_that_stands(books: SqliteBooks) -> None:
    one = intent(1)
    await books.answer(answer(one), line())
    with pytest.raises(TransactionInUse):
        await books.answer(replace(answer(one, "other"), follows=False), line())


async def test_D9_nothing_follows_in_a_closed_exchange(books: SqliteBooks) -> None:
    one = intent(1)
    await books.answer(answer(one), line())
    with pytest.raises(TransactionInUse):
        await books.answer(answer(one, "more"), line())
    assert books.answered(one.transaction, one.request_hash) == b"ip"


async def test_D4_a_key_of_somebody_else_is_refused_even_after_its_certificate_ended(books: SqliteBooks) -> None:
    one = await issued(books)
    await books.change(revoked(one))
    with pytest.raises(KeyInUse):
        await books.intend(intent(2, spki_hash=one.spki_hash, person=digest("somebody else")))
    await books.intend(intent(3, spki_hash=one.spki_hash))


async def test_the_facts_of_a_person_are_those_of_the_newest_registration(books: SqliteBooks) -> None:
    await books.register(registration(), line("register"), b"old")
    await books.register(registration("2"), line("register", NOW + YEAR), b"new")
    assert (books.person(PERSON), books.person(SENDER)) == (b"new", None)
    assert [books.audited("register", at) for at in (NOW, NOW + YEAR, NOW + 2 * YEAR)] == [2, 1, 0]


async def test_a_certificate_is_updated_by_one_exchange_at_a_time(books: SqliteBooks) -> None:
    old = await issued(books, 1)
    update = intent(2, replaces=old.id)
    await books.intend(update)
    with pytest.raises(UpdateUnfinished):
        await books.intend(intent(3, replaces=old.id))
    made = await books.record(recorded(update, confirmed=False))
    with pytest.raises(UpdateUnfinished):
        await books.intend(intent(3, replaces=old.id))
    await books.confirm(confirmation(made, update, supersedes=revoked(old)))
    await books.intend(intent(3, replaces=made.id))
    assert (made.replaces, [one.id for one in books.updates(old.id)], books.updates(made.id)) == (old.id, [made.id], [])


async def test_an_update_whose_time_to_confirm_is_over_hinders_no_other(books: SqliteBooks) -> None:
    old = await issued(books, 1)
    await issued(books, 2, confirmed=False, replaces=old.id)
    later = NOW + timedelta(minutes=10)
    await books.intend(intent(3, replaces=old.id, at=later))
    assert books.intent(intent(3).transaction) is not None


async def test_D4_a_key_without_a_person_is_certified_once(books: SqliteBooks) -> None:
    one = await issued(books, 1, person=None)
    with pytest.raises(KeyInUse):
        await books.intend(intent(2, person=None, spki_hash=one.spki_hash))


async def test_a_record_without_its_intent_changes_nothing(books: SqliteBooks) -> None:
    with pytest.raises(IntentGone):
        await books.record(recorded(intent()))
    assert books.certificate(1, intent().serial) is None


async def test_an_implicitly_confirmed_one_supersedes_in_the_same_transaction(books: SqliteBooks) -> None:
    old = await issued(books, 1)
    new = intent(2)
    await books.intend(new)
    await books.record(recorded(new, supersedes=revoked(old)))
    standing = books.standing_of(PERSON, "1.2.3.9")
    assert standing is not None
    assert standing.serial == new.serial
    ended = books.standing(1, old.serial)
    assert ended is not None
    assert (ended.state, ended.reason, ended.changed_at) == (State.REVOKED, 4, NOW)
    assert books.size() == 3


async def test_two_valid_ones_of_a_person_under_a_policy_cannot_stand(books: SqliteBooks) -> None:
    await issued(books, 1)
    new = intent(2)
    await books.intend(new)
    with pytest.raises(SupersessionStale):
        await books.record(recorded(new))
    assert (books.certificate(1, new.serial), books.size()) == (None, 1)
    assert books.intent(new.transaction) == new
    await issued(books, 3, policy="1.2.3.5")


async def test_an_unconfirmed_one_leaves_the_old_one_alone_until_it_is_confirmed(books: SqliteBooks) -> None:
    old, new = await issued(books, 1), intent(2)
    await books.intend(new)
    made = await books.record(recorded(new, confirmed=False))
    assert books.standing_of(PERSON, "1.2.3.9") == old
    exchange = books.exchange(new.transaction)
    assert exchange is not None
    assert (exchange.pending, exchange.closed, exchange.answer) == (made.id, False, b"ip")
    await books.confirm(confirmation(made, new, supersedes=revoked(old)))
    standing = books.standing_of(PERSON, "1.2.3.9")
    assert standing is not None
    assert standing.id == made.id
    exchange = books.exchange(new.transaction)
    assert exchange is not None
    assert (exchange.pending, exchange.closed, exchange.answer) == (None, True, b"conf")


async def test_a_confirmation_that_forgot_whom_it_supersedes_changes_nothing(books: SqliteBooks) -> None:
    old, new = await issued(books, 1), intent(2)
    await books.intend(new)
    made = await books.record(recorded(new, confirmed=False))
    with pytest.raises(SupersessionStale):
        await books.confirm(confirmation(made, new))
    assert books.standing_of(PERSON, "1.2.3.9") == old


async def test_what_was_given_up_cannot_be_confirmed(books: SqliteBooks) -> None:
    new = intent(1)
    await books.intend(new)
    made = await books.record(recorded(new, confirmed=False))
    assert books.overdue(NOW + timedelta(minutes=9), NOW) == []
    assert books.overdue(NOW + timedelta(minutes=10), NOW) == [made]
    await books.change(revoked(made, 5))
    with pytest.raises(StandingRefused):
        await books.confirm(confirmation(made, new))


async def test_a_status_changes_only_from_what_was_expected(books: SqliteBooks) -> None:
    one = await issued(books)
    await books.change(revoked(one))
    with pytest.raises(StandingRefused) as refused:
        await books.change(revoked(one))
    assert refused.value.facts == {"found": "revoked"}
    assert (books.last_change(), books.size()) == (1, 2)


async def test_every_process_learns_of_a_change_before_its_next_answer(books: SqliteBooks, other: SqliteBooks) -> None:
    one = await issued(books)
    other.changed()
    assert not other.changed()
    await issued(books, 2, policy="1.2.3.5")
    assert not other.changed()
    await books.change(revoked(one))
    assert other.changed()
    assert not other.changed()
    (change,) = other.changes(0)
    assert change == Change(1, 1, one.serial, 1, State.REVOKED, NOW)
    assert other.changes(1) == []


async def test_entries_are_streamed_by_partition_and_in_order_of_revoking(books: SqliteBooks) -> None:
    made = [await issued(books, n, policy=f"1.2.3.{n}", partition=n % 2) for n in range(1, 6)]
    for one in reversed(made):
        await books.change(revoked(one))
    every = [entry for chunk in books.entries(1, -1, NOW, chunk=2) for entry in chunk]
    assert every == [b"entry %d" % one.serial for one in reversed(made)]
    assert [len(chunk) for chunk in books.entries(1, 1, NOW, chunk=2)] == [2, 1]
    assert list(books.entries(2, -1, NOW)) == []
    assert list(books.entries(1, -1, NOW + YEAR + timedelta(seconds=1))) == []


async def test_a_release_leaves_the_list_and_stands_in_the_delta(books: SqliteBooks) -> None:
    one = await issued(books)
    held = revoked(one, 6, state=State.HELD)
    await books.change(held)
    assert books.overdue(NOW, NOW) == [books.certificate_by_id(one.id)]
    back = frozenset({State.HELD})
    released = replace(revoked(one), state=State.VALID, reason=None, expected=back, entry=b"released")
    await books.change(released)
    assert list(books.entries(1, 1, NOW)) == []
    assert [list(chunk) for chunk in books.delta(1, 1, 0)] == [[b"released"]]
    assert list(books.delta(1, 1, 2)) == []
    standing = books.standing_of(PERSON, "1.2.3.9")
    assert standing is not None
    assert standing.state is State.VALID


async def test_D13_a_list_is_never_replaced_by_one_that_is_not_newer(books: SqliteBooks, other: SqliteBooks) -> None:
    def record(number: int) -> ListRecord:
        return ListRecord(1, 2, "partition", number, NOW, NOW + timedelta(days=1), digest(number), 0)

    books.publish(record(5))
    for number in (5, 4):
        with pytest.raises(OlderList):
            other.publish(record(number))
    other.publish(record(6))
    assert books.newest_list(1, 2, "partition") == record(6)
    assert books.newest_list(1, 3, "partition") is None


async def test_D13_a_tree_head_never_shrinks_or_forks(books: SqliteBooks) -> None:
    head = Head(3, digest("root"), NOW, "signed")
    books.publish_head(head)
    for other in (Head(2, digest("less"), NOW, "x"), Head(3, digest("fork"), NOW, "x")):
        with pytest.raises(OlderList):
            books.publish_head(other)
    books.publish_head(Head(3, digest("root"), NOW, "signed and witnessed"))
    assert books.head() == Head(3, digest("root"), NOW, "signed and witnessed")


async def test_H3_an_erased_leaf_keeps_its_place_and_hash(books: SqliteBooks) -> None:
    assert books.append(leaf("bundle")) == 0
    books.erase_leaf(0)
    assert books.leaf(0) == replace(leaf("bundle"), salt=b"", event=b"")
    assert books.append(leaf("next")) == 1


async def test_tree_nodes_are_kept_by_their_place(books: SqliteBooks) -> None:
    books.keep_nodes(8, 0, [digest(0), digest(1)])
    books.keep_nodes(8, 1, [digest(1), digest(2)])
    assert books.nodes(8, 1, 9) == [digest(1), digest(2)]


async def test_D3_a_code_is_forgotten_an_hour_after_the_exchange_closed(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    await issued(books, reference="1234567890")
    assert books.codes_to_forget(NOW + timedelta(minutes=59)) == []
    (one,) = books.codes_to_forget(NOW + timedelta(hours=1))
    await books.forget_code(one.reference, b"without")
    assert books.codes_to_forget(NOW + YEAR) == []
    assert books.registration(one.reference).sealed == b"without"  # type: ignore[union-attr]


async def test_an_answer_that_waits_leaves_the_exchange_open_for_its_certificate(books: SqliteBooks) -> None:
    one = intent()
    await books.intend(one)
    await books.answer(answer(one), line("waiting"), closed=False)
    exchange = books.exchange(one.transaction)
    assert exchange is not None
    assert (exchange.closed, exchange.pending) == (False, None)
    await books.record(recorded(one, answer=answer(one, "poll")))
    assert books.answered(one.transaction, answer(one, "poll").request_hash) == b"poll"


async def test_other_answers_are_kept_too_and_only_once(books: SqliteBooks) -> None:
    one, made = intent(9), await issued(books)
    await books.answer(answer(one), line(), revoked(made))
    with pytest.raises(TransactionInUse):
        await books.answer(answer(one), line())
    assert books.answered(one.transaction, one.request_hash) == b"ip"
    standing = books.standing(1, made.serial)
    assert standing is not None
    assert standing.state is State.REVOKED


async def test_an_answer_whose_status_change_is_refused_is_not_kept(books: SqliteBooks) -> None:
    one, made = intent(9), await issued(books)
    await books.change(revoked(made))
    with pytest.raises(StandingRefused):
        await books.answer(answer(one), line(), revoked(made))
    assert books.exchange(one.transaction) is None


async def test_what_is_past_its_time_is_forgotten_and_certificates_stay(books: SqliteBooks) -> None:
    await books.register(registration(), line())
    made = await issued(books, 1, reference="1234567890")
    waiting = intent(2, policy="1.2.3.5")
    await books.intend(waiting)
    await books.forget(NOW + timedelta(minutes=59))
    assert books.exchange(intent(1).transaction) is not None
    await books.forget(NOW + timedelta(days=29))
    assert books.exchange(intent(1).transaction) is None
    assert books.answered(intent(1).transaction, intent(1).request_hash) is None
    assert books.registration("1234567890") is None
    assert books.intent(waiting.transaction) is None
    assert books.certificate_by_id(made.id) == made


async def test_what_a_server_was_registered_with_stays_for_its_renewals(books: SqliteBooks) -> None:
    for reference, person in (("1", None), ("2", PERSON), ("3", None)):
        await books.register(registration(reference, person=person), line())
    await issued(books, 1, reference="1", person=None)
    await issued(books, 2, reference="2")
    await books.forget(NOW + timedelta(days=29))
    assert [books.registration(reference) is not None for reference in "123"] == [True, False, False]


async def test_D2_notices_are_written_with_the_certificate_and_leave_once(books: SqliteBooks) -> None:
    one, notice = intent(), Notice("issued", b"sealed", "issued 1", NOW)
    await books.intend(one)
    await books.record(recorded(one, notices=[notice, notice]))
    ((id, due),) = books.notices(NOW)
    assert due == notice
    await books.noticed(id, NOW, NOW + timedelta(minutes=1))
    assert books.notices(NOW) == []
    await books.noticed(id, NOW, None)
    assert books.notices(NOW + YEAR) == []


async def test_a_broken_file_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "books.db").write_bytes(b"no database at all, but long enough to look at" * 100)
    books = SqliteBooks(tmp_path / "books.db")
    with pytest.raises(BooksOutage):
        books.last_change()
    with pytest.raises(BooksOutage):
        await books.audit(line())
    await books.shut()


async def test_refusals_in_one_commit_leave_the_others_alone(books: SqliteBooks) -> None:
    same = digest("one exchange")[:16]
    attempts = [books.intend(intent(n, transaction=same, policy=f"1.{n}")) for n in range(1, 9)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType"] + ["TransactionInUse"] * 7


def _issue_many(path: Path, first: int) -> None:
    async def run() -> None:
        books = SqliteBooks(path)
        await asyncio.gather(*(issued(books, n, policy=f"1.{n}") for n in range(first, first + 20)))
        await books.shut()

    asyncio.run(run())


async def test_two_processes_write_the_same_books_and_no_leaf_is_lost(path: Path, books: SqliteBooks) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_issue_many, args=(path, first)) for first in (100, 200)]
    for worker in workers:
        worker.start()
    for worker in workers:
        await asyncio.get_running_loop().run_in_executor(None, worker.join)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (books.size(), books.count_of(1), len(books.listed(None, 0, 100))) == (40, 40, 40)
    assert sorted(books.leaf_of(1, one.serial) or 0 for one in books.listed(None, 0, 100)) == list(range(40))
