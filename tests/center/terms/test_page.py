"""약관보기: a document on its page; whatever is written into it, nothing but text and its structure comes out."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import escape
from starlette.applications import Starlette
from tests.page import gallery

from ingam.center.terms import Registry, TermsWeb
from ingam.center.terms.rendering import html
from ingam.center.terms.web import TEMPLATES
from ingam.page import Bundle, Pages, failure_handlers, middleware, set_up_log, shell_routes
from ingam.settings import Settings

ALLOWED = frozenset(
    {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ol", "ul", "li", "blockquote", "table", "thead", "tbody", "tr", "th",
     "td", "strong", "em", "br"}
)  # fmt: skip
ATTRIBUTES = frozenset({"class", "scope", "data-head", "start"})


def app(registry: Registry) -> Starlette:
    settings = Settings(mode="test")
    pages = Pages([TEMPLATES], settings, Bundle.empty(), gallery.FixedClock())
    made = Starlette(
        routes=[*TermsWeb(registry, gallery.FixedClock()).routes(), *shell_routes(pages)],
        middleware=[middleware(settings)],
        exception_handlers=failure_handlers(),
    )
    made.state.pages = pages
    return made


def read(path: str, lang: str = "ko", registry: Registry | None = None) -> httpx2.Response:
    set_up_log()

    async def go() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app(registry or Registry.read()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8700") as client:
            return await client.get(path, headers={"Cookie": f"lang={lang}", "Accept": "text/html"})

    return asyncio.run(go())


@pytest.mark.parametrize("code", Registry.read().codes)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_page_shows_title_version_fingerprint_mark_and_the_way_back(code: str, lang: str) -> None:
    document = Registry.read().current(code, gallery.NOW)
    text = read(f"/terms/{code}", lang).text
    assert f"<h1>{escape(document.title(lang))}</h1>" in text
    assert document.version in text
    assert f">{document.sha256(lang)[:12]}<" in text
    assert ("예시" if lang == "ko" else "EXAMPLE") in text
    assert 'class="secondary" href="/issuance/new"' in text
    assert text.count("<h1") == 1


def test_an_earlier_and_a_coming_version_say_so_and_lead_to_the_current_one(tmp_path: Path) -> None:
    folder = tmp_path / "T1"
    folder.mkdir()
    for version in ("2026-01-01", "2026-11-02", "2027-01-01"):
        (folder / f"{version}.ko.md").write_text(f"# 약관\n\n{version}의 글\n", encoding="utf-8")
    registry = Registry.read(tmp_path)
    assert "2026-11-02의 글" in read("/terms/T1", registry=registry).text
    assert "지난 버전입니다" in read("/terms/T1/2026-01-01", registry=registry).text
    coming = read("/terms/T1/2027-01-01", registry=registry).text
    assert "2027-01-01부터 시행됩니다" in coming and 'href="/terms/T1"' in coming
    assert "지난 버전" not in read("/terms/T1/2026-11-02", registry=registry).text


@pytest.mark.parametrize("path", ["/terms/T10", "/terms/T1/2020-01-01", "/terms/T10/2026-11-01", "/terms/T1/..%2fx"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert read(path).status_code == 404


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


PIECES = st.sampled_from(
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[약관](javascript:alert(1))", "![x](http://a.test/x)",
     "<http://a.test>", "http://a.test", "| a | b |\n|---|:-:|\n| <b>c | d\" onclick=\"x |", "> ", "1. ", "## ", "**",
     "&lt;", "`code`", "<!--", "[a]: javascript:x", "\n\n", "\\<", "    pre", "***\n", "가나다"]
)  # fmt: skip


@example('| a | b |\n|:-:|--:|\n| <b>c | d" onclick="x |\n')
@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join))
def test_H9_no_document_puts_anything_but_text_and_structure_into_the_page(text: str) -> None:
    seen = Seen()
    seen.feed(html(text))
    seen.close()
    assert seen.tags <= ALLOWED
    assert seen.attributes <= ATTRIBUTES


def test_a_cell_says_on_a_phone_which_column_it_is_of() -> None:
    made = html("| 항목 | 기간 |\n|---|---|\n| 성명 | 5년 |\n")
    assert re.search(r'<td data-head="항목">성명</td>\s*<td data-head="기간">5년</td>', made)
