"""Revocation on behalf: two natural persons, one exact text, today, and nothing less (D14)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ingam.ca.revoking.statement import LIFE, SKEW, Operator, Signed, Statement, StatementRefused, parse, verify

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
STATED = Statement("ingam", 1, 0x5A1234, "cessationOfOperation", "death", NOW)
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number, name in enumerate(("han", "seo"))}
KEYS["han-2"] = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
PERSONS = {"han": "20150101", "seo": "20180302", "han-2": "20150101"}


def public(name: str) -> bytes:
    return KEYS[name].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


OPERATORS = {name: Operator(name, PERSONS[name], public(name)) for name in KEYS}


def signed(text: bytes, *names: str) -> list[Signed]:
    return [Signed(name, KEYS[name].sign(text)) for name in names]


def refused(text: bytes, signatures: list[Signed], at: datetime = NOW, authority: str = "ingam") -> str:
    with pytest.raises(StatementRefused) as wrong:
        verify(text, signatures, OPERATORS, authority=authority, at=at)
    return str(wrong.value.facts["part"])


def test_the_text_is_ascii_in_fixed_lines() -> None:
    assert STATED.text() == (
        b"INGAM-REVOKE/1\nauthority: ingam\nca: 1\nserial: 5a1234\nreason: cessationOfOperation\nbasis: death\n"
        b"time: 2026-11-26T09:00:00Z\n"
    )
    assert parse(STATED.text()) == STATED


def test_D14_two_natural_persons_state_it_together() -> None:
    text = STATED.text()
    stated, persons = verify(text, signed(text, "han", "seo"), OPERATORS, authority="ingam", at=NOW)
    assert stated == STATED
    assert [one.name for one in persons] == ["han", "seo"]


def test_D14_one_person_with_two_keys_is_one_person() -> None:
    text = STATED.text()
    assert refused(text, signed(text, "han", "han-2")) == "two-persons"
    assert refused(text, signed(text, "han", "han")) == "two-persons"
    assert refused(text, signed(text, "han")) == "two-persons"
    assert refused(text, []) == "two-persons"


def test_D14_a_signature_over_another_text_spoils_all_of_them() -> None:
    text, other = STATED.text(), replace(STATED, serial=0x5A1235).text()
    assert refused(text, [*signed(text, "han"), *signed(other, "seo")]) == "signature"
    assert refused(text, [*signed(text, "han", "seo"), Signed("seo", bytes(64))]) == "signature"
    assert refused(text, [*signed(text, "han"), Signed("seo", b"short")]) == "signature"


def test_D14_who_is_no_operator_states_nothing() -> None:
    text = STATED.text()
    assert refused(text, [*signed(text, "han"), Signed("nobody", bytes(64))]) == "operator-unknown"


def test_a_statement_lives_for_a_day_and_not_in_the_future() -> None:
    text = STATED.text()
    both = signed(text, "han", "seo")
    verify(text, both, OPERATORS, authority="ingam", at=NOW + LIFE)
    verify(text, both, OPERATORS, authority="ingam", at=NOW - SKEW)
    assert refused(text, both, at=NOW + LIFE + timedelta(seconds=1)) == "time"
    assert refused(text, both, at=NOW - SKEW - timedelta(seconds=1)) == "time"


def test_a_statement_for_another_authority_is_refused() -> None:
    text = STATED.text()
    assert refused(text, signed(text, "han", "seo"), authority="another") == "authority"


@pytest.mark.parametrize(
    "text",
    [
        STATED.text() + b"\n",
        STATED.text().replace(b"\n", b"\r\n"),
        STATED.text().replace(b"serial: 5a1234", b"serial: 5A1234"),
        STATED.text().replace(b"serial: 5a1234", b"serial: 05a1234"),
        STATED.text().replace(b"ca: 1", b"ca: +1"),
        STATED.text().replace(b"INGAM-REVOKE/1", b"INGAM-REVOKE/2"),
        STATED.text().replace(b"basis: death\n", b""),
        STATED.text().replace(b"basis: death", "basis: 사망".encode()),
        STATED.text().replace(b"time: 2026-11-26T09:00:00Z", b"time: 2026-11-26 09:00:00"),
        b"x" * 2000,
        b"",
    ],
)
def test_another_spelling_is_no_statement(text: bytes) -> None:
    assert refused(text, signed(text, "han", "seo")) == "text"


@pytest.mark.parametrize("reason", ["certificateHold", "removeFromCRL", "whatever"])
def test_a_hold_or_a_release_cannot_be_stated(reason: str) -> None:
    with pytest.raises(StatementRefused):
        replace(STATED, reason=reason).text()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_statement_or_refused(data: bytes) -> None:
    with suppress(StatementRefused):
        assert parse(data).text() == data


@given(st.integers(0, len(STATED.text()) - 1), st.integers(1, 255))
def test_D14_any_changed_byte_breaks_it(place: int, change: int) -> None:
    text = bytearray(STATED.text())
    both = signed(bytes(text), "han", "seo")
    text[place] ^= change
    assert refused(bytes(text), both) in ("text", "signature", "authority", "time", "reason")
