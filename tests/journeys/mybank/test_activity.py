"""이용 기록 in a real browser: from 마이뱅크, in both widths and languages, and what was tried in one's name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk


@pytest.mark.parametrize(
    ("width", "lang", "scheme"), [(1280, "ko", "light"), (360, "en", "dark"), (360, "ko", "light")]
)
def test_a_person_finds_the_login_and_what_failed_before_it(
    hurry: Callable[..., Walk], width: int, lang: str, scheme: str
) -> None:
    at = hurry("gaon", width, lang, scheme)
    at.log_in_by_id(then="/cert-center", password="Wrong!2026")
    at.log_in_by_id(then="/cert-center")
    expect(at.page).to_have_url(at.world.center + "/cert-center")
    at.open("/mybank")
    at.person.press(at.page.get_by_role("link", name=at.say("activity.link")))
    expect(at.page.get_by_role("heading", level=1)).to_contain_text(at.say("activity.title"))
    lines = at.page.get_by_role("article")
    expect(lines.nth(0)).to_contain_text(at.say("act.login_id"))
    failed = lines.filter(has_text=at.say("activity.refused")).first
    expect(failed).to_contain_text(at.say("act.login_password"))
    assert trouble(at.page, f"mybank-activity-{lang}-{width}") == []
