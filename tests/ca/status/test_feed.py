"""The change feed: authentic, fresh, without gaps; anything else is silence or empties the mirror's memory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ca.status.ground import NOW, LiveBooks

from ingam.ca.status import feed
from ingam.ca.status.feed import Batch, FeedBroken, FeedRefused, Follower, Teller, Told
from ingam.kernel.secret import Secret
from ingam.ports.books import Change, State

SECRET = Secret(bytes(range(32)))
OTHER = Secret(bytes(32))
NONCE = bytes(16)
ORIGIN = b"o" * 16


class Source:
    """`feed.Changes` over books in memory; nobody waits."""

    def __init__(self, books: LiveBooks) -> None:
        self._books = books
        self.waited = 0.0

    @property
    def seen(self) -> int:
        return self._books.last_change()

    @seen.setter
    def seen(self, _value: int) -> None:
        raise AssertionError

    async def change_after(self, seen: int, seconds: float) -> None:
        if self.seen == seen:
            self.waited += seconds

    def changes(self, after: int, limit: int) -> list[Change]:
        return self._books.changes(after, limit)


def books(*serials: int) -> LiveBooks:
    made = LiveBooks()
    for serial in serials:
        made.issue(serial)
        made.change(serial, State.REVOKED, 1, at=NOW)
    return made


def teller(source: LiveBooks, origin: bytes = ORIGIN) -> Teller:
    return Teller(Source(source), SECRET, "ingam", origin)


def tell(
    by: Teller, after: int, nonce: bytes = NONCE, secret: Secret[bytes] = SECRET, authority: str = "ingam"
) -> Batch:
    octets = asyncio.run(by.tell(after, nonce, feed.ask(secret, authority, after, nonce)))
    return feed.read(SECRET, "ingam", octets, nonce)


batches = st.builds(
    lambda after, serials: Batch(
        ORIGIN, after, after + len(serials), tuple(Told(after + 1 + n, serial) for n, serial in enumerate(serials))
    ),
    st.integers(0, 10**12),
    st.lists(st.integers(1, 2**127), max_size=20),
)


@settings(max_examples=100, deadline=None)
@given(batches)
def test_a_batch_comes_back_as_it_was_told(batch: Batch) -> None:
    assert feed.read(SECRET, "ingam", feed.write(SECRET, "ingam", batch, NONCE), NONCE) == batch


@settings(max_examples=200, deadline=None)
@given(batches, st.data())
def test_an_altered_batch_is_silence(batch: Batch, data: st.DataObject) -> None:
    octets = bytearray(feed.write(SECRET, "ingam", batch, NONCE))
    place = data.draw(st.integers(0, len(octets) - 2))
    octets[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FeedBroken):
        feed.read(SECRET, "ingam", bytes(octets), NONCE)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_silence(data: bytes) -> None:
    with pytest.raises(FeedBroken):
        feed.read(SECRET, "ingam", data, NONCE)


def test_a_batch_of_another_question_secret_or_authority_is_silence() -> None:
    octets = feed.write(SECRET, "ingam", Batch(ORIGIN, 0, 0, ()), NONCE)
    for secret, authority, nonce in ((OTHER, "ingam", NONCE), (SECRET, "kica", NONCE), (SECRET, "ingam", b"n" * 16)):
        with pytest.raises(FeedBroken):
            feed.read(secret, authority, octets, nonce)
    with pytest.raises(FeedBroken):
        feed.read(SECRET, "ingam", octets + b" " * feed.MAX_BATCH, NONCE)


def test_only_a_mirror_is_told() -> None:
    with pytest.raises(FeedRefused):
        tell(teller(books()), 0, secret=OTHER)
    with pytest.raises(FeedRefused):
        tell(teller(books()), 0, authority="kica")
    with pytest.raises(FeedRefused):
        tell(teller(books()), 0, nonce=b"short")
    with pytest.raises(FeedRefused):
        Teller(Source(books()), Secret(b"short"), "ingam", ORIGIN)


def test_changes_behind_a_number_are_told_in_order_and_without_a_wait() -> None:
    told = teller(books(7, 8, 9))
    assert tell(told, 1) == Batch(ORIGIN, 1, 3, (Told(2, 8), Told(3, 9)))
    assert told._changes.waited == 0  # type: ignore[attr-defined]
    assert tell(told, 3) == Batch(ORIGIN, 3, 3, ())
    assert told._changes.waited == feed.HEARTBEAT_S  # type: ignore[attr-defined]


def test_the_first_question_and_what_is_too_much_for_a_batch_are_told_as_a_gap() -> None:
    assert tell(teller(books(7)), -1) == Batch(ORIGIN, -1, 1, ())
    many = books(7)
    for _ in range(feed.MOST_CHANGES):
        many.change(7, State.REVOKED, 1)
    assert tell(teller(many), 0) == Batch(ORIGIN, 0, feed.MOST_CHANGES + 1, ())
    assert len(tell(teller(many), 1).changes) == feed.MOST_CHANGES
    assert tell(teller(books(7)), 5) == Batch(ORIGIN, 5, 1, ())


def test_so_many_mirrors_wait_and_no_more() -> None:
    told = teller(books())
    told._waiting = feed.MOST_MIRRORS
    with pytest.raises(FeedRefused):
        tell(told, 0)


# The mirror's side


class Ground:
    """A follower and what it did."""

    def __init__(self) -> None:
        self.now = 100.0
        self.untrue: list[int] = []
        self.emptied = 0
        self.follower = Follower(lambda: self.now, self.untrue.append, self._empty)
        self.follower.heard(Batch(ORIGIN, -1, 5, ()), self.now)
        self.emptied = 0

    def _empty(self) -> None:
        self.emptied += 1

    def hear(self, batch: Batch, asked_at: float | None = None) -> None:
        self.follower.heard(batch, self.now if asked_at is None else asked_at)


def test_a_mirror_is_out_of_contact_until_it_was_told_something() -> None:
    follower = Follower(lambda: 100.0, lambda _serial: None, lambda: None)
    assert not follower.in_contact() and follower.after == -1
    follower.heard(Batch(ORIGIN, -1, 5, ()), 100.0)
    assert follower.in_contact() and follower.after == 5


def test_changes_drop_what_they_name_and_nothing_else() -> None:
    ground = Ground()
    ground.hear(Batch(ORIGIN, 5, 7, (Told(6, 70), Told(7, 80))))
    assert (ground.untrue, ground.emptied, ground.follower.after) == ([70, 80], 0, 7)


@pytest.mark.parametrize(
    "batch",
    [
        Batch(b"p" * 16, 5, 5, ()),  # another start of the origin
        Batch(ORIGIN, 5, 8, (Told(7, 70), Told(8, 80))),  # one is missing
        Batch(ORIGIN, 5, 8, (Told(6, 70),)),
        Batch(ORIGIN, 5, 9, ()),
        Batch(ORIGIN, 4, 6, (Told(5, 60), Told(6, 70))),  # not what was asked
        Batch(ORIGIN, 5, 3, ()),  # the books were put back
    ],
)
def test_a_restart_of_the_origin_and_every_gap_empty_the_memory(batch: Batch) -> None:
    ground = Ground()
    ground.hear(batch)
    assert (ground.emptied, ground.untrue, ground.follower.after) == (1, [], batch.last)
    ground.hear(Batch(batch.origin, batch.last, batch.last, ()))
    assert ground.emptied == 1


def test_contact_is_lost_two_seconds_after_the_last_question_that_was_answered() -> None:
    ground = Ground()
    ground.now += 1.9
    assert ground.follower.in_contact()
    ground.now += 0.1
    assert not ground.follower.in_contact()
    ground.hear(Batch(ORIGIN, 5, 5, ()), asked_at=ground.now - 1.5)  # long on its way
    assert ground.follower.in_contact()
    ground.now += 0.6
    assert not ground.follower.in_contact()
