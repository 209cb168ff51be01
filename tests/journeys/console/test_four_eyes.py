"""Two operators at two browsers: one proposes and signs, the other reads the same text and signs; nobody does both."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from hashlib import sha256

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.journeys.conftest import PATIENCE_MS, SIZES
from tests.journeys.console.acts import path_of, press, shown, signed_by_maker
from tests.journeys.console.conftest import AUTHENTICATOR
from tests.journeys.person import tick
from tests.journeys.screens import trouble

from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

MAKER, CHECKER, CLERK = "E1001", "E1002", "E2001"


def test_a_limit_moves_when_a_second_person_has_signed_the_same_text(operator: Callable[..., Page]) -> None:
    maker = operator(MAKER, "/policy")
    assert trouble(maker, "console-policy-ko-1280") == []
    maker.locator("#proof_ttl_s").fill("290")
    maker.locator("form[action='/policy/limits']").get_by_role("button").click()
    assert trouble(maker, "console-change-draft-ko-1280") == []
    change = signed_by_maker(maker)
    assert trouble(maker, "console-change-waits-ko-1280") == []
    expect(maker.get_by_role("button", name=say("console-changes.approve"), exact=True)).to_have_count(0)

    checker = operator(CHECKER, "/changes", width=360)
    assert trouble(checker, "console-changes-ko-360") == []
    checker.get_by_role("link", name=say("console-changes.kind-limits")).first.click()
    assert path_of(checker) == change
    # What the passkey is asked to sign is the hash of the very text on the page.
    text = checker.locator(".change-text").text_content() or ""
    assert checker.locator(".change-hash").inner_text() == sha256(text.encode()).hexdigest()
    assert '["proof_ttl_s", "300", "290"]' in text
    assert trouble(checker, "console-change-check-ko-360") == []
    press(checker, "console-changes.approve")
    expect(checker.get_by_text(say("console-changes.status-applied"), exact=True)).to_be_visible()
    assert trouble(checker, "console-change-applied-ko-360") == []
    expect(operator(MAKER, "/policy").locator("#proof_ttl_s")).to_have_value("290")


def test_a_new_operator_comes_in_by_the_halves_of_maker_and_checker(
    operator: Callable[..., Page], chromium: Browser
) -> None:
    maker = operator(MAKER, "/operators")
    assert trouble(maker, "console-operators-ko-1280") == []
    for field, text in {"employee": "E3001", "name": "새사람", "branch": "부산지점"}.items():
        maker.locator(f"#{field}").fill(text)
    tick(maker.locator("input[name=role][value=auditor]"))
    press(maker, "console-operators.draft")
    change = signed_by_maker(maker)
    code = shown(maker)
    assert trouble(maker, "console-change-code-ko-1280") == []
    checker = operator(CHECKER, change)
    press(checker, "console-changes.approve")
    link = shown(checker)
    assert code not in checker.content()
    assert trouble(checker, "console-change-link-ko-1280") == []
    expect(operator(MAKER, change).locator(".change-secret")).to_have_count(0)

    context = chromium.new_context(viewport=SIZES[360], locale="ko-KR", color_scheme="dark")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(link)
    expect(page.get_by_role("button", name=say("console.enrol_button"), exact=True)).to_be_visible()
    assert "#" not in page.url  # the secret does not stay in the address bar
    assert trouble(page, "console-enrol-ko-360") == []
    page.locator("#code").fill("0000-0000-0000-0000")
    press(page, "console.enrol_button")
    expect(page.get_by_text(say("refusal.invitation-over"))).to_be_visible()
    page.locator("#code").fill(code)
    press(page, "console.enrol_button")
    expect(page.get_by_text(say("console.ended_enrolled"))).to_be_visible()
    assert trouble(page, "console-login-ko-360") == []
    press(page, "console.login_button")
    expect(page.get_by_text("E3001")).to_be_visible()
    assert trouble(page, "console-home-ko-360") == []
    page.goto(urllib.parse.urljoin(page.url, change))
    expect(page.locator(".change-text")).to_have_count(1)
    expect(page.locator("form[data-passkey]")).to_have_count(0)
    context.close()


def test_a_declined_change_changes_nothing_and_a_clerk_sees_no_office(operator: Callable[..., Page]) -> None:
    maker = operator(MAKER, f"/operators/{CLERK}")
    assert trouble(maker, "console-operator-ko-1280") == []
    press(maker, "console-operators.end_draft")
    change = signed_by_maker(maker)
    checker = operator(CHECKER, change, width=360)
    press(checker, "console-changes.decline")
    expect(checker.get_by_text(say("console-changes.status-declined"), exact=True)).to_be_visible()
    clerk = operator(CLERK, "/")
    for word in ("console-changes.menu", "console-policy.menu", "console-operators.menu"):
        expect(clerk.get_by_role("link", name=say(word), exact=True)).to_have_count(0)
    clerk.goto(urllib.parse.urljoin(clerk.url, change))
    expect(clerk.get_by_text(say("refusal.forbidden"))).to_be_visible()
    assert trouble(clerk, "console-forbidden-ko-1280") == []
