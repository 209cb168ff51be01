"""Stale tabs, the back button, two tabs and double clicks all lead to the true step, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.walks import INSTITUTION, Walk


def test_a_stale_tab_is_led_to_the_true_step(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.log_in_by_id()
    at.start_anew()
    stale = at.page.context.new_page()
    stale.goto(at.world.center + "/registration")
    at.identify()
    name = INSTITUTION[at.lang]
    stale.get_by_label(at.say("registration.password", institution=name)).first.fill(at.who["password"])
    stale.locator("#idn").fill(at.who["idn"])
    stale.get_by_role("button", name=at.say("registration.next"), exact=True).click()
    expect(stale.get_by_role("button", name=at.say("factor.request_code"))).to_be_visible()


def test_the_back_button_shows_no_number_and_leads_to_the_true_step(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.log_in_by_id()
    at.start_anew()
    at.identify()
    at.page.go_back()
    assert at.who["idn"][6:] not in at.page.content()
    at.page.goto(at.world.center + "/registration")
    expect(at.button("factor.request_code")).to_be_visible()


def test_a_double_click_sends_one_message(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.log_in_by_id()
    at.start_anew()
    at.identify()
    before = len(at.inbox())
    at.button("factor.request_code").dblclick()
    at.newest_code(before)
    expect(at.button("factor.resend")).to_be_visible()
    assert len(at.inbox()) == before + 1


def test_the_same_certificate_again_is_already_registered(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.register("union-head")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.open("/registration?new=1")
    at.identify()
    at.prove_factor()
    at.agree_to_replace()
    at.open_window()
    at.pick("union-head")
    at.confirm()
    expect(at.page.get_by_text(at.say("registration.done_already"))).to_be_visible()


def test_another_certificate_replaces_only_with_an_explicit_yes(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.register("corporate-universal")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.open("/registration?new=1")
    at.identify()
    at.prove_factor()
    at.person.press(at.button("registration.register"))
    expect(at.page.locator(".certificate-window-note")).to_have_text(at.say("refusal.replace-confirm"))
    at.agree_to_replace()
    at.open_window()
    expect(at.vault.locator("pre.body-text")).to_be_visible()
    at.pick("corporate-securities")
    at.confirm()
    expect(at.page.get_by_text(at.say("registration.done_replaced"))).to_be_visible()
