"""Two nodes on one Valkey: two devices on two nodes meet, resume on the other node, and lose nothing between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests import valkey
from tests.relay.world import World, played, until

from ingam.adapters.mailboxes.valkey import ValkeyMailboxes
from ingam.ports.mailboxes import Missed, RelayOutage
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.ticket import TicketInvalid
from ingam.relay.service import MailboxTaken, RelayStopping, ResumeUnknown


@pytest.fixture(scope="module")
def server() -> Iterator[valkey.Server]:
    with valkey.server() as running:
        yield running


@pytest.fixture
def world(server: valkey.Server) -> World:
    prefix = server.prefix()
    return World(lambda: ValkeyMailboxes(server.url, prefix=prefix))


def test_two_devices_on_two_nodes_meet(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        await until(lambda: len(receiver.told) == 2)
        assert isinstance(receiver.last, wire.Peer)
        await receiver.send(0, b"hello")
        await until(lambda: sender.bodies)
        for number in range(4):
            await sender.send(number, bytes([number]) * 16_402)
        await receiver.send(1, b"\x00stored\xff")
        await until(lambda: len(sender.bodies) == 2 and len(receiver.bodies) == 4)
        assert sender.bodies == [b"hello", b"\x00stored\xff"]
        assert [body[0] for body in receiver.bodies] == [0, 1, 2, 3]
        await sender.close("done")
        await until(lambda: receiver.whys)
        assert receiver.whys == sender.whys == ["done"]
        assert here.rooms.all == there.rooms.all == {}

    played(scene, world)


def test_both_at_once_lose_nothing(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)

        async def sends(device: object, mark: bytes) -> None:
            for number in range(8):
                await device.send(number, mark + bytes([number]))  # type: ignore[attr-defined]

        await asyncio.gather(sends(receiver, b"r"), sends(sender, b"s"))
        await until(lambda: len(sender.bodies) == len(receiver.bodies) == 8)
        assert sender.sequences == receiver.sequences == list(range(8))
        assert [body[1] for body in sender.bodies] == [body[1] for body in receiver.bodies] == list(range(8))

    played(scene, world)


def test_a_dropped_device_goes_on_at_the_other_node(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, here)
        await sender.send(0, b"one")
        await receiver.drop()
        await sender.send(1, b"two")
        moved = receiver.again(there)
        assert (await moved.resume(receiver.token, 1)).have == 0
        assert moved.bodies == [b"two"]
        await until(lambda: sender.last == wire.Back())
        await moved.send(0, b"stored")
        await until(lambda: sender.bodies)
        assert sender.bodies == [b"stored"]
        await sender.send(2, b"three")
        await until(lambda: len(moved.bodies) == 2)
        assert receiver.bodies == [b"one"]

    played(scene, world)


def test_a_device_that_resumes_elsewhere_leaves_its_old_connection(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, here)
        moved = sender.again(there)
        await moved.resume(sender.token, 0)
        await until(lambda: sender.ended)
        await sender.drop()
        assert wire.Away() not in receiver.told
        away = receiver.again(there)
        await away.resume(receiver.token, 0)
        await until(lambda: receiver.ended)
        assert here.rooms.all == {}
        await away.send(0, b"x")
        await until(lambda: moved.bodies)

    played(scene, world)


def test_a_node_that_dies_costs_no_run(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        await receiver.send(0, b"hello")
        world.relays.remove(here)
        await here._store.close()  # it says no word any more, and hears none
        moved = receiver.again(there)
        assert (await moved.resume(receiver.token, 0)).have == 1
        await sender.send(0, b"one")
        assert moved.bodies == [b"one"]

    played(scene, world)


def test_a_third_device_at_another_node_ends_it_everywhere(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        opened = receiver.told[0]
        assert isinstance(opened, wire.Opened)
        with pytest.raises(MailboxTaken):
            await world.device(here).join(opened.mailbox, receiver)
        await until(lambda: sender.whys)
        assert receiver.whys == sender.whys == ["crowded"]

    played(scene, world)


def test_two_devices_that_join_at_once_at_two_nodes_crowd_it(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver = world.device(here)
        mailbox = (await receiver.open()).mailbox
        joins = [world.device(node).join(mailbox, receiver) for node in (here, there)]
        told = await asyncio.gather(*joins, return_exceptions=True)
        assert {type(one) for one in told} == {wire.Joined, MailboxTaken}
        await until(lambda: receiver.whys)
        assert receiver.whys == ["crowded"]

    played(scene, world)


def test_time_ends_a_run_at_every_node(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        await sender.drop()
        await until(lambda: receiver.last == wire.Away())
        await world.forward(30)
        await until(lambda: receiver.whys)
        assert receiver.whys == ["gone"]
        with pytest.raises(ResumeUnknown):
            await sender.again().resume(sender.token, 0)

    played(scene, world)


def test_news_that_were_lost_are_made_up_for(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        await until(lambda: len(receiver.told) == 2)
        await there._store.close()  # deaf
        await receiver.send(0, b"hello")
        await receiver.drop()
        await there.start()
        there.rooms.hear(Missed())
        await until(lambda: sender.last == wire.Away())
        assert sender.bodies == [b"hello"]

    played(scene, world)


def test_a_node_that_stops_leaves_its_devices_to_the_others(world: World) -> None:
    async def scene(world: World) -> None:
        here, there = await world.relay(), await world.relay()
        receiver, sender = await world.pair(here, there)
        waiting = world.device(here, "b" * 64)
        mailbox = (await waiting.open()).mailbox
        await here.drain()
        with pytest.raises(RelayStopping):
            await world.device(here, "c" * 64).open()
        assert not waiting.ended
        await world.device(there, "b" * 64).join(mailbox, waiting)
        world.relays.remove(here)
        await here.stop()
        assert receiver.ended
        assert receiver.whys == waiting.whys == []
        moved = receiver.again(there)
        await moved.resume(receiver.token, 0)
        await sender.send(0, b"x")
        assert moved.bodies == [b"x"]

    played(scene, world)


def test_F9_a_valkey_that_is_down_refuses_and_its_return_is_noticed() -> None:
    with valkey.server() as server:

        async def scene(world: World) -> None:
            relay = await world.relay()
            receiver, _sender = await world.pair(relay)
            server.stop()
            with pytest.raises(RelayOutage):
                await world.device(relay, "b" * 64).open()
            with pytest.raises(RelayOutage):
                await relay.ready()
            server.start()  # empty: its memory is gone, and so is the run
            await until(lambda: receiver.whys)
            assert receiver.whys == ["gone"]
            with pytest.raises(TicketInvalid):
                await world.device(relay, "b" * 64).open()
            world.clock.forward(1)
            await world.device(relay, "b" * 64).open()

        played(scene, World(lambda: ValkeyMailboxes(server.url)))
