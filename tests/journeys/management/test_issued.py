"""폐지 of a certificate of our own authority that another broker asked for: shown, and begun with 추가인증."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk


@pytest.mark.parametrize(("width", "lang", "scheme"), [(1280, "ko", "light"), (360, "en", "dark")])
def test_a_certificate_that_is_not_registered_here_is_offered_for_revocation(
    hurry: Callable[..., Walk], width: int, lang: str, scheme: str
) -> None:
    at, name = hurry("kim", width, lang, scheme), f"{width}-{lang}-{scheme}"
    at.log_in_by_id(then="/management/revocation")
    expect(at.page.get_by_role("heading", name=at.say("life.unregistered_title"))).to_be_visible()
    wrong = trouble(at.page, f"revocation-unregistered-{name}")
    card = at.page.locator("section.card").filter(has_text=at.say("life.issued_at")).first
    begin = card.get_by_role("button", name=at.say("life.begin_revocation"), exact=True)
    at.person.press(begin)
    expect(at.page.locator("[data-error-summary]")).to_contain_text(at.say("life.need_reason"))
    wrong += trouble(at.page, f"revocation-unregistered-reason-{name}")
    at.person.press(card.get_by_text(at.say("life.reason_unused"), exact=True))
    at.person.press(begin)
    expect(at.button("factor.request_code")).to_be_visible()
    at.person.press(at.button("protection.leave"))
    expect(at.page).to_have_url(f"{at.world.center}/management")
    assert wrong == []
