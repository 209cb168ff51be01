"""Every way has a switch, and hours: what is off is shown with its reason; a notice stands on every page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.person import go
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.customer.availability import Way
from ingam.kernel.instants import KST
from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

OFFICER = "E1001"
REASON = "오늘은 {way} 점검 중입니다."
# Where a customer meets each way; the three ways of 본인확인 추가인증 are met at ②.
DOORS = {
    Way.LOGIN_ID: "/login?way=id",
    Way.LOGIN_CERTIFICATE: "/login?way=cert",
    Way.ISSUANCE: "/issuance/new",
    Way.COPYING: "/copying",
    Way.DEVICES: "/protection",
    Way.REGISTRATION: "/registration?new=1",
}
FACTORS = {Way.SMS, Way.ARS, Way.BRANCH_OTP}


def reason(way: Way) -> str:
    return REASON.format(way=say(f"availability.way_{way}"))


def switch(operator: Callable[..., Page], way: Way, *, off: bool) -> Page:
    """The form of one way, saved."""
    page = operator(OFFICER, f"/availability/way/{way}")
    page.locator(f"#state-{'off' if off else 'on'}").press("Space")
    if off:
        page.locator("#reason_ko").fill(reason(way))
        page.locator("#reason_en").fill("Closed for upkeep.")
    page.locator("#when-always").press("Space")
    page.get_by_role("button", name=say("console-availability.save"), exact=True).click()
    expect(page.locator(f"#way-{way}").get_by_text(reason(way))).to_have_count(1 if off else 0)
    return page


@contextmanager
def off(operator: Callable[..., Page], ways: set[Way]) -> Iterator[Page]:
    try:
        for way in sorted(ways):
            page = switch(operator, way, off=True)
        yield page
    finally:
        for way in sorted(ways):
            switch(operator, way, off=False)


def reads(page: Page, wanted: Locator, there: bool = True) -> None:
    """What is set is on every screen within five seconds; the page is asked for again until it is."""
    for _ in range(40):
        if bool(wanted.count()) == there:
            return
        page.wait_for_timeout(250)
        page.reload()
    expect(wanted.first).to_be_visible(visible=there)


def test_every_door_that_is_off_says_why_and_opens_again(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    at = hurry("gaon")
    at.log_in_by_id(then="/cert-center")
    visitor = hurry("gaon").page
    with off(operator, set(DOORS)) as page:
        assert trouble(page, "console-availability-off-ko-1280") == []
        for way, path in DOORS.items():
            there = visitor if path.startswith("/login") else at.page
            there.goto(at.world.center + path)
            reads(there, there.get_by_text(reason(way)))
        assert trouble(at.page, "way-off-ko-1280") == []
    reads(at.page, at.page.get_by_text(reason(Way.REGISTRATION)), there=False)


def test_every_factor_that_is_off_is_shown_off_and_a_way_out_stays(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    at = hurry("choi")
    at.log_in_by_id()
    at.start_anew()
    at.identify()
    with off(operator, FACTORS):
        for way in FACTORS:
            reads(at.page, at.page.get_by_text(reason(way)))
        for method in ("sms", "ars", "branch"):
            expect(at.page.get_by_label(at.say(f"factor.method_{method}"))).to_be_disabled()
        assert trouble(at.page, "factor-all-off-ko-1280") == []
    # The journey after this one finds every way open, also within what the center keeps of the table.
    for way in FACTORS:
        reads(at.page, at.page.get_by_text(reason(way)), there=False)


def test_hours_close_a_way_and_a_notice_stands_on_every_page_until_it_is_withdrawn(
    operator: Callable[..., Page], hurry: Callable[..., Walk]
) -> None:
    text = "오늘 밤 두 시부터 점검합니다."
    page = operator(OFFICER, "/availability")
    page.locator("#text_ko").fill(text)
    page.get_by_role("button", name=say("console-availability.publish"), exact=True).click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    assert trouble(page, "console-notice-wrong-ko-1280") == []
    page.locator("#text_ko").fill(text)
    page.locator("#text_en").fill("Upkeep tonight.")
    page.locator("#until_at").fill((datetime.now(KST) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name=say("console-availability.publish"), exact=True).click()
    expect(page.get_by_text(text)).to_be_visible()
    go(page, page.url.split("#")[0] + "/way/copying")
    page.locator("#when-hours").press("Space")
    day = (datetime.now(KST) + timedelta(days=3)).weekday()
    for number in range(7):
        page.locator(f"input[name=day][value='{number}']").set_checked(number == day)
    page.locator("#opens").fill("10:00")
    page.locator("#closes").fill("09:00")
    page.get_by_role("button", name=say("console-availability.save"), exact=True).click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    page.locator("#closes").fill("16:00")
    page.get_by_role("button", name=say("console-availability.save"), exact=True).click()
    hours = page.locator("#way-copying").get_by_text(re.compile("10:00–16:00"))
    expect(hours.first).to_be_visible()
    assert trouble(page, "console-availability-hours-ko-1280") == []
    at = hurry("gaon", 360)
    at.log_in_by_id(then="/copying")
    reads(at.page, at.page.get_by_text(re.compile("10:00–16:00")))
    expect(at.page.get_by_text(text)).to_be_visible()
    assert trouble(at.page, "notice-ko-360") == []
    switch(operator, Way.COPYING, off=False)
    page = operator(OFFICER, "/availability")
    page.locator("#notices ~ ul li").filter(has_text=text).get_by_role("button").click()
    expect(page.get_by_text(text)).to_have_count(0)
    reads(at.page, at.page.get_by_text(text), there=False)
