"""Every part of the look, in both languages: labels, errors, nothing inline, nothing filled in that must not be."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser

import httpx2
import pytest
from tests.page import gallery

from ingam.kernel.words import table
from ingam.page import Viewer, set_up_log
from ingam.page.menu import JOINT, PHONE, TABS, TOP, crumbs_of, tab_of
from ingam.page.qr import QrCode

PAGES = ("/gallery", "/gallery?wrong", "/about", "/issuance",
         "/inquiry", "/nope")  # fmt: skip


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and whether every tag was closed."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(path: str, lang: str = "ko", viewer: Viewer | None = None) -> tuple[str, Elements]:
    set_up_log()

    async def go() -> str:
        made = gallery.app(viewer or Viewer("ko", gallery.CSRF, "홍길동", "id", 581))
        transport = httpx2.ASGITransport(app=made)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8700") as client:
            return (await client.get(path, headers={"Cookie": f"lang={lang}", "Accept": "text/html"})).text

    text = asyncio.run(go())
    elements = Elements()
    elements.feed(text)
    assert elements.open == []
    return text, elements


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_B3_no_page_has_anything_inline(path: str, lang: str) -> None:
    _, elements = page(path, lang)
    for tag, attributes in elements.found:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert tag != "style"
        if tag == "script":
            assert attributes["src"] and attributes["integrity"] and attributes["nonce"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_page_is_one_heading_one_main_and_every_reference_leads_somewhere(path: str, lang: str) -> None:
    _, elements = page(path, lang)
    tags = [tag for tag, _ in elements.found]
    assert tags.count("h1") == 1 and tags.count("main") == 1
    ids = [str(a["id"]) for _, a in elements.found if a.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements.found:
        for name in ("for", "aria-describedby", "aria-labelledby"):
            for target in (attributes.get(name) or "").split():
                assert target in ids, (tag, name, target)
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids


def test_F3_every_post_form_carries_the_token() -> None:
    text, _ = page("/gallery")
    forms = re.findall(r"<form.*?</form>", text, re.S)
    assert len(forms) >= 5
    for form in forms:
        assert 'method="post"' in form and f'name="csrf" value="{gallery.CSRF}"' in form


def test_an_error_stands_in_the_summary_and_beside_its_field() -> None:
    text, elements = page("/gallery?wrong")
    assert text.count("인증번호가 맞지 않습니다. 남은 횟수 4번") == 2
    assert '<a href="#code">' in text and 'role="alert"' in text
    field = next(a for _, a in elements.found if a.get("id") == "code")
    assert field["aria-invalid"] == "true"
    assert "code-error" in str(field["aria-describedby"])
    assert "<title>오류: " in text
    assert "data-error-summary" not in page("/gallery")[0]


def test_H1_secret_fields_never_come_filled_in() -> None:
    _, elements = page("/gallery?wrong")
    secret = [a for tag, a in elements.found if tag == "input" and a.get("type") == "password"]
    assert len(secret) == 3
    assert not [a for a in secret if "value" in a]


def test_buttons_are_never_greyed_out_and_fields_let_paste_through() -> None:
    _, elements = page("/gallery")
    for tag, attributes in elements.found:
        if tag == "button":
            assert "disabled" not in attributes
    code = next(a for _, a in elements.found if a.get("id") == "code")
    assert (code["autocomplete"], code["inputmode"]) == ("one-time-code", "numeric")
    assert int(str(code["maxlength"])) > 6  # "482 913" must not be cut while it is pasted


def test_the_keypad_is_named_to_the_letter_and_waits_for_its_script() -> None:
    text, elements = page("/gallery")
    assert text.count("가상키보드로 입력</label>") == 3
    lines = [a for tag, a in elements.found if tag == "p" and a.get("class") == "keypad"]
    assert len(lines) == 3 and all("hidden" in a for a in lines)
    boxes = [a for tag, a in elements.found if tag == "input" and "data-keypad-for" in a]
    assert all("name" not in a and "data-keypad-open" in a for a in boxes)


def test_the_steps_say_where_the_person_is() -> None:
    text, elements = page("/gallery")
    assert [a for _, a in elements.found if a.get("aria-current") == "step"]
    assert "2 / 4" in text and "2 비밀번호 등록" in text


def test_the_menus_and_the_path_are_in_the_words_of_the_manual() -> None:
    text, _ = page("/about")
    for word in ("조회", "대출", "인증센터", "서비스관리", "공동인증서란?", "타기관인증서등록", "인증서발급/재발급",
                 "인증서복사", "인증서관리", "금융인증서"):  # fmt: skip
        assert f">{word}<" in text, word
    words = table("ko")
    assert [words[c.word] for c in crumbs_of("registration")] == ["인증센터", "공동인증서", "타기관인증서등록"]
    assert all(words[p.word] for entry in (*TOP, *JOINT, *TABS, *PHONE) for p in (entry, *entry.parts))


def test_a_phone_has_the_four_tabs_and_the_list_of_the_manual_in_its_order() -> None:
    text, _ = page("/about")
    words = table("ko")
    tabs = re.findall(r'<span class="tab-word">([^<]+)</span>', text)
    assert tabs == ["메인", "인증센터", "예수금계좌신규개설", "마이뱅크"]
    listed = [words[one.word] for entry in PHONE for one in (entry, *entry.parts)]
    assert listed == [
        "공동인증서 신규발급신청", "신규공동인증서신청", "인증서복사", "타기관인증서등록", "인증서관리", "사고신고",
    ]  # fmt: skip
    at = [text.index(f">{word}<", text.index("phone-list")) for word in ("공동인증서", *listed, "금융인증서")]
    assert at == sorted(at)
    path = [words[one.word] for one in crumbs_of("issuance_new")]
    assert path == ["인증센터", "공동인증서", "공동인증서 신규발급신청", "신규공동인증서신청"]


@pytest.mark.parametrize(
    ("place", "tab"),
    [("registration", "cert_center"), ("issuance_new", "cert_center"), ("finance_cert", "cert_center"),
     ("cert_center", "cert_center"), ("main", "main"), ("mybank", "mybank"), ("deposit", "deposit"), ("loan", ""),
     ("", "")],
)  # fmt: skip
def test_a_place_belongs_to_one_tab_or_none(place: str, tab: str) -> None:
    assert tab_of(place) == tab


def test_a_new_certificate_is_shown_the_way_to_the_phone_by_qr_and_by_link() -> None:
    text, elements = page("/issuance")
    assert any(tag == "svg" and one.get("class") == "qr" and one.get("role") == "img" for tag, one in elements.found)
    assert QrCode.of("http://localhost:8700/issuance/new").path in text
    assert text.count('href="/issuance/new"') >= 3
    assert "신규공동인증서 발급은 모바일로만 진행 가능합니다." in text


def test_what_the_person_is_called_is_escaped() -> None:
    text, _ = page("/about", viewer=Viewer("ko", gallery.CSRF, "<img src=x>", "id", 60))
    assert "&lt;img src=x&gt; 님" in text


def test_nobody_logged_in_sees_a_way_in_and_no_clock() -> None:
    text, _ = page("/about", viewer=Viewer("ko", gallery.CSRF))
    assert 'href="/login"' in text
    assert "data-session" not in text and "/logout" not in text


def test_the_chip_carries_the_seconds_left_and_without_a_script_the_hour() -> None:
    text, _ = page("/gallery?left=161")
    assert 'data-left="581"' in text and "19:09까지" in text
    assert 'data-left="161"' in text and "19:02까지" in text


def test_both_languages_hold_the_same_keys() -> None:
    assert table("ko").keys() == table("en").keys()
