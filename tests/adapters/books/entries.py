"""Values for the books: short ways to what a test writes into them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingam.adapters.books.sqlite import SqliteBooks
from ingam.ports.books import (
    Answer,
    AuditLine,
    Certificate,
    Confirmed,
    IssueIntent,
    Leaf,
    Recorded,
    Registration,
    State,
    StatusChange,
)

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
SENDER = hashlib.sha256(b"sender").digest()
PERSON = hashlib.sha256(b"person").digest()
GONE = frozenset({State.VALID, State.HELD, State.PENDING})


def digest(*words: object) -> bytes:
    """32 bytes that stand for some words."""
    return hashlib.sha256(repr(words).encode()).digest()


def line(action: str = "test", at: datetime = NOW) -> AuditLine:
    """An audit line."""
    return AuditLine(at, action, "ok")


def leaf(*words: object) -> Leaf:
    """A leaf for some words."""
    return Leaf(digest("leaf", *words), digest("salt", *words), repr(words).encode())


def registration(reference: str = "1234567890", **changes: Any) -> Registration:
    """An open registration of PERSON."""
    one = Registration(reference, "securities", "issue", PERSON, b"sealed", None, NOW, NOW + timedelta(days=14))
    return replace(one, **changes)


def intent(number: int = 1, **changes: Any) -> IssueIntent:
    """The intent of certificate `number`; each has a key, an exchange and a serial of its own."""
    tbs = b"tbs %d" % number
    one = IssueIntent(
        SENDER, digest("exchange", number)[:16], digest("request", number), None, 1, 0x7F00 + number, "securities",
        "1.2.3.9", PERSON, 1, NOW, NOW + YEAR, digest("key", number), tbs, hashlib.sha256(tbs).digest(), NOW,
    )  # fmt: skip
    return replace(one, **changes)


def answer(one: IssueIntent, word: str = "ip", kept: timedelta = timedelta(hours=1)) -> Answer:
    """The answer to an intent's exchange; another `word` is another request of it."""
    request = one.request_hash if word == "ip" else digest(word, one.request_hash)
    return Answer(one.sender, one.transaction, request, word.encode(), b"nonce", NOW + kept, follows=word != "ip")


def recorded(one: IssueIntent, *, confirmed: bool = True, **changes: Any) -> Recorded:
    """What records an intent."""
    until = None if confirmed else NOW + timedelta(minutes=10)
    made = Recorded(one, b"der " + one.tbs, answer(one), leaf("issue", one.serial), line("issue"), confirmed, until)
    return replace(made, **changes)


def revoked(one: Certificate, reason: int = 4, at: datetime = NOW, **changes: Any) -> StatusChange:
    """The end of a certificate."""
    entry = b"entry %d" % one.serial
    made = StatusChange(one.id, GONE, State.REVOKED, reason, at, entry, leaf("status", one.serial, at), line("revoke"))
    return replace(made, **changes)


async def issued(books: SqliteBooks, number: int = 1, *, confirmed: bool = True, **changes: Any) -> Certificate:
    """A certificate that went through both transactions."""
    one = intent(number, **changes)
    await books.intend(one)
    return await books.record(recorded(one, confirmed=confirmed))


def confirmation(one: Certificate, made_from: IssueIntent, **changes: Any) -> Confirmed:
    """A certConf that accepts."""
    return replace(Confirmed(one.id, answer(made_from, "conf"), NOW, line("confirm")), **changes)
