"""A connection to the relay that drops is taken up again, and the copy goes on with the same bytes (C8)."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.vault_copy.bench import Bench
from tests.journeys.vault_copy.device import Device
from tests.journeys.vault_copy.test_qr import frame

SOCKETS = """if (window !== top) {
  const Real = WebSocket
  window.sockets = []
  window.WebSocket = class extends Real {
    constructor(...asked) { super(...asked); window.sockets.push(this) }
  }
  window.drop = () => window.sockets.at(-1).close()
}"""
# No WebSocket ever opens, as behind some companies' proxies.
REQUESTS = "if (window !== top) window.WebSocket = class { close() {} send() {} }"


def test_C8_both_connections_drop_between_the_words_and_the_end(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = device("pc", script=SOCKETS), device("phone", script=SOCKETS)
    receiver.open("receive")
    sender.prove()
    frame(receiver).evaluate("window.drop()")
    sender.type(receiver.number)
    assert sender.words == receiver.words
    for at in (sender, receiver):
        frame(at).evaluate("window.drop()")
    sender.agree()
    receiver.copied()
    sender.copied()
    for at in (sender, receiver):
        assert frame(at).evaluate("window.sockets.length") > 1
        expect(at.vault.locator(".copy-away")).to_have_text("")
    assert bench.kinds("receive").count("paired") == bench.kinds("send").count("paired") == 1


def test_where_no_websocket_opens_requests_do_it(bench: Bench, device: Callable[..., Device]) -> None:
    sender, receiver = device("pc", script=REQUESTS), device("phone", script=REQUESTS)
    receiver.open("receive")
    sender.prove()
    sender.type(receiver.number)
    assert sender.words == receiver.words
    sender.agree()
    receiver.copied()
    sender.copied()
    assert receiver.stored()[0]["certificate"] == bench.pair.certificate.hex()
