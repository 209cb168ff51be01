"""The certificate window: folder, PFX, drop, wrong passwords, cancelling, keeping, help."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.journeys.person import tick
from tests.journeys.walks import Walk

WRONG = "Wrong!2026"


def visible_alert(at: Walk) -> str:
    """What the window says aloud now."""
    told = at.vault.get_by_role("alert").filter(visible=True)
    expect(told).to_be_visible()
    return told.inner_text()


def at_login(at: Walk) -> Walk:
    """The window of 공동인증서 로그인, which needs nothing before it."""
    at.open("/login?way=cert&then=/loan")
    at.open_window("login.enter_certificate")
    return at


def test_a_whole_NPKI_folder_is_listed_and_the_usable_ones_come_first(hurry: Callable[..., Walk]) -> None:
    at = at_login(hurry())
    at.pick_files(Path(at.world.demo["folder"]), folder=True)
    lines = at.vault.locator("tr.line")
    expect(lines).to_have_count(len(at.world.demo["certificates"]))
    unusable = [one.get_attribute("class") == "line unusable" for one in lines.all()]
    assert unusable == sorted(unusable)
    at.choose("securities")
    at.confirm(WRONG)
    assert visible_alert(at) == at.say("vault.wrong", n=1, max=5)


def test_a_pfx_shows_its_certificate_after_the_password_and_registers(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick_files([Path(at.demo("securities")["pfx"])])
    expect(at.vault.get_by_text(at.say("vault.after-password"))).to_be_visible()
    at.confirm(WRONG)
    assert visible_alert(at) == at.say("vault.wrong", n=1, max=5)
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()


def test_dropped_files_are_taken(hurry: Callable[..., Walk]) -> None:
    at = at_login(hurry())
    devtools = at.page.context.new_cdp_session(at.page)
    dropped = {"items": [], "files": [str(one) for one in at.files("securities")], "dragOperationsMask": 1}

    def drag(*kinds: str) -> None:
        box = at.page.locator("dialog iframe").bounding_box()
        assert box is not None
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in kinds:
            devtools.send("Input.dispatchDragEvent", {"type": kind, **point, "data": dropped})

    # As a person does: it is let go where the window shows that it takes it.
    until = time.monotonic() + 20
    drag("dragEnter", "dragOver")
    while at.vault.locator(".dropping").count() == 0:
        assert time.monotonic() < until
        at.page.wait_for_timeout(100)
        drag("dragEnter", "dragOver")
    drag("dragOver", "drop")
    expect(at.line("securities")).to_be_checked()
    expect(at.vault.locator("#password")).to_be_focused()


def test_five_wrong_passwords_rest_that_certificate_and_no_other(hurry: Callable[..., Walk]) -> None:
    at = at_login(hurry())
    at.pick("securities")
    for wrong in range(1, 5):
        at.confirm(WRONG)
        expect(at.vault.locator("#password-wrong")).to_have_text(at.say("vault.wrong", n=wrong, max=5))
        expect(at.vault.locator("#password")).to_be_focused()
        expect(at.vault.locator("#password")).to_have_value("")
    at.confirm(WRONG)
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("vault.wrong-last", n=5, max=5))
    at.confirm()
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("vault.resting", m=10))
    at.pick("near-expiry")
    at.choose("near-expiry")
    at.confirm(WRONG)
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("vault.wrong", n=1, max=5))


def test_escape_cancels_says_so_and_gives_the_focus_back(walk: Callable[..., Walk]) -> None:
    at = at_login(walk())
    at.page.keyboard.press("Escape")
    expect(at.page.locator("dialog")).to_have_count(0)
    expect(at.page.locator(".certificate-window-note")).to_have_text(at.say("vault.cancelled"))
    expect(at.button("login.enter_certificate")).to_be_focused()


def test_the_keyboard_stays_inside_the_window_while_it_is_open(walk: Callable[..., Walk]) -> None:
    at = at_login(walk())
    for _ in range(20):
        at.page.keyboard.press("Tab")
        assert at.page.evaluate("document.activeElement.tagName") == "IFRAME"


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_password_and_what_is_said_of_it_are_never_behind_the_buttons(
    hurry: Callable[..., Walk], width: int, lang: str
) -> None:
    at = at_login(hurry(width=width, lang=lang))
    for slug in ("universal-signkorea", "near-expiry", "expired", "bank-only", "securities"):
        at.pick(slug)
    at.choose("securities")
    at.confirm(WRONG)
    expect(at.vault.locator("#password-wrong")).to_be_visible()
    buttons = at.vault.locator("form .ends").bounding_box()
    for part in ("#password", "#password-wrong"):
        box = at.vault.locator(part).bounding_box()
        assert buttons is not None
        assert box is not None
        assert box["y"] + box["height"] <= buttons["y"], part


def test_half_of_a_pair_and_other_files_are_told_in_words(hurry: Callable[..., Walk], tmp_path: Path) -> None:
    at = at_login(hurry())
    at.pick_files([at.files("securities")[0]])
    at.choose("securities")
    expect(at.vault.locator("#why")).to_have_text(at.window_says("key-file-missing"))
    note = tmp_path / "holiday.txt"
    note.write_text("not a certificate")
    at.pick_files([note])
    assert visible_alert(at) == at.say("vault.found-none")


def test_a_damaged_key_file_is_told_apart_from_a_wrong_password(hurry: Callable[..., Walk], tmp_path: Path) -> None:
    at = at_login(hurry())
    signed, key = at.files("securities")
    shutil.copy(signed, tmp_path / "signCert.der")
    (tmp_path / "signPri.key").write_bytes(key.read_bytes()[:-40])
    at.pick_files([tmp_path / "signCert.der", tmp_path / "signPri.key"])
    at.choose("securities")
    expect(at.vault.locator("#why")).to_have_text(at.window_says("key-damaged"))
    expect(at.vault.locator("#password")).to_be_hidden()


def test_the_details_of_a_certificate_and_the_help_with_its_copy_button(walk: Callable[..., Walk]) -> None:
    at = at_login(walk())
    help_link = at.vault.get_by_role("button", name=at.say("vault.help-link"))
    at.person.press(help_link)
    expect(at.vault.get_by_role("heading", name=at.say("vault.help-title"))).to_be_focused()
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.copy")).first)
    expect(at.vault.get_by_role("button", name=at.say("vault.copy")).first).to_have_text(at.say("vault.copied"))
    at.page.keyboard.press("Escape")
    expect(help_link).to_be_focused()
    at.pick("securities")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.details")))
    expect(at.vault.locator("dl.details")).to_contain_text("홍길동")
    expect(at.vault.locator("dl.details")).to_contain_text("PBES2 SEED-CBC")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.back")))
    expect(at.vault.locator("#password")).to_be_visible()


def test_B15_a_kept_certificate_is_used_without_files_and_removed_without_a_password(
    hurry: Callable[..., Walk],
) -> None:
    at = hurry("alex")
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick("foreigner")
    keep = at.vault.get_by_label(at.say("vault.keep"), exact=True)
    expect(keep).not_to_be_checked()
    tick(keep)
    expect(at.vault.locator("#keep-told")).to_be_visible()
    at.confirm()
    at.person.press(at.page.get_by_role("link", name=at.say("registration.login"), exact=True))
    at.open_window("login.enter_certificate")
    expect(at.vault.get_by_role("tab", selected=True)).to_have_text(at.say("vault.tab-browser"))
    expect(at.line("foreigner")).to_be_checked()
    at.confirm()
    expect(at.page).to_have_url(at.world.center + "/loan")
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.remove"), exact=True))
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.remove-sure"), exact=True))
    expect(at.vault.get_by_text(at.say("vault.nothing-kept"))).to_be_visible()
