"""The tables of the books. Instants are microseconds since 1970 UTC; serials are minimal big-endian octets.

`certificate` and `leaf` are never deleted from; a status change rewrites two columns of one row and adds one to
`change`. `revoked_entry` holds the ready DER of each entry, so that a list is read, not built.
"""

from __future__ import annotations

from typing import Final

REVISION: Final = 1

SCHEMA: Final = """
CREATE TABLE registration (
    reference TEXT PRIMARY KEY, profile TEXT NOT NULL, operation TEXT NOT NULL, person BLOB, sealed BLOB NOT NULL,
    spki_hash BLOB, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, not_after INTEGER, open TEXT NOT NULL,
    wrong_codes INTEGER NOT NULL, reusable INTEGER NOT NULL, npki INTEGER NOT NULL, code_until INTEGER
) WITHOUT ROWID;
CREATE INDEX registration_by_end ON registration (expires_at);
CREATE INDEX registration_by_code ON registration (code_until) WHERE code_until IS NOT NULL;

CREATE TABLE person (person BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE intent (
    exchange BLOB PRIMARY KEY, sender BLOB NOT NULL, request_hash BLOB NOT NULL, reference TEXT, ca INTEGER NOT NULL,
    serial BLOB NOT NULL, profile TEXT NOT NULL, policy TEXT NOT NULL, person BLOB, part INTEGER NOT NULL,
    not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, spki_hash BLOB NOT NULL, tbs BLOB NOT NULL,
    digest BLOB NOT NULL, at INTEGER NOT NULL, body INTEGER NOT NULL, request_id INTEGER NOT NULL,
    implicit INTEGER NOT NULL, replaces INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX intent_serial ON intent (ca, serial);
CREATE INDEX intent_by_key ON intent (spki_hash);

CREATE TABLE certificate (
    id INTEGER PRIMARY KEY, ca INTEGER NOT NULL, serial BLOB NOT NULL, profile TEXT NOT NULL, policy TEXT NOT NULL,
    person BLOB, part INTEGER NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, der BLOB NOT NULL,
    spki_hash BLOB NOT NULL, state TEXT NOT NULL, reason INTEGER, changed_at INTEGER, confirm_by INTEGER,
    reference TEXT, issued_at INTEGER NOT NULL, replaces INTEGER, leaf INTEGER NOT NULL
);
CREATE UNIQUE INDEX certificate_serial ON certificate (ca, serial);
CREATE UNIQUE INDEX certificate_single ON certificate (person, policy)
    WHERE person IS NOT NULL AND state IN ('valid', 'held');
CREATE INDEX certificate_by_person ON certificate (person) WHERE person IS NOT NULL;
CREATE INDEX certificate_by_key ON certificate (spki_hash);
CREATE INDEX certificate_pending ON certificate (confirm_by) WHERE state = 'pending';
CREATE INDEX certificate_updated ON certificate (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX certificate_held ON certificate (changed_at) WHERE state = 'held';

CREATE TABLE generation (ca INTEGER PRIMARY KEY, issued INTEGER NOT NULL);

CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, certificate INTEGER NOT NULL, ca INTEGER NOT NULL, serial BLOB NOT NULL,
    part INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, not_after INTEGER NOT NULL, entry BLOB NOT NULL
);

CREATE TABLE revoked_entry (
    seq INTEGER PRIMARY KEY, certificate INTEGER NOT NULL UNIQUE, ca INTEGER NOT NULL, part INTEGER NOT NULL,
    not_after INTEGER NOT NULL, entry BLOB NOT NULL
);
CREATE INDEX revoked_entry_by_part ON revoked_entry (ca, part, seq);

CREATE TABLE list (
    ca INTEGER NOT NULL, part INTEGER NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
    this_update INTEGER NOT NULL, next_update INTEGER NOT NULL, digest BLOB NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (ca, part, kind)
) WITHOUT ROWID;

CREATE TABLE exchange (
    exchange BLOB PRIMARY KEY, sender BLOB NOT NULL, request_hash BLOB NOT NULL, nonce BLOB NOT NULL, pending INTEGER,
    closed INTEGER NOT NULL, kept_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX exchange_by_end ON exchange (kept_until);

CREATE TABLE answer (
    exchange BLOB NOT NULL, request_hash BLOB NOT NULL, answer BLOB NOT NULL, kept_until INTEGER NOT NULL,
    PRIMARY KEY (exchange, request_hash)
);
CREATE INDEX answer_by_end ON answer (kept_until);

CREATE TABLE leaf (place INTEGER PRIMARY KEY, hash BLOB NOT NULL, salt BLOB NOT NULL, event BLOB NOT NULL);
CREATE TABLE node (level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, place))
    WITHOUT ROWID;
CREATE TABLE head (size INTEGER PRIMARY KEY, root BLOB NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL);

CREATE TABLE notice (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, sealed BLOB, dedup TEXT NOT NULL UNIQUE, due_at INTEGER NOT NULL,
    sent_at INTEGER
);
CREATE INDEX notice_due ON notice (due_at) WHERE sent_at IS NULL;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, action TEXT NOT NULL, result TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX audit_by_action ON audit (action, at);
"""
