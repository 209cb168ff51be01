"""Whatever stops a copy has its sentence on both screens; without storage nobody says 복사 완료 (C8, C13, C14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.journeys.person import enter
from tests.journeys.vault_copy.bench import Bench
from tests.journeys.vault_copy.device import Device
from tests.journeys.vault_copy.test_straight import through

NO_STORAGE = "if (window !== top) indexedDB.open = () => { throw new DOMException('no', 'SecurityError') }"
# The trial succeeds, and then there is no room for a record.
NO_ROOM = """if (window !== top) {
  const put = IDBObjectStore.prototype.put
  IDBObjectStore.prototype.put = function (value, key) {
    if (this.name === 'records') throw new DOMException('full', 'QuotaExceededError')
    return key === undefined ? put.call(this, value) : put.call(this, value, key)
  }
}"""


def two(device: Callable[..., Device], script: str = "") -> tuple[Device, Device]:
    """A sender that has proved, and a receiver that shows a number."""
    sender, receiver = device("pc"), device("phone", script=script)
    receiver.open("receive")
    sender.prove()
    return sender, receiver


def wrong(number: str) -> str:
    """The right mailbox, another secret."""
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def test_C8_M_COPY_03_a_wrong_secret_ends_the_run_on_both_screens_and_another_number_works(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = two(device)
    first = receiver.number
    sender.type(wrong(first))
    sender.ended("copy-wrong-number")
    receiver.ended("copy-wrong-number")
    assert receiver.stored() == []
    enter(receiver.button("copy-again"))
    enter(sender.button("copy-again"))
    assert receiver.number != first
    through(sender, receiver)
    # What was proved held for the second number.
    assert bench.kinds("send").count("proved") == 1


def test_C8_the_first_number_is_of_no_more_use_after_its_run(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device)
    number = receiver.number
    sender.type(wrong(number))
    sender.ended("copy-wrong-number")
    enter(sender.button("copy-again"))
    sender.type(number)
    expect(sender.vault.locator("[role=alert].alert")).to_be_visible()
    assert receiver.stored() == []


def test_M_COPY_03_a_number_that_nobody_shows_is_refused_and_asked_for_again(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = two(device)
    number = receiver.number
    sender.type(f"{(int(number[0]) + 1) % 10}{number[1:]}")
    sender.ended("copy-number-unknown")
    enter(sender.button("copy-again"))
    through(sender, receiver)


def test_twelve_digits_are_asked_for_before_anything_begins(bench: Bench, device: Callable[..., Device]) -> None:
    sender = device("pc")
    sender.prove()
    sender.type("12345")
    expect(sender.vault.locator("#number-wrong")).to_have_text(sender.say("copy-number-short"))
    expect(sender.vault.locator("#number-2")).to_be_focused()
    assert "wanted" not in bench.kinds("send")


def test_M_COPY_04_a_number_that_runs_out_is_replaced_by_another(bench: Bench, device: Callable[..., Device]) -> None:
    bench.ttl = 120
    receiver = device("phone")
    receiver.page.clock.install()
    receiver.open("receive")
    first = receiver.number
    receiver.page.clock.fast_forward("02:01")
    expect(receiver.vault.get_by_text(receiver.why("copy-expired"))).to_be_visible()
    enter(receiver.button("copy-another"))
    assert receiver.number != first


def test_another_number_takes_the_place_of_the_one_that_is_shown(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device)
    first = receiver.number
    enter(receiver.button("copy-another"))
    receiver.until(lambda: receiver.number != first)
    through(sender, receiver)


def test_M_COPY_10_only_registered_certificates_can_be_chosen_also_out_of_a_pfx(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender = device("pc")
    sender.open("send")
    sender.bring(bench.renewed)
    sender.vault.get_by_role("radio").first.check(force=True)
    expect(sender.vault.locator("#why")).to_have_text(sender.say("copy-why-copy-not-registered"))
    expect(sender.vault.get_by_label(sender.say("password"), exact=True)).to_be_hidden()
    enter(sender.button("copy-next"))
    sender.pick(bench.renewed.pfx(sender.folder / "other.pfx"))
    sender.vault.get_by_text("other.pfx").click()
    sender.choose()
    expect(sender.vault.locator(".choose-main > [role=alert]")).to_have_text(sender.say("copy-why-copy-not-registered"))
    assert bench.kinds("send") == ["ready"]


def test_C11_a_pfx_is_copied_with_its_key_and_password(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = device("pc"), device("phone")
    receiver.open("receive")
    sender.open("send")
    sender.pick(bench.pair.pfx(sender.folder / "mine.pfx"))
    sender.choose()
    through(sender, receiver)
    receiver.vault.locator("#try-password").fill("Gold!seal-2026x")
    enter(receiver.button("copy-try"))
    expect(receiver.vault.get_by_text(receiver.say("copy-tried"))).to_be_visible()


def test_a_proof_that_the_center_does_not_take_leads_back_to_the_choice(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender = device("pc")
    bench.faults.proof = "cert-revoked"
    sender.open("send")
    sender.bring(bench.pair)
    sender.choose()
    expect(sender.vault.locator(".choose-main > [role=alert]")).to_be_visible()
    bench.faults.proof = None
    sender.choose()
    expect(sender.button("copy-connect")).to_be_visible()
    # The first challenge was spent.
    assert bench.kinds("send") == ["ready", "proved", "expired", "proved"]


def test_a_challenge_that_ran_out_is_renewed_by_itself(bench: Bench, device: Callable[..., Device]) -> None:
    bench.life = timedelta(seconds=5)
    sender = device("pc")
    sender.prove()
    assert bench.kinds("send") == ["ready", "expired", "proved"]


def test_C14_the_centers_no_is_told_on_both_screens_and_nothing_is_stored(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = two(device)
    bench.faults.arrived = "bound-to-other"
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.agree()
    receiver.ended("bound-to-other")
    sender.ended("copy-peer-bound-to-other")
    assert receiver.stored() == []


def test_M_COPY_08_what_is_there_is_replaced_only_after_a_yes(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device)
    through(sender, receiver)
    before = receiver.stored()
    for answer in ("copy-replace-no", "copy-replace-yes"):
        receiver.open("receive")
        number = receiver.number
        sender.prove()
        sender.type(number)
        assert sender.words == receiver.words
        sender.agree()
        expect(receiver.vault.get_by_role("heading", name=receiver.say("copy-replace-title"))).to_be_visible()
        expect(sender.vault.locator(".progress")).to_contain_text(sender.say("copy-asking"))
        enter(receiver.button(answer))
        if answer == "copy-replace-no":
            receiver.ended("replace-declined")
            sender.ended("copy-peer-replace-declined")
            assert receiver.stored() == before
    receiver.copied()
    sender.copied()
    (record,) = receiver.stored()
    assert record["id"] != before[0]["id"]


def test_M_COPY_08_a_renewed_certificate_takes_the_place_of_the_older_one_after_a_yes(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = two(device)
    through(sender, receiver)
    bench.bound = [bench.renewed.fingerprint]
    receiver.open("receive")
    number = receiver.number
    sender.prove(bench.renewed)
    sender.type(number)
    assert sender.words == receiver.words
    sender.agree()
    for title in ("copy-replace-here", "copy-replace-came"):
        expect(receiver.vault.get_by_role("heading", name=receiver.say(title))).to_be_visible()
    enter(receiver.button("copy-replace-yes"))
    receiver.copied()
    sender.copied()
    assert [one["certificate"] for one in receiver.stored()] == [bench.renewed.certificate.hex()]


def test_M_COPY_09_without_storage_no_number_is_shown(bench: Bench, device: Callable[..., Device]) -> None:
    receiver = device("phone", script=NO_STORAGE)
    receiver.open("receive")
    receiver.ended("cannot-keep")
    receiver.until(lambda: "ended" in bench.kinds("receive"))
    assert bench.kinds("receive") == ["ready", "ended"]
    enter(receiver.button("copy-again"))
    expect(receiver.page.locator("#page-end")).to_have_text("done")


def test_C13_where_there_is_no_room_the_sender_never_says_copied(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device, NO_ROOM)
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.agree()
    receiver.ended("cannot-keep")
    sender.ended("copy-peer-cannot-keep")
    assert "copied" not in bench.kinds("send") + bench.kinds("receive")


def seen_whole(at: Device, key: str) -> bool:
    """A button of the frame lies within the screen, as the person has scrolled."""
    box, size = at.button(key).bounding_box(), at.page.viewport_size
    return box is not None and size is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


@pytest.mark.parametrize("who", ["send", "receive"])
def test_C10_words_that_differ_are_an_attack_and_stop_it_on_both_screens(
    bench: Bench, device: Callable[..., Device], who: str
) -> None:
    sender, receiver = device("phone"), device("phone")
    receiver.open("receive")
    sender.prove()
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.settled()
    assert seen_whole(sender, "copy-agree") and seen_whole(sender, "copy-differ")
    noticed, other = (sender, receiver) if who == "send" else (receiver, sender)
    enter(noticed.button("copy-differ"))
    noticed.ended("copy-words-differ")
    other.ended("copy-peer-cancelled")
    assert bench.last(who, "ended")["code"] == "copy-words-differ"
    assert receiver.stored() == []
    expect(noticed.button("copy-again")).to_have_class("secondary")
    expect(noticed.button("copy-leave")).to_have_class("primary")
    enter(noticed.button("copy-leave"))
    expect(noticed.page.locator("#page-end")).to_have_text("cancelled")


def test_the_words_are_confirmed_within_a_minute_or_it_stops(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device)
    sender.page.clock.install()
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.page.clock.fast_forward(61_000)
    sender.ended("copy-words-over")
    receiver.ended("copy-peer-cancelled")


def test_C8_a_reload_ends_the_run_on_the_other_screen_too(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = two(device)
    sender.type(receiver.number)
    assert sender.words == receiver.words
    receiver.page.reload()
    sender.ended("copy-peer-cancelled")
    assert receiver.number != ""


def test_one_copy_at_a_time_in_a_browser(bench: Bench, device: Callable[..., Device]) -> None:
    first = device("phone")
    first.open("receive")
    assert len(first.number) == 12
    second = device("phone", beside=first)
    second.open("receive")
    second.ended("copy-elsewhere")


def test_a_page_that_does_not_answer_is_not_waited_for_for_ever(bench: Bench, device: Callable[..., Device]) -> None:
    bench.faults.mute.add("wanted")
    receiver = device("phone")
    receiver.page.clock.install()
    receiver.open("receive")
    expect(receiver.vault.locator(".progress")).to_have_text(receiver.say("copy-preparing"))
    receiver.page.clock.fast_forward(21_000)
    receiver.ended("outage")
    bench.faults.mute.clear()
    enter(receiver.button("copy-again"))
    assert len(receiver.number) == 12


def test_leaving_before_anything_ran_tells_the_page(bench: Bench, device: Callable[..., Device]) -> None:
    receiver = device("phone")
    receiver.open("receive")
    assert len(receiver.number) == 12
    enter(receiver.button("cancel"))
    expect(receiver.page.locator("#page-end")).to_have_text("cancelled")
