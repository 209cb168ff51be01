"""What the four screens post: the field rules of flows.md."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.center.registration import forms
from ingam.center.task.forms import FormRefused

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        ("7510052123456", None),
        ("7510059123456", None),
        ("0002293123456", None),
        ("9902291123456", "registration.rrn_date"),
        ("2611233123456", "registration.rrn_date"),
        ("2611223123456", None),
        ("1298520172", None),
        ("1298520173", "registration.business_number"),
        ("751005212345", "registration.rrn_digits"),
        ("７５１００５２１２３４５６", "registration.rrn_digits"),
        ("", "registration.rrn_digits"),
    ],
)
def test_a_number_has_a_real_day_or_a_true_check_digit(number: str, wrong: str | None) -> None:
    assert forms.number_error(number, TODAY) == wrong


def test_no_checksum_refuses_a_number_given_out_since_2020() -> None:
    assert all(forms.number_error(f"751005212345{last}", TODAY) is None for last in range(10))


@given(st.dictionaries(st.sampled_from(["banking_id", "password", "idn"]), st.text(max_size=200)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_posted_at_the_first_screen_is_a_command_or_a_list_of_errors(fields: dict[str, str]) -> None:
    try:
        command = forms.identify(fields, TODAY)
    except FormRefused as refused:
        assert refused.errors
    else:
        assert command.idn.reveal().isascii() and command.idn.reveal().isdigit()


@given(st.dictionaries(st.sampled_from(["nonce", "signed", "sealed"]), st.text(max_size=200)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_posted_at_the_third_screen_is_bytes_or_a_list_of_errors(fields: dict[str, str]) -> None:
    try:
        forms.presented(fields)
    except FormRefused as refused:
        assert refused.errors


def test_commands_do_not_print_what_they_carry() -> None:
    command = forms.identify({"banking_id": "hong1234", "password": "no-such", "idn": "751005-2123456"}, TODAY)
    assert "no-such" not in repr(command) and "2123456" not in repr(command) and "hong1234" not in repr(command)


def test_a_signature_in_letters_that_are_no_ascii_is_refused_and_no_defect() -> None:
    with pytest.raises(FormRefused):
        forms.presented({"nonce": "a" * 64, "signed": "서명"})
