"""What devices may do at the relay, and what ends a mailbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.relay.world import NETWORK, World, played

from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.kernel.errors import Refusal
from ingam.ports.mailboxes import NetworkCeilings, RelayOutage, SpaceFull, TicketUsed, TooMany
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.ticket import TicketInvalid, TicketOver
from ingam.relay.service import MailboxTaken, MailboxUnknown, RelayStopping, ResumeUnknown


def test_two_devices_of_a_person_meet_and_what_one_sends_the_other_gets() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        await receiver.send(0, b"hello")
        for number in range(3):
            await sender.send(number, b"%d" % number * 16_402)
        await receiver.send(1, b"stored")
        assert sender.bodies == [b"hello", b"stored"]
        assert [body[:1] for body in receiver.bodies] == [b"0", b"1", b"2"]
        assert (sender.sequences, receiver.sequences) == ([0, 1], [0, 1, 2])
        await receiver.close("done")
        assert receiver.whys == []
        await sender.close("done")
        assert receiver.whys == sender.whys == ["done"]
        assert receiver.ended
        assert sender.ended
        assert relay.rooms.all == {}
        opened, peer, _ = receiver.told
        assert isinstance(opened, wire.Opened)
        assert isinstance(peer, wire.Peer)
        assert (relay.counts.messages, relay.counts.ended["done"]) == (5, 1)

    played(scene)


def spoiled(ticket: str) -> str:
    """The ticket with another signature: the top byte of a true one is zero one time in sixteen, so not that one."""
    at = len(ticket) - 40
    return ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1 :]


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_either_side_opens(role: Any) -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        one, other = world.device(relay), world.device(relay)
        opened = await one.open(role, ttl=120)
        await other.join(opened.mailbox, one, "receiver" if role == "sender" else "sender")
        await one.send(0, b"x")
        assert other.bodies == [b"x"]

    played(scene)


def test_C12_a_ticket_that_the_center_did_not_sign_for_this_act_here_and_now_opens_nothing() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        now = int(world.clock.now().timestamp())
        stranger = Ed25519PrivateKey.generate()
        made = world.ticket("open", "receiver", "a" * 64)
        for text, expected in [
            (world.signed(made, stranger), TicketInvalid),
            (spoiled(world.signed(made)), TicketInvalid),
            ("", TicketInvalid),
            (world.signed(world.ticket("open", "receiver", "a" * 64, relay="http://localhost:1")), TicketInvalid),
            (
                world.signed(world.ticket("join", "sender", "a" * 64, mailbox="00001", peer="0" * 32)),
                TicketInvalid,
            ),
            (world.signed(world.ticket("open", "receiver", "a" * 64, iat=now + 31, exp=now + 90)), TicketInvalid),
            (world.signed(world.ticket("open", "receiver", "a" * 64, iat=now - 180, exp=now)), TicketOver),
        ]:
            device = world.device(relay)
            with pytest.raises(expected):
                await device.begin(wire.Open(text))
            assert device.told == []
        assert relay.rooms.all == {}

    played(scene)


def test_C12_a_ticket_opens_and_joins_once() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        assert receiver.ticket is not None
        assert sender.ticket is not None
        with pytest.raises(TicketUsed):
            await world.device(relay).begin(wire.Open(world.signed(receiver.ticket)))
        with pytest.raises(TicketUsed):
            await world.device(relay).begin(wire.Join(world.signed(sender.ticket)))
        assert receiver.whys == sender.whys == []

    played(scene)


def test_C12_a_ticket_from_before_the_process_that_forgot_which_were_used_is_invalid() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        await relay._store.start(relay.rooms.hear, world.clock.now().timestamp() + 5)
        world.clock.forward(-1)
        with pytest.raises(TicketInvalid):
            await world.device(relay).open()
        world.clock.forward(1)
        await world.device(relay).open()

    played(scene)


def test_C1_C12_a_ticket_joins_only_the_mailbox_of_its_own_persons_opener() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver = world.device(relay)
        mailbox = (await receiver.open()).mailbox
        other = f"{(int(mailbox) + 1) % 100_000:05d}"
        with pytest.raises(MailboxUnknown):
            await world.device(relay).join(mailbox, receiver, peer="0" * 32)
        with pytest.raises(MailboxUnknown):
            await world.device(relay, "b" * 64).join(mailbox, receiver)
        with pytest.raises(MailboxUnknown):
            await world.device(relay).join(mailbox, receiver, role="receiver")
        assert receiver.whys == []
        refused = world.device(relay)
        with pytest.raises(MailboxUnknown):
            await refused.join(other, receiver)
        assert refused.ticket is not None
        with pytest.raises(TicketUsed):  # a refused claim uses its ticket up
            await world.device(relay).begin(wire.Join(world.signed(refused.ticket)))
        await world.device(relay).join(mailbox, receiver)

    played(scene)


def test_a_third_device_of_the_person_ends_the_run_for_all_of_them() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        await receiver.send(0, b"hello")
        third = world.device(relay)
        opened = receiver.told[0]
        assert isinstance(opened, wire.Opened)
        with pytest.raises(MailboxTaken):
            await third.join(opened.mailbox, receiver)
        assert receiver.whys == sender.whys == ["crowded"]
        assert third.told == []
        with pytest.raises(MailboxUnknown):
            await world.device(relay).join(opened.mailbox, receiver)

    played(scene)


def test_a_strangers_ticket_does_not_disturb_a_run() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        opened = receiver.told[0]
        assert isinstance(opened, wire.Opened)
        with pytest.raises(MailboxUnknown):
            await world.device(relay, "b" * 64).join(opened.mailbox, receiver)
        await sender.send(0, b"x")
        assert receiver.bodies == [b"x"]

    played(scene)


def test_C12_a_person_has_five_runs_in_ten_minutes() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        for _ in range(5):
            receiver, _sender = await world.pair(relay)
            await receiver.close("wrong")
            world.clock.forward(1)
        waiting = world.device(relay)
        mailbox = (await waiting.open()).mailbox
        with pytest.raises(TooMany) as told:
            await world.device(relay).join(mailbox, waiting)
        assert told.value.facts == {"s": 595}
        assert waiting.whys == []
        await world.pair(relay, who="b" * 64)
        world.clock.forward(595)
        await world.pair(relay)

    played(scene)


def test_C12_a_person_has_one_open_mailbox_and_thirty_numbers_in_ten_minutes() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        devices = [world.device(relay) for _ in range(30)]
        for device in devices:
            await device.open()
        assert [device.whys for device in devices] == [["cancelled"]] * 29 + [[]]
        with pytest.raises(TooMany):
            await world.device(relay).open()
        assert devices[-1].whys == []
        assert len(relay.rooms.all) == 1

    played(scene)


def test_C12_ten_wrong_claims_stop_the_claims_of_that_person_but_not_what_runs_nor_anybody_else() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        for _ in range(10):
            with pytest.raises(MailboxUnknown):
                await world.device(relay).join("00000", receiver)
        for claim in (world.device(relay).open(), world.device(relay).join("00000", receiver)):
            with pytest.raises(TooMany) as told:
                await claim
            assert told.value.facts == {"s": 600}
        await world.pair(relay, who="b" * 64)  # behind the same address
        await sender.drop()
        await sender.again().resume(sender.token, 0)
        world.clock.forward(600)
        await world.device(relay).open()

    played(scene)


def test_C12_F9_wrong_claims_at_once_are_all_counted() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        opener = world.device(relay, "b" * 64)
        await opener.open()
        claims = (world.device(relay).join("00000", opener) for _ in range(30))
        told = await asyncio.gather(*claims, return_exceptions=True)
        assert [type(one) for one in told].count(MailboxUnknown) == 10
        assert [type(one) for one in told].count(TooMany) == 20

    played(scene)


def test_C12_wrong_claims_slower_than_ten_a_minute_pause_nobody() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        opener = world.device(relay, "b" * 64)
        await opener.open()
        for _ in range(30):
            world.clock.forward(7)
            with pytest.raises(MailboxUnknown):
                await world.device(relay).join("00000", opener)

    played(scene)


def test_C12_F9_a_network_has_a_high_ceiling_that_is_asked_first() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay(network=NetworkCeilings(connections=2))
        for _ in range(2):
            with pytest.raises(TicketInvalid):
                await world.device(relay).begin(wire.Open("x"))
        with pytest.raises(TooMany):
            await world.device(relay).begin(wire.Open("x"))

    played(scene)


def test_C12_who_comes_back_with_its_token_is_not_charged_to_its_network() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay(network=NetworkCeilings(connections=3))
        _receiver, sender = await world.pair(relay)
        for _ in range(5):
            sender, before = sender.again(), sender
            await sender.resume(before.token, 0)
            sender.told.insert(0, before.told[0])
            place = await relay.found(sender.token, NETWORK)
            assert place.seat == 1
            await relay.standing(wire.Resume(sender.token, 0), NETWORK)
        with pytest.raises(ResumeUnknown):
            await relay.found("A" * 43, NETWORK)
        for guess in (
            relay.found("B" * 43, NETWORK), world.device(relay).resume("C" * 43, 0),
            world.device(relay, "b" * 64).open(),
        ):  # fmt: skip
            with pytest.raises(TooMany):
                await guess
        await sender.again().resume(sender.token, 0)

    played(scene)


def test_C4_space_half_full_opens_nothing_and_a_number_rests_ten_minutes() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        for number in range(3):
            device = world.device(relay, f"{number:064x}")
            await device.open()
            await device.close("cancelled")
        with pytest.raises(SpaceFull):
            await world.device(relay).open()
        world.clock.forward(599)
        with pytest.raises(SpaceFull):
            await world.device(relay).open()
        world.clock.forward(1)
        await world.device(relay).open()

    played(scene, World(lambda: InProcessMailboxes(taken_most=3)))


def test_C4_numbers_are_five_digits_all_over_the_space() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        numbers = [(await world.device(relay, f"{number:064x}").open()).mailbox for number in range(400)]
        assert all(len(one) == 5 and one.isdigit() for one in numbers)
        assert len(set(numbers)) == 400
        assert {one[0] for one in numbers} == set("0123456789")

    played(scene)


@pytest.mark.parametrize("why", ["wrong", "cancelled", "broken", "declined", "expired"])
def test_either_device_ends_it_and_both_are_told(why: str) -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        for index in (0, 1):
            pair = await world.pair(relay)
            await pair[index].close(why)
            assert pair[0].whys == pair[1].whys == [why]
            await pair[1 - index].send(0, b"late")
            await pair[1 - index].close("done")

    played(scene)


def test_C8_messages_out_of_order_changed_or_too_many_burn_the_mailbox() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay(runs=50)

        async def burnt(*messages: tuple[int, bytes]) -> bool:
            receiver, sender = await world.pair(relay)
            for sequence, body in messages:
                await sender.send(sequence, body)
            assert receiver.whys == sender.whys
            return receiver.whys == ["broken"]

        assert await burnt((1, b"a"))
        assert await burnt((0, b"a"), (2, b"b"))
        assert await burnt((0, b"a"), (0, b"b"))
        assert await burnt((0, b"a"), (1, b"b"), (0, b"aa"))
        assert await burnt((0, b"x" * 16_403))
        assert await burnt(*((number, b"a") for number in range(9)))
        assert not await burnt((0, b"a"), (0, b"a"), (1, b"b"), (0, b"a"), (1, b"b"), (2, b"x" * 16_402))
        assert not await burnt(*((number, b"a") for number in range(8)))

    played(scene)


def test_a_repeated_message_is_passed_over() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        for sequence in (0, 0, 1, 1, 0):
            await sender.send(sequence, b"same %d" % sequence)
        assert receiver.bodies == [b"same 0", b"same 1"]

    played(scene)


def test_a_message_before_the_second_device_is_there_burns() -> None:
    async def scene(world: World) -> None:
        receiver = world.device(await world.relay())
        await receiver.open()
        await receiver.send(0, b"too early")
        assert receiver.whys == ["broken"]

    played(scene)


@pytest.mark.parametrize("ttl", [180, 120])
def test_a_number_is_over_when_its_time_is(ttl: int) -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver = world.device(relay)
        mailbox = (await receiver.open(ttl=ttl)).mailbox
        await world.forward(ttl - 1)
        assert receiver.whys == []
        await world.forward(1)
        assert receiver.whys == ["expired"]
        with pytest.raises(MailboxUnknown):
            await world.device(relay).join(mailbox, receiver)
        assert relay.rooms.all == {}

    played(scene)


def test_a_run_has_three_minutes_from_the_join_on() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = world.device(relay), world.device(relay)
        opened = await receiver.open()
        await world.forward(170)
        joined = await sender.join(opened.mailbox, receiver)
        peer = receiver.last
        assert isinstance(peer, wire.Peer)
        assert joined.ends == peer.ends
        assert (joined.ends - opened.ends).total_seconds() == 170
        await world.forward(179)
        await sender.send(0, b"x")
        assert receiver.bodies == [b"x"]
        await world.forward(1)
        assert receiver.whys == sender.whys == ["expired"]

    played(scene)


def test_a_join_in_the_last_moment_before_the_beat_finds_nothing() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver = world.device(relay)
        mailbox = (await receiver.open()).mailbox
        world.clock.forward(180)
        with pytest.raises(MailboxUnknown):
            await world.device(relay).join(mailbox, receiver)
        assert receiver.whys == ["expired"]

    played(scene)


def test_who_drops_may_come_back_and_gets_what_it_missed() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        opened = receiver.told[0]
        assert isinstance(opened, wire.Opened)
        await receiver.send(0, b"hello")
        await sender.send(0, b"one")
        await receiver.drop()
        assert sender.told[-1:] == [wire.Away()]
        await sender.send(1, b"two")
        await sender.send(2, b"three")
        assert receiver.bodies == [b"one"]
        await world.forward(29)
        back = receiver.again()
        assert (await back.resume(opened.token, 1)).have == 1
        assert (back.sequences, back.bodies) == ([1, 2], [b"two", b"three"])
        assert sender.told[-1:] == [wire.Back()]
        await back.send(1, b"stored")
        assert sender.bodies == [b"hello", b"stored"]

    played(scene)


def test_who_does_not_come_back_in_time_is_gone() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        for index in (0, 1):
            pair = await world.pair(relay)
            await pair[index].drop()
            await world.forward(29.5)
            assert pair[1 - index].whys == []
            await world.forward(0.5)
            assert pair[1 - index].whys == ["gone"]
            token = pair[index].told[0]
            assert isinstance(token, wire.Opened | wire.Joined)
            with pytest.raises(ResumeUnknown):
                await pair[index].again().resume(token.token, 0)

    played(scene)


def test_a_new_connection_of_a_device_takes_the_place_of_one_that_still_seems_alive() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        joined = sender.told[0]
        assert isinstance(joined, wire.Joined)
        newer = sender.again()
        await newer.resume(joined.token, 0)
        assert sender.ended
        await sender.drop()
        assert receiver.last != wire.Away()
        await receiver.send(0, b"x")
        assert (newer.bodies, sender.bodies) == ([b"x"], [])

    played(scene)


def test_the_opener_may_drop_while_it_waits_and_hears_of_the_other_when_it_is_back() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = world.device(relay), world.device(relay)
        opened = await receiver.open()
        await receiver.drop()
        await sender.join(opened.mailbox, receiver)
        back = receiver.again()
        await back.resume(opened.token, 0)
        assert isinstance(back.told[1], wire.Peer)
        assert sender.told[-1:] == [wire.Back()]
        await sender.drop()
        await back.drop()
        again = back.again()
        await again.resume(opened.token, 0)
        assert [type(one) for one in again.told] == [wire.Resumed, wire.Peer, wire.Away]

    played(scene)


def test_a_token_that_nobody_was_given_resumes_nothing() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        with pytest.raises(ResumeUnknown):
            await world.device(relay).resume("A" * 43, 0)
        joined = sender.told[0]
        assert isinstance(joined, wire.Joined)
        with pytest.raises(wire.WireMalformed):
            await sender.again().resume(joined.token, 1)
        assert not sender.ended
        assert receiver.whys == []

    played(scene)


def test_a_node_that_stops_begins_nothing_lets_copies_finish_and_ends_who_only_waits() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        waiting = world.device(relay, "b" * 64)
        mailbox = (await waiting.open()).mailbox
        await relay.drain()
        assert waiting.whys == ["stopping"]
        with pytest.raises(RelayStopping):
            await world.device(relay, "c" * 64).open()
        with pytest.raises(RelayStopping):
            await world.device(relay, "b" * 64).join(mailbox, waiting)
        with pytest.raises(RelayStopping):
            await relay.ready()
        joined = sender.told[0]
        assert isinstance(joined, wire.Joined)
        await sender.drop()
        back = sender.again()
        await back.resume(joined.token, 0)
        await back.send(0, b"x")
        assert receiver.bodies == [b"x"]
        await relay.stop()
        assert receiver.whys == back.whys == ["stopping"]

    played(scene)


class Failing(InProcessMailboxes):
    """A store that does not answer while `down`."""

    down = False

    async def admit(self, *words: Any, **more: Any) -> None:
        self._refuse()
        await super().admit(*words, **more)

    async def change(self, change: Any) -> bool:
        self._refuse()
        return await super().change(change)

    async def end(self, *words: Any) -> bool:
        self._refuse()
        return await super().end(*words)

    async def find(self, mailbox: str) -> Any:
        self._refuse()
        return await super().find(mailbox)

    def _refuse(self) -> None:
        if self.down:
            raise RelayOutage


def test_F9_a_store_that_is_down_refuses_and_nothing_is_told_that_was_not_saved() -> None:
    store = Failing()

    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        opened = receiver.told[0]
        assert isinstance(opened, wire.Opened)
        store.down = True
        for call in (
            sender.send(0, b"x"), sender.close("done"), sender.drop(), world.device(relay, "b" * 64).open(),
            receiver.again().resume(opened.token, 0),
        ):  # fmt: skip
            with pytest.raises(RelayOutage):
                await call
        assert (receiver.bodies, receiver.whys) == ([], [])
        store.down = False
        await receiver.send(0, b"y")
        store.down = True
        await world.forward(179)
        assert receiver.whys == []
        await world.forward(2)
        assert receiver.whys == ["expired"]

    played(scene, World(lambda: store))


def test_who_was_told_joined_is_not_refused_because_the_store_goes_down_just_then() -> None:
    class Shared(Failing):
        shared = True

        async def change(self, change: Any) -> bool:
            found = await super().change(change)
            self.down = change.showing is not None
            return found

    store = Shared()

    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        assert [type(one) for one in sender.told] == [wire.Joined]
        store.down = False
        await receiver.send(0, b"hello")
        assert sender.bodies == [b"hello"]

    played(scene, World(lambda: store))


def test_what_time_ends_while_the_store_is_down_is_ended_when_it_is_back() -> None:
    store = Failing()

    async def scene(world: World) -> None:
        relay = await world.relay()
        receiver, sender = await world.pair(relay)
        await sender.drop()
        store.down = True
        await world.forward(31)
        assert receiver.whys == []
        store.down = False
        await world.forward(1)
        assert receiver.whys == ["gone"]

    played(scene, World(lambda: store))


def test_refusals_are_told_by_code_and_counted() -> None:
    async def scene(world: World) -> None:
        relay = await world.relay()
        assert wire.read_told(relay.refusal(TooMany(s=7))) == wire.RefusedBy("copy-too-many", 7)
        assert wire.read_told(relay.refusal(SpaceFull())) == wire.RefusedBy("copy-full")
        for kind in (MailboxUnknown, MailboxTaken, RelayStopping, ResumeUnknown):
            assert issubclass(kind, Refusal)
            relay.refusal(kind())
        assert relay.counts.refused["mailbox-taken"] == 1
        assert NETWORK not in relay.refusal(TooMany(s=7))

    played(scene)
