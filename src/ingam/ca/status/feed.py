"""The change feed: what the responder beside the books tells its mirrors, and what a mirror makes of it.

A mirror asks `after=SEQ` with a nonce; the origin answers as soon as there is a change behind it, or half a second
later at the most that there was none. Question and answer are authenticated by HMAC-SHA256 under a shared secret of 32
bytes; the answer's covers the nonce, so that an old one says nothing. A batch of another start of the origin, or one
that does not begin where the mirror stands, empties the mirror's memory.

    INGAM-FEED/1
    origin <hex of 16 bytes, drawn at the origin's start>
    after <seq asked> last <seq of the last change told>
    <seq> <serial, hex>          one line a change, in order, without a gap
    mac <hex>
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.books import Change

HEARTBEAT_S: Final = 0.4
LOST_S: Final = 2.0
"""A mirror that was told nothing for so long stops answering from memory."""

MOST_CHANGES: Final = 1000
MOST_MIRRORS: Final = 256
"""Workers of mirrors that wait for a change at one worker of the origin."""

MAX_BATCH: Final = 128 * 1024
NONCE_BYTES: Final = 16
SECRET_BYTES: Final = 32
_HEAD: Final = "INGAM-FEED/1"


class FeedRefused(Refusal):
    """A question without the shared secret's authentication, or no question at all."""

    code = "feed-refused"


class FeedBroken(Outage):
    """The origin's batch is not authentic or not in form: it counts as silence."""

    code = "feed-broken"


class Told(NamedTuple):
    """One change. `seq`: its number; `serial`: whose status changed."""

    seq: int
    serial: int


class Batch(NamedTuple):
    """`origin`: 16 bytes; `changes`: those behind `after`, up to `last`."""

    origin: bytes
    after: int
    last: int
    changes: tuple[Told, ...]


def ask(secret: Secret[bytes], authority: str, after: int, nonce: bytes) -> str:
    """Hex of the question's authentication; `after` -1: from now on."""
    return _mac(secret, "ask", f"{authority}\n{after}\n{nonce.hex()}")


def check(secret: Secret[bytes], authority: str, after: int, nonce: bytes, mac: str) -> None:
    """Whether a question is a mirror's. Raises FeedRefused."""
    if len(nonce) != NONCE_BYTES or not hmac.compare_digest(ask(secret, authority, after, nonce), mac):
        raise FeedRefused


def write(secret: Secret[bytes], authority: str, batch: Batch, nonce: bytes) -> bytes:
    """The batch as it goes over the wire."""
    lines = [_HEAD, f"origin {batch.origin.hex()}", f"after {batch.after} last {batch.last}"]
    lines += [f"{one.seq} {one.serial:x}" for one in batch.changes]
    text = "\n".join(lines)
    mac = _mac(secret, "tell", f"{authority}\n{nonce.hex()}\n{text}")
    return f"{text}\nmac {mac}\n".encode("ascii")


def read(secret: Secret[bytes], authority: str, octets: bytes, nonce: bytes) -> Batch:
    """The batch in these bytes, if it answers this nonce. Raises FeedBroken."""
    if len(octets) > MAX_BATCH:
        raise FeedBroken(reason="size")
    text, mark, mac = octets.decode("ascii", "replace").removesuffix("\n").rpartition("\nmac ")
    expected = _mac(secret, "tell", f"{authority}\n{nonce.hex()}\n{text}")
    if not mark or not hmac.compare_digest(expected.encode(), mac.encode()):
        raise FeedBroken(reason="mac")
    try:
        return _batch(text.split("\n"))
    except ValueError:
        raise FeedBroken(reason="form") from None


def _batch(lines: Sequence[str]) -> Batch:
    head, origin, reach, *changes = lines
    word, origin_hex = origin.split(" ")
    after_word, after, last_word, last = reach.split(" ")
    if (head, word, after_word, last_word) != (_HEAD, "origin", "after", "last"):
        raise ValueError(head)
    told = tuple(Told(int(seq), int(serial, 16)) for seq, serial in (line.split(" ") for line in changes))
    return Batch(bytes.fromhex(origin_hex), int(after), int(last), told)


def _mac(secret: Secret[bytes], what: str, text: str) -> str:
    return hmac.new(secret.reveal(), f"ingam/feed/1 {what}\n{text}".encode(), hashlib.sha256).hexdigest()


class Follower:
    """Where a mirror stands in the feed. `clock`: seconds that never run back.

    It is in contact from the first batch on. What it was told is true as of the moment it *asked*: a batch may be long
    on its way.
    """

    def __init__(self, clock: Callable[[], float], untrue: Callable[[int], None], empty: Callable[[], None]) -> None:
        self.after = -1
        self._origin = b""
        self._clock, self._untrue, self._empty = clock, untrue, empty
        self._contact = float("-inf")
        self.emptied = 0

    def in_contact(self) -> bool:
        """Whether the origin was heard of within the last two seconds."""
        return self._clock() - self._contact < LOST_S

    def heard(self, batch: Batch, asked_at: float) -> None:
        """Make of a batch what it says. `asked_at`: the clock when it was asked for."""
        known = batch.origin == self._origin and batch.after == self.after and _without_gap(batch)
        if known:
            for change in batch.changes:
                self._untrue(change.serial)
        else:
            self._empty()
            self.emptied += 1
        self._origin, self.after = batch.origin, batch.last
        self._contact = max(self._contact, asked_at)


def _without_gap(batch: Batch) -> bool:
    told = [one.seq for one in batch.changes]
    return batch.last >= batch.after and told == list(range(batch.after + 1, batch.last + 1))


class Changes(Protocol):
    """What a teller asks of the responder beside the books."""

    seen: int

    async def change_after(self, seen: int, seconds: float) -> None:
        """Until there is a change behind `seen`, or the time is over."""

    def changes(self, after: int, limit: int) -> list[Change]:
        """Changes behind a number, in order."""


class Teller:
    """The origin's side. `origin`: 16 bytes drawn at the start of the origin, the same in all of its workers."""

    def __init__(self, changes: Changes, secret: Secret[bytes], authority: str, origin: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise FeedRefused(reason="secret")
        self._changes, self._secret, self._authority, self._origin = changes, secret, authority, origin
        self._waiting = 0

    async def tell(self, after: int, nonce: bytes, mac: str) -> bytes:
        """The next batch: at once where there is a change, else when the heart beats.

        Raises FeedRefused (not authentic, or too many mirrors), BooksOutage.
        """
        check(self._secret, self._authority, after, nonce, mac)
        if self._waiting >= MOST_MIRRORS:
            raise FeedRefused(reason="mirrors")
        self._waiting += 1
        try:
            await self._changes.change_after(after, HEARTBEAT_S)
        finally:
            self._waiting -= 1
        return write(self._secret, self._authority, self._batch(after), nonce)

    def _batch(self, after: int) -> Batch:
        """Too many changes for one batch are told as a gap: the mirror forgets everything, and has caught up."""
        last = self._changes.seen
        if not 0 <= after <= last or last - after > MOST_CHANGES:
            return Batch(self._origin, after, last, ())
        told = [Told(one.seq, one.serial) for one in self._changes.changes(after, MOST_CHANGES)]
        return Batch(self._origin, after, told[-1].seq if told else last, tuple(told))
