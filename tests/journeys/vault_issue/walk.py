"""What a person does at ⑤ and ⑥, by visible labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect
from tests.journeys.person import enter
from tests.journeys.vault_issue.bench import PASSWORD, TEXTS, Bench

from ingam.kernel.words import say

READ = """(name) => new Promise((resolve, reject) => {
  const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('')
  const flat = (one) => one instanceof Uint8Array ? hex(one) : Array.isArray(one) ? one.map(flat)
    : typeof one === 'object' && one !== null
      ? Object.fromEntries(Object.entries(one).map(([name, value]) => [name, flat(value)])) : one
  const opening = indexedDB.open('ingam-vault')
  opening.onerror = () => reject(opening.error)
  opening.onsuccess = () => {
    const reading = opening.result.transaction(name).objectStore(name).getAll()
    reading.onsuccess = () => { opening.result.close(); resolve(reading.result.map(flat)) }
  }
})"""


class Walk:
    """A person at the page."""

    def __init__(self, page: Page, bench: Bench) -> None:
        self.page = page
        self.bench = bench

    @property
    def vault(self) -> FrameLocator:
        """The frame in the page."""
        return self.page.frame_locator("section[data-issue] iframe")

    def say(self, key: str, **facts: str | int) -> str:
        """A text of the vault's."""
        return say(f"vault.{key}", self.bench.lang, **facts)

    def refusal(self, code: str) -> str:
        """The sentence of a failure code."""
        return say(f"refusal.{code}", self.bench.lang)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that no screen shows."""
        until = time.monotonic() + 20
        while not true():
            assert time.monotonic() < until
            self.page.wait_for_timeout(50)

    def press_by_keyboard(self, target: Locator) -> None:
        """Tab until it has the focus, then Enter."""
        for _ in range(60):
            if target.evaluate("e => e === document.activeElement && document.hasFocus()"):
                break
            self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")

    def open(self) -> None:
        """Type the address, or reload."""
        self.page.goto(f"{self.bench.center}/issuance/new")

    def button(self, key: str) -> Any:
        """A button in the frame."""
        return self.vault.get_by_role("button", name=self.say(key), exact=True)

    def set_password(self, password: str = PASSWORD, again: str | None = None) -> None:
        """⑤."""
        self.vault.get_by_label(self.say("issue-password"), exact=True).fill(password)
        self.vault.get_by_label(self.say("issue-password-again"), exact=True).fill(again or password)
        enter(self.button("issue-go"))

    def resume(self, password: str = PASSWORD) -> None:
        """The one prompt after an interruption."""
        expect(self.button("issue-go-on")).to_be_visible()
        self.vault.get_by_label(self.say("password"), exact=True).fill(password)
        enter(self.button("issue-go-on"))

    def confirm(self) -> None:
        """⑥ 확인."""
        self.page.get_by_role("button", name=TEXTS[self.bench.lang][4], exact=True).click()

    def again(self) -> Locator:
        """다시 시도, which has the focus as soon as it is there."""
        button = self.page.get_by_role("button", name=self.say("issue-again"), exact=True)
        expect(button).to_be_focused()
        return button

    def try_again(self) -> None:
        """By keyboard: a click in the same instant in which the frame beneath is hidden still goes to the frame."""
        self.again().press("Enter")

    def issued(self) -> None:
        """The last screen."""
        expect(self.vault.locator("#issued")).to_be_visible()

    def stored(self, name: str) -> list[dict[str, Any]]:
        """What lies in the vault's storage."""
        frame = next(one for one in self.page.frames if one.url.startswith(self.bench.vault))
        found: list[dict[str, Any]] = frame.evaluate(READ, name)
        return found
