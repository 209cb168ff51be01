"""전자금융사기 예방서비스 in a browser: hardware and software keys, a passkey, another number (E8, F5, F7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

PLATFORM = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Devices:
    """What a person does at /protection."""

    def __init__(self, at: Walk) -> None:
        self.at = at
        self.page = at.page

    def authenticator(self) -> tuple[CDPSession, str]:
        """The browser's virtual authenticator: a device that verifies its person by itself."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        made: Any = session.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM})
        return session, str(made["authenticatorId"])

    def overview(self) -> None:
        """서비스신청, applied for."""
        self.at.open("/protection")
        apply = self.page.locator("form[action='/protection/apply'] button")
        if apply.count():
            apply.click()
            expect(self.page.get_by_text(self.at.say("protection.done_apply"))).to_be_visible()

    def authenticate(self) -> None:
        """본인확인 추가인증 by SMS."""
        at = self.at
        at.person.type_into(at.field("factor.code"), at.request_code())
        at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
        at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
        at.person.press(at.button("protection.next"))
        expect(at.button("factor.resend")).to_have_count(0)

    def designate(self, alias: str) -> None:
        """이 기기 지정."""
        at = self.at
        self.overview()
        at.person.press(at.button("protection.designate"))
        self.authenticate()
        at.person.type_into(at.field("protection.alias"), alias)
        at.person.press(at.button("protection.add_device"))
        expect(self.page.get_by_text(at.say("protection.done_device"))).to_be_visible()

    def remove(self, alias: str) -> None:
        """해지, by additional authentication."""
        at = self.at
        at.open("/protection")
        self.page.get_by_role("button", name=f"{at.say('protection.remove')} ({alias})").click()
        instead = at.button("protection.instead")
        expect(instead.or_(at.button("factor.request_code"))).to_be_visible()
        if instead.count():
            instead.click()
        self.authenticate()
        at.person.press(at.button("protection.remove_remove-device"))
        expect(self.page.get_by_text(at.say("protection.done_remove-device"))).to_be_visible()


@pytest.fixture
def devices(hurry: Callable[..., Walk]) -> Callable[..., Devices]:
    """Somebody who is logged in by ID."""

    def start(who: str = "kim", width: int = 1280, lang: str = "ko", scheme: str = "light") -> Devices:
        at = hurry(who, width, lang, scheme)
        at.log_in_by_id(then="/protection")
        return Devices(at)

    return start


def test_E8_a_device_that_verifies_its_person_takes_the_place_of_the_choice_until_it_is_removed(
    devices: Callable[..., Devices],
) -> None:
    one = devices()
    at = one.at
    session, authenticator = one.authenticator()
    one.designate("집 노트북")
    expect(one.page.get_by_text(at.say("protection.this_device"), exact=True)).to_be_visible()
    expect(one.page.get_by_text(at.say("protection.kind_hardware"), exact=True)).to_be_visible()
    assert "집 노트북" not in at.told("기기(")
    kept: Any = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})
    assert len(kept["credentials"]) == 1

    at.open("/registration?new=1")
    at.person.type_into(at.field("registration.password", institution="증권금융"), at.who["password"])
    at.person.type_into(at.field("registration.idn"), at.who["idn"])
    at.person.press(at.button("registration.next"))
    expect(one.page.get_by_text(at.say("factor.by_device"))).to_be_visible()
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()

    one.remove("집 노트북")
    expect(one.page.get_by_text(at.say("protection.no_devices"))).to_be_visible()


def test_E8_a_copied_profile_signs_nothing_with_a_key_that_stayed_in_the_device(
    devices: Callable[..., Devices], hurry: Callable[..., Walk]
) -> None:
    one = devices()
    one.authenticator()
    one.designate("회사 PC")
    thief = hurry("kim")
    thief.page.context.add_cookies(one.page.context.cookies())  # type: ignore[arg-type]
    other = Devices(thief)
    other.authenticator()
    thief.open("/registration?new=1")
    thief.person.type_into(thief.field("registration.password", institution="증권금융"), thief.who["password"])
    thief.person.type_into(thief.field("registration.idn"), thief.who["idn"])
    thief.person.press(thief.button("registration.next"))
    expect(thief.page.get_by_text(thief.say("factor.by_device"))).to_be_visible()
    thief.person.type_into(thief.field("factor.number_back"), thief.who["idn"][6:])
    thief.person.type_into(thief.field("factor.phone_back"), thief.who["mobile"][-4:])
    thief.person.press(thief.button("registration.next"))
    expect(thief.page.get_by_text(thief.say("refusal.webauthn-cancelled"))).to_be_visible()
    assert thief.button("registration.register").count() == 0
    one.remove("회사 PC")


def test_E8_a_browser_without_such_a_device_keeps_a_software_key_that_no_script_can_take_out(
    devices: Callable[..., Devices],
) -> None:
    one = devices("lee")
    at = one.at
    one.overview()
    at.person.press(at.button("protection.designate"))
    one.authenticate()
    expect(one.page.get_by_role("radio", name=words_of(at, "protection.kind_software"))).to_be_checked()
    expect(one.page.get_by_role("radio", name=words_of(at, "protection.kind_hardware"))).to_be_disabled()
    at.person.type_into(at.field("protection.alias"), "거실 PC")
    at.person.press(at.button("protection.add_device"))
    expect(one.page.get_by_text(at.say("protection.done_device"))).to_be_visible()
    expect(one.page.get_by_text(at.say("protection.kind_software"), exact=True)).to_be_visible()
    extractable = one.page.evaluate(
        """() => new Promise((done, failed) => {
          const opening = indexedDB.open('ingam-device')
          opening.onerror = () => failed(opening.error)
          opening.onsuccess = () => {
            const asking = opening.result.transaction('keys').objectStore('keys').getAll()
            asking.onsuccess = () => { opening.result.close(); done(asking.result.map((key) => key.extractable)) }
          }
        })"""
    )
    assert extractable == [False]
    at.open("/registration?new=1")
    at.person.type_into(at.field("registration.password", institution="증권금융"), at.who["password"])
    at.person.type_into(at.field("registration.idn"), at.who["idn"])
    at.person.press(at.button("registration.next"))
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()
    one.remove("거실 PC")


def test_F5_F7_a_passkey_made_after_the_certificate_login_logs_in_and_a_certificate_signs_another_number(
    hurry: Callable[..., Walk],
) -> None:
    at = hurry("hong")
    at.register("securities")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.log_in_by_certificate("securities", then="/protection")
    one = Devices(at)
    one.authenticator()
    expect(at.button("protection.make_passkey")).to_be_visible()
    at.person.press(at.button("protection.make_passkey"))
    one.authenticate()
    at.person.type_into(at.field("protection.alias"), "내 패스키")
    at.person.press(at.button("protection.add_passkey"))
    expect(at.page.get_by_text(at.say("protection.done_passkey"))).to_be_visible()

    at.page.get_by_role(
        "button", name=f"{at.say('protection.change')} ({at.say('protection.number_work_phone')})"
    ).click()
    one.authenticate()
    at.person.type_into(at.page.get_by_label(re.compile("^새 직장 번호")), "02-780-5678")
    at.person.press(at.button("protection.next"))
    expect(at.page.locator(".signed-text")).to_contain_text("027805678")
    at.open_window("protection.sign_certificate")
    expect(at.vault.get_by_text("027805678")).to_be_visible()
    at.pick("securities")
    at.confirm()
    expect(at.page.get_by_text(at.say("protection.done_contact"))).to_be_visible()
    expect(at.page.get_by_text("02-780-****").first).to_be_visible()

    at.page.context.clear_cookies(name="ingam-center")
    at.open("/login?then=/protection")
    at.person.press(at.button("login.enter_passkey"))
    expect(at.page).to_have_url(at.world.center + "/protection")
    at.page.get_by_role("button", name=f"{at.say('protection.remove')} (내 패스키)").click()
    one.authenticate()
    at.person.press(at.button("protection.remove_remove-passkey"))
    expect(at.page.get_by_text(at.say("protection.done_remove-passkey"))).to_be_visible()


@pytest.mark.parametrize(("width", "lang", "scheme"), [(1280, "ko", "light"), (360, "en", "dark")])
def test_screens_of_the_service(devices: Callable[..., Devices], width: int, lang: str, scheme: str) -> None:
    one = devices("hong", width, lang, scheme)
    at, found = one.at, []

    def look(screen: str) -> None:
        found.extend(trouble(at.page, f"protection-{screen}-{width}-{lang}-{scheme}"))

    one.authenticator()
    one.overview()
    look("overview")
    at.person.press(at.button("protection.designate"))
    look("factor")
    one.authenticate()
    look("add")
    at.person.press(at.button("protection.add_device"))
    expect(at.page.locator("[data-error-summary]")).to_be_focused()
    expect(at.page.locator("input[name=alias]")).to_have_attribute("aria-invalid", "true")
    look("add-wrong")
    at.person.type_into(at.field("protection.alias"), "내 기기")
    at.person.press(at.button("protection.add_device"))
    expect(at.page.get_by_text(at.say("protection.done_device"))).to_be_visible()
    look("device")
    at.page.get_by_role(
        "button", name=f"{at.say('protection.change')} ({at.say('protection.number_home_phone')})"
    ).click()
    one.authenticate()
    look("number")
    at.page.locator("input[name=number]").fill("02-780-1234")
    at.person.press(at.button("protection.next"))
    expect(at.page.locator(".signed-text")).to_be_visible()
    look("sign")
    one.page.get_by_role("button", name=at.say("protection.leave")).click()
    at.page.get_by_role("button", name=f"{at.say('protection.remove')} (내 기기)").click()
    one.authenticate()
    look("remove")
    at.person.press(at.button("protection.remove_remove-device"))
    expect(at.page.get_by_text(at.say("protection.done_remove-device"))).to_be_visible()
    assert not found, "\n".join(found)


def words_of(at: Walk, key: str) -> re.Pattern[str]:
    """A radio button by the start of its label."""
    return re.compile("^" + re.escape(at.say(key)))
