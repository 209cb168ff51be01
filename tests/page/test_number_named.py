"""주민등록번호 or 사업자등록번호: a refusal calls a number as this customer has it, in both languages."""

from __future__ import annotations

import pytest

from ingam.customer.additional_auth.no_medium import NoMediumMismatch
from ingam.customer.person import number_named
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.words import LANGUAGES, NAMED, table
from ingam.page.failures import message_of

NAMES = {
    ("ko", "8001011000009"): "주민등록번호", ("ko", "1208800767"): "사업자등록번호",
    ("en", "8001011000009"): "resident registration number", ("en", "1208800767"): "business registration number",
}  # fmt: skip


@pytest.mark.parametrize(("lang", "number"), NAMES)
def test_a_person_s_and_a_company_s_number_have_their_own_name(lang: str, number: str) -> None:
    told = message_of(NoMediumMismatch(n=1, max=5, named=number_named(Secret(number))), lang)
    others = {name for (of, _), name in NAMES.items() if of == lang} - {NAMES[lang, number]}
    assert NAMES[lang, number] in told and not any(name in told for name in others) and "{" not in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_such_text_is_whole_where_nothing_is_said_of_whose_number_it_is(lang: str) -> None:
    hole = "{" + NAMED + "}"
    codes = [key.removeprefix("refusal.") for key, text in table(lang).items() if hole in text]
    assert len(codes) == 3
    for code in codes:
        told = message_of(Refusal(code, n=1, max=5), lang)
        assert NAMES[lang, "8001011000009"] in told and "{" not in told
