"""A login for another service in a real browser: what the person sees, and that the service gets its answer (F12)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect
from tests.journeys.conftest import SERVICE, Worker
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

ASKED = {
    "client_id": "hts", "redirect_uri": SERVICE, "response_type": "code", "scope": "openid profile", "state": "s",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture
def worker() -> Worker:
    """Where it answers, a redirect to the service is a request of its own, which the double takes."""
    return "allow"


def ask(at: Walk, **more: str) -> None:
    """The service's redirect; the service's own page is a double."""
    at.page.route(f"{SERVICE}**", lambda route: route.fulfill(body="<!doctype html><title>the service</title>"))
    at.page.goto(f"{at.world.center}/oidc/authorize?{urlencode({**ASKED, **more})}")


def answer(at: Walk) -> dict[str, str]:
    """What the service was told."""
    expect(at.page).to_have_title("the service")
    return {name: values[0] for name, values in parse_qs(urlsplit(at.page.url).query).items()}


def shown(at: Walk, name: str) -> None:
    assert trouble(at.page, name) == []


@pytest.mark.parametrize(("width", "lang"), [(360, "ko"), (1280, "en")])
def test_F12_a_login_on_the_way_yes_and_no(hurry: Callable[..., Walk], width: int, lang: str) -> None:
    at = hurry("kim", width, lang)
    ask(at)
    expect(at.page).to_have_url(f"{at.world.center}/login?way=id&then=/oidc/continue")
    at.person.type_into(at.field("login.banking_id"), at.who["banking_id"])
    at.person.type_into(at.field("login.password"), at.who["password"])
    at.person.press(at.button("login.enter"))
    client = "홈트레이딩" if lang == "ko" else "Home trading"
    expect(at.page.get_by_role("heading", name=at.say("oidc.confirm_title", client=client)).first).to_be_visible()
    shown(at, f"oidc-{lang}-{width}-confirm")
    at.person.press(at.page.get_by_role("link", name=at.say("oidc.yes")))
    told = answer(at)
    assert set(told) == {"code", "state", "iss"} and told["iss"] == at.world.center
    ask(at)
    at.person.press(at.page.get_by_role("link", name=at.say("oidc.no"), exact=True))
    assert answer(at)["error"] == "access_denied"


def test_F12_a_certificate_and_a_second_proof(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee", 360)
    at.register("union-head")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.log_in_by_certificate("union-head")
    expect(at.page).to_have_url(f"{at.world.center}/loan")
    ask(at, acr_values="urn:ingam:acr:certificate-and-second")
    expect(at.page).to_have_url(f"{at.world.center}/oidc/second")
    shown(at, "oidc-ko-360-second")
    at.person.type_into(at.field("factor.code"), at.request_code())
    at.person.press(at.button("oidc.second_next"))
    at.person.press(at.page.get_by_role("link", name=at.say("oidc.yes")))
    assert "code" in answer(at)
    acts = [one for one in at.world.audit() if one["action"] == "oidc.code"]
    assert acts[-1]["facts"]["acr"] == "urn:ingam:acr:certificate-and-second"


@pytest.mark.parametrize(("width", "lang"), [(360, "ko"), (1280, "en")])
def test_F12_a_service_without_a_token_of_the_person_asks_them_to_log_out(
    hurry: Callable[..., Walk], width: int, lang: str
) -> None:
    at = hurry("kim", width, lang)
    at.log_in_by_id()
    at.page.goto(f"{at.world.center}/oidc/logout?client_id=hts")
    expect(at.page.get_by_role("heading", name=at.say("oidc.logout_title")).first).to_be_visible()
    expect(at.page.locator("[aria-current=page]")).to_have_count(0)  # it is no page of the menu
    shown(at, f"oidc-{lang}-{width}-logout")
    at.person.press(at.page.locator("main").get_by_role("button", name=at.say("oidc.logout"), exact=True))
    expect(at.page).to_have_url(f"{at.world.center}/login?ended=logout")
