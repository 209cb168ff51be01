"""The number and its QR text: read strictly, drawn uniformly, nothing like a link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import number
from ingam.protocols.mailbox.number import Number, NumberMalformed, QrMalformed

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/run.json").read_text(encoding="utf-8"))["numbers"]
DIGITS = "0123456789"
NUMBERS = st.builds(
    lambda mailbox, secret, qr: Number(mailbox, Secret(secret), Secret(qr)),
    st.text(DIGITS, min_size=5, max_size=5),
    st.text(DIGITS, min_size=7, max_size=7),
    st.binary(min_size=16, max_size=16),
)


@pytest.mark.parametrize("case", VECTORS["typed"], ids=lambda case: case["text"])
def test_twelve_digits_are_read_however_they_are_grouped(case: dict[str, str]) -> None:
    read = number.typed(case["text"])
    assert (read.mailbox, read.secret.reveal(), read.qr) == (case["mailbox"], case["secret"], None)


@pytest.mark.parametrize("text", VECTORS["typed_refused"], ids=repr)
def test_C4_anything_but_twelve_digits_is_refused(text: str) -> None:
    with pytest.raises(NumberMalformed):
        number.typed(text)


def test_a_number_is_shown_in_three_groups_of_four() -> None:
    shown = VECTORS["shown"]
    assert Number(shown["mailbox"], Secret(shown["secret"])).shown == shown["text"] == "4123 4567 8901"


@pytest.mark.parametrize("case", VECTORS["scanned"], ids=lambda case: case["text"])
def test_C5_a_qr_text_carries_the_number_and_sixteen_bytes(case: dict[str, str]) -> None:
    read = number.scanned(case["text"])
    assert read == Number(case["mailbox"], Secret(case["secret"]), Secret(bytes.fromhex(case["qr"])))
    assert read.qr_text == case["text"]


@pytest.mark.parametrize("text", VECTORS["scanned_refused"], ids=repr)
def test_C5_anything_near_a_qr_text_is_refused(text: str) -> None:
    with pytest.raises(QrMalformed):
        number.scanned(text)


@given(NUMBERS)
def test_C5_a_qr_text_is_no_link_and_fits_the_alphanumeric_set(made: Number) -> None:
    text = made.qr_text
    assert len(text) == number.QR_TEXT
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert "/" not in text
    assert "." not in text
    assert number.scanned(text) == made


@given(st.text(max_size=60))
def test_C5_no_text_is_read_as_another_ones_qr(text: str) -> None:
    try:
        read = number.scanned(text)
    except QrMalformed:
        return
    assert read.qr_text == text


@given(st.text(DIGITS + " -", max_size=30))
def test_a_typed_number_keeps_every_digit(text: str) -> None:
    try:
        read = number.typed(text)
    except NumberMalformed:
        assert sum(one in DIGITS for one in text) != 12
        return
    assert read.mailbox + read.secret.reveal() == "".join(one for one in text if one in DIGITS)


def test_C4_the_secret_is_one_of_ten_million_by_one_fair_draw() -> None:
    asked: list[int] = []

    def below(limit: int) -> int:
        asked.append(limit)
        return 42

    assert number.draw_secret(below).reveal() == "0000042"
    assert asked == [10_000_000]


def test_C4_secrets_come_from_the_systems_generator_and_do_not_print() -> None:
    drawn = {number.draw_secret().reveal() for _ in range(200)}
    assert len(drawn) > 190
    assert all(len(one) == 7 and one.isdigit() for one in drawn)
    assert len(number.draw_qr()) == 16
    made = Number("41234", Secret("5678901"), Secret(bytes(16)))
    assert "5678901" not in repr(made)


def test_a_number_without_qr_bytes_has_no_qr_text() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        _ = Number("41234", Secret("5678901")).qr_text
