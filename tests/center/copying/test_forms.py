"""Whatever is posted, a field is what its form says or a refusal; twelve digits are never a mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.center.copying import forms

TEXT = st.text(max_size=90) | st.from_regex(r"[0-9a-f]{30,66}", fullmatch=True) | st.from_regex(r"[0-9]{3,14}")


@given(TEXT)
def test_a_field_has_its_form_or_is_refused(text: str) -> None:
    fields = dict.fromkeys(("receiver", "ticket", "fingerprint", "mailbox", "code", "nonce", "signed"), text)
    forms_of: dict[str, Callable[[], str]] = {
        r"[0-9a-f]{32}": lambda: forms.identifier(fields, "ticket"),
        r"[0-9a-f]{64}": lambda: forms.fingerprint(fields),
        r"[0-9]{5}": lambda: forms.mailbox(fields),
        r"[0-9]{6}": lambda: forms.answered(fields).code.reveal(),
    }
    for pattern, read in forms_of.items():
        try:
            value = read()
        except (forms.FormRefused, forms.CodeIncomplete):
            continue
        assert re.fullmatch(pattern, value, re.ASCII)


@given(TEXT, TEXT)
def test_what_was_signed_is_base64_or_refused(nonce: str, signed: str) -> None:
    try:
        found = forms.presented({"nonce": nonce, "signed": signed})
    except forms.FormRefused:
        return
    assert re.fullmatch("[0-9a-f]{64}", found.nonce) and isinstance(found.signed, bytes)


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_C4_the_secret_of_a_number_gets_no_further_than_its_form(number: str) -> None:
    with pytest.raises(forms.FormRefused):
        forms.mailbox({"mailbox": number})


@pytest.mark.parametrize("typed", ["123456", "123 456", "123-456", " 1 2 3 4 5 6 "])
def test_a_code_may_be_typed_with_spaces(typed: str) -> None:
    answered = forms.answered({"code": typed})
    assert answered.code.reveal() == "123456" and answered.method == "sms"
    assert "123456" not in repr(answered)
