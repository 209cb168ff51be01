"""What a clerk does for a customer: look-up with a reason, one field in clear, 잠금 해제, numbers of the own branch."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.console.acts import issue, open_customer, press
from tests.journeys.console.conftest import Operators
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

CLERK = "E2001"


def test_nobody_is_looked_up_without_a_reason_and_one_field_is_shown_once(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    who = hurry("han").who
    desk = operator(CLERK, "/desk")
    press(desk, "console-standing.open")
    expect(desk.locator("[data-error-summary]")).to_contain_text(say("refusal.reason-missing"))
    assert trouble(desk, "console-desk-wrong-ko-1280") == []
    desk.get_by_label(re.compile("^" + say("console-standing.banking_id"))).fill("nobody1234")
    desk.get_by_label(say("console-standing.reason_call")).press("Space")
    press(desk, "console-standing.open")
    expect(desk.locator("[data-error-summary]")).to_contain_text(say("refusal.customer-unknown"))
    open_customer(desk, who["banking_id"], "call")
    assert who["mobile"] not in desk.content().replace("-", "")
    desk.get_by_role("link", name=say("console-fields.link")).click()
    desk.locator("#field-mobile").press("Space")
    desk.locator("#reason-callback").press("Space")
    desk.locator("#note").fill("010-8513-0009 번으로 전화")
    press(desk, "console-fields.show")
    expect(desk.locator("[data-error-summary]")).to_contain_text(say("refusal.unmask-note"))
    assert trouble(desk, "console-field-refused-ko-1280") == []
    desk.locator("#note").fill("고객 요청으로 전화")
    press(desk, "console-fields.show")
    expect(desk.locator(".change-secret")).to_have_text(who["mobile"])
    assert trouble(desk, "console-field-ko-1280") == []
    desk.set_viewport_size({"width": 360, "height": 740})
    assert trouble(desk, "console-field-ko-360") == []
    desk.goto(desk.url)
    expect(desk.locator(".change-secret")).to_have_count(0)


def test_who_is_locked_out_is_told_what_to_do_and_let_in_again(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    at = hurry("alex")
    for _ in range(5):
        at.log_in_by_id(password="Wrong!2026")
    at.log_in_by_id(password=at.who["password"])
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-locked", max=5))
    desk = operator(CLERK, "/desk")
    open_customer(desk, at.who["banking_id"])
    expect(desk.get_by_text(say("say.login-locked")).first).to_be_visible()
    assert trouble(desk, "console-customer-locked-ko-1280") == []
    press(desk, "console-standing.unlock")
    expect(desk.locator("[data-error-summary]")).to_contain_text(say("refusal.lock-unknown"))
    desk.locator("input[name=lock][value=login]").press("Space")
    press(desk, "console-standing.unlock")
    expect(desk.get_by_role("status").filter(has_text=say("console-standing.done_unlocked"))).to_be_visible()
    assert trouble(desk, "console-customer-unlocked-ko-1280") == []
    at.log_in_by_id()
    start = say("notice.unlocked").split("] ")[-1].split("{")[0]
    at.told(start, "여의도지점")


def test_a_number_is_taken_back_and_issued_again_and_another_branch_sees_neither(
    operator: Callable[..., Page], every_operator: Operators, hurry: Callable[..., Walk]
) -> None:
    who = hurry("choi").who
    desk = operator(CLERK, "/desk")
    open_customer(desk, who["banking_id"])
    first = issue(desk)
    desk = operator(CLERK, "/numbers")
    void = desk.locator("form[action$='/void']").first
    action = void.get_attribute("action")
    elsewhere = every_operator.appointed("E4001", "부산지점", ("clerk",), idn="9001015000005")
    elsewhere.goto(every_operator.console + "/numbers")
    expect(elsewhere.get_by_text(say("console-numbers.none"))).to_be_visible()
    assert trouble(elsewhere, "console-numbers-none-ko-1280") == []
    assert "branch" in refused(elsewhere, every_operator.console, str(action))
    void.get_by_role("button").click()
    expect(desk.get_by_text(say("console-numbers.state_void"), exact=True).first).to_be_visible()
    desk = operator(CLERK, "/desk")
    open_customer(desk, who["banking_id"])
    assert issue(desk) != first
    desk.emulate_media(media="print")
    expect(desk.locator(".slip-number")).to_be_visible()
    expect(desk.locator("nav").first).to_be_hidden()
    desk.emulate_media(media="screen")


def refused(page: Page, console: str, path: str) -> str:
    """What another branch's operator is told who asks for it all the same."""
    csrf = page.locator("input[name=csrf]").first.input_value()
    headers = {"origin": console, "accept": "application/json"}
    answer = page.context.request.post(console + path, form={"csrf": csrf}, headers=headers)
    assert not answer.ok
    return answer.text()


def test_a_clerk_issues_nothing_for_their_own_record(operator: Callable[..., Page], hurry: Callable[..., Walk]) -> None:
    desk = operator(CLERK, "/desk")
    open_customer(desk, hurry("kim").who["banking_id"])
    desk.get_by_role("link", name=say("console-standing.issue_number")).click()
    expect(desk.get_by_text(say("refusal.branch-number-own")).first).to_be_visible()
    assert trouble(desk, "console-number-own-ko-1280") == []
