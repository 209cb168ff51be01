"""Leaves for the books: the canonical text of what happened, committed to under a fresh salt (security H3)."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

from ingam.kernel.errors import Defect
from ingam.ports.books import Leaf, ListRecord, State
from ingam.protocols.log.commitment import SALT, commit
from ingam.protocols.log.event import Bundle, Event, Issue, List, ListKind, LoggedState, Status, text


def entry(event: Event, salt: bytes | None = None) -> Leaf:
    """The leaf of an event; `salt`: 32 random bytes of this leaf alone, made here unless a test gives them."""
    salt = secrets.token_bytes(SALT) if salt is None else salt
    told = text(event)
    return Leaf(commit(salt, told), salt, told)


def issued(ca: int, serial: int, der: bytes, at: datetime, salt: bytes | None = None) -> Leaf:
    """A certificate was issued. `ca`: generation; `der`: the certificate."""
    return entry(Issue(ca, serial, sha256(der).digest(), at), salt)


def changed(
    ca: int, serial: int, state: State, reason: int | None, at: datetime, salt: bytes | None = None
) -> Leaf:  # fmt: skip
    """A certificate was held, released (VALID) or revoked. `reason`: a CRLReason number, or None."""
    if state is State.PENDING:
        raise Defect("log-state")
    return entry(Status(ca, serial, LoggedState(state.value), reason, at), salt)


def listed(record: ListRecord, salt: bytes | None = None) -> Leaf:
    """A revocation list was published, at its thisUpdate."""
    partition = None if record.partition < 0 else record.partition
    kind = ListKind(record.kind)
    return entry(List(record.ca, kind, partition, record.number, record.digest, record.this_update), salt)


def released(digest: bytes, at: datetime, salt: bytes | None = None) -> Leaf:
    """A vault bundle was released. `digest`: SHA-256 of its listing, which is its name (security B4)."""
    return entry(Bundle(digest, at), salt)
