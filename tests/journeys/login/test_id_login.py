"""아이디 로그인, the session's time, the way out, and the language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.walks import Walk

from ingam.kernel.words import say

WRONG = "Wrong!2026"


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_login_by_keyboard_says_what_is_wrong_and_keeps_the_ID_alone(
    walk: Callable[..., Walk], width: int, lang: str
) -> None:
    at = walk("gaon", width, lang)
    at.log_in_by_id(then="/cert-center", password=WRONG)
    summary = at.page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(at.page.locator("#banking_id")).to_have_value(at.who["banking_id"])
    expect(at.page.locator("#password")).to_have_value("")
    assert WRONG not in at.page.content()
    at.log_in_by_id(then="/cert-center")
    expect(at.page).to_have_url(at.world.center + "/cert-center")


def test_an_unknown_ID_is_told_in_the_same_words(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.open("/login?way=id")
    at.field("login.banking_id").fill("nobody1234")
    at.field("login.password").fill(WRONG)
    at.person.press(at.button("login.enter"))
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-wrong", max=5, n=1))


def test_logout_ends_the_session_also_for_the_back_button(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.log_in_by_id()
    at.person.press(at.button("page.logout"))
    expect(at.page.get_by_text(at.say("login.ended_logout"))).to_be_visible()
    at.page.go_back()
    at.open("/registration")
    expect(at.page).to_have_url(at.world.center + "/login?way=id&then=/registration")


def test_before_the_time_is_over_the_page_offers_more_and_then_ends_at_the_login(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.page.clock.install()
    at.log_in_by_id(then="/cert-center")
    offer = at.page.locator("[data-session-offer]")
    expect(offer).to_be_hidden()
    at.page.clock.fast_forward("09:10")
    expect(offer).to_be_visible()
    expect(at.page.locator("[data-session-status]")).to_have_text(at.say("page.session_ending"))
    at.person.press(offer.get_by_role("button", name=at.say("page.extend")))
    expect(offer).to_be_hidden()
    expect(at.page.locator("[data-session-status]")).to_have_text(at.say("page.extended"))
    at.page.clock.fast_forward("10:01")
    expect(at.page).to_have_url(at.world.center + "/login?ended=idle")
    expect(at.page.get_by_text(at.say("login.ended_idle"))).to_be_visible()


def test_the_language_changes_and_the_page_stays(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.log_in_by_id()
    at.page.locator(".top-side form.language button").click()
    expect(at.page.locator("html")).to_have_attribute("lang", "en")
    expect(at.page).to_have_url(at.world.center + "/registration")
    expect(at.page.get_by_role("heading", level=1)).to_contain_text(say("registration.title", "en"))
    # It is also the language that one is written to in from here on, which other journeys read.
    at.page.locator(".top-side form.language button").click()
    expect(at.page.locator("html")).to_have_attribute("lang", "ko")
