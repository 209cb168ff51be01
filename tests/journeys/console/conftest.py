"""The demo's operators at their browsers: one for each, with a passkey of its own, enrolled once in a world."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.journeys.conftest import PATIENCE_MS, SIZES
from tests.journeys.console.acts import press, shown, signed_by_maker
from tests.journeys.person import go, tick
from tests.journeys.world import World

from ingam.kernel.words import say

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Operators:
    """Browsers by employee number; each stays open, because its authenticator lives in its page."""

    chromium: Browser
    world: World
    pages: dict[str, Page] = field(default_factory=dict)
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def console(self) -> str:
        return f"http://localhost:{self.world.port + 2}"

    def at(self, employee: str, path: str = "/", width: int = 1280) -> Page:
        """The operator's page, signed in, at a path."""
        page = self.pages.get(employee) or self.enrolled(employee, self._link(employee))
        page.set_viewport_size(SIZES[width])
        go(page, self.console + path)
        if page.url.startswith(f"{self.console}/login"):
            page.get_by_role("button", name=say("console.login_button"), exact=True).click()
            expect(page).to_have_url(self.console + path)
        return page

    def appointed(self, employee: str, branch: str, roles: Iterable[str], idn: str = "") -> Page:
        """A new operator by the two officers' signatures, signed in."""
        maker = self.at("E1001", "/operators")
        for field_name, text in {"employee": employee, "name": "새사람", "branch": branch, "idn": idn}.items():
            maker.locator(f"#{field_name}").fill(text)
        for role in roles:
            tick(maker.locator(f"input[name=role][value={role}]"))
        press(maker, "console-operators.draft")
        change = signed_by_maker(maker)
        code = shown(maker)
        checker = self.at("E1002", change)
        press(checker, "console-changes.approve")
        self.enrolled(employee, shown(checker), code)
        return self.at(employee)

    def enrolled(self, employee: str, link: str, code: str = "") -> Page:
        """A browser of theirs with the passkey that link and code let them make; one of before is forgotten."""
        context = self.chromium.new_context(viewport=SIZES[1280], locale="ko-KR")
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable", {"enableUI": False})
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.goto(link)
        if code:
            page.locator("#code").fill(code)
        page.get_by_role("button", name=say("console.enrol_button"), exact=True).click()
        expect(page.get_by_text(say("console.ended_enrolled"))).to_be_visible()
        self.pages[employee] = page
        return page

    def _link(self, employee: str) -> str:
        told: Any = json.loads((self.world.data / "console" / "operators.json").read_text(encoding="utf-8"))
        return str(next(one["link"] for one in told["operators"] if one["employee"] == employee))


@pytest.fixture(scope="session")
def every_operator(chromium: Browser, running: World) -> Iterator[Operators]:
    """The operators of the worker's world."""
    operators = Operators(chromium, running)
    yield operators
    for context in operators.contexts:
        context.close()


@pytest.fixture
def operator(every_operator: Operators) -> Callable[..., Page]:
    """`operator("E2001", "/numbers")`: the page of an operator, signed in."""
    return every_operator.at
