"""A clerk issues a 1회용 인증번호 that works once; what an operator switches off, customers see off with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.console.acts import issue, open_customer, purpose_at_factor
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

CLERK, OFFICER = "E2001", "E1001"
REASON = "전화 회선을 점검하고 있습니다."


def at_factor(at: Walk) -> None:
    """From the login to ②."""
    at.log_in_by_id()
    at.open("/registration?new=1")
    at.identify()


def type_number(at: Walk, code: str) -> None:
    """1회용 인증번호 인증, with 보안매체 미소지고객 인증 below it."""
    at.page.get_by_label(at.say("factor.method_branch")).press("Space")
    at.person.type_into(at.page.locator("#branch"), code)
    at.person.type_into(at.page.locator("#number_back"), at.who["idn"][6:])
    at.person.type_into(at.page.locator("#phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button("registration.next"))


def test_a_clerk_issues_a_number_the_customer_uses_it_once_and_the_second_use_fails(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    at = hurry("jung")
    desk = operator(CLERK, "/desk")
    assert trouble(desk, "console-desk-ko-1280") == []
    open_customer(desk, at.who["banking_id"])
    assert trouble(desk, "console-customer-ko-1280") == []
    code = issue(desk, purpose_at_factor(at.world, at.who["banking_id"]))
    assert trouble(desk, "console-slip-ko-1280") == []
    at_factor(at)
    type_number(at, code)
    expect(at.button("registration.register")).to_be_visible()
    # The customer is told who issued it, and not the number.
    told = at.told("1회용 인증번호")
    assert "여의도지점" in told and code not in told
    again = hurry("jung")
    at_factor(again)
    type_number(again, code)
    expect(again.page.locator("[data-error-summary]")).to_be_focused()
    expect(again.page.locator("#branch-error")).to_be_visible()
    desk = operator(CLERK, "/numbers")
    expect(desk.get_by_text(say("console-numbers.state_used")).first).to_be_visible()
    assert code not in desk.content()
    assert trouble(desk, "console-numbers-ko-1280") == []


def test_the_branch_works_on_a_telephone_as_well(operator: Callable[..., Page], hurry: Callable[..., Walk]) -> None:
    who = hurry("jung").who
    desk = operator(CLERK, "/desk", width=360)
    open_customer(desk, who["banking_id"])
    assert trouble(desk, "console-customer-ko-360") == []
    issue(desk)
    assert trouble(desk, "console-slip-ko-360") == []
    for place in ("numbers", "pictures", "availability", "codes"):
        assert trouble(operator(CLERK, f"/{place}", width=360), f"console-{place}-ko-360") == []
    assert trouble(operator(CLERK, "/pictures"), "console-pictures-ko-1280") == []


@pytest.fixture
def ars_off(operator: Callable[..., Page]) -> Iterator[None]:
    """2채널 인증 is off for the length of a journey."""
    page = operator(OFFICER, "/availability/way/ars")
    page.get_by_label(say("console-availability.off"), exact=True).press("Space")
    page.get_by_label(re.compile("^" + re.escape(say("console-availability.reason_ko")))).fill(REASON)
    page.get_by_label(re.compile("^" + re.escape(say("console-availability.reason_en")))).fill("Lines are maintained.")
    assert trouble(page, "console-way-ko-1280") == []
    page.get_by_role("button", name=say("console-availability.save"), exact=True).click()
    expect(page.get_by_text(REASON)).to_be_visible()
    assert trouble(page, "console-availability-ko-1280") == []
    yield
    page = operator(OFFICER, "/availability/way/ars")
    page.get_by_label(say("console-availability.on"), exact=True).press("Space")
    page.get_by_role("button", name=say("console-availability.save"), exact=True).click()
    expect(page.get_by_text(REASON)).to_have_count(0)


def test_a_way_that_is_off_is_shown_with_the_reason_and_the_others_are_open(
    ars_off: None, hurry: Callable[..., Walk]
) -> None:
    at = hurry("han")
    at.log_in_by_id()
    at.open("/registration?new=1")
    at.identify()
    reason = at.page.get_by_text(REASON)
    # What is switched is on every screen within five seconds; the page is asked for again until it is.
    for _ in range(20):
        if reason.count():
            break
        at.page.wait_for_timeout(500)
        at.page.reload()
    expect(reason).to_be_visible()
    expect(at.page.get_by_label(at.say("factor.method_ars"))).to_be_disabled()
    expect(at.page.get_by_label(at.say("factor.method_sms"))).to_be_enabled()
    assert trouble(at.page, "factor-ars-off-ko-1280") == []
