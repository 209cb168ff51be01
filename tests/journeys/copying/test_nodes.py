"""Copies through two nodes of the relay on one Valkey, while every connection is cut in the middle (C8, deliver 3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.journeys.copying.conftest import TwoNodes
from tests.journeys.copying.walk import CopyWalk, by_number

Open = Callable[..., CopyWalk]

# One world of two nodes, not one in each worker; with the other copies, whose devices these are.
pytestmark = pytest.mark.xdist_group("copying")


def test_two_devices_on_two_nodes_meet(two_nodes: TwoNodes, device_there: Open) -> None:
    pc, phone = device_there("pc"), device_there("phone")
    before = len(two_nodes.crossing.taken)
    by_number(pc, phone, known=False)
    phone.log_in_with_what_came()
    assert len(set(two_nodes.crossing.taken[before:])) == 2


def test_C8_cut_connections_are_resumed_at_the_other_node_and_the_copy_ends_well(
    two_nodes: TwoNodes, device_there: Open
) -> None:
    pc, phone = device_there("pc"), device_there("phone")
    phone.receive()
    pc.send("phone", known=False)
    number = phone.number
    two_nodes.crossing.cut()
    pc.type(number)
    assert pc.words == phone.words
    before = len(two_nodes.crossing.taken)
    two_nodes.crossing.cut()
    pc.press("copy-agree")
    expect(phone.frame.locator("#copied")).to_be_visible()
    phone.done()
    pc.done()
    assert len(two_nodes.crossing.taken) >= before + 2
    phone.log_in_with_what_came()
