"""Somebody in front of a browser: finds things by role and visible label, and moves by keyboard alone or in a hurry."""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import Error, FrameLocator, Locator, Page, expect

TABS = 120
KEY_IN_FRAME = """e => window.parent === window ? null
  : e.matches('input[type=radio], input[type=checkbox]') ? 'Space'
  : e.matches('button, a[href], summary') ? 'Enter' : null"""
OVERTAKEN = ("ERR_ABORTED", "interrupted by another navigation")
"""What the driver says of an address where another page came in the meantime."""
IS_BUSY = "e => e.closest('form')?.ariaBusy === 'true'"
HAS_FOCUS = "e => e === document.activeElement && document.hasFocus()"


class Person:
    """Acts on a page by keyboard alone: Tab to get there, then type, Space or Enter."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def vault(self) -> FrameLocator:
        """The certificate window's frame."""
        return self.page.frame_locator("dialog iframe")

    def go_to(self, target: Locator) -> Locator:
        """Tab until the thing has the focus; fails after TABS presses."""
        expect(target).to_be_visible()
        for _ in range(TABS):
            if target.evaluate(HAS_FOCUS):
                return target
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")

    def type_into(self, target: Locator, text: str) -> None:
        """Go to a field and type; not while what was pressed before is on its way."""
        self.go_to(target)
        if self.after_busy(target):
            self.go_to(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, target: Locator, key: str = "Enter") -> None:
        """Go to a button or link and press it; not while what was pressed before is on its way."""
        self.go_to(target)
        if self.after_busy(target):
            self.go_to(target)
        self.page.keyboard.press(key)

    def after_busy(self, target: Locator) -> bool:
        """Wait until a form answers to presses again or another page is there; whether that took any time."""
        until = time.monotonic() + 20
        waited = False
        while target.evaluate(IS_BUSY):
            assert time.monotonic() < until, "the form stays busy"
            self.page.wait_for_timeout(50)
            waited = True
        return waited

    def choose_files(self, target: Locator, files: list[Path] | Path) -> None:
        """Go to a file button, press it, and pick."""
        self.go_to(target)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(files)


class Hurried(Person):
    """Points at everything, but by key where a frame could move it away: where the subject is not the way there."""

    def go_to(self, target: Locator) -> Locator:
        expect(target).to_be_visible()
        target.focus()
        return target

    def type_into(self, target: Locator, text: str) -> None:
        self.after_busy(target)
        target.fill(text)

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.after_busy(target)
        in_frame = target.evaluate(KEY_IN_FRAME)
        if in_frame is None:
            target.click()
        else:
            expect(target).to_be_enabled()
            target.press(in_frame)

    def choose_files(self, target: Locator, files: list[Path] | Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.press(target)
        chooser.value.set_files(files)


def go(page: Page, address: str) -> None:
    """Type an address; where the answer to the last press comes in that moment, once more after it."""
    try:
        page.goto(address)
    except Error as over:
        if not any(words in over.message for words in OVERTAKEN):
            raise
        page.wait_for_load_state()
        page.goto(address)


def tick(box: Locator, on: bool = True) -> None:
    """A checkbox or radio button, by its key: a frame that grows cannot move it from under a pointer then."""
    if box.is_checked() is not on:
        box.press("Space")
    expect(box).to_be_checked(checked=on)


def enter(button: Locator) -> None:
    """A button in a frame, by its key once it can be pressed; for the reason of `tick`."""
    expect(button).to_be_enabled()
    button.press("Enter")


def words(text: str) -> re.Pattern[str]:
    """A visible label that starts so (a required field adds its mark)."""
    return re.compile("^" + re.escape(text))
