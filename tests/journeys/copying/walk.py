"""What a person does at 인증서복사 on one device, by roles and visible labels."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from playwright.sync_api import FrameLocator, Locator, expect
from playwright.sync_api import TimeoutError as Unanswered
from tests.journeys.person import Hurried, enter, words
from tests.journeys.walks import Walk
from tests.journeys.world import World

Here = Literal["pc", "phone"]
RECEIVE: dict[Here, str] = {"pc": "to_pc", "phone": "from_pc"}
SEND: dict[tuple[Here, Here], str] = {
    ("pc", "phone"): "to_phone",
    ("pc", "pc"): "pc_to_pc",
    ("phone", "pc"): "out_to_pc",
    ("phone", "phone"): "out_to_phone",
}


class CopyWalk(Walk):
    """A person of the demo at one of two devices."""

    def __init__(self, person: Hurried, world: World, here: Here, who: str = "hong", lang: str = "ko") -> None:
        super().__init__(person, world, who, lang)
        self.here: Here = here

    @property
    def frame(self) -> FrameLocator:
        """The vault's frame in the page of a copy."""
        return self.page.frame_locator("section[data-copy] iframe")

    def of_vault(self, key: str) -> Locator:
        """A button of the vault's."""
        return self.frame.get_by_role("button", name=self.say(f"vault.{key}"), exact=True)

    def press(self, key: str) -> None:
        """A button of the vault's, by its key: under a pointer the frame may move it away."""
        enter(self.of_vault(key))

    def _way(self, name: str) -> None:
        """A line of the page 인증서복사, from the menu's own address."""
        if self.page.url == "about:blank":
            self.log_in_by_id(then="/copying")
        else:
            self.open("/copying")
        self.page.get_by_role("link", name=words(self.say(f"copying.{name}"))).click()

    # ── receiving ──

    def receive(self) -> None:
        """The receiving page, until it shows a number."""
        self._way(RECEIVE[self.here])
        expect(self.frame.locator(".copy-digits")).to_be_visible()

    @property
    def number(self) -> str:
        """The twelve digits on the screen."""
        expect(self.frame.locator(".copy-digits")).to_be_visible()
        return "".join(self.frame.locator(".copy-digits").inner_text().split())

    # ── sending ──

    def send(self, there: Here, *, slug: str = "securities", known: bool) -> None:
        """① C3's question, ② the SMS where the device is new, ③ the certificate and its password."""
        self._way(SEND[self.here, there])
        before = len(self.inbox())
        self.button("copying.yes").click()
        if not known:
            self.prove(before)
        self.choose(slug)
        expect(self.of_vault("copy-connect")).to_be_visible()

    def to_factor(self, there: Here) -> None:
        """① C3's question, up to ②; of a device that is new."""
        self._way(SEND[self.here, there])
        self.button("copying.yes").click()
        expect(self.button("factor.request_code")).to_be_visible()

    def call(self) -> str:
        """②: 2채널 인증, to the mobile telephone; the digits of the screen."""
        self.page.locator("label[for=method-ars]").click()
        self.button("factor.request_call").click()
        digits = self.page.locator(".call-code strong")
        expect(digits).to_be_visible()
        return digits.inner_text()

    def prove(self, before: int) -> None:
        """②: the code of the SMS."""
        self.button("factor.request_code").click()
        code = self.newest_code(before)
        self.page.get_by_label(words(self.say("factor.code"))).first.fill(code)
        self.button("copying.next").click()

    def choose(self, slug: str) -> None:
        """③: what the vault keeps, or the files; the password; on."""
        expect(self.frame.get_by_role("heading", name=self.say("vault.purpose-copy-out"))).to_be_visible()
        if self.frame.locator("input[type=radio]").count() == 0:
            with self.page.expect_file_chooser() as chooser:
                self.press("pick-files")
            chooser.value.set_files(self.files(slug))
        self.frame.get_by_label(words(self.say("vault.password"))).first.fill(self.world.demo["certificate_password"])
        self.press("copy-next")

    def type(self, number: str) -> None:
        """④: the number that the other device shows."""
        self.frame.locator("#number-1").press_sequentially(number)
        self.press("copy-connect")

    def until_inbox(self, count: int) -> None:
        """Wait until the phone has received so many messages."""
        self.until(lambda: len(self.inbox()) >= count)

    # ── both ──

    @property
    def words(self) -> str:
        """The check words in both languages, in whatever order."""
        expect(self.frame.locator(".copy-words")).to_be_visible()
        return " ".join(
            sorted(self.frame.locator(".copy-words").inner_text().replace("(", "").replace(")", "").split())
        )

    def agree(self, other: CopyWalk) -> None:
        """The words are the same on both, and the sender says so."""
        assert self.words == other.words
        self.press("copy-agree")

    def done(self) -> None:
        """복사 완료 in the frame, and after 완료 what may be done next on the page."""
        expect(self.frame.locator("#copied")).to_have_text(self.say("vault.copy-copied"))
        # It takes its own frame away, which then may never tell the driver that it was pressed: the page tells it.
        with suppress(Unanswered):
            self.press("copy-done")
        said = "copying.received" if "/receive" in self.page.url else "copying.copied"
        expect(self.page.get_by_role("status").filter(has_text=self.say(said))).to_be_visible()

    def log_in_with_what_came(self) -> None:
        """공동인증서 로그인 on the receiving device, from the last screen on, with the certificate in this browser."""
        self.page.get_by_role("link", name=self.say("copying.login"), exact=True).click()
        self.open_window("login.enter_certificate")
        self.confirm()
        expect(self.page).to_have_url(self.world.center + "/loan")


def by_number(sender: CopyWalk, receiver: CopyWalk, *, known: bool) -> None:
    """The whole of a copy by number, from two devices that are logged in or not, to both last screens."""
    receiver.receive()
    sender.send(receiver.here, known=known)
    sender.type(receiver.number)
    sender.agree(receiver)
    receiver.done()
    sender.done()
