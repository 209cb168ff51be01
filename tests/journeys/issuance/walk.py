"""What a person does at 신규공동인증서신청 on a phone, by roles and visible labels."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, FrameLocator, Locator, expect
from tests.journeys.person import Person, tick, words
from tests.journeys.walks import Walk
from tests.journeys.world import World

from ingam.ports.bank import BANKS

HERE = "/issuance/new"
PASSWORD = "Seal-of-2026!k"
MVNO = "_MVNO"
_CARRIERS = {"SKT": "SKT", "KT": "KT", "LGU": "LG U+"}


class PhoneWalk(Walk):
    """A person at a phone. `look` is told every screen by name as it comes; `misread`: fields of the card."""

    def __init__(self, person: Person, world: World, who: str, lang: str = "ko") -> None:
        super().__init__(person, world, who, lang)
        self.look: Callable[[str], None] = lambda _screen: None
        self.misread: list[str] = []

    @property
    def frame(self) -> FrameLocator:
        """The vault's frame in the page of ⑤ and ⑥."""
        return self.page.frame_locator("section[data-issue] iframe")

    def at(self, task: str) -> None:
        """The screen whose heading says this has come."""
        expect(self.page.get_by_role("heading", level=1, name=self.say(f"issuance.{task}"))).to_be_visible()

    def in_frame(self, key: str) -> Locator:
        """A button of the vault's."""
        return self.frame.get_by_role("button", name=self.say(f"vault.{key}"), exact=True)

    def press(self, key: str) -> None:
        """A button of the center's page."""
        self.person.press(self.button(f"issuance.{key}"))

    def refused(self, code: str, **facts: str | int) -> None:
        """The page says why, in the words of a code."""
        expect(self.page.locator("[data-error-summary]")).to_contain_text(self.say(f"refusal.{code}", **facts))

    def agree(self) -> None:
        """Tick every document of this screen."""
        together = self.page.get_by_role("checkbox", name=self.say("terms.agree_all"), exact=True)
        if together.count():
            tick(together)
        for box in self.page.locator("[data-consents] li").get_by_role("checkbox").all():
            tick(box)

    def choose_word(self, text: str) -> None:
        """One of a few short words."""
        self.page.locator("label", has=self.page.get_by_role("radio", name=text, exact=True)).click()

    def lost_session(self) -> None:
        """The session is gone, as after a closed browser; the device is still known."""
        self.page.context.clear_cookies(name="ingam-center")

    # ── before ① ──

    def begin(self) -> None:
        """아이디 로그인, and the banking password again (M1)."""
        self.log_in_by_id(then=HERE)
        if self.page.get_by_role("link", name=self.say("issuance.login"), exact=True).count():
            self.open(f"{HERE}?new=1")  # an earlier journey of the same person in this world
        self.at("task_password")
        self.look("0-password")
        self.enter_password()

    def enter_password(self) -> None:
        """The banking password, before a run and at a resume."""
        self.person.type_into(self.field("issuance.password"), self.who["password"])
        self.press("ok")

    # ── ①본인확인 ──

    def give_name(self) -> None:
        """The documents, name and number, [실명확인]."""
        self.at("task_name")
        self.agree()
        self.person.type_into(self.field("issuance.name"), self.who["name"])
        self.person.type_into(self.field("issuance.idn"), self.who["idn"])
        self.press("check_name")

    def ask_code(self) -> int:
        """휴대폰본인인증: number, carrier, way, [인증요청]; how many messages the phone had before."""
        before = len(self.inbox())
        carrier = self.who["carrier"]
        name = _CARRIERS[carrier.removesuffix(MVNO)]
        self.person.type_into(self.field("issuance.mobile"), self.who["mobile"])
        self.choose_word(self.say("issuance.mvno", carrier=name) if carrier.endswith(MVNO) else name)
        self.agree()
        self.press("ask")
        return before

    def newest_code(self, after: int) -> str:
        """The six digits that the carrier's agency sent."""
        return self.newest(after, r"\b(\d{6})\b")

    def newest(self, after: int, pattern: str) -> str:
        """What the newest SMS says, once there are more than `after`."""
        found = self.until(lambda: self.inbox()[:1] if len(self.inbox()) > after else [])
        match = re.search(pattern, found[0]["text"])
        assert match is not None, found[0]["text"]
        return match[1]

    def give_code(self, code: str) -> None:
        """The code and [확인]."""
        self.person.type_into(self.field("issuance.code"), code)
        self.press("ok")

    def prove_phone(self) -> None:
        """휴대폰본인인증 from the number to the code."""
        before = self.ask_code()
        self.at("task_otp")
        self.look("1-code")
        self.give_code(self.newest_code(before))

    # ── ②신분증 촬영 ──

    def photograph(self, kind: str = "resident") -> None:
        """촬영 시작; the camera takes the card by itself once it lies well."""
        self.at("task_card")
        self.choose_word(self.say(f"issuance.card_{kind}"))
        self.press("cam_start")
        self.at("task_card_fields")

    def printed(self, kind: str) -> dict[str, str]:
        """What stands on the card."""
        idn = self.who["idn"]
        if kind == "resident":
            issued = self.who["resident_card"]["issued_on"].replace("-", "")
            return {"name": self.who["name"], "number_front": idn[:7], "issued_on": issued}
        born = ("20" if idn[6] in "3478" else "19") + idn[:6]
        return {"name": self.who["name"], "birth_date": born, "licence_number": self.who["licence"]["number"]}

    def correct(self, kind: str = "resident") -> list[str]:
        """Compare every field that was read with the card, and type it where it differs; which ones those were."""
        wrong = []
        for name, right in self.printed(kind).items():
            field = self.page.locator(f"[name={name}]")
            if _bare(field.input_value()) != _bare(right):
                wrong.append(name)
                self.person.type_into(field, right)
        return wrong

    def confirm_card(self) -> None:
        """[확인] of the fields."""
        self.agree()
        self.press("ok")

    def not_read(self, code: str, act: Callable[[], None]) -> None:
        """A photograph is sent, and what is said of it over the buttons of the camera."""
        with self.page.expect_response(lambda one: f"{HERE}/card?" in one.url):
            act()
        self.said_at_camera(self.say(f"refusal.{code}"))

    def said_at_camera(self, text: str) -> None:
        """Aloud, over the buttons."""
        expect(self.page.get_by_role("alert").filter(visible=True)).to_have_text(text)

    def upload(self, name: str, kind: str, picture: bytes) -> None:
        """저장된 사진 올리기."""
        file: FilePayload = {"name": name, "mimeType": kind, "buffer": picture}
        self.page.get_by_label(self.say("issuance.cam_file"), exact=True).set_input_files(file)

    # ── ③1원 인증 ──

    def ask_one_won(self) -> None:
        """Bank and account, [인증요청]."""
        bank = next(one for one in BANKS if one.code == self.who["bank"]["bank_code"])
        self.agree()
        self.field("issuance.bank").select_option(label=bank.ko if self.lang == "ko" else bank.en)
        self.person.type_into(self.field("issuance.account"), self.who["bank"]["account"])
        self.press("ask")

    def digits(self) -> str:
        """The four digits on the statement of the account."""
        (newest, *_) = self.world.get(f"/bank/{self.who['key']}.json")
        found = re.search(r"\d{4}", newest["print_content"])
        assert found is not None
        return found[0]

    def prove_account(self) -> None:
        """1원, and its digits."""
        self.ask_one_won()
        self.at("task_onewon")
        self.look("3-digits")
        self.give_code(self.digits())

    # ── ④고객정보입력 ──

    def search_address(self, keyword: str) -> Locator:
        """주소찾기; the word over the list."""
        dialog = self.page.get_by_role("dialog", name=self.say("issuance.find_address"))
        if not dialog.is_visible():
            self.press("find_address")
        self.person.type_into(self.field("issuance.address_keyword"), keyword)
        self.press("address_search")
        return dialog.get_by_role("status")

    def choose_address(self) -> None:
        """The first of the list."""
        dialog = self.page.get_by_role("dialog", name=self.say("issuance.find_address"))
        self.person.press(dialog.get_by_role("listitem").first.get_by_role("button"))
        expect(dialog).to_be_hidden()
        self.person.type_into(self.field("issuance.detail"), "101동 202호")

    def fill_details(self) -> None:
        """An address that is searched for, and no telephone at home."""
        self.search_address("시험로")
        expect(self.page.locator("dialog[data-addresses] li").first).to_be_visible()
        self.look("4-addresses")
        self.choose_address()
        tick(self.page.get_by_role("checkbox", name=self.say("issuance.home_phone_none")))

    # ── ⑤ and ⑥ ──

    def make_key(self) -> None:
        """⑤: the certificate password, twice."""
        self.at("task_key")
        self.frame.get_by_label(self.say("vault.issue-password"), exact=True).fill(PASSWORD)
        self.frame.get_by_label(self.say("vault.issue-password-again"), exact=True).fill(PASSWORD)
        self.look("5-key")
        self.person.press(self.in_frame("issue-go"))
        self.at("task_product")

    def resume_key(self) -> None:
        """The certificate password after a reload."""
        self.frame.get_by_label(self.say("vault.password"), exact=True).fill(PASSWORD)
        self.person.press(self.in_frame("issue-go-on"))

    def choose_product(self) -> None:
        """⑥: the end of the old certificate is understood, [확인]."""
        tick(self.page.locator("#revoke"))
        self.look("6-product")
        self.press("ok")

    def issued(self) -> str:
        """The vault has it; its serial number, lower hex."""
        serial = self.frame.locator("[data-fact=serial]")
        expect(serial).to_be_visible()
        self.look("7-issued")
        return serial.inner_text().lower()

    def done(self) -> None:
        """완료: the center's own last screen."""
        self.person.press(self.in_frame("issue-done"))
        expect(self.page.get_by_role("link", name=self.say("issuance.login"), exact=True)).to_be_visible()
        self.look("8-done")

    # ── and afterwards ──

    def log_in_by_new_certificate(self) -> None:
        """공동인증서 로그인 from the last screen, with what the vault keeps."""
        self.person.press(self.page.get_by_role("link", name=self.say("issuance.login"), exact=True))
        self.open_window("login.enter_certificate")
        tab = self.vault.get_by_role("tab", selected=True)
        expect(tab).to_have_text(self.say("vault.tab-browser"))
        expect(self.vault.get_by_role("radio")).to_be_checked()
        self.look("9-window")
        field = self.vault.get_by_label(words(self.say("vault.password"))).first
        self.person.type_into(field, PASSWORD)
        self.person.press(self.vault.get_by_role("button", name=self.say("vault.confirm"), exact=True))
        expect(self.page).to_have_url(self.world.center + "/loan")

    # ── whole stretches ──

    def to_card(self) -> None:
        """From the login to ②."""
        self.begin()
        self.at("task_name")
        self.look("1-name")
        self.give_name()
        self.at("task_identity")
        self.look("1-identity")
        self.prove_phone()
        self.at("task_card")

    def to_details(self, kind: str = "resident") -> None:
        """From ② to ④, with what the camera sees."""
        self.photograph(kind)
        self.look("2-read")
        self.misread = self.correct(kind)
        self.confirm_card()
        self.at("task_account")
        self.look("3-account")
        self.prove_account()
        self.at("task_details")

    def to_product(self) -> None:
        """④ and ⑤."""
        self.look("4-details")
        self.fill_details()
        self.press("issue")
        self.make_key()


def _bare(text: str) -> str:
    """Without what only groups digits and words."""
    return re.sub(r"[\s.\-]", "", text)
