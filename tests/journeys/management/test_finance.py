"""금융인증서 in a browser: registered, logged in with and released in the cloud's own window; another's is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import INSTITUTION, Walk

PIN = "260127"


def prove(at: Walk, go_on: str = "finance.next") -> None:
    """본인확인 추가인증 by SMS."""
    at.person.type_into(at.field("factor.code"), at.request_code())
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button(go_on))


def lose(at: Walk) -> None:
    """사고신고 of the finance certificate alone; the message says when it is suspended (E11)."""
    at.page.context.clear_cookies(name="ingam-center")
    before = len(at.inbox())
    at.open("/incident")
    at.person.type_into(at.field("incident.banking_id", institution=INSTITUTION[at.lang]), at.who["banking_id"])
    at.person.type_into(at.field("incident.idn"), at.who["idn"])
    at.person.press(at.page.get_by_text(at.say("incident.which_finance"), exact=True))
    at.person.press(at.button("incident.report"))
    expect(at.page.get_by_text(at.say("incident.next_2"))).to_be_visible()
    at.told("정지했습니다", since=before)


def to_window(at: Walk) -> None:
    """The page before the window, and the window itself, which is nobody's page of ours (B5)."""
    link = at.page.get_by_role("link", name=at.say("finance.window_open"), exact=True)
    expect(link).to_be_visible()
    at.person.press(link)
    expect(at.page.get_by_role("heading", name=at.say("fincloud.connect"))).to_be_visible()
    assert urlsplit(at.page.url).netloc != urlsplit(at.world.center).netloc


def connect(at: Walk, who: Walk) -> None:
    """이름 + 휴대폰 + 생년월일 of `who`, and the reply code that their telephone got."""
    number = who.who["idn"]
    century = "19" if number[6] in "1256" else "20"
    at.person.type_into(at.field("fincloud.name"), who.who["name"])
    at.person.type_into(at.field("fincloud.mobile"), who.who["mobile"])
    at.person.type_into(at.field("fincloud.born"), century + number[:6])
    before = len(who.inbox())
    at.person.press(at.button("fincloud.next"))
    expect(at.field("fincloud.code")).to_be_visible()
    found = re.search(r"회신번호 (\d{4})", who.told("회신번호 ", since=before))
    assert found is not None
    at.person.type_into(at.field("fincloud.code"), found[1])
    at.person.press(at.button("fincloud.next"))


def issue(at: Walk) -> None:
    """A certificate in the cloud."""
    expect(at.page.get_by_role("heading", name=at.say("fincloud.issue"))).to_be_visible()
    at.person.type_into(at.page.locator("#pin"), PIN)
    at.person.type_into(at.page.locator("#again"), PIN)
    at.person.press(at.button("fincloud.issue_now"))


def sign(at: Walk) -> None:
    """The PIN; the window leads back by itself."""
    expect(at.button("fincloud.sign")).to_be_visible()
    at.person.type_into(at.page.locator("#pin"), PIN)
    at.person.press(at.button("fincloud.sign"))
    at.page.wait_for_url(re.compile(re.escape(at.world.center)))


def begin(at: Walk) -> None:
    """From the login to the window of 등록."""
    at.log_in_by_id(then="/finance-cert")
    at.person.press(at.button("finance.register"))
    prove(at)
    at.person.press(at.button("finance.open"))
    to_window(at)


def test_B5_a_finance_certificate_is_registered_logged_in_with_and_released(hurry: Callable[..., Walk]) -> None:
    at = hurry("choi")
    at.open("/finance-cert")
    wrong = trouble(at.page, "finance-about-1280-ko-light")
    begin(at)
    wrong += trouble(at.page, "finance-cloud-1280-ko-light")
    connect(at, at)
    issue(at)
    sign(at)
    expect(at.page.get_by_text(at.say("finance.done_register"))).to_be_visible()
    expect(at.page.locator("main .primary")).to_have_text(at.say("finance.to_login"))
    wrong += trouble(at.page, "finance-registered-1280-ko-light")

    at.page.context.clear_cookies(name="ingam-center")
    at.open("/login?way=fin&then=/finance-cert")
    wrong += trouble(at.page, "finance-login-1280-ko-light")
    at.person.press(at.button("finance.login"))
    expect(at.page.get_by_role("link", name=at.say("finance.window_open"), exact=True)).to_be_visible()
    wrong += trouble(at.page, "finance-window-1280-ko-light")
    to_window(at)
    connect(at, at)
    sign(at)
    expect(at.page.get_by_role("heading", name=at.say("finance.registered"))).to_be_visible()

    lose(at)
    at.log_in_by_id(then="/finance-cert")
    expect(at.page.get_by_text(at.say("finance.suspended_more"))).to_be_visible()
    wrong += trouble(at.page, "finance-suspended-1280-ko-light")
    at.person.press(at.page.get_by_role("link", name=at.say("finance.to_resume"), exact=True))
    wrong += trouble(at.page, "finance-resume-1280-ko-light")
    at.person.press(at.button("incident.begin"))
    prove(at, "incident.go_on")
    at.person.press(at.button("incident.resume"))
    expect(at.page.get_by_text(at.say("incident.resumed"))).to_be_visible()
    at.open("/finance-cert")

    at.person.press(at.button("finance.release"))
    prove(at)
    expect(at.page.get_by_role("heading", name=at.say("finance.release_title"))).to_be_visible()
    wrong += trouble(at.page, "finance-release-1280-ko-light")
    at.person.press(at.button("finance.release"))
    expect(at.page.get_by_text(at.say("finance.done_release"))).to_be_visible()
    assert wrong == []


def test_E7_somebody_elses_finance_certificate_is_refused(hurry: Callable[..., Walk]) -> None:
    at = hurry("alex", 360, "en", "dark")
    other = Walk(at.person, at.world, "mia", "en")
    begin(at)
    wrong = trouble(at.page, "finance-cloud-360-en-dark")
    connect(at, other)
    issue(at)
    sign(at)
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.finance-cert-foreign"))
    assert wrong + trouble(at.page, "finance-refused-360-en-dark") == []
