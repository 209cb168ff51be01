"""One device and the person at it, by visible labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import FrameLocator, Locator, Page, expect
from tests.journeys.person import enter
from tests.journeys.vault_copy.bench import PASSWORD, Bench, Pair
from tests.journeys.vault_issue.walk import READ

from ingam.kernel.words import say, table


class Device:
    """A page in a browser, with the vault's frame in it."""

    def __init__(self, page: Page, bench: Bench, here: Literal["pc", "phone"], lang: str, folder: Path) -> None:
        self.page = page
        self.bench = bench
        self.here = here
        self.lang = lang
        self.folder = folder
        self.role = ""

    @property
    def vault(self) -> FrameLocator:
        """The frame."""
        return self.page.frame_locator("iframe")

    def say(self, key: str, **facts: str | int) -> str:
        """A text of the vault's."""
        return say(f"vault.{key}", self.lang, **facts)

    def button(self, key: str) -> Locator:
        """A button in the frame."""
        return self.vault.get_by_role("button", name=self.say(key), exact=True)

    def open(self, role: str) -> None:
        """The page of a role."""
        self.bench.lang = self.lang
        self.role = role
        self.page.goto(f"{self.bench.center}/copying/{role}/{self.here}")

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that no screen shows."""
        until = time.monotonic() + 20
        while not true():
            assert time.monotonic() < until
            self.page.wait_for_timeout(50)

    def settled(self) -> None:
        """The frame is as high as its content: a press does not fall beside a button that is on its way."""
        main, frame = self.vault.locator("main"), self.page.locator("iframe")

        def height(one: Locator) -> float:
            box = one.bounding_box()
            return 0 if box is None else box["height"]

        self.until(lambda: abs(height(main) - height(frame)) <= 1)

    # ── sending ──

    def pick(self, *paths: Path) -> None:
        """Files by the button."""
        with self.page.expect_file_chooser() as chooser:
            enter(self.button("pick-files"))
        chooser.value.set_files([str(path) for path in paths])

    def bring(self, pair: Pair) -> None:
        """The two files of a certificate."""
        self.pick(*pair.files(self.folder / pair.fingerprint))

    def choose(self, password: str = PASSWORD) -> None:
        """The password, and on."""
        self.vault.get_by_label(self.say("password"), exact=True).fill(password)
        enter(self.button("copy-next"))

    def prove(self, pair: Pair | None = None) -> None:
        """From the empty page to the boxes of the number."""
        self.open("send")
        self.bring(pair or self.bench.pair)
        self.choose()
        expect(self.button("copy-connect")).to_be_visible()

    def type(self, number: str) -> None:
        """As people do: into the first box, which flows over."""
        self.vault.locator("#number-1").press_sequentially(number)
        enter(self.button("copy-connect"))

    def agree(self) -> None:
        """[맞아요, 보냅니다]."""
        enter(self.button("copy-agree"))

    # ── receiving ──

    @property
    def number(self) -> str:
        """The twelve digits that are shown."""
        expect(self.vault.locator(".copy-digits")).to_be_visible()
        return "".join(self.vault.locator(".copy-digits").inner_text().split())

    # ── both ──

    @property
    def words(self) -> str:
        """The check words in both languages, in whatever order."""
        expect(self.vault.locator(".copy-words")).to_be_visible()
        both = self.vault.locator(".copy-words").inner_text().replace("(", "").replace(")", "").split()
        return " ".join(sorted(both))

    def copied(self) -> None:
        """복사 완료."""
        expect(self.vault.locator("#copied")).to_have_text(self.say("copy-copied"))

    def why(self, code: str, **facts: str | int) -> str:
        """The sentence of a code, for this side of the copy where it has one of its own."""
        own = f"copy-why-{code}-{self.role}"
        return self.say(own if f"vault.{own}" in table(self.lang) else f"copy-why-{code}", **facts)

    def ended(self, code: str, **facts: str | int) -> None:
        """The reason, and a way on."""
        expect(self.vault.locator("[role=alert].alert")).to_have_text(self.why(code, **facts))
        expect(self.button("copy-again")).to_be_visible()

    def stored(self) -> list[dict[str, Any]]:
        """What lies in the vault's storage."""
        frame = next(one for one in self.page.frames if one.url.startswith(self.bench.vault))
        found: list[dict[str, Any]] = frame.evaluate(READ, "records")
        return found
