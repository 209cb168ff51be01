"""Every screen of the first route, at both widths, in both languages, light and dark: axe-core and the eye."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk
from tests.journeys.world import World

WIDE, NARROW = 1280, 360
LOOKS = [(WIDE, "ko", "light"), (NARROW, "ko", "light"), (WIDE, "en", "dark"), (NARROW, "en", "dark")]
OPEN = {
    "home": "/cert-center",
    "about": "/about",
    "login-id": "/login?way=id",
    "login-cert": "/login?way=cert",
    "login-fin": "/login?way=fin",
    "issuance": "/issuance",
    "copying": "/copying",
    "management": "/management",
    "finance-cert": "/finance-cert",
    "protection": "/protection",
    "inquiry": "/inquiry",
    "missing": "/no-such-page",
}

looks = pytest.mark.parametrize(("width", "lang", "scheme"), LOOKS)


def named(screen: str, width: int, lang: str, scheme: str) -> str:
    """The name of a screen's picture."""
    return f"{screen}-{width}-{lang}-{scheme}"


@looks
def test_screens_that_are_open_to_everybody(hurry: Callable[..., Walk], width: int, lang: str, scheme: str) -> None:
    at = hurry("lee", width, lang, scheme)
    found = []
    for screen, path in OPEN.items():
        at.open(path)
        found += trouble(at.page, named(screen, width, lang, scheme))
    at.open("/login?way=id")
    at.person.press(at.button("login.enter"))
    expect(at.page.locator("[data-error-summary]")).to_be_focused()
    found += trouble(at.page, named("login-errors", width, lang, scheme))
    if width == NARROW:
        at.page.locator("details.phone-menu > summary").click()
        found += trouble(at.page, named("menu", width, lang, scheme))
    assert not found, "\n".join(found)


@looks
def test_screens_of_the_first_route(hurry: Callable[..., Walk], width: int, lang: str, scheme: str) -> None:
    at = hurry("lee", width, lang, scheme)
    found = []

    def look(screen: str) -> None:
        found.extend(trouble(at.page, named(screen, width, lang, scheme)))

    at.log_in_by_id()
    at.start_anew()
    look("1-identify")
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("[data-error-summary]")).to_be_focused()
    look("1-identify-errors")
    at.identify()
    look("2-factor")
    code = at.request_code()
    look("2-factor-code")
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("[data-error-summary]")).to_be_focused()
    look("2-factor-errors")
    at.page.locator("#code").fill(code)
    at.page.locator("#number_back").fill(at.who["idn"][6:])
    at.page.locator("#phone_back").fill(at.who["mobile"][-4:])
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()
    look("3-certificate")
    at.agree_to_replace()
    at.open_window()
    look("window-empty")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.help-link")))
    look("window-help")
    at.page.keyboard.press("Escape")
    at.pick("union-head")
    for slug in ("expired", "bank-only", "near-expiry", "universal-signkorea"):
        at.pick(slug)
    at.choose("expired")
    look("window-refused")
    at.choose("union-head")
    look("window-chosen")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.details")))
    look("window-details")
    at.page.keyboard.press("Escape")
    at.confirm("Wrong!2026")
    expect(at.vault.locator("#password-wrong")).to_be_visible()
    look("window-wrong")
    at.vault.get_by_role("tab", name=at.say("vault.tab-browser")).click()
    look("window-browser")
    at.vault.get_by_role("tab", name=at.say("vault.tab-phone")).click()
    look("window-phone")
    at.vault.get_by_role("tab", name=at.say("vault.tab-files")).click()
    at.choose("union-head")
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    look("4-registered")
    at.open("/cert-center")
    look("home-registered")
    at.log_in_by_certificate("union-head")
    expect(at.page).to_have_url(at.world.center + "/loan")
    look("loan")
    assert not found, "\n".join(found)


@looks
def test_screens_around_the_center(
    hurry: Callable[..., Walk], normal: World, width: int, lang: str, scheme: str
) -> None:
    at = hurry("lee", width, lang, scheme)
    found = []
    port = normal.port
    around = {
        "sandbox": f"{normal.sandbox}/",
        "sandbox-phone": f"{normal.sandbox}/phone/{at.who['mobile']}",
        "sandbox-switches": f"{normal.sandbox}/switches",
        "console": f"http://localhost:{port + 2}/",
        "ca": f"http://localhost:{port + 3}/",
        "va": f"http://localhost:{port + 4}/",
    }
    for screen, address in around.items():
        at.page.goto(address)
        found += trouble(at.page, named(screen, width, lang, scheme))
    assert not found, "\n".join(found)
