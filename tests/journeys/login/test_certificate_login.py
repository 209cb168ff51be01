"""공동인증서 로그인: who gets in, who is led to registration, and what a replay meets."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import Request, expect
from tests.journeys.walks import Walk


def registered(at: Walk, slug: str) -> None:
    """Registers a certificate and leaves."""
    at.register(slug)
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.page.context.clear_cookies(name="ingam_session")


def use(at: Walk, slug: str, then: str = "/loan") -> None:
    """The window of the login, from its button to 확인."""
    at.open(f"/login?way=cert&then={then}")
    at.open_window("login.enter_certificate")
    at.pick(slug)
    at.confirm()


def test_an_unregistered_certificate_gets_no_session_but_the_way_to_register(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    use(at, "without-vid")
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-unregistered"))
    expect(at.page.get_by_role("link", name=at.say("login.register"))).to_be_visible()
    at.open("/loan")
    expect(at.page).to_have_url(at.world.center + "/login?way=cert&then=/loan")


def test_A17_a_reissued_certificate_gets_no_session_and_is_led_to_registration(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    # Of a house with one generation: SignKorea's next certificate would come from CA5.
    registered(at, "crosscert-securities")
    at.world.turn("certificate", "crosscert-securities", "reissue")
    use(at, "crosscert-securities")
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.login-rebind"))
    expect(at.page.get_by_role("link", name=at.say("login.register"))).to_be_visible()
    assert at.world.refusals()[-1] == ("/login/certificate", "login-rebind")


def test_A6_a_captured_answer_is_good_once(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    registered(at, "union-head")
    sent: list[str] = []

    def capture(request: Request) -> None:
        if request.url.endswith("/login/certificate"):
            sent.append(request.post_data or "")

    at.page.on("request", capture)
    use(at, "union-head")
    expect(at.page).to_have_url(at.world.center + "/loan")
    at.open("/login?way=cert")
    fields = {name: values[0] for name, values in parse_qs(sent[0]).items()}
    fields["csrf"] = at.page.locator("form[action='/login/certificate'] input[name=csrf]").input_value()
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": at.world.center}
    again = at.page.context.request.post(
        at.world.center + "/login/certificate", data=urlencode(fields), headers=headers
    )
    assert at.say("refusal.nonce-invalid") in again.text()
    assert at.world.refusals()[-1] == ("/login/certificate", "nonce-invalid")


def test_a_revoked_certificate_does_not_log_in(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    use(at, "revoked")
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.cert-revoked"))


def test_the_protected_page_asks_for_a_certificate_also_after_a_login_by_ID(hurry: Callable[..., Walk]) -> None:
    at = hurry("gaon")
    at.open("/loan")
    expect(at.page).to_have_url(at.world.center + "/login?way=cert&then=/loan")
    at.log_in_by_id(then="/cert-center")
    at.open("/loan")
    expect(at.button("login.enter_certificate")).to_be_visible()
