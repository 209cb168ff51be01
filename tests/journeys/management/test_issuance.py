"""재발급 on a phone, 발급현황 at both widths, and 범용 paid in the provider's window."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.conftest import SIZES
from tests.journeys.issuance.conftest import Handset, handset, phone  # noqa: F401 - fixtures
from tests.journeys.issuance.walk import PhoneWalk
from tests.journeys.person import tick
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

WHO = "jung"


def both_widths(at: Walk, name: str) -> list[str]:
    """The same screen on a PC and on a phone."""
    found: list[str] = []
    for width in (1280, 360):
        at.page.set_viewport_size(SIZES[width])
        found.extend(trouble(at.page, f"{name}-{width}-{at.lang}"))
    return found


def pays_what_is_owed(at: PhoneWalk) -> list[str]:
    """미납 수수료 on 발급현황, until it is paid; what was wrong on the screens."""
    owed = at.page.get_by_role("heading", name=at.say("payment.owed"), exact=True)

    def is_owed() -> bool:
        at.open("/issuance/progress")
        return owed.count() > 0

    at.until(is_owed)
    found = both_widths(at, "progress-owed")
    at.open("/management")
    to_pay = at.page.get_by_role("link", name=at.say("payment.owed_here_link"), exact=True)
    expect(to_pay).to_be_visible()
    found += both_widths(at, "management-owed")
    at.person.press(to_pay)
    expect(owed).to_be_visible()
    at.world.turn("party", "payment", "normal")
    at.person.press(at.page.get_by_role("button", name=at.say("payment.owed_press"), exact=True))
    window = at.page.get_by_role("link", name=at.say("payment.owed_open"), exact=True)
    expect(window).to_be_visible()
    expect(at.page.get_by_role("status").filter(has_text=at.say("payment.owed_open_lead"))).to_be_visible()
    found += both_widths(at, "progress-owed-open")
    at.person.press(window)
    at.page.locator("button[value=allow]").press("Enter")
    expect(at.page.get_by_role("status").filter(has_text=at.say("sandbox.pay_authorised"))).to_be_visible()
    at.page.get_by_role("link", name=at.say("sandbox.pay_back")).press("Enter")
    expect(at.page.get_by_text(at.say("payment.stage_captured"))).to_be_visible()
    expect(owed).to_have_count(0)
    paid = at.say("payment.owed_paid", n="4,400")
    expect(at.page.get_by_role("status").filter(has_text=paid)).to_be_visible()
    found += both_widths(at, "progress-owed-paid")
    assert sum(one["charges"] for one in at.world.get("/payments.json") if one["stage"] == "captured") == 1
    return found


def test_a_universal_certificate_is_paid_then_reissued_and_both_are_listed(
    phone: Callable[..., PhoneWalk],  # noqa: F811
    handset: Handset,  # noqa: F811
) -> None:
    handset.see(WHO, "licence")
    at = phone(WHO)
    at.to_card()
    at.to_details("licence")
    at.to_product()
    universal = at.page.get_by_role("radio", name=at.say("issuance.product_universal"))
    universal.press("Space")
    expect(universal).to_be_checked()
    tick(at.page.locator("#revoke"))
    found = trouble(at.page, "fee-choice-360-ko")
    at.person.press(at.page.get_by_role("button", name=at.say("payment.press", n="4,400"), exact=True))
    allow = at.page.locator("button[value=allow]")
    expect(allow).to_be_visible()
    allow.press("Enter")
    expect(at.page.get_by_role("status").filter(has_text=at.say("sandbox.pay_authorised"))).to_be_visible()
    at.page.get_by_role("link", name=at.say("sandbox.pay_back")).press("Enter")
    at.resume_key()
    at.at("task_product")
    expect(universal).to_be_checked()
    found += trouble(at.page, "fee-allowed-360-ko")
    at.world.turn("party", "payment", "refusing")  # what was allowed is not charged, though a certificate stands
    at.choose_product()
    first = at.issued()
    at.done()
    found += pays_what_is_owed(at)
    found += both_widths(at, "progress")
    at.open("/issuance/reissue")
    expect(at.page.get_by_text(first, exact=True)).to_be_visible()
    found += both_widths(at, "reissue")
    at.person.type_into(at.field("issuance.password"), at.who["password"])
    at.person.press(at.button("reissue.begin"))
    at.at("task_name")
    found += both_widths(at, "reissue-name")
    assert not found, "\n".join(found)


def test_without_a_certificate_the_way_to_a_new_one_is_shown(hurry: Callable[..., Walk]) -> None:
    at = hurry("mia", 1280)
    at.log_in_by_id(then="/issuance/reissue")
    expect(at.page.get_by_text(at.say("reissue.none"))).to_be_visible()
    found = both_widths(at, "reissue-none")
    at.open("/issuance/progress")
    found += both_widths(at, "progress-none")
    assert not found, "\n".join(found)
