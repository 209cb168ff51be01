"""The outside world misbehaves during a registration: each way has its own code, and none counts as good."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from tests.journeys.walks import Walk
from tests.journeys.world import World

# How the responder misbehaves, and the code that the center records.
RESPONDER = {
    "wrong-signer": "status-responder-untrusted",
    "old-answer": "status-stale",
    "other-nonce": "status-nonce-mismatch",
    "other-serial": "status-mismatch",
    "unknown": "status-unknown",
    "malformed": "status-malformed",
}
# With the responder away, the list is asked; and this is how the list misbehaves.
LISTS = {
    "off": "status-unreachable",
    "stale": "status-crl-stale",
    "wrong-signature": "status-crl-untrusted",
    "other-partition": "status-crl-partition",
    "malformed": "status-crl-malformed",
}


def try_to_register(at: Walk) -> str:
    """③ with a good certificate; the code that the center recorded."""
    at.agree_to_replace()
    at.open_window()
    at.pick("universal-signkorea")
    route, code = at.answered()
    told = at.page.locator("#certificate-error")
    expect(told).to_be_visible()
    if code != "status-unknown":  # the authority's own word has a sentence of its own; the outages share one
        expect(told).to_contain_text(f"({code})")
    assert route == "/registration/certificate"
    return code


def test_no_misbehaviour_of_a_responder_counts_as_good_and_each_has_its_code(
    hurry: Callable[..., Walk], normal: World
) -> None:
    at = hurry()
    at.at_certificate()
    met = {}
    for position in RESPONDER:
        normal.turn("responder", "signkorea", position)
        met[position] = try_to_register(at)
    assert met == RESPONDER


def test_with_the_responder_away_no_misbehaviour_of_the_list_counts_as_good(
    hurry: Callable[..., Walk], normal: World
) -> None:
    at = hurry()
    at.at_certificate()
    normal.turn("responder", "signkorea", "off")
    met = {}
    for position in LISTS:
        normal.turn("list", "signkorea", position)
        met[position] = try_to_register(at)
    assert met == LISTS


def register_by_list(at: Walk, world: World) -> None:
    """From ① to ④ while the responder is away: the list says good, and the audit says that it was the list."""
    at.at_certificate()
    old = at.page.locator("label[for=replace]")
    at.agree_to_replace()
    # Another one than is registered: the same again would need no new entry.
    slug = "securities" if old.count() and "범용" in old.inner_text() else "universal-signkorea"
    at.open_window()
    at.pick(slug)
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    last = [one for one in world.audit() if one["action"] == "registration.certificate"][-1]
    assert (last["result"], last["facts"].get("source")) == ("ok", "crl"), last


def test_A12_a_good_list_stands_in_for_a_responder_that_does_not_answer(
    hurry: Callable[..., Walk], normal: World
) -> None:
    at = hurry()
    for position in ("off", "try-later", "slow"):
        normal.turn("responder", "signkorea", position)
        register_by_list(at, normal)


def test_A12_a_list_older_than_one_seen_does_not_count(hurry: Callable[..., Walk], normal: World) -> None:
    at = hurry()
    normal.turn("responder", "signkorea", "off")
    register_by_list(at, normal)  # now a list was seen
    at.at_certificate()
    normal.turn("list", "signkorea", "older-number")
    assert try_to_register(at) == "status-crl-older"
