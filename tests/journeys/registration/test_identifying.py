"""①본인확인 when something is wrong: what is said, what is kept, and when it locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.journeys import world
from tests.journeys.screens import trouble
from tests.journeys.walks import INSTITUTION, Walk

WRONG = "Wrong!2026"
# On one worker, so that the world of these journeys is started once.
pytestmark = pytest.mark.xdist_group("locks")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.World]:
    """A world of its own: these journeys lock people out."""
    started = world.start(tmp_path_factory.mktemp("locks") / "data")
    yield started
    started.stop()


def identify(at: Walk, password: str, number: str, banking_id: str | None = None) -> None:
    """Fill in ① and press 다음, until the answer is there."""
    name = INSTITUTION[at.lang]
    if banking_id is not None:
        at.person.type_into(at.field("registration.banking_id", institution=name), banking_id)
    at.person.type_into(at.field("registration.password", institution=name), password)
    at.person.type_into(at.field("registration.idn"), number)
    with at.page.expect_navigation():
        at.person.press(at.button("registration.next"))


def nothing_secret_came_back(at: Walk) -> None:
    """Passwords and numbers are never in a page that was answered."""
    shown = at.page.content()
    assert WRONG not in shown
    assert at.who["password"] not in shown
    assert at.who["idn"][6:] not in shown


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_an_empty_form_is_answered_with_a_summary_that_has_the_focus_and_leads_to_the_fields(
    walk: Callable[..., Walk], lang: str
) -> None:
    at = walk(lang=lang)
    at.log_in_by_id()
    at.person.press(at.button("registration.next"))
    summary = at.page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(at.say("registration.need_password"))
    expect(summary).to_contain_text(at.say("registration.rrn_digits"))
    at.person.press(summary.get_by_role("link", name=at.say("registration.rrn_digits")))
    expect(at.page.locator("#idn")).to_be_focused()
    expect(at.page.locator("#idn")).to_have_attribute("aria-invalid", "true")


def test_a_wrong_password_and_a_wrong_number_are_told_alike_and_only_the_ID_stays(hurry: Callable[..., Walk]) -> None:
    at = hurry("kim")
    mismatch = at.say("refusal.customer-mismatch", named=at.say("page.number_resident"))
    at.log_in_by_id()
    identify(at, WRONG, at.who["idn"])
    expect(at.page.locator("[data-error-summary]")).to_contain_text(mismatch)
    nothing_secret_came_back(at)
    identify(at, at.who["password"], "8001011000009")
    expect(at.page.locator("[data-error-summary]")).to_contain_text(mismatch)
    expect(at.page.locator("#banking_id")).to_have_value(at.who["banking_id"])
    expect(at.page.locator("#password")).to_have_value("")
    expect(at.page.locator("#idn")).to_have_value("")
    nothing_secret_came_back(at)


def test_five_failures_lock_and_the_page_says_what_can_be_done(hurry: Callable[..., Walk]) -> None:
    at = hurry("alex", lang="en")
    at.log_in_by_id()
    for _ in range(5):
        identify(at, WRONG, at.who["idn"])
    expect(at.page.get_by_role("alert")).to_contain_text(at.say("registration.lock-login-locked"))
    assert trouble(at.page, "locked-1280-en-light") == []
    at.open("/registration?new=1")
    identify(at, at.who["password"], at.who["idn"])
    expect(at.page.get_by_role("alert")).to_contain_text(at.say("registration.lock-login-locked"))


def test_the_data_folder_of_the_journey_holds_no_password(running: world.World) -> None:
    found = [path for path in files_of(running.data / "center") if WRONG.encode() in path.read_bytes()]
    assert found == []
    assert WRONG not in world.log_of(running.data).read_text(encoding="utf-8", errors="replace")


def files_of(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
