"""The manual's first route, on real files in a real browser, by keyboard alone, at both widths, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.conftest import Worker
from tests.journeys.walks import Walk


@pytest.fixture
def worker() -> Worker:
    return "allow"


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_a_person_registers_a_certificate_and_logs_in_with_it(walk: Callable[..., Walk], width: int, lang: str) -> None:
    at = walk(width=width, lang=lang)
    at.register()
    at.person.press(at.page.get_by_role("link", name=at.say("registration.login")))
    at.open_window("login.enter_certificate")
    at.pick("securities")
    at.confirm()
    expect(at.page).to_have_url(at.world.center + "/loan")
    expect(at.page.get_by_role("heading", level=1)).to_be_visible()
