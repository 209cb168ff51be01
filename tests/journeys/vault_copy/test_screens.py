"""Every screen of a copy at both widths, in both languages, light and dark; and the whole by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Locator, expect
from tests.journeys import screens
from tests.journeys.person import enter
from tests.journeys.vault_copy.bench import PASSWORD, Bench
from tests.journeys.vault_copy.device import Device
from tests.journeys.vault_copy.test_refused import wrong


class Looked:
    """What is wrong with the screens that were looked at."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.found: list[str] = []

    def at(self, device: Device, name: str) -> None:
        """The screen as it is now."""
        self.found += screens.trouble(device.page, f"vault-copy-{name}-{self.mark}")


@pytest.mark.parametrize(
    ("sends", "receives", "lang", "scheme"),
    [
        ("pc", "phone", "ko", "light"),
        ("phone", "pc", "ko", "dark"),
        ("phone", "pc", "en", "light"),
        ("pc", "phone", "en", "dark"),
    ],
)
def test_every_screen_is_sound(
    bench: Bench, device: Callable[..., Device], sends: str, receives: str, lang: str, scheme: str
) -> None:
    looked = Looked(f"{sends}-{lang}-{scheme}")
    sender, receiver = device(sends, lang=lang, scheme=scheme), device(receives, lang=lang, scheme=scheme)
    receiver.open("receive")
    first = receiver.number
    looked.at(receiver, "invite")
    sender.open("send")
    expect(sender.button("copy-next")).to_be_visible()
    looked.at(sender, "choose-empty")
    sender.bring(bench.renewed)
    sender.vault.get_by_role("radio").first.check(force=True)
    looked.at(sender, "not-registered")
    sender.bring(bench.pair)
    sender.vault.get_by_label(sender.say("password"), exact=True).press("Enter")
    looked.at(sender, "password-missing")
    sender.choose()
    expect(sender.button("copy-connect")).to_be_visible()
    looked.at(sender, "number")
    sender.type(wrong(first))
    sender.ended("copy-wrong-number")
    looked.at(sender, "ended")
    enter(sender.button("copy-again"))
    enter(receiver.button("copy-again"))
    sender.type(receiver.number)
    assert sender.words == receiver.words
    looked.at(sender, "words-send")
    looked.at(receiver, "words-receive")
    sender.agree()
    receiver.copied()
    sender.copied()
    looked.at(sender, "copied-send")
    looked.at(receiver, "copied-receive")
    receiver.open("receive")
    number = receiver.number
    sender.prove()
    if sends == "pc":
        enter(sender.button("copy-show-qr"))
        expect(sender.vault.locator(".copy-qr svg")).to_be_visible()
        looked.at(sender, "qr")
        # The sender's mailbox has taken the place of the receiver's.
        expect(receiver.vault.get_by_text(receiver.why("copy-voided"))).to_be_visible()
        looked.at(receiver, "lapsed")
        enter(receiver.button("copy-another"))
        number = receiver.number
        enter(sender.button("copy-type-instead"))
    sender.type(number)
    assert sender.words == receiver.words
    sender.agree()
    expect(receiver.button("copy-replace-yes")).to_be_visible()
    looked.at(receiver, "replace")
    looked.at(sender, "asking")
    assert looked.found == []


def press(at: Device, target: Locator) -> None:
    """Tab until it has the focus, then Enter."""
    expect(target).to_be_visible()
    for _ in range(60):
        if target.evaluate("e => e === document.activeElement && document.hasFocus()"):
            at.page.keyboard.press("Enter")
            return
        at.page.keyboard.press("Tab")
    raise AssertionError("no way there by Tab")


def focused(at: Device, selector: str) -> None:
    """The focus was moved to what is read or done next."""
    at.until(lambda: bool(at.vault.locator(selector).first.evaluate("e => e === document.activeElement")))


def test_by_keyboard_alone_from_the_choice_to_the_last_screens(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = device("pc"), device("pc")
    receiver.open("receive")
    number = receiver.number
    sender.open("send")
    expect(sender.button("copy-next")).to_be_visible()
    with sender.page.expect_file_chooser() as chooser:
        press(sender, sender.button("pick-files"))
    chooser.value.set_files([str(path) for path in bench.pair.files(sender.folder / "keyboard")])
    focused(sender, "#password")
    sender.page.keyboard.type(PASSWORD)
    sender.page.keyboard.press("Enter")
    focused(sender, "#number-1")
    sender.page.keyboard.type(number)
    assert [sender.vault.locator(f"#number-{at}").input_value() for at in (1, 2, 3)] == [
        number[:4], number[4:8], number[8:],
    ]  # fmt: skip
    # One too many, and a way back across the boxes.
    sender.page.keyboard.press("Backspace")
    sender.page.keyboard.type(number[-1])
    sender.page.keyboard.press("Enter")
    assert sender.words == receiver.words
    focused(sender, "h2.copy-title")
    press(sender, sender.button("copy-agree"))
    sender.copied()
    focused(sender, "#copied")
    receiver.copied()
    press(receiver, receiver.vault.locator("#try-password"))
    receiver.page.keyboard.type(PASSWORD)
    receiver.page.keyboard.press("Enter")
    expect(receiver.vault.get_by_text(receiver.say("copy-tried"))).to_be_visible()
    press(receiver, receiver.button("copy-done"))
    expect(receiver.page.locator("#page-end")).to_have_text("done")


def away(at: Device) -> None:
    """The person has scrolled far from the frame, in a page that is longer than the screen."""
    at.page.evaluate("""() => { document.querySelector('main').style.padding = '900px 0'; scrollTo(0, 0) }""")


def in_sight(at: Device, selector: str) -> bool:
    """It lies within the screen, as the page is scrolled."""
    box, size = at.vault.locator(selector).bounding_box(), at.page.viewport_size
    return box is not None and size is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"] + 1


def test_what_came_of_it_is_in_view_wherever_the_page_was_scrolled(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = device("phone"), device("phone")
    receiver.open("receive")
    sender.prove()
    number = receiver.number
    away(receiver)
    sender.type(number)
    assert sender.words == receiver.words
    for one, key in ((sender, "copy-agree"), (receiver, "copy-differ")):
        one.until(partial(in_sight, one, "h2.copy-title"))
        one.until(partial(in_sight, one, f"button:text-is({one.say(key)!r})"))
    away(sender)
    enter(receiver.button("copy-differ"))
    receiver.ended("copy-words-differ")
    sender.ended("copy-peer-cancelled")
    focused(receiver, "[role=alert]")
    for one in (sender, receiver):
        one.until(partial(in_sight, one, "[role=alert]"))
        one.until(partial(in_sight, one, ".ends"))


def test_C5_a_pasted_number_flows_over_the_boxes_and_nothing_begins_by_itself(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender = device("pc")
    sender.prove()
    box = sender.vault.locator("#number-1")
    box.evaluate("""(e) => { e.focus(); e.value = ' 4123-4567 ８９０1 '
      e.dispatchEvent(new InputEvent('input', { bubbles: true })) }""")
    values = [sender.vault.locator(f"#number-{at}").input_value() for at in (1, 2, 3)]
    assert values == ["4123", "4567", "8901"]
    assert "wanted" not in bench.kinds("send")
    assert {box.get_attribute("autocomplete") for box in sender.vault.locator(".number-boxes input").all()} == {"off"}


def test_the_state_is_told_to_a_screen_reader_and_the_clock_speaks_seldom(
    bench: Bench, device: Callable[..., Device]
) -> None:
    receiver = device("phone")
    receiver.page.clock.install()
    receiver.open("receive")
    assert len(receiver.number) == 12
    status, clock = receiver.vault.locator("#status"), receiver.vault.locator(".copy-clock")
    expect(clock).to_have_attribute("aria-live", "off")
    expect(receiver.vault.locator("#number-said")).to_have_text(" ".join(receiver.number))
    before = status.inner_text()
    receiver.page.clock.fast_forward(60_000)
    expect(clock).to_contain_text("1:5")
    assert status.inner_text() == before
    receiver.page.clock.fast_forward(61_000)
    expect(status).to_have_text(receiver.say("copy-left-said", n=58).replace("58", status.inner_text()[:2]))
