"""폐지 대행: two officers sign one text, the authority ends the certificate, and its login is refused (D14)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.console.acts import open_customer, press, signed_by_maker
from tests.journeys.console.broker import certified
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk
from tests.journeys.world import World

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.status import trust_file
from ingam.kernel.words import say
from ingam.npki.certificate import Certificate
from ingam.protocols import ocsp

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

MAKER, CHECKER = "E1001", "E1002"


def status(world: World, one: Certificate) -> str:
    """What the authority's responder says now."""
    authorities, _ = trust_file.read(world.data / "trust" / "authorities.toml")
    own = next(each for each in authorities.by_fingerprint.values() if each.certificate.subject.raw == one.issuer.raw)
    nonce = secrets.token_bytes(16)
    asked = ocsp.request(ocsp.cert_id(one, own.certificate), nonce)
    headers = {"content-type": "application/ocsp-request"}
    with urlopen(Request(f"http://localhost:{world.port + 4}/ocsp/ingam", asked, headers), timeout=10) as answer:
        said = ocsp.parse(answer.read())
    now, issuer = SystemClock().now(), own.certificate
    found = ocsp.verify(said, person=one, issuer=issuer, responders=own.responders, nonce=nonce, at=now)
    return str(found.status)


def known_to_authority(page: Page, world: World, *employees: str) -> None:
    """The authority's staff have entered the officers' passkeys, as they do within seconds of an enrolment."""
    file = world.data / "ca" / "ingam" / "operators.toml"
    for _ in range(100):
        text = file.read_text(encoding="ascii")
        if all(f'person = "{employee}"' in text for employee in employees):
            return
        page.wait_for_timeout(100)
    raise AssertionError(text)


def registered(at: Walk, files: list[Path]) -> None:
    """타기관인증서등록 of these two files."""
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick_files(files)
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.page.context.clear_cookies(name="ingam_session")


def log_in(at: Walk, files: list[Path]) -> None:
    """공동인증서 로그인 with them."""
    at.open("/login?way=cert&then=/loan")
    at.open_window("login.enter_certificate")
    at.pick_files(files)
    at.confirm()


def test_two_officers_end_a_certificate_and_its_login_with_it(
    operator: Callable[..., Page], hurry: Callable[..., Walk], running: World, tmp_path: Path
) -> None:
    at = hurry("mia")
    one, files = certified(running, at.who, tmp_path)
    registered(at, files)
    log_in(at, files)
    expect(at.page).to_have_url(running.center + "/loan")
    assert status(running, one) == "good"

    operator(CHECKER)
    maker = operator(MAKER, "/desk")
    known_to_authority(maker, running, MAKER, CHECKER)
    open_customer(maker, at.who["banking_id"], "request")
    maker.locator("#content").get_by_role("link", name=say("console-revocation.title"), exact=True).click()
    maker.locator(f"input[value='{one.fingerprint.hex()}']").press("Space")
    maker.locator("#basis").select_option("court-order")
    maker.locator("#reason").select_option("privilegeWithdrawn")
    assert trouble(maker, "console-revocation-ko-1280") == []
    press(maker, "console-revocation.draft")
    assert trouble(maker, "console-revocation-draft-ko-1280") == []
    change = signed_by_maker(maker)
    assert status(running, one) == "good"

    checker = operator(CHECKER, change, width=360)
    assert f"{one.serial:x}" in (checker.locator(".change-text").text_content() or "")
    assert trouble(checker, "console-revocation-check-ko-360") == []
    press(checker, "console-changes.approve")
    expect(checker.get_by_text(say("console-changes.status-applied"), exact=True)).to_be_visible()

    maker = operator(MAKER, "/revocations")
    outcome = maker.locator(".console-list li").filter(has_text=f"{one.serial:x}")
    for _ in range(100):
        if outcome.count():
            break
        maker.wait_for_timeout(200)
        maker.reload()
    expect(outcome.get_by_text(say("console-revocation.revoked"), exact=True)).to_be_visible()
    assert trouble(maker, "console-revocations-ko-1280") == []
    assert trouble(operator(CHECKER, "/revocations", width=360), "console-revocations-ko-360") == []
    assert status(running, one) == "revoked"
    at.page.context.clear_cookies(name="ingam_session")
    log_in(at, files)
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("refusal.cert-revoked"))
    assert running.refusals()[-1] == ("/login/certificate", "cert-revoked")
    # The customer's page has the whole story.
    maker = operator(MAKER, "/desk")
    open_customer(maker, at.who["banking_id"], "request")
    expect(maker.get_by_text(say("console-act.revocation-on-behalf")).first).to_be_visible()
    assert maker.locator("section[aria-labelledby=registered] li").first.locator(".chip.bad").count() == 1
    assert trouble(maker, "console-customer-history-ko-1280") == []
