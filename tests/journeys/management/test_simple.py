"""간편비밀번호 and 생체 in a browser: set, logged in with, wrong five times, taken away; the password stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.journeys.conftest import SIZES
from tests.journeys.management.test_desk import HERE, Desk
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.kernel.words import say

PIN, OTHER = "471903", "208864"
SLUG = "securities"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "hasPrf": True,
}


class Simple(Desk):
    """The desk with its further slots, and the window that uses them."""

    def kept(self) -> None:
        """A certificate in this browser."""
        self.open()
        self.keep(SLUG)

    @property
    def password(self) -> str:
        """Of the demo's certificates."""
        return str(self.at.world.demo["certificate_password"])

    def type_pin(self, pin: str, again: str | None = None) -> None:
        """Twice, under the password."""
        self.type_password(self.password, "manage-own-password")
        self.frame.locator("#new-pin").fill(pin)
        self.frame.locator("#new-pin-again").fill(pin if again is None else again)
        self.frame.locator("#new-pin-again").press("Enter")

    def notices(self, key: str) -> list[str]:
        """The SMS of this kind, once there is one; in the language of the pages that they logged in on."""
        words = say(f"notice.{key}", self.at.lang, institution="\0", time="\0", tel="\0").split("\0")
        self.at.told(*words)
        return [one["text"] for one in self.at.inbox() if all(word in one["text"] for word in words)]


@pytest.fixture
def simple(hurry: Callable[..., Walk]) -> Callable[..., Simple]:
    """Somebody who is logged in by ID, with a certificate in this browser."""

    def start(who: str = "hong", width: int = 1280, lang: str = "ko") -> Simple:
        at = hurry(who, width, lang)
        at.log_in_by_id(then=HERE)
        desk = Simple(at)
        desk.kept()
        return desk

    return start


def window(desk: Simple) -> None:
    """The certificate window of the login, with the kept certificate chosen."""
    desk.at.open("/login?way=cert")
    desk.at.open_window("login.enter_certificate")
    expect(desk.at.line(SLUG)).to_be_checked()


def attempt(desk: Simple, pin: str) -> None:
    """간편비밀번호 in the window."""
    field = desk.at.vault.locator("#pin")
    field.fill(pin)
    field.press("Enter")


def test_B8_six_digits_open_the_window_and_five_wrong_ones_are_the_end_of_them_while_the_password_stays(
    simple: Callable[..., Simple],
) -> None:
    desk = simple()
    at, page = desk.at, desk.page
    sent: list[str] = []
    page.context.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))

    desk.act("simple")
    desk.look("simple")
    for pin, again, where, word in (
        ("123456", None, "new-pin", "pin-sequence"),
        ("900101", None, "new-pin", "pin-date"),
        (PIN, OTHER, "new-pin-again", "simple-differ"),
    ):
        desk.type_pin(pin, again)
        expect(desk.frame.locator(f"#{where}-wrong")).to_have_text(desk.say(word))
    desk.look("simple-refused", 360)
    desk.type_pin(PIN)
    desk.told("simple-done")
    assert desk.notices("pin-set")
    desk.act("simple")
    expect(desk.frame.locator("[data-slot='pin']")).to_be_visible()
    desk.look("simple-set")

    page.context.clear_cookies(name=re.compile("ingam-center"))
    window(desk)
    desk.wrong += trouble(page, "manage-simple-window-ko-1280")
    page.set_viewport_size(SIZES[360])
    desk.wrong += trouble(page, "manage-simple-window-ko-360")
    page.set_viewport_size(SIZES[1280])
    attempt(desk, PIN)
    expect(page.locator("dialog.certificate-window")).to_have_count(0)

    window(desk)
    for left in (4, 3, 2, 1):
        attempt(desk, OTHER)
        expect(at.vault.locator("#pin-wrong")).to_have_text(desk.say("pin-wrong", n=left))
    desk.wrong += trouble(page, "manage-simple-wrong-ko-1280")
    attempt(desk, OTHER)
    expect(at.vault.locator("#alert")).to_have_text(at.window_says("pin-locked"))
    expect(at.vault.locator("#pin")).to_be_hidden()
    expect(at.vault.locator("#password")).to_be_focused()
    desk.wrong += trouble(page, "manage-simple-gone-ko-1280")
    assert desk.notices("pin-locked")
    at.vault.get_by_label(desk.say("password"), exact=True).fill(desk.password)
    at.vault.get_by_label(desk.say("password"), exact=True).press("Enter")
    expect(page.locator("dialog.certificate-window")).to_have_count(0)

    assert any("/management/pin/ask" in one for one in sent)
    for one in sent:
        assert PIN not in one and OTHER not in one and desk.password not in one
    assert desk.wrong == []


def test_B8_it_is_taken_away_at_the_desk_and_nobody_who_is_not_logged_in_sets_one(
    simple: Callable[..., Simple],
) -> None:
    desk = simple("kim", 1280, "en")
    desk.act("simple")
    desk.settled()
    desk.wrong += trouble(desk.page, "manage-simple-en-1280")
    desk.type_pin(PIN)
    desk.told("simple-done")
    desk.act("simple")
    desk.button("simple-remove").press("Enter")
    desk.told("simple-removed")
    assert desk.notices("pin-removed")
    desk.page.context.clear_cookies(name=re.compile("ingam-center"))
    desk.open("/simple")
    menu = desk.page.get_by_role("navigation", name=say("page.side_menu", "en"))
    expect(menu.locator("[aria-current=page]")).to_have_text(say("page.menu_management_simple", "en"))
    expect(desk.frame.locator("button.primary[data-act='simple']")).to_be_visible()
    desk.act("simple")
    expect(desk.button("simple-to-login")).to_be_visible()
    desk.settled()
    desk.wrong += trouble(desk.page, "manage-simple-login-en-1280")
    assert desk.wrong == []


def test_B9_the_devices_own_unlocking_is_added_used_and_taken_away_for_an_imported_certificate(
    simple: Callable[..., Simple],
) -> None:
    desk = simple()
    at, page = desk.at, desk.page
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable", {"enableUI": False})
    made: Any = client.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    desk.act("passkey")
    desk.look("passkey", 360)
    page.set_viewport_size(SIZES[1280])
    desk.type_password("not-this-one-1!", "manage-own-password")
    desk.button("bio-go").press("Enter")
    expect(desk.frame.locator("#password-wrong")).to_have_text(desk.say("wrong", n=1, max=5))
    desk.type_password(desk.password, "manage-own-password")
    desk.button("bio-go").press("Enter")
    desk.told("bio-done")
    kept: Any = client.send("WebAuthn.getCredentials", {"authenticatorId": made["authenticatorId"]})
    assert len(kept["credentials"]) == 1

    window(desk)
    at.vault.get_by_label(desk.say("password"), exact=True).press("Enter")
    expect(page.locator("dialog.certificate-window")).to_have_count(0)

    desk.open()
    desk.act("passkey")
    expect(desk.frame.locator("[data-slot='passkey']")).to_be_visible()
    desk.look("passkey-set", 1280)
    desk.button("bio-remove").press("Enter")
    desk.told("bio-removed")
    desk.act("passkey")
    expect(desk.frame.locator("[data-slot='passkey']")).to_have_count(0)
    assert desk.wrong == []
