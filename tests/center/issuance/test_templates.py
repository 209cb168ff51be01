"""Every screen of 신규공동인증서신청 with plain contexts, in both languages: the manual's words, and what pages owe."""

from __future__ import annotations

import asyncio
import re
from functools import cache

import httpx2
import pytest
from starlette.applications import Starlette
from tests.center.issuance import gallery
from tests.page.test_parts import Elements

from ingam.kernel.words import table
from ingam.page import set_up_log

screens = pytest.mark.parametrize("case", gallery.CASES)
languages = pytest.mark.parametrize("lang", ["ko", "en"])


@cache
def shell() -> Starlette:
    return gallery.app()


@cache
def page(case: str, lang: str = "ko") -> tuple[str, Elements]:
    set_up_log()

    async def go() -> str:
        transport = httpx2.ASGITransport(app=shell())
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8700") as client:
            answer = await client.get(
                f"/issuance/new/{case}", headers={"Cookie": f"lang={lang}", "Accept": "text/html"}
            )
            assert answer.status_code == 200
            return answer.text

    text = asyncio.run(go())
    elements = Elements()
    elements.feed(text)
    assert elements.open == []
    return text, elements


def inputs(case: str, **wanted: str) -> list[dict[str, str | None]]:
    found = [a for tag, a in page(case)[1].found if tag in ("input", "select")]
    return [one for one in found if all(one.get(name) == value for name, value in wanted.items())]


@screens
@languages
def test_a_screen_is_one_heading_and_every_reference_leads_somewhere(case: str, lang: str) -> None:
    _, elements = page(case, lang)
    assert [tag for tag, _ in elements.found].count("h1") == 1
    ids = [str(a["id"]) for _, a in elements.found if a.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements.found:
        for name in ("for", "form", "aria-describedby", "aria-labelledby"):
            for target in (attributes.get(name) or "").split():
                assert target in ids, (tag, name, target)
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids, href


@screens
@languages
def test_B3_nothing_is_inline_and_every_form_carries_token_run_and_version(case: str, lang: str) -> None:
    text, elements = page(case, lang)
    for tag, attributes in elements.found:
        assert "style" not in attributes and tag != "style"
        assert not [name for name in attributes if name.startswith("on")]
    for form in re.findall(r"<form.*?</form>", text, re.S):
        assert f'value="{gallery.CSRF}"' in form
        if 'action="/issuance/new' in form:
            assert 'name="run" value="1"' in form and re.search(r'name="version" value="[07]"', form)


@screens
def test_H1_no_secret_is_filled_in_and_no_address_carries_anything_of_a_person(case: str) -> None:
    text, elements = page(case)
    for tag, attributes in elements.found:
        if tag == "input" and attributes.get("type") == "password":
            assert "value" not in attributes
        for name in ("href", "action", "formaction", "src"):
            assert not re.search(r"\d{6}|홍길동", attributes.get(name) or "")
    assert "7510052123456" not in text and "751005-2123456" not in text


@screens
def test_a_screen_says_the_same_things_in_both_languages_and_no_key_is_left(case: str) -> None:
    ko, en = page(case)[1].found, page(case, "en")[1].found
    assert [tag for tag, _ in ko].count("button") == [tag for tag, _ in en].count("button")
    for text in (page(case)[0], page(case, "en")[0]):
        assert "{" not in re.sub(r'data-say-(found|page)="[^"]*"', "", gallery.visible(text)).replace("{ }", "")


def test_the_steps_are_the_manuals_and_say_where_the_person_is() -> None:
    for case, number in (("consents", 1), ("card", 2), ("onewon", 3), ("details", 4)):
        text, elements = page(case)
        assert f"{number} / 6" in text and "신규공동인증서신청" in text
        assert len([a for _, a in elements.found if a.get("aria-current") == "step"]) == 1
        for word in ("본인확인", "신분증 촬영", "1원 인증", "고객정보입력", "공동인증서 비밀번호 등록", "발급 확인"):
            assert word in text
    assert "5 / 6" in page("issue")[0] and "6 / 6" in page("issue")[0]


WORDS = {
    "password": "인터넷뱅킹 비밀번호 | 확인",
    "password-expired": "처리 시간이 지나 처음부터 다시 시작합니다.",
    "consents": "고유식별정보 : 주민등록번호, 운전면허번호 등 | 약관보기 | 성명 | 주민등록번호 | 실명확인 | 취소",
    "identity": "실명이 확인되었습니다. | 본인인증 선택 | 휴대폰본인인증 | 공동인증서 인증 | 취소",
    "identity-sms": "인증번호 | 재전송 | 확인",
    "card": "주민등록증 | 운전면허증 | 확인",
    "account": "정보동의 일괄동의 | 인증요청 | 본인 명의 은행계좌로 이체 진행 | 송금인명 숫자 4자리 확인",
    "account-lapsed": "입력 시간이 지났습니다. 1원을 다시 받아 주세요.",
    "onewon": "KB국민은행 계좌로 1원을 보냈습니다. 입금자명 숫자 4자리를 30분 안에 입력해 주세요. | 인증번호 | 변경"
    " | 1원 다시 받기 | 인증요청 후 30분 이내에 인증번호 입력 필요 | •••••1234•• · 예금주 홍길동",
    "details": "이메일 | 직접입력 | 자택전화번호 | 휴대전화번호 | 자택주소 | 주소찾기 | 취소 | 인증서신규발급"
    " | 751005-2******",
    "issue": "골드(용도제한용, 무료) | 미래에셋증권 | 2027-03-14 | 4a3f09c2b1d5e677"
    " | 기존 인증서가 폐지됨을 확인했습니다",
    "issue-unknown": "다른 증권사 증권용 인증서가 있으면 새로 발급할 때 기존 인증서가 폐지됩니다. | 범용(4,400원)",
    "issue-nothing": "지금 폐지될 인증서는 없습니다.",
    "issued": "인증서를 발급했습니다. 만료일 2027-03-14. | 소유자 | 일련번호 | 만료일 | 공동인증서 로그인 | 마이뱅크",
}


@pytest.mark.parametrize("case", WORDS)
def test_the_words_of_the_manual_and_of_the_messages_stand_to_the_letter(case: str) -> None:
    seen = gallery.visible(page(case)[0])
    for word in WORDS[case].split(" | "):
        assert word in seen, word


def test_six_documents_have_their_boxes_and_their_links_and_the_box_for_all_needs_a_script() -> None:
    text, elements = page("consents")
    assert [box["name"] for box in inputs("consents", type="checkbox") if box.get("name")] == [
        f"consent_T{number}" for number in range(1, 7)
    ]
    assert text.count("약관보기</a>") == 6
    (line,) = [a for _, a in elements.found if "data-consent-all" in a]
    assert "hidden" in line
    assert not [box for box in inputs("consents", type="checkbox") if "checked" in box]


def test_a_missing_consent_is_named_beside_its_box_and_what_was_typed_stays() -> None:
    (box,) = inputs("consents-wrong", id="consent_T2")
    assert box["aria-invalid"] == "true"
    assert inputs("consents-wrong", id="name")[0]["value"] == "홍길동"
    assert '<a href="#consent_T2">' in page("consents-wrong")[0]


def test_an_error_that_has_no_place_on_the_screen_stands_in_the_summary_without_a_link() -> None:
    text, _ = page("account-wrong")
    assert '<a href="#bank_code">' in text and "#code" not in text
    assert say_ko("refusal.onewon-expired") in text


def test_the_digits_of_a_message_are_typed_and_those_of_an_app_are_not() -> None:
    (typed,) = inputs("identity-sms", id="otp")
    assert (typed["autocomplete"], typed["inputmode"]) == ("one-time-code", "numeric")
    assert inputs("identity-app", id="otp")[0]["type"] == "hidden"
    assert not inputs("identity-over", id="otp")


def test_the_other_way_to_be_identified_is_open_when_it_failed() -> None:
    assert "checked" in inputs("identity-certificate", id="way-certificate")[0]
    assert "checked" in inputs("identity", id="way-phone")[0]


def test_the_card_is_taken_first_and_its_fields_are_shown_when_they_were_refused() -> None:
    def hidden(case: str) -> list[bool]:
        found = [a for tag, a in page(case)[1].found if tag == "div" and "data-card-shown" in a]
        return ["hidden" in one for one in found]

    assert hidden("card") == [False, True]
    assert hidden("card-wrong") == [True, False]
    assert inputs("card-wrong", id="licence_number")[0]["value"] == "11-15-123456-01"
    assert 'method="post" action="/issuance/new/card"' not in page("card")[0]  # a photograph is never a form


def test_a_telephone_at_home_begins_with_010_and_can_be_none() -> None:
    assert inputs("details", id="home_phone")[0]["value"] == "010"
    assert inputs("details-said", id="home_phone")[0]["value"] == "02-2100-1234"
    assert inputs("details", id="mobile")[0]["value"] == "010-8513-1234"
    assert inputs("details", name="home_phone_none")[0]["value"] == "yes"


def test_the_page_of_the_key_gives_the_script_its_contract() -> None:
    (section,) = [a for tag, a in page("issue-product")[1].found if tag == "section" and "data-issue" in a]
    assert {name: section[f"data-{name}"] for name in ("vault", "csrf", "run", "version", "state", "spki", "base")} == {
        "vault": "http://localhost:8701", "csrf": gallery.CSRF, "run": "1", "version": "7", "state": "product",
        "spki": "a" * 64, "base": "/issuance/new",
    }  # fmt: skip
    (form,) = [a for tag, a in page("issue-product")[1].found if tag == "form" and "data-product" in a]
    assert "hidden" in form and form["action"] == "/issuance/new/product"
    shown = {str(a["data-issue-shown"]) for _, a in page("issue")[1].found if "data-issue-shown" in a}
    assert shown == {"key", "product", "issuing", "issued"}


def test_what_was_asked_for_is_not_left_by_a_button() -> None:
    assert 'id="cancel"' in page("issue")[0]
    assert 'id="cancel"' not in page("issue-requested")[0] and "data-product" not in page("issue-requested")[0]


def test_without_a_script_the_screens_that_need_one_say_so() -> None:
    for case in ("card", "issue", "identity"):
        assert "<noscript>" in page(case)[0]


def say_ko(key: str) -> str:
    return table("ko")[key]
