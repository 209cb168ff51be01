"""Rows of the books and the port's values, there and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.books import Certificate, IssueIntent, Open, Registration, State

REGISTRATION: Final = (
    "reference, profile, operation, person, sealed, spki_hash, created_at, expires_at, not_after, open, wrong_codes, "
    "reusable, npki"
)
INTENT: Final = (
    "exchange, sender, request_hash, reference, ca, serial, profile, policy, person, part, not_before, not_after, "
    "spki_hash, tbs, digest, at, body, request_id, implicit, replaces"
)
CERTIFICATE: Final = (
    "id, ca, serial, profile, policy, person, part, not_before, not_after, der, spki_hash, state, reason, changed_at, "
    "confirm_by, reference, issued_at, replaces"
)


def octets(serial: int) -> bytes:
    """A positive serial as the books keep it."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big")


def number(stored: bytes) -> int:
    """A serial of the books."""
    return int.from_bytes(stored, "big")


def micros(at: datetime | None) -> int | None:
    """An instant, if there is one."""
    return None if at is None else to_micros(at)


def instant(stored: int | None) -> datetime | None:
    """An instant, if there is one."""
    return None if stored is None else from_micros(stored)


def registration(row: Sequence[Any]) -> Registration:
    """Columns REGISTRATION."""
    (reference, profile, operation, person, sealed, spki, created, expires, not_after, state, wrong, reusable,
     npki) = row  # fmt: skip
    return Registration(
        reference, profile, operation, person, sealed, spki, from_micros(created), from_micros(expires),
        instant(not_after), Open(state), wrong, bool(reusable), bool(npki),
    )  # fmt: skip


def registration_row(one: Registration) -> tuple[Any, ...]:
    """Columns REGISTRATION."""
    return (
        one.reference, one.profile, one.operation, one.person, one.sealed, one.spki_hash, to_micros(one.created_at),
        to_micros(one.expires_at), micros(one.not_after), one.open.value, one.wrong_codes, int(one.reusable),
        int(one.npki),
    )  # fmt: skip


def intent(row: Sequence[Any]) -> IssueIntent:
    """Columns INTENT."""
    (exchange, sender, request, reference, ca, serial, profile, policy, person, part, before, after, spki, tbs, digest,
     at, body, request_id, implicit, replaces) = row  # fmt: skip
    return IssueIntent(
        sender, exchange, request, reference, ca, number(serial), profile, policy, person, part, from_micros(before),
        from_micros(after), spki, tbs, digest, from_micros(at), body, request_id, bool(implicit), replaces,
    )  # fmt: skip


def intent_row(one: IssueIntent) -> tuple[Any, ...]:
    """Columns INTENT."""
    return (
        one.transaction, one.sender, one.request_hash, one.reference, one.ca, octets(one.serial), one.profile,
        one.policy, one.person, one.partition, to_micros(one.not_before), to_micros(one.not_after), one.spki_hash,
        one.tbs, one.digest, to_micros(one.at), one.body, one.request_id, int(one.implicit), one.replaces,
    )  # fmt: skip


def certificate(row: Sequence[Any]) -> Certificate:
    """Columns CERTIFICATE."""
    (id, ca, serial, profile, policy, person, part, before, after, der, spki, state, reason, changed, confirm_by,
     reference, issued, replaces) = row  # fmt: skip
    return Certificate(
        id, ca, number(serial), profile, policy, person, part, from_micros(before), from_micros(after), der, spki,
        State(state), reason, instant(changed), instant(confirm_by), reference, instant(issued),
        replaces,
    )  # fmt: skip
