"""What leaves the vault's frame in a whole copy, and what lies in the browsers then (B1, B2, B11, B17, C4, C5, C10)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.journeys.vault_copy.bench import LETTER, PASSWORD, Bench
from tests.journeys.vault_copy.device import Device

STORAGE = "JSON.stringify([localStorage, sessionStorage]) + document.documentElement.outerHTML + location.href"
# What the two vaults say to the relay, as the relay sees it.
WIRE = """if (window !== top) {
  window.wire = []
  const text = (data) => typeof data === 'string' ? data
    : btoa(Array.from(new Uint8Array(data.buffer ?? data), (one) => String.fromCharCode(one)).join(''))
  const send = WebSocket.prototype.send
  WebSocket.prototype.send = function (data) { window.wire.push(text(data)); return send.call(this, data) }
}"""


def frame(at: Device) -> Any:
    """The vault's frame."""
    return next(one for one in at.page.frames if one.url.startswith(at.bench.vault))


def test_B1_C5_C10_neither_password_key_nor_secret_digits_leave_the_frame(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender, receiver = device("pc", script=WIRE), device("phone", script=WIRE)
    sent: list[str] = []
    for at in (sender, receiver):
        at.page.context.on("request", lambda one: sent.append(one.url + (one.post_data or "")))
    receiver.open("receive")
    number = receiver.number
    sender.prove()
    sender.type(number)
    assert sender.words == receiver.words
    words = sender.words.split()
    wires = [frame(at).evaluate("window.wire") for at in (sender, receiver)]
    sender.agree()
    receiver.copied()
    sender.copied()
    wires += [frame(at).evaluate("window.wire") for at in (sender, receiver)]
    storage = [frame(at).evaluate(STORAGE) for at in (sender, receiver)]
    messages = json.dumps(bench.told)
    seen = [messages, *sent, *(json.dumps(one) for one in wires), *storage]
    raw = [base64.b64decode(one) for wire in wires for one in wire if not one.startswith("{")]
    for text in seen:
        assert PASSWORD not in text
        assert number[5:] not in text and number not in text
    # Words are shown on both screens and told nobody else.
    assert not [one for one in words if len(one) > 3 and one in messages]
    for body in raw:
        assert PASSWORD.encode() not in body and number[5:].encode() not in body
        assert bench.pair.key[40:72] not in body and bench.pair.certificate[100:132] not in body
    # Before the words were confirmed nothing of the size of a certificate had left the sender.
    assert max(len(base64.b64decode(one)) for one in wires[0] if not one.startswith("{")) < 600


def test_A19_what_is_signed_is_what_was_shown(bench: Bench, device: Callable[..., Device]) -> None:
    sender = device("pc")
    sender.open("send")
    sender.bring(bench.pair)
    assert sender.vault.locator(".body-text").inner_text() == LETTER["ko"]
    sender.choose()
    sender.until(lambda: "proved" in bench.kinds("send"))
    signed = base64.b64decode(bench.last("send", "proved")["signed"])
    assert b"purpose: copy-out\n" in signed
    assert f"certificate: {bench.pair.fingerprint}\n".encode() in signed


def test_B2_without_a_gesture_in_the_frame_nothing_is_signed_opened_or_sent(
    bench: Bench, device: Callable[..., Device]
) -> None:
    sender = device("pc")
    sender.open("send")
    sender.bring(bench.pair)
    for message in (
        {"kind": "accepted"}, {"kind": "renewed", "challenge": bench.challenge()}, {"kind": "failed", "code": "outage"},
        {"kind": "ticket", "ticket": "e30." + "A" * 86},
    ):  # fmt: skip
        sender.page.evaluate("(one) => say(one)", message)
    sender.page.wait_for_timeout(300)
    assert [kind for kind in bench.kinds("send") if kind in ("proved", "wanted", "opened", "paired", "copied")] == []
