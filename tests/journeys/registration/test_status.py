"""The outside world misbehaves while a certificate is registered: each way has its own code, and none counts as good."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.walks import Walk
from tests.journeys.world import World

# How the responder misbehaves, and the code that the center records.
RESPONDER = {
    "wrong-signer": "status-responder",
    "old-answer": "status-stale",
    "other-nonce": "status-nonce",
    "other-serial": "status-certid",
    "unknown": "status-unknown",
    "malformed": "status-malformed",
}
# With the responder away, the list is asked; and this is how the list misbehaves.
LISTS = ("off", "stale", "wrong-signature", "older-number", "other-partition", "malformed")


def try_to_register(at: Walk) -> str:
    """③ with a good certificate; the code that the center recorded."""
    at.agree_to_replace()
    at.open_window()
    at.pick("universal-signkorea")
    at.confirm()
    expect(at.page.locator("#certificate-error")).to_be_visible()
    route, code = at.world.refusals()[-1]
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
    assert all(code.startswith("status-") for code in met.values()), met
    assert len(set(met.values())) == len(LISTS), met


@pytest.mark.parametrize("position", ["off", "try-later", "slow"])
def test_A12_a_good_list_stands_in_for_a_responder_that_does_not_answer(
    hurry: Callable[..., Walk], normal: World, position: str
) -> None:
    at = hurry("lee")
    normal.turn("responder", "signkorea", position)
    at.register("union-head")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    last = [one for one in normal.audit() if one["action"].startswith("registration")][-1]
    assert last["facts"]["source"] == "crl", last
