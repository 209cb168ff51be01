"""What ② posts of a 보안카드: two halves of the two numbers that the page asked for, and nothing that breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.center.additional_auth.forms import FactorFormRefused, answered, medium
from ingam.customer.additional_auth.medium import CardTyped, Held
from ingam.kernel.secret import Secret
from ingam.ports.cards import NUMBERS, Asked

CARD = Held(card=Asked(3, 17))
HALVES = {"card_first": "12", "card_second": "78"}


def test_the_halves_stand_one_behind_the_other_with_what_was_asked() -> None:
    typed = medium({**HALVES, "card_asked": "3-17"}, number_missing=7, held=CARD)
    assert typed == CardTyped(Asked(3, 17), Secret("1278"))


@given(st.text(max_size=20) | st.from_regex(r"[0-9]{1,3}-[0-9]{1,3}"))
def test_whatever_a_page_says_that_it_asked_is_two_places_of_a_card_or_no_question(asked: str) -> None:
    typed = medium({**HALVES, "card_asked": asked}, number_missing=7, held=CARD)
    assert isinstance(typed, CardTyped)
    places = {typed.asked.first, typed.asked.second}
    assert places == {0} or places <= set(range(1, NUMBERS + 1))


@pytest.mark.parametrize(("first", "second", "wrong"), [
    ("", "", {"card_first", "card_second"}), ("1", "78", {"card_first"}), ("12", "７８", {"card_second"}),
    ("123", "78", {"card_first"}), ("12", "7a", {"card_second"}),
])  # fmt: skip
def test_a_half_that_is_not_two_digits_is_named(first: str, second: str, wrong: set[str]) -> None:
    with pytest.raises(FactorFormRefused) as refused:
        medium({"card_first": first, "card_second": second, "card_asked": "3-17"}, number_missing=7, held=CARD)
    assert set(refused.value.errors) == wrong


def test_next_before_a_code_was_asked_for_says_to_ask_for_one() -> None:
    with pytest.raises(FactorFormRefused) as refused:
        answered({"method": "sms"}, number_missing=7, held=Held(), beside=False)
    assert refused.value.errors == {"code": "factor.need_request"}
    with pytest.raises(FactorFormRefused) as refused:
        answered({"method": "sms", "code": "12"}, number_missing=7, held=Held(), beside=False)
    assert refused.value.errors == {"code": "factor.need_code"}
