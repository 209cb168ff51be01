"""인증서복사 to a new device, approved by a call in place of the SMS: answered on the telephone of the sandbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.copying.walk import CopyWalk
from tests.journeys.telephone import Telephone

# On one worker: what is copied is registered once.
pytestmark = pytest.mark.xdist_group("copying")


def test_a_copy_to_a_new_device_is_approved_by_a_call(device: Callable[..., CopyWalk]) -> None:
    pc, phone = device("pc"), device("phone")
    phone.receive()
    before = len(pc.inbox())
    pc.to_factor("phone")
    telephone = Telephone(pc.world, pc.who["mobile"])
    pc.call()
    telephone.ringing()
    telephone.act("decline")
    expect(pc.page.locator("[data-copy-call-end]")).to_be_focused()
    pc.page.locator(".call-code strong").wait_for(state="hidden")
    digits = pc.call()
    call = telephone.ringing()
    telephone.act("answer")
    expect(pc.page.locator(".call-state")).to_have_text(pc.say("factor.call-answered"))
    heard = " ".join(pc.world.get(f"/phone/{pc.who['mobile']}/call.json")["call"]["said"])
    assert pc.say("notice.purpose-copy-out") in heard and digits not in str(call["keyed"])
    for digit in digits:
        telephone.act("key", key=digit)
    pc.choose("securities")  # what was approved goes on by itself
    pc.type(phone.number)
    pc.agree(phone)
    phone.done()
    pc.done()
    pc.until_inbox(before + 2)  # that it begins, and that it is done: no code was sent
    assert not any("@localhost #" in one["text"] for one in pc.inbox()[: len(pc.inbox()) - before])


def test_zero_on_the_telephone_stops_the_copy_before_anything_is_sent(device: Callable[..., CopyWalk]) -> None:
    pc, phone = device("pc"), device("phone")
    phone.receive()
    pc.to_factor("phone")
    pc.call()
    Telephone(pc.world, pc.who["mobile"]).answer("0")
    for end in (pc, phone):
        said = end.page.locator("[data-copy-why]").filter(has_text=end.say("refusal.ars-refused"))
        expect(said.first).to_be_visible()
        expect(end.page.locator("section[data-copy] iframe")).to_have_count(0)
