"""알림 설정 in a browser: how one is told is seen, changed, told, and changed back (B5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

HERE = "/management/notices"


@pytest.mark.parametrize(
    ("who", "width", "lang", "scheme"), [("gaon", 1280, "ko", "light"), ("jung", 360, "ko", "dark")]
)
def test_a_person_chooses_how_to_be_told_and_hears_of_it(
    hurry: Callable[..., Walk], who: str, width: int, lang: str, scheme: str
) -> None:
    at = hurry(who, width, lang, scheme)
    at.log_in_by_id(then=HERE)
    expect(at.page.get_by_role("heading", level=1)).to_contain_text(at.say("page.menu_management_notices"))
    expiry, logins = (at.page.get_by_role("checkbox", name=at.say(f"notices.{name}")) for name in ("expiry", "logins"))
    expect(expiry).to_be_checked()
    expect(logins).not_to_be_checked()
    assert trouble(at.page, f"notices-{width}-{lang}-{scheme}") == []
    before = len(at.inbox())
    for one in (expiry, logins):
        at.person.press(one, "Space")
    at.person.press(at.page.get_by_text(at.say("notices.lang_ko"), exact=True))
    at.person.press(at.button("notices.save"))
    expect(at.page.get_by_role("status").filter(has_text=at.say("notices.saved_yes"))).to_be_visible()
    expect(expiry).not_to_be_checked()
    expect(logins).to_be_checked()
    assert trouble(at.page, f"notices-saved-{width}-{lang}-{scheme}") == []
    at.told("알림 설정이 바뀌었습니다", since=before)
    for one in (expiry, logins):
        at.person.press(one, "Space")
    at.person.press(at.button("notices.save"))
    expect(expiry).to_be_checked()
