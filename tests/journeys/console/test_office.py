"""What two officers decide: accepted OIDs, trust anchors, terms, an operator's work and end, the audit in a file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.console.acts import approve, press, shown, signed_by_maker
from tests.journeys.console.conftest import Operators
from tests.journeys.person import tick, words
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.kernel.instants import KST
from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

MAKER, CHECKER = "E1001", "E1002"
SECURITIES = "crosscert 1.2.410.200004.5.4.1.102"


def decided(operator: Callable[..., Page], kind: str, name: str) -> str:
    """One box of a list turned by one officer and approved by the other; the text that both signed."""
    maker = operator(MAKER, "/policy")
    form = maker.locator(f"form[action='/policy/{kind}']")
    form.locator(f"input[value='{name}']").press("Space")
    form.get_by_role("button").click()
    checker = operator(CHECKER, signed_by_maker(maker))
    text = checker.locator(".change-text").text_content() or ""
    assert trouble(checker, f"console-change-{kind}-ko-1280") == []
    approve(checker)
    return text


def met(at: Walk) -> str:
    """The code that a login by this certificate meets."""
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    at.pick("crosscert-securities")
    return at.answered("/login/certificate")[1]


def meets(at: Walk, code: str) -> None:
    """What was decided counts within five seconds; the login is tried again until it does."""
    until = time.monotonic() + 20
    while (found := met(at)) != code:
        assert time.monotonic() < until, found


def test_an_OID_that_two_officers_withdraw_is_refused_until_they_take_it_back(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    at = hurry("kim")
    assert '"accepted", "withdrawn"' in decided(operator, "policy-oids", SECURITIES)
    try:
        meets(at, "policy-not-accepted")
    finally:
        assert '"withdrawn", "accepted"' in decided(operator, "policy-oids", SECURITIES)
    # The journey after this one finds it accepted, also within what the center keeps of the table.
    meets(at, "login-unregistered")


def test_a_trust_anchor_goes_and_comes_back_and_new_terms_wait_for_two(operator: Callable[..., Page]) -> None:
    box = operator(MAKER, "/policy").locator("form[action='/policy/trust-anchors'] input[type=checkbox]").last
    anchor = str(box.get_attribute("value"))
    assert anchor in decided(operator, "trust-anchors", anchor)
    shown = operator(MAKER, "/policy").locator(f"input[value='{anchor}']")
    expect(shown).not_to_be_checked()
    decided(operator, "trust-anchors", anchor)
    assert '"waits", "approved"' in decided(operator, "terms", "T9 2099-01-01")
    expect(operator(MAKER, "/policy").locator("input[value='T9 2099-01-01']")).to_be_checked()
    decided(operator, "terms", "T9 2099-01-01")


def test_an_operator_gets_other_work_another_passkey_and_an_end(
    operator: Callable[..., Page], every_operator: Operators
) -> None:
    page = every_operator.appointed("E4002", "대전지점", ("auditor",))
    expect(page.get_by_role("link", name=say("console-exports.menu"), exact=True).first).to_be_visible()
    one = "/operators/E4002"

    def drafted(word: str) -> Page:
        maker = operator(MAKER, one)
        press(maker, word)
        return maker

    # Roles: from auditor to administrator.
    maker = operator(MAKER, one)
    tick(maker.locator("input[name=role][value=auditor]"), on=False)
    tick(maker.locator("input[name=role][value=administrator]"))
    press(maker, "console-operators.draft")
    approve(operator(CHECKER, signed_by_maker(maker)))
    page.reload()
    expect(page.get_by_role("link", name=say("console-exports.menu"), exact=True)).to_have_count(0)
    # A new passkey: the old one and its session end, link and code come.
    maker = drafted("console-operators.key_draft")
    change = signed_by_maker(maker)
    code = shown(maker)
    checker = operator(CHECKER, change)
    press(checker, "console-changes.approve")
    link = shown(checker)
    page.reload()
    expect(page).to_have_url(f"{every_operator.console}/login?then=/")
    every_operator.enrolled("E4002", link, code)
    page = operator("E4002", "/")
    assert trouble(page, "console-home-ko-1280") == []
    # The end.
    approve(operator(CHECKER, signed_by_maker(drafted("console-operators.end_draft"))))
    page.reload()
    expect(page).to_have_url(f"{every_operator.console}/login?then=/")
    press(page, "console.login_button")
    expect(page.locator("[data-error-summary]")).to_be_visible()


def test_the_audit_leaves_in_a_file_once_for_the_one_who_asked(operator: Callable[..., Page]) -> None:
    maker = operator(MAKER, "/exports")
    maker.locator("#first").fill("어제")
    maker.locator("#last").fill("오늘")
    press(maker, "console-operators.draft")
    expect(maker.locator("[data-error-summary]")).to_contain_text(say("refusal.export-period", most=31))
    assert trouble(maker, "console-exports-ko-1280") == []
    today = datetime.now(KST).date().isoformat()
    maker.locator("#first").fill(today)
    maker.locator("#last").fill(today)
    press(maker, "console-operators.draft")
    change = signed_by_maker(maker)
    approve(operator(CHECKER, change))
    maker = operator(MAKER, change)
    assert trouble(maker, "console-export-ready-ko-1280") == []
    with maker.expect_download() as coming:
        press(maker, "console-exports.download")
    lines = [json.loads(line) for line in coming.value.path().read_text(encoding="utf-8").splitlines()]
    assert {"console.login", "console.change-approve"} <= {line["action"] for line in lines}
    maker = operator(MAKER, change)
    press(maker, "console-exports.download")
    expect(maker.get_by_text(say("refusal.already-used")).first).to_be_visible()


def test_whoever_looks_into_the_audit_says_why_and_the_look_is_a_line(operator: Callable[..., Page]) -> None:
    page = operator(MAKER, "/audit")
    page.get_by_label(words(say("console.employee"))).fill(MAKER)
    press(page, "console-audit.look")
    expect(page.locator("[data-error-summary]")).to_contain_text(say("refusal.audit-form"))
    assert trouble(page, "console-audit-wrong-ko-1280") == []
    page.locator("#reason-review").press("Space")
    page.get_by_label(words(say("console-fields.note"))).fill("이번 달 정기 점검")
    press(page, "console-audit.look")
    expect(page.locator("#found")).to_contain_text("console.login")
    assert trouble(page, "console-audit-found-ko-1280") == []
    page.set_viewport_size({"width": 360, "height": 780})
    assert trouble(page, "console-audit-found-ko-360") == []
    page = operator(CHECKER, "/audit")
    page.get_by_label(words(say("console-audit.action"))).fill("console.audit-look")
    page.locator("#reason-incident").press("Space")
    page.get_by_label(words(say("console-fields.note"))).fill("누가 보았는지 봅니다")
    press(page, "console-audit.look")
    expect(page.locator("#found")).to_contain_text(MAKER)


def test_an_idle_session_ends_and_the_login_leads_back(
    operator: Callable[..., Page], every_operator: Operators
) -> None:
    page = operator("E2001", "/codes")
    before = datetime.now(UTC) - timedelta(minutes=16)
    with closing(sqlite3.connect(every_operator.world.data / "center" / "center.db", timeout=30)) as store, store:
        seen = int(before.timestamp() * 1_000_000)
        store.execute("UPDATE operator_session SET seen_at = ? WHERE employee = 'E2001'", (seen,))
    page.reload()
    expect(page.get_by_text(say("console.ended_idle"))).to_be_visible()
    assert trouble(page, "console-login-idle-ko-1280") == []
    press(page, "console.login_button")
    expect(page).to_have_url(f"{every_operator.console}/codes")
    page.get_by_role("button", name=say("page.logout")).first.click()
    expect(page.get_by_text(say("console.ended_logout"))).to_be_visible()
