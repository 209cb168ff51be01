"""사고신고 in a browser: a lost certificate is suspended without login, refused at the login, and resumed (E11)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.person import tick
from tests.journeys.screens import trouble
from tests.journeys.walks import INSTITUTION, Walk


def fill(at: Walk, *, telephone: bool) -> None:
    """The form, from the login page."""
    at.open("/login")
    at.page.get_by_role("link", name=at.say("login.lost")).click()
    expect(at.button("incident.report")).to_be_visible()
    at.person.type_into(at.field("incident.banking_id", institution=INSTITUTION[at.lang]), at.who["banking_id"])
    at.person.type_into(at.field("incident.idn"), at.who["idn"])
    if telephone:
        tick(at.page.get_by_label(at.say("incident.telephone")))


def test_E11_a_lost_certificate_is_suspended_and_resumed(hurry: Callable[..., Walk]) -> None:
    at = hurry("hong")
    at.register("securities")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.page.context.clear_cookies(name="ingam-center")

    fill(at, telephone=True)
    before = len(at.inbox())
    at.person.press(at.button("incident.report"))
    expect(at.page.get_by_text(at.say("incident.next_2"))).to_be_visible()
    # The number that confirms, and what became of it, come to the registered phone, in whichever order.
    at.person.type_into(at.field("incident.code"), confirming(at, before))
    at.person.press(at.button("incident.confirm"))
    expect(at.page.get_by_text(at.say("incident.confirmed_more"))).to_be_visible()
    at.told("정지했습니다", since=before)

    at.open("/login?way=cert&then=/loan")
    at.open_window("login.enter_certificate")
    at.pick("securities")
    at.confirm()
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.binding-suspended"))

    at.log_in_by_id(then="/incident/resume")
    expect(at.page.get_by_text(at.say("incident.suspended"), exact=True)).to_be_visible()
    wrong = trouble(at.page, "incident-resume-1280-ko-light")
    at.person.press(at.button("incident.begin"))
    at.person.type_into(at.field("factor.code"), at.request_code())
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button("incident.go_on"))
    expect(at.button("incident.resume")).to_be_visible()
    wrong += trouble(at.page, "incident-confirming-1280-ko-light")
    at.person.press(at.button("incident.resume"))
    expect(at.page.get_by_text(at.say("incident.resumed"))).to_be_visible()
    assert wrong + trouble(at.page, "incident-resumed-1280-ko-light") == []


def confirming(at: Walk, before: int) -> str:
    """The six digits of the confirming message, once both messages are there."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        new = at.inbox()[: len(at.inbox()) - before]
        found = [match[1] for sms in new if (match := re.search(r"#(\d{6})", sms["text"]))]
        if found and len(new) >= 2:
            return found[0]
        at.page.wait_for_timeout(100)
    raise AssertionError("no SMS came")


@pytest.mark.parametrize(("width", "lang", "scheme"), [(1280, "ko", "light"), (360, "en", "dark")])
def test_the_screens_of_a_report(hurry: Callable[..., Walk], width: int, lang: str, scheme: str) -> None:
    at = hurry("jung", width, lang, scheme)
    name = f"{width}-{lang}-{scheme}"
    fill(at, telephone=True)
    wrong = trouble(at.page, f"incident-form-{name}")
    at.person.press(at.button("incident.report"))
    expect(at.page.get_by_text(at.say("incident.next_2"))).to_be_visible()
    assert wrong + trouble(at.page, f"incident-received-{name}") == []
