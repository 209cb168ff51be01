"""The outside world misbehaves at every step, then behaves: each time the person is told, and the flow goes on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect
from tests.journeys.issuance.conftest import PAPER, Handset
from tests.journeys.issuance.walk import HERE, PhoneWalk
from tests.journeys.world import World

from ingam.sandbox import cards_web
from ingam.sandbox.people import person

NAME = {"off": "real-name-outage", "wrong-holder": "real-name-mismatch"}
PHONE = {
    "off": "phone-identity-outage",
    "carrier-mismatch": "phone-identity-mismatch",
    "wrong-holder": "phone-identity-mismatch",
}
CARD = {"off": "id-card-outage", "mismatch": "id-card-mismatch", "lost": "id-card-lost"}
BANK = {"off": "bank-outage", "closed": "bank-closed", "wrong-holder": "onewon-holder-mismatch"}

# What a browser says of an answer that was cut on its way.
CUT = "Failed to load resource: net::ERR_FAILED"


def told_of(at: PhoneWalk, party: str, faults: dict[str, str], act: Callable[[], None]) -> None:
    """With each fault of a party the same act is refused in its own words; afterwards the party behaves."""
    for position, code in faults.items():
        at.world.turn("party", party, position)
        act()
        at.refused(code)
    at.world.turn("party", party, "normal")


def test_every_party_fails_once_and_the_person_comes_through(
    phone: Callable[..., PhoneWalk], handset: Handset, normal: World
) -> None:
    at = phone("jung")
    at.begin()
    told_of(at, "real-name", NAME, at.give_name)
    at.give_name()
    at.at("task_identity")
    told_of(at, "phone-identity", PHONE, lambda: void(at.ask_code()))
    phone_of_another_person(at)
    wrong_photographs(at, handset)
    at.photograph()
    at.correct()
    told_of(at, "id-card", CARD, at.confirm_card)
    at.confirm_card()
    at.at("task_account")
    told_of(at, "bank", BANK, at.ask_one_won)
    wrong_digits(at)
    an_answer_that_is_lost(at)
    at.at("task_details")
    no_addresses(at)
    at.to_product()
    at.choose_product()
    at.issued()


def void(_result: object) -> None:
    """For an act whose result is not looked at."""


def phone_of_another_person(at: PhoneWalk) -> None:
    """A wrong code, then the agency names somebody else, then the person asks anew."""
    before = at.ask_code()
    at.at("task_otp")
    code = at.newest_code(before)
    at.give_code(f"{(int(code) + 1) % 1_000_000:06d}")
    at.refused("phone-identity-wrong", n=4)
    at.world.turn("party", "phone-identity", "other-person")
    at.give_code(code)
    at.refused("identity-mismatch")
    at.world.turn("party", "phone-identity", "normal")
    at.page.get_by_text(at.say("issuance.other_phone"), exact=True).click()
    before = at.ask_code()
    code = at.newest_code(before)
    at.at("task_otp")
    at.give_code(code)
    at.at("task_card")


def wrong_photographs(at: PhoneWalk, handset: Handset) -> None:
    """An empty sheet before the camera, and three files; then the card lies there."""
    handset.lay(PAPER)
    at.press("cam_start")
    at.not_read("card-unreadable", lambda: at.press("cam_shoot"))
    screen, other = at.page.screenshot(), cards_web.drawn(person("jung"), "licence")
    at.not_read("card-unreadable", lambda: at.upload("screen.png", "image/png", screen))
    at.not_read("card-wrong-kind", lambda: at.upload("licence.png", "image/png", other))
    at.upload("note.txt", "text/plain", b"not a picture")
    at.said_at_camera(at.say("issuance.cam_file_bad"))
    handset.see("jung")
    at.page.reload()


def wrong_digits(at: PhoneWalk) -> None:
    """Five wrong numbers void the 1원."""
    at.ask_one_won()
    at.at("task_onewon")
    wrong = f"{(int(at.digits()) + 1) % 10_000:04d}"
    for left in range(4, 0, -1):
        at.give_code(wrong)
        at.refused("onewon-wrong", n=left)
    at.give_code(wrong)
    at.at("task_account")
    at.refused("onewon-expired")


def an_answer_that_is_lost(at: PhoneWalk) -> None:
    """The 1원 arrived and the bank's answer did not: it is asked about, and its digits are good."""
    before = len(at.world.get(f"/bank/{at.who['key']}.json"))
    at.world.turn("party", "bank", "unclear")
    at.prove_account()
    at.world.turn("party", "bank", "normal")
    assert len(at.world.get(f"/bank/{at.who['key']}.json")) == before + 1


def no_addresses(at: PhoneWalk) -> None:
    """The search is down, then finds nothing."""
    for position, text in {"off": "refusal.address-outage", "empty": "issuance.address_none"}.items():
        at.world.turn("party", "address", position)
        expect(at.search_address("시험로")).to_contain_text(at.say(text))
    at.world.turn("party", "address", "normal")


def test_whoever_is_interrupted_goes_on_with_the_password_where_the_last_step_ended(
    phone: Callable[..., PhoneWalk], handset: Handset, complaints: list[str]
) -> None:
    handset.see("han")
    at = phone("han")
    at.to_card()
    gone_and_back(at, "task_card")
    at.to_details()
    gone_and_back(at, "task_details")
    at.to_product()
    at.page.reload()
    at.resume_key()
    at.at("task_product")
    lost_on_the_way(at)
    at.resume_key()
    serial = at.issued()
    assert serials(at) == [serial]
    complaints[:] = [one for one in complaints if not one.startswith(CUT)]


def gone_and_back(at: PhoneWalk, task: str) -> None:
    """The session ended; who logs in again on this device is asked for the banking password, then goes on."""
    at.lost_session()
    at.log_in_by_id(then=HERE)
    at.at("task_resume")
    expect(at.page.get_by_text(at.say("issuance.resumable"))).to_be_visible()
    at.enter_password()
    at.at(task)


def lost_on_the_way(at: PhoneWalk) -> None:
    """[확인] at ⑥; the certificate's way back is cut after the authority issued it, and the page is loaded again."""
    carried: list[int] = []

    def cut(route: Route) -> None:
        carried.append(route.fetch().status)
        route.abort()

    at.page.route(f"**{HERE}/carry", cut)
    at.choose_product()
    expect(at.page.get_by_role("button", name=at.say("vault.issue-again"), exact=True)).to_be_visible()
    assert carried[0] == 200
    at.page.unroute(f"**{HERE}/carry")
    at.page.reload()
    at.at("task_fetching")


def serials(at: PhoneWalk) -> list[str]:
    """Of every certificate that the authority has for the person, as 마이뱅크 lists them."""
    at.open("/mybank")
    issued = at.page.get_by_role("region", name=at.say("mybank.issued"))
    return [one.inner_text().lower() for one in issued.get_by_role("article").locator("code").all()]
