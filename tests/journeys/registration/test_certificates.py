"""Every demo certificate at ③: accepted, or refused with its own words, by the window or by the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.walks import Walk

# Refused before a password is asked: the window shows why.
BY_LOOK = ("bank-only", "kica-bank", "expired", "corporate-for-a-person")
# Refused by the window once the key is open.
BY_KEY = ("mismatched", "without-r")
# Only the server can know.
BY_SERVER = ("untrusted", "without-vid", "revoked", "suspended", "somebody-elses")


def test_the_window_says_why_a_certificate_cannot_be_registered_and_does_not_use_it(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    for slug in BY_LOOK:
        at.pick(slug)
        at.choose(slug)
        code = at.demo(slug)["expected"]
        until = at.line(slug).locator("xpath=ancestor::tr").locator("td.cell-until").inner_text()
        expect(at.vault.locator("#why")).to_have_text(at.window_says(code, date=until))
        expect(at.line(slug)).to_have_attribute("aria-disabled", "true")
        expect(at.vault.locator("#password")).to_be_hidden()
        at.page.keyboard.press("Enter")
        expect(at.vault.get_by_role("alert").filter(visible=True)).to_have_text(at.window_says(code, date=until))
    expect(at.page).to_have_url(at.world.center + "/registration")


def test_the_window_refuses_a_key_that_is_not_the_certificates_or_has_no_r(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    for slug in BY_KEY:
        at.pick(slug)
        at.choose(slug)
        at.confirm()
        said = at.window_says(at.demo(slug)["expected"])
        expect(at.vault.get_by_role("alert").filter(visible=True)).to_have_text(said)


def test_the_server_refuses_with_the_code_of_its_check_and_the_person_stays_at_the_step(
    hurry: Callable[..., Walk],
) -> None:
    at = hurry()
    at.at_certificate()
    for slug in BY_SERVER:
        at.agree_to_replace()
        at.open_window()
        at.pick(slug)
        code = at.demo(slug)["expected"]
        assert at.answered() == ("/registration/certificate", code)
        expect(at.page.locator("#certificate-error")).to_have_text(at.refusal(code))
        expect(at.button("registration.register")).to_be_visible()


def test_H5_a_refusal_of_somebody_elses_certificate_does_not_say_whose(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick("somebody-elses")
    at.confirm()
    expect(at.page.locator("#certificate-error")).to_be_visible()
    shown = at.page.content()
    kim = next(one for one in at.world.demo["people"] if one["key"] == "kim")
    assert not [one for one in (kim["name"], kim["banking_id"], kim["idn"], kim["mobile"]) if one in shown]


@pytest.mark.parametrize(
    ("who", "slug"),
    [
        ("hong", "near-expiry"),
        ("hong", "universal-yessign"),
        ("hong", "universal-signkorea"),
        ("hong", "kica-securities"),
        ("kim", "crosscert-securities"),
        ("alex", "tradesign-securities"),
        ("lee", "union-head"),
        ("gaon", "corporate-universal"),
        ("gaon", "corporate-securities"),
        ("alex", "foreigner"),
    ],
)
def test_a_good_certificate_of_each_house_and_key_variant_is_registered(
    hurry: Callable[..., Walk], who: str, slug: str
) -> None:
    at = hurry(who)
    at.register(slug)
    expect(at.page.get_by_role("heading", level=1)).to_contain_text(at.say("registration.title"))
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
