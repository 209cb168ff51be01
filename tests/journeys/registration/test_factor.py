"""②비밀번호 등록 when something is wrong."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.walks import Walk


def at_factor(at: Walk) -> None:
    """From the login to ②."""
    at.log_in_by_id()
    at.start_anew()
    at.identify()


def answer(at: Walk, code: str, number_back: str, phone_back: str) -> None:
    """Fill in the three fields and press 다음."""
    at.person.type_into(at.page.locator("#code"), code)
    at.person.type_into(at.page.locator("#number_back"), number_back)
    at.person.type_into(at.page.locator("#phone_back"), phone_back)
    at.person.press(at.button("registration.next"))


def test_next_without_a_code_says_what_is_missing(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at_factor(at)
    at.person.press(at.button("registration.next"))
    summary = at.page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(at.say("factor.need_number_back"))


def test_a_wrong_code_is_counted_and_the_right_one_still_works(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at_factor(at)
    code = at.request_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    number, phone = at.who["idn"][6:], at.who["mobile"][-4:]
    answer(at, wrong, number, phone)
    expect(at.page.locator("#code-error")).to_have_text(at.say("refusal.sms-wrong", n=4))
    expect(at.page.locator("#number_back")).to_have_value("")
    answer(at, code, number, phone)
    expect(at.button("registration.register")).to_be_visible()


def test_a_new_code_voids_the_old_one(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at_factor(at)
    old = at.request_code()
    at.page.wait_for_timeout(1100)  # the world's gap between two messages
    before = len(at.inbox())
    at.person.press(at.button("factor.resend"))
    new = at.newest_code(before)
    expect(at.page.locator("#code")).to_be_visible()
    number, phone = at.who["idn"][6:], at.who["mobile"][-4:]
    if old != new:
        answer(at, old, number, phone)
        expect(at.page.locator("#code-error")).to_be_visible()
    answer(at, new, number, phone)
    expect(at.button("registration.register")).to_be_visible()


def test_a_wrong_number_is_told_for_both_fields_alike(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at_factor(at)
    code = at.request_code()
    answer(at, code, at.who["idn"][5:], "9999")
    told = at.say("refusal.no-medium-mismatch", max=5, n=1, named=at.say("page.number_business"))
    expect(at.page.locator("[data-error-summary]")).to_contain_text(told)
    assert at.who["idn"][5:] not in at.page.content()


def test_a_pasted_code_with_other_characters_is_cleaned(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at_factor(at)
    at.request_code()
    at.page.locator("#code").fill("48-29 13")
    expect(at.page.locator("#code")).to_have_value("482913")


def test_previous_leads_back_to_the_first_step(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at_factor(at)
    at.person.press(at.button("registration.previous"))
    expect(at.page.locator("form[action='/registration/identify']")).to_be_visible()
