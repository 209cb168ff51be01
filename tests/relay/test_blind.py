"""The relay against those it serves: what it can learn, what it can guess, and what it forgets (C8, C10, C12)."""

from __future__ import annotations

import gc
import secrets
from types import ModuleType
from typing import Any

import pytest
from tests.relay.ends import End, own
from tests.relay.world import ORIGIN, Device, World, played

from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.kernel.flow import IllegalMove
from ingam.protocols.mailbox import cpace, frames, schedule, wire
from ingam.protocols.mailbox.endpoint import (
    Acknowledged,
    Admitted,
    Broken,
    Closed,
    Heard,
    LinkLost,
    PeerCame,
    PeerGone,
    WrongCode,
)
from ingam.protocols.mailbox.frames import ShareA
from ingam.protocols.mailbox.number import draw_secret
from ingam.protocols.mailbox.ticket import TicketInvalid
from ingam.relay.service import ResumeUnknown

CERTIFICATE = b"certificate canary " + b"C" * 1500
KEY_FILE = b"key file canary " + b"K" * 1200
PAYLOAD = (CERTIFICATE, KEY_FILE)


class Ends:
    """A receiver and a sender with their machines, on two devices at a relay in memory."""

    def __init__(self, world: World, receiver: Device, sender: Device, typed: str, secret: str, mailbox: str) -> None:
        self.devices = [receiver, sender]
        self.ends = [
            End(own(ORIGIN, secret, opened=True, device="PC, 크롬"), None, None),
            End(own(ORIGIN, typed, opened=False, device="phone"), mailbox, PAYLOAD),
        ]
        self.mailbox = mailbox
        self.seen: list[list[bytes]] = [[], []]

    async def feed(self, index: int, event: Any) -> None:
        device, end = self.devices[index], self.ends[index]

        async def say(body: bytes) -> None:
            self.seen[index].append(body)
            await device.send(len(end.sent) - 1, body)

        async def shut(why: str) -> None:
            await device.close(why)

        if not end.over:
            await end.feed(event, say, shut)

    async def meet(self) -> None:
        await self.feed(0, Admitted(self.mailbox))
        await self.feed(1, Admitted(self.mailbox))
        await self.feed(0, PeerCame())

    async def run(self) -> None:
        """Carry what has come until nothing does."""
        heard = [0, 0]
        moved = True
        while moved:
            moved = False
            for index, device in enumerate(self.devices):
                while heard[index] < len(device.bodies):
                    heard[index] += 1
                    moved = True
                    await self.feed(index, Heard(device.bodies[heard[index] - 1]))
        for index, device in enumerate(self.devices):
            for why in device.whys:
                await self.feed(index, Closed(why))


async def met(world: World, relay: Any, typed: str | None = None, secret: str | None = None) -> Ends:
    receiver, sender = await world.pair(relay)
    opened = receiver.told[0]
    assert isinstance(opened, wire.Opened)
    secret = secret or draw_secret().reveal()
    ends = Ends(world, receiver, sender, typed or secret, secret, opened.mailbox)
    await ends.meet()
    return ends


def test_a_whole_copy_through_the_relay() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        ends = await met(world, relay)
        await ends.run()
        receiver, sender = ends.ends
        assert receiver.kept == PAYLOAD
        assert isinstance(receiver.state, Acknowledged)
        assert isinstance(sender.state, Acknowledged)
        assert receiver.words == sender.words
        assert [device.whys for device in ends.devices] == [["done"], ["done"]]

    played(scene)


def test_a_wrong_number_ends_the_run_on_both_screens_and_nothing_was_sent() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        ends = await met(world, relay, typed="0000001", secret="0000002")
        await ends.run()
        assert [type(end.state) for end in ends.ends] == [WrongCode, WrongCode]
        assert [device.whys for device in ends.devices] == [["wrong"], ["wrong"]]
        assert all(body[0] != frames.Type.SEALED for bodies in ends.seen for body in bodies)
        assert ends.ends[0].kept is None

    played(scene)


def reachable(roots: list[object]) -> list[object]:
    """Everything that can be got at from some objects; not the code around them, nor the devices of the test."""
    seen: dict[int, object] = {}
    todo = list(roots)
    while todo:
        one = todo.pop()
        code = isinstance(one, type | ModuleType) or (isinstance(one, dict) and "__spec__" in one)
        if id(one) in seen or code or isinstance(one, World | Ends | Device):
            continue
        seen[id(one)] = one
        todo += gc.get_referents(one)
    return list(seen.values())


def test_C12_whoever_has_the_relays_memory_has_sealed_bytes_and_no_digit_of_a_secret() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        secret = "7391846"
        ends = await met(world, relay, secret=secret)
        stolen: list[object] = []
        send = ends.devices[1].send

        async def spied(sequence: int, body: bytes) -> None:
            await send(sequence, body)
            if len(body) == frames.SEALED_BODY:
                stolen.extend(reachable([relay, relay._store]))

        ends.devices[1].send = spied  # type: ignore[method-assign]
        await ends.run()
        assert isinstance(ends.ends[1].state, Acknowledged)
        held = [one for one in stolen if isinstance(one, bytes | bytearray)]
        texts = [one.encode() for one in stolen if isinstance(one, str)]
        assert ends.seen[1][-1] in held  # what is looked for would be found
        for canary in (CERTIFICATE, KEY_FILE, CERTIFICATE[:24], KEY_FILE[:24], secret.encode()):
            assert not [one for one in [*held, *texts] if canary in one]
        numbers = {one for one in stolen if isinstance(one, int) and not isinstance(one, bool)}
        assert int(secret) not in numbers
        after = reachable([relay, relay._store])
        left = {one for one in after if isinstance(one, bytes) and len(one) > 100}
        assert not left & {body for bodies in ends.seen for body in bodies}  # an end forgets at once
        assert ends.mailbox in relay._store._rests  # type: ignore[attr-defined]

    played(scene)


def guess(secret: str, mailbox: str, hello: bytes) -> bytes:
    """The share of a relay that plays the sender with digits of its own."""
    read, nonce = frames.read_hello(hello), secrets.token_bytes(16)
    prs = schedule.password("n", own(ORIGIN, secret, opened=False, device="x").secret, None)
    generator = cpace.generator(prs, schedule.channel(ORIGIN, mailbox), read.nonce + nonce)
    ya = cpace.share(cpace.scalar(secrets.token_bytes(32)), generator)
    return frames.write_share_a(ShareA(frames.VERSION, "n", nonce, ya, bytes(32), "phone"))


async def deaf(_word: Any) -> None:
    """What the relay is told by a device changes nothing for it."""


def everything(receiver: End, mailbox: str) -> list[Any]:
    """Everything that a relay can make a device hear."""
    hello = receiver.sent[0]
    return [
        Admitted(mailbox), PeerCame(), Heard(guess("0000002", mailbox, hello)), Heard(hello),
        Heard(b"\x04" + bytes(48)), Heard(receiver.sent[1]),
        Heard(b"\x05\x10" + bytes(16_400)), Closed("stopping"), Closed("done"), LinkLost(),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(10))
def test_C8_a_relay_that_drops_and_restarts_gets_one_guess(number: int) -> None:
    """The relay plays the sender once; whatever it does then, no second share answers under these digits."""

    async def scene(_world: World) -> None:
        mailbox = "41234"
        receiver = End(own(ORIGIN, "7391846", opened=True, device="PC"), None, None)
        await receiver.feed(Admitted(mailbox), deaf, deaf)
        await receiver.feed(PeerCame(), deaf, deaf)
        await receiver.feed(Heard(guess("0000001", mailbox, receiver.sent[0])), deaf, deaf)
        assert [body[0] for body in receiver.sent] == [frames.Type.HELLO, frames.Type.SHARE_B]
        events = everything(receiver, mailbox)
        try:
            await receiver.feed(events[number], deaf, deaf)
        except IllegalMove:
            return  # the table has nothing for it, and nothing moved
        assert receiver.over
        assert len(receiver.sent) == 2
        for event in events:
            with pytest.raises(IllegalMove):
                await receiver.feed(event, deaf, deaf)
        assert len(receiver.sent) == 2
        assert receiver.kept is None

    played(scene)


def test_C8_a_relay_that_restarts_with_an_empty_memory_ends_the_run_on_both_screens() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        ends = await met(world, relay)
        tokens = [device.token for device in ends.devices]
        assert ends.devices[0].ticket is not None
        used = world.signed(ends.devices[0].ticket)
        again = await world.relay()
        for index, token in enumerate(tokens):
            with pytest.raises(ResumeUnknown):
                await ends.devices[index].again(again).resume(token, 0)
            await ends.feed(index, LinkLost())
        assert [type(end.state) for end in ends.ends] == [PeerGone, PeerGone]
        world.clock.forward(2)
        with pytest.raises(TicketInvalid):
            await world.device(again).begin(wire.Open(used))

    played(scene, World(InProcessMailboxes))


def test_C10_a_relay_that_swaps_repeats_or_reflects_gets_no_plaintext() -> None:
    async def scene(world: World) -> None:
        for tamper in (
            lambda body: body[:-1] + bytes([body[-1] ^ 1]),
            lambda body: body[:-1],
            lambda body: body + b"\x00",
            lambda _body: b"\x02" + bytes(80),
        ):
            relay = await world.relay()
            ends = await met(world, relay)
            ends.devices[1].tamper = tamper
            await ends.run()
            assert all(body[0] != frames.Type.SEALED for bodies in ends.seen for body in bodies)
            assert ends.ends[0].kept is None
            assert all(isinstance(end.state, WrongCode | Broken) for end in ends.ends)
            world.clock.forward(700)

    played(scene)
