"""What a person does, step by step, by visible labels and by keyboard alone; every journey is made of these."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect
from tests.journeys.person import Person, go, words
from tests.journeys.world import World

from ingam.kernel.words import has, naming, say
from ingam.npki import certificate

SOON_S = 15
INSTITUTION = {"ko": "증권금융", "en": "Securities Finance"}


class Walk:
    """A person of the demo at a browser, in a language."""

    def __init__(self, person: Person, world: World, who: str = "hong", lang: str = "ko") -> None:
        self.person = person
        self.page = person.page
        self.vault = person.vault
        self.world = world
        self.lang = lang
        self.who: dict[str, Any] = next(one for one in world.demo["people"] if one["key"] == who)

    def say(self, key: str, **facts: str | int) -> str:
        """A text of the screen."""
        return say(key, self.lang, **facts)

    def refusal(self, code: str) -> str:
        """What a person reads of this code; a person's number is a 주민등록번호."""
        return self.say(f"refusal.{code}", **naming({}, self.lang))

    def field(self, key: str, **facts: str | int) -> Locator:
        """An input by its label."""
        return self.page.get_by_label(words(self.say(key, **facts))).first

    def button(self, key: str) -> Locator:
        """A button by its text."""
        return self.page.get_by_role("button", name=self.say(key), exact=True)

    def demo(self, slug: str) -> dict[str, Any]:
        """A demo certificate."""
        found: dict[str, Any] = next(one for one in self.world.demo["certificates"] if one["slug"] == slug)
        return found

    def files(self, slug: str) -> list[Path]:
        """Its two files."""
        folder = Path(self.demo(slug)["folder"])
        return [folder / "signCert.der", folder / "signPri.key"]

    # ── login by ID ──

    def open(self, path: str = "/cert-center") -> None:
        """Type an address."""
        go(self.page, self.world.center + path)

    def log_in_by_id(self, then: str = "/registration", password: str | None = None) -> None:
        """아이디 로그인; with another password than theirs, until it is refused."""
        self.open(f"/login?way=id&then={then}")
        self.person.type_into(self.field("login.banking_id"), self.who["banking_id"])
        self.person.type_into(self.field("login.password"), password or self.who["password"])
        self.person.press(self.button("login.enter"))
        if password is None:
            expect(self.page).not_to_have_url(re.compile("/login"))
        else:
            expect(self.page.locator("[data-error-summary]")).to_be_visible()

    # ── 타기관인증서등록 ──

    def identify(self) -> None:
        """①본인확인."""
        institution = INSTITUTION[self.lang]
        self.person.type_into(self.field("registration.password", institution=institution), self.who["password"])
        number = "registration.idn_business" if len(self.who["idn"]) == 10 else "registration.idn"
        self.person.type_into(self.field(number), self.who["idn"])
        self.person.press(self.button("registration.next"))
        expect(self.button("factor.request_code")).to_be_visible()

    def newest_code(self, after: int) -> str:
        """The six digits of the newest SMS on the sandbox's phone, once there are more than `after`."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            inbox = self.inbox()
            if len(inbox) > after:
                found = re.search(r"#(\d{6})", inbox[0]["text"])
                if found:
                    return found[1]
            self.page.wait_for_timeout(100)
        raise AssertionError("no SMS came")

    def inbox(self) -> list[dict[str, Any]]:
        """What the phone received, newest first."""
        found: list[dict[str, Any]] = self.world.get(f"/phone/{self.who['mobile']}.json")
        return found

    def told(self, *words: str, since: int = 0) -> str:
        """The newest SMS with all of these words, once it comes; of those after the first `since`."""

        def found() -> list[str]:
            inbox = self.inbox()
            new = (one["text"] for one in inbox[: len(inbox) - since])
            return [text for text in new if all(word in text for word in words)]

        newest: str = self.until(found)[0]
        return newest

    def until(self, found: Callable[[], Any]) -> Any:
        """Wait for what no screen shows, and give it."""
        until = time.monotonic() + SOON_S
        while not (seen := found()):
            assert time.monotonic() < until, "it did not come"
            self.page.wait_for_timeout(50)
        return seen

    def request_code(self) -> str:
        """[인증번호 요청], and the code that comes; who is told that it is too soon asks again, as a person would."""
        before = len(self.inbox())
        until = time.monotonic() + 15
        while True:
            with self.page.expect_navigation():
                self.person.press(self.button("factor.request_code"))
            if self.button("factor.resend").count() or time.monotonic() > until:
                break
            self.page.wait_for_timeout(200)
        expect(self.button("factor.resend")).to_be_visible()
        return self.newest_code(before)

    def prove_factor(self) -> None:
        """②비밀번호 등록: SMS code and 보안매체 미소지고객 인증."""
        self.person.type_into(self.field("factor.code"), self.request_code())
        back = "factor.number_back_business" if len(self.who["idn"]) == 10 else "factor.number_back"
        number = self.who["idn"]
        self.person.type_into(self.field(back), number[6:] if len(number) == 13 else number[5:])
        self.person.type_into(self.field("factor.phone_back"), self.who["mobile"][-4:])
        self.person.press(self.button("registration.next"))
        expect(self.button("registration.register")).to_be_visible()

    def at_certificate(self) -> None:
        """From the login to ③."""
        self.log_in_by_id()
        self.start_anew()
        self.identify()
        self.prove_factor()

    def start_anew(self) -> None:
        """Leave a registration that an earlier journey of the same person finished or stopped."""
        if self.page.locator("form[action='/registration/identify']").count() == 0:
            self.open("/registration?new=1")

    def open_window(self, key: str = "registration.register") -> None:
        """Open the certificate window with its button, until it has taken the focus."""
        self.person.press(self.button(key))
        expect(self.vault.get_by_role("heading", name=self.say("vault.title"))).to_be_visible()
        expect(self.vault.locator("*:focus")).to_be_attached()

    def line(self, slug: str) -> Locator:
        """A certificate's radio button in the window."""
        found = certificate.parse(self.files(slug)[0].read_bytes())
        return self.vault.locator(f"input[type=radio][data-fingerprint='{found.fingerprint.hex()}']")

    def choose(self, slug: str) -> None:
        """Choose a certificate in the window's list with the arrow keys."""
        target = self.line(slug)
        expect(target).to_be_attached()
        target.focus()
        self.page.keyboard.press("Space")
        expect(target).to_be_checked()

    def window_says(self, code: str, **facts: str | int) -> str:
        """The window's sentence of a failure code."""
        own = f"vault.why-{code}"
        return self.say(own if has(own) else f"refusal.{code}", **facts)

    def pick(self, slug: str) -> None:
        """Pick a certificate's two files in the window, until its line is there."""
        self.pick_files(self.files(slug))
        expect(self.line(slug)).to_be_attached()

    def pick_files(self, files: list[Path] | Path, *, folder: bool = False) -> None:
        """Pick files, or a whole folder."""
        tab = self.vault.get_by_role("tab", name=self.say("vault.tab-files"))
        if tab.get_attribute("aria-selected") != "true":
            self.person.go_to(self.vault.get_by_role("tab", selected=True))
            self.page.keyboard.press("ArrowRight")
        name = self.say("vault.pick-folder" if folder else "vault.pick-files")
        self.person.choose_files(self.vault.get_by_role("button", name=name), files)

    def confirm(self, password: str | None = None) -> None:
        """Type the certificate password and press 확인."""
        field = self.vault.get_by_label(words(self.say("vault.password"))).first
        self.person.type_into(field, password or self.world.demo["certificate_password"])
        self.person.press(self.vault.get_by_role("button", name=self.say("vault.confirm"), exact=True))

    def answered(self, path: str = "/registration/certificate") -> tuple[str, str]:
        """확인, and what the server made of it: (route, code) of its refusal, once the page has come."""
        before = len(self.world.refusals())
        with self.page.expect_response(lambda one: one.url.endswith(path)):
            self.confirm()
        expect(self.page.locator("dialog")).to_have_count(0)
        self.page.wait_for_load_state()
        until = time.monotonic() + 15
        while len(self.world.refusals()) == before and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        return self.world.refusals()[-1]

    def agree_to_replace(self) -> None:
        """The yes to replacing, before signing."""
        box = self.page.get_by_role("checkbox", name=re.compile(".+"))
        if box.count():
            self.person.press(box.first, "Space")

    def register(self, slug: str = "securities") -> None:
        """The whole of 타기관인증서등록, from ① to ④."""
        self.at_certificate()
        self.agree_to_replace()
        self.open_window()
        self.pick(slug)
        self.confirm()

    def log_in_by_certificate(self, slug: str = "securities", then: str = "/loan") -> None:
        """공동인증서 로그인."""
        self.open(f"/login?way=cert&then={then}")
        self.open_window("login.enter_certificate")
        self.pick(slug)
        self.confirm()
