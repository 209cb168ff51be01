"""A certificate goes from one browser to another by number, both ways, through the real relay (W6, B3, C13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.person import enter
from tests.journeys.vault_copy.bench import PASSWORD, Bench
from tests.journeys.vault_copy.device import Device


def through(sender: Device, receiver: Device) -> None:
    """From two open pages to the last screens."""
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.agree()
    receiver.copied()
    sender.copied()


@pytest.mark.parametrize(("sends", "receives"), [("pc", "phone"), ("phone", "pc"), ("phone", "phone"), ("pc", "pc")])
def test_C13_a_certificate_is_copied_by_number_and_both_say_so(
    bench: Bench, device: Callable[..., Device], sends: str, receives: str
) -> None:
    sender, receiver = device(sends), device(receives)
    receiver.open("receive")
    sender.prove()
    through(sender, receiver)
    (record,) = receiver.stored()
    assert bytes.fromhex(record["certificate"]) == bench.pair.certificate
    # The screens say it first; what the vaults told their pages arrives beside it.
    sender.until(lambda: "copied" in bench.kinds("send") and "copied" in bench.kinds("receive"))
    assert bench.kinds("receive") == ["ready", "wanted", "opened", "paired", "arrived", "copied"]
    assert bench.kinds("send") == ["ready", "proved", "wanted", "paired", "copied"]
    for role in ("send", "receive"):
        assert bench.last(role, "copied") | {"role": role} == {
            "ingam": 1, "kind": "copied", "id": "copy-1", "fingerprint": bench.pair.fingerprint, "role": role,
        }  # fmt: skip
    enter(receiver.button("copy-done"))
    enter(sender.button("copy-done"))
    expect(receiver.page.locator("#page-end")).to_have_text("done")
    expect(sender.page.locator("#page-end")).to_have_text("done")


def test_C14_the_password_may_be_tried_at_once_and_seals_the_record(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = device("pc"), device("phone")
    receiver.open("receive")
    sender.prove()
    through(sender, receiver)
    assert [slot["kind"] for slot in receiver.stored()[0]["slots"]] == ["open"]
    field = receiver.vault.locator("#try-password")
    field.fill("Wrong!2026x")
    enter(receiver.button("copy-try"))
    expect(receiver.vault.locator("#try-password-wrong")).to_have_text(receiver.say("wrong", n=1, max=5))
    # By Enter: what was wrong goes from the screen with the first letter, and the button moves up.
    field.fill(PASSWORD)
    field.press("Enter")
    expect(receiver.vault.get_by_text(receiver.say("copy-tried"))).to_be_visible()
    (record,) = receiver.stored()
    assert [(slot["kind"], slot["rounds"]) for slot in record["slots"]] == [("password", 600_000)]
