"""Writes of the books, each a function on one connection inside a transaction that the writer thread holds.

A function raises a Refusal to be undone alone; what else gathered in the same commit is not touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from ingam.adapters.books import rows
from ingam.kernel.errors import Defect
from ingam.kernel.instants import to_micros
from ingam.ports.books import (
    Answer,
    AuditLine,
    Certificate,
    Confirmed,
    Head,
    IntentGone,
    IssueIntent,
    KeyInUse,
    Leaf,
    ListRecord,
    Notice,
    OlderList,
    Open,
    Recorded,
    Registration,
    RegistrationUsed,
    StandingRefused,
    State,
    StatusChange,
    SupersessionStale,
    TransactionInUse,
    UpdateUnfinished,
)

KEEP_REGISTRATIONS: Final = timedelta(days=14)
"""After their end; then nothing of them is left but the certificate."""

_MARKS: Final = ", ".join("?" * 20)

CODE_KEPT: Final = timedelta(hours=1)
"""After pkiConf, so that a lost pkiConf can be repeated (security D3)."""


def register(
    db: sqlite3.Connection, one: Registration, line: AuditLine, person: bytes | None, notices: Sequence[Notice] = ()
) -> None:
    """A new registration; the reference number is random, so a taken one is a Defect."""
    if person is not None:
        db.execute("INSERT OR REPLACE INTO person VALUES (?, ?)", (one.person, person))
    try:
        db.execute(f"INSERT INTO registration ({rows.REGISTRATION}) VALUES ({', '.join('?' * 13)})",  # noqa: S608
                   rows.registration_row(one))  # fmt: skip
    except sqlite3.IntegrityError:
        raise Defect("ca-reference-taken") from None
    _notices(db, notices)
    audit(db, line)


def wrong_code(db: sqlite3.Connection, reference: str, line: AuditLine, burn_at: int | None) -> int:
    """One more wrong MAC; burnt at `burn_at`."""
    found = db.execute(
        "UPDATE registration SET wrong_codes = wrong_codes + 1, "
        "open = CASE WHEN open = 'open' AND wrong_codes + 1 >= coalesce(?, 1 << 40) THEN 'burnt' ELSE open END "
        "WHERE reference = ? RETURNING wrong_codes", (burn_at, reference),
    ).fetchone()  # fmt: skip
    audit(db, line)
    return 0 if found is None else int(found[0])


def forget_code(db: sqlite3.Connection, reference: str, sealed: bytes) -> None:
    """The sealed facts without the code."""
    db.execute("UPDATE registration SET sealed = ?, code_until = NULL WHERE reference = ?", (sealed, reference))


def withdraw(db: sqlite3.Connection, reference: str, line: AuditLine) -> list[Certificate] | None:
    """In one transaction with the other writers': an intent that is not recorded by now never will be."""
    audit(db, line)
    found = db.execute("SELECT person FROM registration WHERE reference = ?", (reference,)).fetchone()
    if found is None or found[0] is None:
        return None
    db.execute(
        "UPDATE registration SET open = 'burnt', code_until = ? WHERE reference = ? AND open IN ('open', 'begun')",
        (to_micros(line.at), reference),
    )
    db.execute("DELETE FROM intent WHERE reference = ?", (reference,))
    certificates = db.execute(
        f"SELECT {rows.CERTIFICATE} FROM certificate WHERE person = ? AND reference = ? ORDER BY id",  # noqa: S608
        (found[0], reference),
    )
    return [rows.certificate(tuple(row)) for row in certificates]


def _no_other_update(db: sqlite3.Connection, replaces: int, at: datetime) -> None:
    """A certificate is updated by one exchange at a time; one whose time to confirm is over hinders nobody."""
    other = db.execute(
        "SELECT 1 FROM certificate WHERE replaces = ?1 AND state = 'pending' AND confirm_by > ?2 UNION ALL "
        "SELECT 1 FROM intent WHERE replaces = ?1", (replaces, to_micros(at)),
    ).fetchone()  # fmt: skip
    if other:
        raise UpdateUnfinished


def intend(db: sqlite3.Connection, intent: IssueIntent) -> None:
    """T1: the exchange is free, the registration open, the key nobody else's; the intent stands."""
    taken = db.execute(
        "SELECT 1 FROM exchange WHERE exchange = ?1 UNION ALL SELECT 1 FROM intent WHERE exchange = ?1",
        (intent.transaction,),
    ).fetchone()
    if taken:
        raise TransactionInUse
    if intent.reference is not None:
        _begin(db, intent.reference, intent.at)
    if intent.replaces is not None:
        _no_other_update(db, intent.replaces, intent.at)
    _key_is_free(db, intent)
    db.execute(f"INSERT INTO intent ({rows.INTENT}) VALUES ({_MARKS})", rows.intent_row(intent))  # noqa: S608


def _begin(db: sqlite3.Connection, reference: str, at: datetime) -> None:
    touched = db.execute(
        "UPDATE registration SET open = CASE WHEN reusable THEN open ELSE 'begun' END "
        "WHERE reference = ? AND open = 'open' AND expires_at > ?", (reference, to_micros(at)),
    ).rowcount  # fmt: skip
    if touched != 1:
        raise RegistrationUsed


def _key_is_free(db: sqlite3.Connection, intent: IssueIntent) -> None:
    """One key, one person: whoever certified it first keeps it, whatever became of the certificate (security D4)."""
    other = db.execute(
        "SELECT 1 FROM certificate WHERE spki_hash = ?1 AND coalesce(person != ?2, 1) UNION ALL "
        "SELECT 1 FROM intent WHERE spki_hash = ?1 AND coalesce(person != ?2, 1)", (intent.spki_hash, intent.person),
    ).fetchone()  # fmt: skip
    if other:
        raise KeyInUse


def record(db: sqlite3.Connection, recorded: Recorded) -> Certificate:
    """T2: the certificate, its leaf, the answer; implicit confirmation supersedes here."""
    intent, at = recorded.intent, recorded.audit.at
    gone = db.execute(
        "DELETE FROM intent WHERE exchange = ? AND digest = ?", (intent.transaction, intent.digest)
    ).rowcount
    if gone != 1:
        raise IntentGone
    if recorded.supersedes is not None:
        change(db, recorded.supersedes)
    place = _leaf(db, recorded.leaf)
    state = State.VALID if recorded.confirmed else State.PENDING
    id = _enter(db, recorded, state, place)
    db.execute("INSERT INTO generation VALUES (?, 1) ON CONFLICT (ca) DO UPDATE SET issued = issued + 1", (intent.ca,))
    if intent.reference is not None:
        db.execute(
            "UPDATE registration SET open = 'done', code_until = coalesce(?, code_until) "
            "WHERE reference = ? AND NOT reusable",
            (to_micros(at + CODE_KEPT) if recorded.confirmed else None, intent.reference),
        )
    _keep(db, recorded.answer, pending=None if recorded.confirmed else id, closed=recorded.confirmed)
    _notices(db, recorded.notices)
    audit(db, recorded.audit)
    return Certificate(
        id, intent.ca, intent.serial, intent.profile, intent.policy, intent.person, intent.partition,
        intent.not_before, intent.not_after, recorded.der, intent.spki_hash, state, None, None, recorded.confirm_by,
        intent.reference, at, intent.replaces,
    )  # fmt: skip


def enter(db: sqlite3.Connection, intent: IssueIntent, der: bytes, leaf: Leaf, line: AuditLine) -> None:
    """From a ceremony: no intent, no exchange, no registration."""
    known = db.execute("SELECT 1 FROM certificate WHERE ca = ? AND serial = ?", (intent.ca, rows.octets(intent.serial)))
    if known.fetchone() is None:
        answer = Answer(intent.sender, intent.transaction, intent.request_hash, b"", b"", line.at)
        _enter(db, Recorded(intent, der, answer, leaf, line, True, None), State.VALID, _leaf(db, leaf))
        audit(db, line)


def _enter(db: sqlite3.Connection, recorded: Recorded, state: State, place: int) -> int:
    intent = recorded.intent
    try:
        found = db.execute(
            "INSERT INTO certificate (ca, serial, profile, policy, person, part, not_before, not_after, der, "
            "spki_hash, state, confirm_by, reference, issued_at, replaces, leaf) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (intent.ca, rows.octets(intent.serial), intent.profile, intent.policy, intent.person, intent.partition,
             to_micros(intent.not_before), to_micros(intent.not_after), recorded.der, intent.spki_hash, state.value,
             rows.micros(recorded.confirm_by), intent.reference, to_micros(recorded.audit.at), intent.replaces, place),
        )  # fmt: skip
    except sqlite3.IntegrityError:
        raise SupersessionStale from None  # certificate_single: somebody else was confirmed meanwhile
    return int(found.lastrowid or 0)


def confirm(db: sqlite3.Connection, confirmed: Confirmed) -> None:
    """T3: what is superseded ends and the pending one is valid, together."""
    if confirmed.supersedes is not None:
        change(db, confirmed.supersedes)
    try:
        touched = db.execute(
            "UPDATE certificate SET state = 'valid', confirm_by = NULL WHERE id = ? AND state = 'pending'",
            (confirmed.id,),
        ).rowcount
    except sqlite3.IntegrityError:
        raise SupersessionStale from None
    if touched != 1:
        raise StandingRefused
    reference = db.execute("SELECT reference FROM certificate WHERE id = ?", (confirmed.id,)).fetchone()[0]
    _code_until(db, reference, confirmed.at)
    _keep(db, confirmed.answer, pending=None, closed=True)
    _notices(db, confirmed.notices)
    audit(db, confirmed.audit)


def _code_until(db: sqlite3.Connection, reference: str | None, at: datetime) -> None:
    """The exchange is closed; the code is kept a little longer."""
    db.execute(
        "UPDATE registration SET code_until = ? WHERE reference = ? AND NOT reusable",
        (to_micros(at + CODE_KEPT), reference),
    )


def answer(db: sqlite3.Connection, given: Answer, line: AuditLine, told: StatusChange | None, closed: bool) -> None:
    """An answer that issues nothing; `told`: the status change that it tells of."""
    if told is not None:
        change(db, told)
        reference = db.execute("SELECT reference FROM certificate WHERE id = ?", (told.id,)).fetchone()[0]
        _code_until(db, reference, line.at)
    _keep(db, given, pending=None, closed=closed)
    audit(db, line)


def change(db: sqlite3.Connection, one: StatusChange) -> int:
    """A status change: the row, the numbered change, the CRL entry, the leaf."""
    expected = [state.value for state in one.expected]
    marks = ", ".join("?" * len(expected))
    row = db.execute(
        f"UPDATE certificate SET state = ?, reason = ?, changed_at = ?, confirm_by = NULL "  # noqa: S608
        f"WHERE id = ? AND state IN ({marks}) RETURNING ca, serial, part, not_after",
        (one.state.value, one.reason, to_micros(one.at), one.id, *expected),
    ).fetchone()
    if row is None:
        raise _refused(db, one.id)
    ca, serial, part, not_after = row
    seq = db.execute(
        "INSERT INTO change (certificate, ca, serial, part, state, at, not_after, entry) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (one.id, ca, serial, part, one.state.value, to_micros(one.at), not_after, one.entry),
    ).lastrowid  # fmt: skip
    db.execute("DELETE FROM revoked_entry WHERE certificate = ?", (one.id,))
    if one.state in (State.REVOKED, State.HELD):
        db.execute("INSERT INTO revoked_entry VALUES (?, ?, ?, ?, ?, ?)", (seq, one.id, ca, part, not_after, one.entry))
    _leaf(db, one.leaf)
    _notices(db, one.notices)
    audit(db, one.audit)
    return int(seq or 0)


def _refused(db: sqlite3.Connection, id: int) -> StandingRefused:
    found = db.execute("SELECT state FROM certificate WHERE id = ?", (id,)).fetchone()
    return StandingRefused(found="none" if found is None else str(found[0]))


def _leaf(db: sqlite3.Connection, leaf: Leaf) -> int:
    """The next place: only the writer's transaction decides it, so places have no gaps."""
    found = db.execute(
        "INSERT INTO leaf SELECT coalesce(max(place) + 1, 0), ?, ?, ? FROM leaf", (leaf.hash, leaf.salt, leaf.event)
    )
    return int(found.lastrowid or 0)


def _keep(db: sqlite3.Connection, one: Answer, *, pending: int | None, closed: bool) -> None:
    """An exchange goes on for whoever began it, until it is closed (security D9)."""
    kept = to_micros(one.kept_until)
    touched = db.execute(
        "INSERT INTO exchange VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (exchange) DO UPDATE SET "
        "request_hash = ?3, nonce = ?4, pending = ?5, closed = ?6, kept_until = ?7 "
        "WHERE sender = ?2 AND NOT closed AND (?8 OR request_hash = ?3)",
        (one.transaction, one.sender, one.request_hash, one.nonce, pending, int(closed), kept, int(one.follows)),
    ).rowcount
    if touched != 1:
        raise TransactionInUse
    try:
        db.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", (one.transaction, one.request_hash, one.answer, kept))
    except sqlite3.IntegrityError:
        raise TransactionInUse from None  # the twin of this request was quicker; its answer stands
    if one.follows:
        db.execute("UPDATE answer SET kept_until = ? WHERE exchange = ?", (kept, one.transaction))


def _notices(db: sqlite3.Connection, notices: Sequence[Notice]) -> None:
    for one in notices:
        db.execute(
            "INSERT INTO notice (kind, sealed, dedup, due_at) VALUES (?, ?, ?, ?) ON CONFLICT (dedup) DO NOTHING",
            (one.kind, one.sealed, one.dedup, to_micros(one.due_at)),
        )


def audit(db: sqlite3.Connection, line: AuditLine) -> None:
    """One line."""
    db.execute(
        "INSERT INTO audit (at, action, result, facts) VALUES (?, ?, ?, ?)",
        (to_micros(line.at), line.action, line.result, line.facts),
    )


def publish(db: sqlite3.Connection, one: ListRecord) -> None:
    """The list that stands; a number that is not higher is refused here, where two publishers meet (D13)."""
    touched = db.execute(
        "INSERT INTO list VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ca, part, kind) DO UPDATE SET "
        "number = excluded.number, this_update = excluded.this_update, next_update = excluded.next_update, "
        "digest = excluded.digest, seq = excluded.seq WHERE excluded.number > list.number",
        (one.ca, one.partition, one.kind, one.number, to_micros(one.this_update), to_micros(one.next_update),
         one.digest, one.seq),
    ).rowcount  # fmt: skip
    if touched != 1:
        raise OlderList


def keep_nodes(db: sqlite3.Connection, level: int, first: int, nodes: list[bytes]) -> None:
    """Roots of complete subtrees; the same ones may be kept again."""
    db.executemany(
        "INSERT OR IGNORE INTO node VALUES (?, ?, ?)", [(level, first + at, node) for at, node in enumerate(nodes)]
    )


def publish_head(db: sqlite3.Connection, head: Head) -> None:
    """A head of the same size may get more signatures; another root of that size, or a smaller size, is refused."""
    newest = db.execute("SELECT size, root FROM head ORDER BY size DESC LIMIT 1").fetchone()
    if newest is not None and (head.size < newest[0] or (head.size == newest[0] and head.root != newest[1])):
        raise OlderList
    db.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)", (head.size, head.root, to_micros(head.at), head.text))


def erase_leaf(db: sqlite3.Connection, index: int) -> None:
    """What it was is gone; that it was stays."""
    db.execute("UPDATE leaf SET salt = x'', event = x'' WHERE place = ?", (index,))


def append(db: sqlite3.Connection, leaf: Leaf) -> int:
    """At the next place."""
    return _leaf(db, leaf)


def noticed(db: sqlite3.Connection, id: int, at: datetime, retry_at: datetime | None) -> None:
    """Sent and its text gone, or due again."""
    if retry_at is None:
        db.execute("UPDATE notice SET sent_at = ?, sealed = NULL WHERE id = ?", (to_micros(at), id))
    else:
        db.execute("UPDATE notice SET due_at = ? WHERE id = ?", (to_micros(retry_at), id))


def forget(db: sqlite3.Connection, at: datetime) -> None:
    """What may no longer be repeated; intents whose registration is over never became certificates.

    A server's registration stays: it alone says what the certificate is renewed with.
    """
    now = to_micros(at)
    db.execute("DELETE FROM answer WHERE kept_until <= ?", (now,))
    db.execute("DELETE FROM exchange WHERE kept_until <= ? AND pending IS NULL", (now,))
    old = to_micros(at - KEEP_REGISTRATIONS)
    db.execute(
        "DELETE FROM intent WHERE at <= ? AND (reference IS NULL OR reference IN "
        "(SELECT reference FROM registration WHERE expires_at <= ?))", (old, now),
    )  # fmt: skip
    db.execute(
        "DELETE FROM registration WHERE expires_at <= ? AND (open IN (?, ?) OR (open = ? AND person IS NOT NULL))",
        (old, Open.OPEN.value, Open.BURNT.value, Open.DONE.value),
    )
