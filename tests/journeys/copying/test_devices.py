"""인증서복사 through the whole of `make run`, from one real browser to another, to a login with what was copied."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Route, expect
from tests.journeys.copying.conftest import Handset
from tests.journeys.copying.walk import CopyWalk, by_number

# On one worker: what is copied is registered once.
pytestmark = pytest.mark.xdist_group("copying")

Open = Callable[..., CopyWalk]


def test_by_number_from_the_pc_to_the_phone_and_from_the_phone_to_another_pc(device: Open) -> None:
    pc, phone, other = device("pc"), device("phone"), device("pc")
    by_number(pc, phone, known=False)
    phone.log_in_with_what_came()
    by_number(phone, other, known=False)
    other.log_in_with_what_came()


def test_by_qr_from_the_pc_to_the_phone_and_from_the_phone_to_another_pc(device: Open, handset: Handset) -> None:
    pc, phone, other = device("pc", "en"), device("phone", "en"), device("pc", "en")
    phone.receive()
    pc.send("phone", known=False)
    pc.press("copy-show-qr")
    expect(pc.frame.locator(".copy-qr svg")).to_be_visible()
    handset.look_at(pc.frame.locator(".copy-qr"))
    phone.press("copy-scan-pc")
    pc.agree(phone)
    phone.done()
    pc.done()
    phone.log_in_with_what_came()
    other.receive()
    handset.look_at(other.frame.locator(".copy-qr"))
    phone.send("pc", known=False)
    phone.press("copy-scan")
    phone.agree(other)
    other.done()
    phone.done()
    other.log_in_with_what_came()


def test_C3_the_person_is_told_at_the_registered_telephone_once(device: Open) -> None:
    pc, phone = device("pc"), device("phone")
    before = len(pc.inbox())
    by_number(pc, phone, known=False)
    pc.until_inbox(before + 3)  # the code, that it begins, and that it is done
    came = [one["text"] for one in pc.inbox()[: len(pc.inbox()) - before]]
    assert sum("복사되었습니다" in text for text in came) == 1


def test_C3_another_receiver_under_the_finger_takes_the_answers_away_for_a_moment(device: Open) -> None:
    pc, phone, other = device("pc"), device("phone"), device("phone")
    phone.receive()
    pc._way("to_phone")
    expect(pc.button("copying.yes")).to_be_enabled()
    other.receive()
    expect(pc.page.get_by_role("alert").filter(has_text=pc.say("refusal.copy-receiver-changed"))).to_be_visible()
    expect(pc.button("copying.yes")).to_be_disabled()
    expect(pc.button("copying.no")).to_be_disabled()
    expect(pc.button("copying.no")).to_be_enabled()
    pc.button("copying.no").click()
    expect(pc.page.get_by_role("alert").filter(has_text=pc.say("copying.stopped"))).to_be_visible()


def test_C2_a_phone_that_both_ends_say_received_is_known_the_next_time(device: Open) -> None:
    pc, phone = device("pc"), device("phone")
    by_number(pc, phone, known=False)
    phone.receive()
    pc.send("phone", known=True)


def test_a_code_that_is_there_before_the_answer_that_it_was_sent_is_taken(device: Open) -> None:
    pc, phone = device("pc"), device("phone")
    phone.receive()
    pc.to_factor("phone")
    held: list[tuple[Route, APIResponse]] = []
    pc.page.route("**/copying/send/code", lambda route: held.append((route, route.fetch())))
    pc.prove(len(pc.inbox()))
    expect(pc.frame.get_by_role("heading", name=pc.say("vault.purpose-copy-out"))).to_be_visible()
    [(route, answer)] = held
    route.fulfill(response=answer)
    pc.choose("securities")
    expect(pc.of_vault("copy-connect")).to_be_visible()


def test_C3_a_device_that_is_not_at_hand_gets_nothing_and_is_logged_out(device: Open) -> None:
    pc, stranger = device("pc"), device("phone")
    stranger.receive()
    pc._way("to_phone")
    pc.button("copying.no").click()
    expect(pc.page.get_by_role("alert").filter(has_text=pc.say("copying.stopped"))).to_be_visible()
    stranger.open("/copying/receive")
    expect(stranger.page).not_to_have_url(stranger.world.center + "/copying/receive")


def test_C3_a_no_takes_the_number_away_from_the_receiver_at_once_and_says_why(device: Open) -> None:
    pc, phone = device("pc"), device("phone")
    phone.receive()
    phone.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    pc._way("to_phone")
    pc.button("copying.no").click()
    over = phone.page.get_by_role("alert").filter(has_text=phone.say("copying.denied", tel="1544-0000"))
    expect(over).to_be_in_viewport()
    expect(over).to_be_focused()
    expect(phone.page.locator("section[data-copy] iframe")).to_have_count(0)
