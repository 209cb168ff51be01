"""인증서관리 in a browser: what is registered, 효력정지, 폐지 of another authority's, 타기관인증서 해제 (W4, W7)."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk


def shots(at: Walk, name: str, *widths: int) -> list[str]:
    """What is wrong with a screen at these widths."""
    wrong = []
    for width in widths or (1280,):
        at.page.set_viewport_size({"width": width, "height": 900})
        wrong += trouble(at.page, f"life-{name}-{width}-{at.lang}")
    return wrong


def authenticate(at: Walk, go_on: str = "protection.next") -> None:
    """본인확인 추가인증 by SMS."""
    at.person.type_into(at.field("factor.code"), at.request_code())
    at.person.type_into(at.field("factor.number_back"), at.who["idn"][6:])
    at.person.type_into(at.field("factor.phone_back"), at.who["mobile"][-4:])
    at.person.press(at.button(go_on))


def test_a_registered_certificate_is_seen_suspended_resumed_and_released(hurry: Callable[..., Walk]) -> None:
    at = hurry("hong")
    at.open("/management")
    expect(at.page.get_by_text(at.say("life.logged_out"))).to_be_visible()
    wrong = shots(at, "logged-out", 360)
    at.register("securities")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.open("/management")
    expect(at.page.get_by_text(at.say("life.next_registered"))).to_be_visible()
    wrong += shots(at, "overview", 360, 1280)

    at.open("/management/revocation")
    expect(at.page.get_by_role("link", name=at.say("life.to_release"))).to_be_visible()
    wrong += shots(at, "revocation-elsewhere", 360)

    at.open("/management/suspension")
    at.person.press(at.button("life.begin_suspension"))
    expect(at.button("life.do_suspension")).to_be_visible()
    wrong += shots(at, "suspension", 360)
    at.person.press(at.button("life.do_suspension"))
    expect(at.page.get_by_text(at.say("life.done_suspension_here"))).to_be_visible()
    expect(at.page.get_by_role("link", name=at.say("life.resume"))).to_be_visible()
    wrong += shots(at, "suspended", 1280)

    at.open("/management/release")
    at.person.press(at.button("life.begin_release"))
    expect(at.button("factor.request_code")).to_be_visible()
    wrong += shots(at, "factor", 360)
    authenticate(at)
    # Suspended, it signs nothing: where there is no other key, the additional authentication is enough.
    last = at.button("life.do_release").or_(at.button("life.unsigned"))
    expect(last).to_be_visible()
    wrong += shots(at, "release", 1280)
    at.person.press(last)
    expect(at.page.get_by_text(at.say("life.done_release"))).to_be_visible()
    assert wrong + shots(at, "released", 360) == []
    at.told("해제했습니다")


def test_F5_a_release_is_signed_in_the_certificate_window(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at.register("crosscert-securities")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.open("/management/release")
    at.person.press(at.button("life.begin_release"))
    expect(at.button("factor.request_code")).to_be_visible()
    authenticate(at)
    expect(at.button("protection.sign_certificate")).to_be_visible()
    wrong = shots(at, "sign", 360, 1280)
    at.open_window("protection.sign_certificate")
    at.pick("crosscert-securities")
    at.confirm()
    expect(at.page.get_by_text(at.say("life.done_release"))).to_be_visible()
    assert wrong == []


def test_A17_a_certificate_reissued_elsewhere_is_registered_again_by_the_short_path(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    at.register("crosscert-securities")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.page.context.clear_cookies(name="ingam-center")
    at.world.turn("certificate", "crosscert-securities", "reissue")
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    at.pick("crosscert-securities")
    at.confirm()
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-rebind"))
    at.log_in_by_id(then="/registration")
    expect(at.button("life.again")).to_be_visible()
    wrong = shots(at, "again", 360, 1280)
    at.person.press(at.button("life.again"))
    authenticate(at, "registration.next")
    expect(at.button("registration.register")).to_be_visible()
    at.agree_to_replace()
    at.open_window()
    at.pick("crosscert-securities")
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    assert wrong == []
