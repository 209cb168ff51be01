"""The center on a phone: its tabs, its list, installed and without a network (security B13)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.conftest import Worker
from tests.journeys.screens import trouble
from tests.journeys.test_screens import looks, named
from tests.journeys.walks import Walk

HASH_NAMED = re.compile(r"/static/[\w.-]+-[0-9A-Z]{8}\.\w+")
OPEN = {
    "main": "/main",
    "center-list": "/cert-center",
    "register-on-phone": "/cert-center/registration",
    "deposit": "/deposit",
    "issuance-menu": "/issuance",
}
KEPT = """async () => {
  const kept = []
  for (const name of await caches.keys()) for (const one of await (await caches.open(name)).keys()) kept.push(one.url)
  return kept
}"""
CONTROLLED = """async () => {
  const worker = navigator.serviceWorker
  const changed = new Promise((done) => worker.addEventListener('controllerchange', done, { once: true }))
  await worker.ready
  if (worker.controller === null) await changed
}"""
LOST = "Failed to load resource: net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def worker() -> Worker:
    return "allow"


def ready(page: Page) -> None:
    """Waits until the service worker answers for the page."""
    page.evaluate(CONTROLLED)


@looks
def test_screens_of_the_phones_shell(hurry: Callable[..., Walk], width: int, lang: str, scheme: str) -> None:
    at = hurry("lee", width, lang, scheme)
    found = []
    for screen, path in OPEN.items():
        at.open(path)
        found += trouble(at.page, named(screen, width, lang, scheme))
    at.log_in_by_id()
    for screen in ("main", "center-list"):
        at.open(OPEN[screen])
        found += trouble(at.page, named(f"{screen}-in", width, lang, scheme))
    assert not found, "\n".join(found)


def test_four_tabs_at_the_bottom_of_a_phone_lead_where_they_say(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee", 360)
    at.open("/cert-center")
    tabs = at.page.get_by_role("navigation", name=at.say("phone.tabs")).get_by_role("link")
    expect(tabs).to_have_text(["메인", "인증센터", "예수금계좌신규개설", "마이뱅크"])
    for tab in tabs.all():
        box = tab.bounding_box()
        assert box is not None and box["y"] + box["height"] <= 740 and box["height"] >= 44
    expect(tabs.nth(1)).to_have_attribute("aria-current", "page")
    at.person.press(tabs.nth(0))
    expect(at.page).to_have_url(at.world.center + "/main")
    at.person.press(at.page.get_by_role("link", name=at.say("page.login"), exact=True).first)
    expect(at.page.get_by_role("heading", name="아이디 로그인")).to_be_visible()


def test_the_way_to_a_new_certificate_is_the_manuals_on_a_phone_and_a_qr_on_a_pc(hurry: Callable[..., Walk]) -> None:
    phone, pc = hurry("lee", 360), hurry("lee", 1280)
    phone.open("/cert-center")
    link = phone.page.locator("main").get_by_role("link", name="신규공동인증서신청", exact=True)
    expect(link).to_have_attribute("href", "/issuance/new")
    expect(phone.page.locator(".on-pc").first).to_be_hidden()
    phone.open("/issuance")
    expect(phone.page.locator("svg.qr")).to_be_hidden()
    pc.open("/issuance")
    expect(pc.page.locator("svg.qr")).to_be_visible()
    expect(pc.page.locator(".tab-bar")).to_be_hidden()


def test_B13_only_hash_named_files_are_kept_even_after_a_login(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee", 360)
    at.open("/main")
    ready(at.page)
    at.log_in_by_id()
    for path in ("/main", "/cert-center", "/issuance", "/registration"):
        at.open(path)
    kept: list[str] = at.page.evaluate(KEPT)
    assert kept
    for one in kept:
        assert HASH_NAMED.fullmatch(one.removeprefix(at.world.center)), one


def test_B13_without_a_network_a_static_page_says_so_and_leads_back(
    hurry: Callable[..., Walk], complaints: list[str]
) -> None:
    at = hurry("lee", 360)
    at.open("/main")
    ready(at.page)
    at.page.context.set_offline(True)
    at.page.goto(at.world.center + "/cert-center?back=1")
    expect(at.page.get_by_role("heading", name="인터넷에 연결되어 있지 않습니다")).to_be_visible()
    found = trouble(at.page, named("offline", 360, "ko", "light"))
    assert not found, "\n".join(found)
    at.page.context.set_offline(False)
    at.person.press(at.page.get_by_role("link", name="다시 시도"))
    expect(at.page).to_have_url(at.world.center + "/cert-center?back=1")
    expect(at.page.locator(".tab-bar")).to_be_visible()
    assert [one for one in complaints if one != LOST] == []
    complaints.clear()


def test_B13_the_vault_has_no_worker_and_the_centers_script_may_register_nothing_else(
    hurry: Callable[..., Walk], complaints: list[str]
) -> None:
    at = hurry("lee", 360)
    at.open("/main")
    ready(at.page)
    scopes: list[str] = at.page.evaluate(
        "() => navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.scope))"
    )
    assert scopes == [at.world.center + "/"]
    for attempt in (
        "() => navigator.serviceWorker.register('/static/service-worker.js')",
        "() => trustedTypes.createPolicy('ingam-sw', {}) && null",
        "() => trustedTypes.createPolicy('other', {}) && null",
    ):
        with pytest.raises(Exception, match=r"TrustedScriptURL|policy|Policy"):
            at.page.evaluate(attempt)
    complaints.clear()
    answer: Any = at.page.request.get(at.world.vault + "/static/service-worker.js")
    assert answer.status == 404
