"""The shipped documents: all of flows.md, marked as examples, complete in form, and the same in both languages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from ingam.center.terms.registry import Document, Registry
from ingam.kernel.words import LANGUAGES

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SHIPPED = Registry.read()
DOCUMENTS = SHIPPED.documents(SHIPPED.codes, NOW)

TITLES = {
    "T1": "온라인서비스 이용약관",
    "T2": "전자금융거래 기본약관",
    "T3": "개인정보수집·이용·제공동의 약관",
    "T4": "SignKorea 공동인증서 서비스 이용약관",
    "T5": "SignKorea 공동인증서 발급에 따른 개인정보 수집 및 이용동의",
    "T6": "SignKorea 공동인증서 발급에 따른 개인정보 제3자 제공에 대한 동의",
    "T7": "1원 인증을 위한 정보 제공 일괄동의 (오픈뱅킹/대행사)",
    "T8": "본인확인서비스 약관·개인정보·고유식별정보·통신사 약관",
    "T9": "신분증 진위확인 개인정보·고유식별정보 처리 고지",
}
OWNERS = {"T1": "증권금융", "T2": "증권금융", "T3": "증권금융", "T4": "코스콤", "T5": "코스콤", "T6": "코스콤",
          "T8": "본인확인기관", "T9": "증권금융"}  # fmt: skip
FORM = {
    "ko": ("목적", "항목", "근거", "보유 기간", "거부", "효과", "철회", "문의", "1544-0000", "시행"),
    "en": ("Purpose", "Items", "Legal basis", "[Rr]etention period",
           "Right to refuse and its effect", "[Ww]ithdraw", "Contact", "1544-0000", "in force|In force"),
}  # fmt: skip
ARTICLE = {
    "ko": re.compile(r"^##+ 제([0-9]+)조 \(.+\)$", re.M),
    "en": re.compile(r"^##+ Article ([0-9]+) \(.+\)$", re.M),
}
FILLER = re.compile(r"lorem|TODO|TBD|○○|OOO|XXX|추후|내용을 입력|준비 중", re.I)


def each(document: Document) -> str:
    return document.code


def test_there_are_nine_with_the_titles_and_owners_of_flows() -> None:
    assert {one.code: one.title("ko") for one in DOCUMENTS} == TITLES
    assert {one.code: one.owner("ko") for one in DOCUMENTS if one.code != "T7"} == OWNERS
    assert all(one.required for one in DOCUMENTS)
    assert [one.code for one in DOCUMENTS if one.kind == "notice"] == ["T9"]
    assert all(one.version == "2026-11-01" and one.effective == date(2026, 11, 1) for one in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=each)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_opens_with_its_mark_and_its_own_title(document: Document, lang: str) -> None:
    first, _, title = document.text(lang).split("\n")[:3]
    assert first.startswith("> **예시** " if lang == "ko" else "> **EXAMPLE** ")
    assert title == f"# {document.title(lang)}"
    assert document.example


@pytest.mark.parametrize("document", DOCUMENTS, ids=each)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_is_complete_in_form(document: Document, lang: str) -> None:
    text = document.text(lang)
    for word in FORM[lang]:
        assert re.search(word, text), (document.code, word)
    numbers = [int(number) for number in ARTICLE[lang].findall(text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 7
    assert FILLER.search(text) is None
    assert "공인인증서" not in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=each)
def test_the_translation_has_the_same_articles_tables_and_items(document: Document) -> None:
    def shape(lang: str) -> list[str]:
        lines = [line.strip() for line in document.text(lang).splitlines()]
        marks = [re.match(r"#+|>|\||[0-9]+\.|-", line) for line in lines if line]
        return [mark[0] if mark else "text" for mark in marks]

    assert shape("ko") == shape("en")


@pytest.mark.parametrize("code", ["T4", "T5", "T6"])
def test_what_is_the_authoritys_says_that_its_own_text_takes_the_place(code: str) -> None:
    document = SHIPPED.current(code, NOW)
    assert "코스콤이 만든 것이 아닙니다" in document.text("ko")
    assert "이 글을 대신합니다" in document.text("ko")
    assert "it is not Koscom's" in document.text("en")


def test_every_unique_identifier_is_told_apart_and_none_is_folded_into_the_general_consent() -> None:
    def headings(code: str) -> list[str]:
        return re.findall(
            r"^##+ .*(?:고유식별정보|주민등록번호|외국인등록번호).*$", SHIPPED.current(code, NOW).text("ko"), re.M
        )

    assert len(headings("T9")) == 2  # the number of the person, the number of the licence
    assert len(headings("T8")) == 3
    assert len(headings("T5")) == len(headings("T6")) == 1
    assert "주민등록번호와 운전면허번호는 이 동의에 포함되지 않습니다." in SHIPPED.current("T3", NOW).text("ko")
