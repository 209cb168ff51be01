"""인증서 보기·관리 in a browser: what the vault does with a certificate of a person's own (W7, B4, B6, B16)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import FrameLocator, Locator, expect
from tests.journeys.conftest import SIZES
from tests.journeys.person import tick
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

from ingam.npki import certificate, key_file, pfx

HERE = "/management/certificates"
NEW = "Silver#tide-8241q"
SLOW_TRIAL = """
const given = IDBObjectStore.prototype.delete
IDBObjectStore.prototype.delete = function (key) {
  const request = given.call(this, key)
  const until = performance.now() + 1500
  const hold = () => { if (performance.now() < until) this.get(key).onsuccess = hold }
  if (this.name === 'trial' && String(key).startsWith('changing ')) hold()
  return request
}
"""


class Desk:
    """What a person does there, by visible labels."""

    def __init__(self, at: Walk) -> None:
        self.at = at
        self.page = at.page
        self.wrong: list[str] = []

    @property
    def frame(self) -> FrameLocator:
        """The desk."""
        return self.page.frame_locator("iframe.issue-frame")

    def say(self, name: str, **facts: str | int) -> str:
        """A text of it."""
        return self.at.say(f"vault.{name}", **facts)

    def button(self, name: str) -> Locator:
        """A button of it."""
        return self.frame.get_by_role("button", name=self.say(name), exact=True)

    def open(self, wanted: str = "") -> None:
        """The page, once the list is there."""
        self.at.open(HERE + wanted)
        expect(self.frame.get_by_role("heading", name=self.say("manage-browser"))).to_be_visible()

    def bring(self, slug: str) -> None:
        """A certificate of the demo's, its two files by the button, until it is there and chosen."""
        self.at.person.choose_files(self.button("pick-files"), self.at.files(slug))
        expect(self.line(slug, "files")).to_be_checked()

    def line(self, slug: str, where: str) -> Locator:
        """The radio button of a certificate in one of the two lists."""
        found = certificate.parse(self.at.files(slug)[0].read_bytes())
        group = self.frame.get_by_role("group", name=self.say(f"manage-{where}"))
        return group.locator(f"input[type=radio][data-fingerprint='{found.fingerprint.hex()}']")

    def act(self, name: str) -> None:
        """One of the acts of the chosen one, until its screen is there."""
        self.frame.locator(f"button[data-act='{name}']").press("Enter")
        expect(self.frame.locator("#task")).to_be_visible()

    def type_password(self, password: str, name: str = "password") -> None:
        """Into its field."""
        self.frame.get_by_label(self.say(name), exact=True).fill(password)

    def type_new_password(self) -> None:
        """The demo's and NEW twice, at 비밀번호 변경."""
        self.type_password(self.at.world.demo["certificate_password"], "manage-old-password")
        self.type_password(NEW, "manage-new-password")
        self.type_password(NEW, "manage-new-password-again")

    def back(self) -> None:
        """To the list."""
        self.button("manage-to-list").press("Enter")
        expect(self.frame.get_by_role("heading", name=self.say("manage-browser"))).to_be_visible()

    def told(self, name: str) -> None:
        """The list says what was done."""
        expect(self.frame.locator(".manage-list .line-ok")).to_contain_text(self.say(name))

    def keep(self, slug: str) -> None:
        """A certificate of the demo's in this browser."""
        self.bring(slug)
        self.act("import")
        self.type_password(self.at.world.demo["certificate_password"])
        self.button("manage-import-go").press("Enter")
        self.told("manage-imported")

    def verdict(self, check: str) -> Locator:
        """What one of the checks says."""
        return self.frame.locator(f"li[data-check='{check}']")

    def ask(self) -> None:
        """The center about the state."""
        self.button("manage-status-ask").press("Enter")

    def saved(self, name: str, press: Locator, folder: Path) -> Path:
        """A file that a press saves, under its name."""
        with self.page.expect_download() as download:
            press.press("Enter")
        assert re.fullmatch(name, download.value.suggested_filename), download.value.suggested_filename
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def settled(self) -> None:
        """The frame is as high as what it shows."""
        main, frame = self.frame.locator("main"), self.page.locator("iframe.issue-frame")

        def apart() -> float:
            inside, outside = main.bounding_box(), frame.bounding_box()
            return 99.0 if inside is None or outside is None else abs(inside["height"] - outside["height"])

        until = time.monotonic() + 20
        while apart() > 1:
            assert time.monotonic() < until
            self.page.wait_for_timeout(50)

    def look(self, name: str, *widths: int) -> None:
        """The screen at both widths, or at these."""
        for width in widths or (360, 1280):
            self.page.set_viewport_size(SIZES[width])
            self.settled()
            self.wrong += trouble(self.page, f"manage-{name}-ko-{width}")


def test_a_certificate_is_looked_at_checked_kept_changed_exported_and_deleted(
    hurry: Callable[..., Walk], tmp_path: Path, asked: list[str]
) -> None:
    at = hurry()
    desk, password, slug = Desk(at), at.world.demo["certificate_password"], "securities"
    desk.open()
    desk.look("empty", 1280)
    desk.bring(slug)
    desk.look("list")
    pkcs8 = key_file.open_key(at.files(slug)[1].read_bytes(), password.encode()).pkcs8.reveal()

    desk.act("view")
    owner = certificate.parse(at.files(slug)[0].read_bytes())
    expect(desk.frame.locator("dd[data-fact='serial-decimal'] span")).to_have_text(str(owner.serial))
    expect(desk.frame.locator(".manage-path li")).to_have_count(3)
    expect(desk.frame.locator("dd[data-fact='here']")).to_have_text(desk.say("manage-here-login"))
    desk.look("view")
    desk.saved(r".+_.+_\d{4}-\d\d-\d\d\.pem", desk.button("manage-save-pem"), tmp_path)
    desk.back()

    desk.act("verify")
    expect(desk.verdict("path")).to_have_attribute("data-verdict", "good")
    expect(desk.verdict("status")).to_contain_text(desk.say("manage-status-unasked"))
    desk.look("unasked", 360)
    assert not [one for one in asked if one.endswith("/management/verify")]
    desk.ask()
    for check in ("form", "path", "period", "policy", "status"):
        expect(desk.verdict(check)).to_have_attribute("data-verdict", "good")
    desk.type_password("not-this-one-1!")
    desk.button("manage-try-key").press("Enter")
    expect(desk.frame.locator("#password-wrong")).to_have_text(desk.say("wrong", n=1, max=5))
    desk.type_password(password)
    desk.button("manage-try-key").press("Enter")
    expect(desk.verdict("key")).to_have_attribute("data-verdict", "good")
    desk.look("verify")
    desk.back()

    desk.act("import")
    desk.look("import", 360)
    desk.type_password(password)
    desk.button("manage-import-go").press("Enter")
    desk.told("manage-imported")
    expect(desk.line(slug, "browser")).to_be_checked()

    desk.act("password")
    desk.type_new_password()
    desk.look("password")
    desk.button("manage-act-password").press("Enter")
    desk.told("manage-changed")

    desk.act("export")
    desk.look("export", 1280)
    desk.type_password(password)
    desk.button("manage-export-go").press("Enter")
    expect(desk.frame.locator("#password-wrong")).to_have_text(desk.say("wrong", n=1, max=5))
    desk.type_password(NEW)
    desk.button("manage-export-go").press("Enter")
    expect(desk.frame.get_by_role("heading", name=desk.say("manage-exported-title"))).to_be_visible()
    desk.look("exported", 360)
    save = desk.frame.get_by_role("button", name=re.compile(desk.say("manage-save")))
    made = desk.saved(r".+_.+_\d{4}-\d\d-\d\d\.pfx", save, tmp_path)
    assert pfx.open_pfx(made.read_bytes(), NEW.encode()).require_pair().key.pkcs8.reveal() == pkcs8
    desk.back()

    desk.act("export")
    tick(desk.frame.get_by_label(desk.say("manage-shape-pair"), exact=True))
    desk.type_password(NEW)
    desk.button("manage-export-go").press("Enter")
    made = desk.saved(r"signPri\.key", save.nth(1), tmp_path)
    assert key_file.open_key(made.read_bytes(), NEW.encode()).pkcs8.reveal() == pkcs8
    desk.back()

    desk.act("remove")
    desk.look("remove", 360)
    field = desk.frame.locator("#remove-word")
    field.fill("no")
    field.press("Enter")
    expect(desk.frame.locator("#remove-wrong")).to_be_visible()
    field.fill(desk.say("manage-remove-word"))
    field.press("Enter")
    desk.told("manage-removed")
    expect(desk.line(slug, "browser")).to_have_count(0)
    assert desk.wrong == []


def test_a_press_right_after_a_changed_password_counts_however_slow_the_storage_is(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    desk = Desk(at)
    desk.page.add_init_script(SLOW_TRIAL)
    desk.open()
    desk.keep("securities")
    desk.act("password")
    desk.type_new_password()
    desk.button("manage-act-password").press("Enter")
    desk.told("manage-changed")
    desk.act("export")


def test_a_task_left_while_it_works_changes_nothing_and_the_next_press_counts(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    desk, password = Desk(at), at.world.demo["certificate_password"]
    desk.open()
    desk.keep("securities")
    desk.act("password")
    desk.type_new_password()
    # In one go, so that the work is surely under way when it is left.
    desk.frame.locator("form.use").evaluate(
        "(form) => { form.requestSubmit(); form.querySelector('button.secondary[type=button]').click() }"
    )
    expect(desk.frame.get_by_role("heading", name=desk.say("manage-browser"))).to_be_visible()
    desk.act("verify")
    desk.type_password(NEW)
    desk.button("manage-try-key").press("Enter")
    expect(desk.frame.locator("#password-wrong")).to_have_text(desk.say("wrong", n=1, max=5))
    desk.type_password(password)
    desk.button("manage-try-key").press("Enter")
    expect(desk.verdict("key")).to_have_attribute("data-verdict", "good")
    desk.back()
    expect(desk.frame.locator(".manage-list .line-ok")).not_to_be_visible()


def test_what_ended_or_stands_already_is_kept_after_a_yes_and_its_authority_asked(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    desk, password = Desk(at), at.world.demo["certificate_password"]
    at.log_in_by_id(then=HERE)
    desk.open("/files")
    desk.bring("expired")
    desk.act("import")
    desk.type_password(password)
    desk.button("manage-import-go").press("Enter")
    expect(desk.frame.get_by_role("heading", name=desk.say("manage-expired-title"))).to_be_visible()
    desk.look("expired", 360)
    desk.button("manage-import-yes").press("Enter")
    desk.told("manage-imported")
    line = desk.line("expired", "files")
    line.press("Space")
    expect(line).to_be_checked()
    desk.act("import")
    desk.type_password(password)
    desk.button("manage-import-go").press("Enter")
    expect(desk.frame.get_by_role("heading", name=desk.say("copy-replace-title"))).to_be_visible()
    desk.button("manage-import-no").press("Enter")
    expect(desk.line("expired", "browser")).to_have_count(1)

    desk.bring("revoked")
    desk.act("verify")
    desk.ask()
    expect(desk.verdict("status")).to_have_attribute("data-verdict", "bad")
    expect(desk.verdict("status")).to_contain_text(desk.say("manage-why-cert-revoked"))
    expect(desk.verdict("path")).to_have_attribute("data-verdict", "good")
    desk.look("revoked", 360)
    desk.back()

    desk.bring("untrusted")
    desk.act("verify")
    expect(desk.verdict("path")).to_have_attribute("data-verdict", "bad")
    desk.back()
    assert desk.wrong == []
