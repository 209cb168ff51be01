"""The manual's first route, on real files in a real browser, by keyboard alone, at both widths, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.walks import Walk


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_a_person_registers_a_certificate_and_logs_in_with_it(walk: Callable[..., Walk], width: int, lang: str) -> None:
    at = walk(width=width, lang=lang)
    at.register()
    expect(
        at.page.get_by_text(at.say("registration.done"))
        .or_(at.page.get_by_text(at.say("registration.done_already")))
        .first
    ).to_be_visible()
    at.person.press(at.page.get_by_role("link", name=at.say("login.enter_certificate")))
    at.log_in_by_certificate()
    expect(at.page.get_by_role("heading", level=1)).to_be_visible()
    expect(at.page).to_have_url(at.world.center + "/loan")
