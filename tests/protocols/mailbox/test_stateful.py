"""Both devices and the mailbox on a network that drops, repeats, swaps and alters; and beside a relay that is a thief.

Whatever the order: nothing but sealed bytes before and after confirmation, no success without storage, no second
guess, no state outside the tables.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.protocols.mailbox.network import CERTIFICATE, DIGEST, KEY_FILE, Device, Network
from vectors.copying import make

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import endpoint, frames, receiver, schedule, sender
from ingam.protocols.mailbox.endpoint import (
    Acknowledged,
    Asked,
    Closed,
    Heard,
    Left,
    LinkLost,
    PeerCame,
    Refused,
    TimeOver,
    WrongCode,
)
from ingam.protocols.mailbox.mailbox import MAILBOX

RARELY = 5
rarely = st.integers(0, RARELY)
seats = st.sampled_from([0, 1])
WORTH = (CERTIFICATE[:48], CERTIFICATE[-48:], KEY_FILE[:48], KEY_FILE[-48:], make.SECRET.encode(), make.QR)
"""Pieces of what must not be seen by anybody but the two persons' devices."""


def kinds(device: Device) -> list[int]:
    """The types of what a device has sent, sealed ones with their inner type."""
    return [body[0] if body[0] != 5 else body[1] for body in device.sent]


class Copying(RuleBasedStateMachine):
    """One run: the sender's person typed the right or a wrong number, or scanned."""

    @initialize(wrong=st.integers(0, 4), scans=st.booleans(), ahead=st.integers(0, 12))
    def begin(self, wrong: int, scans: bool, ahead: int) -> None:
        """Undisturbed for so many rounds; in each of them every line carries one frame, and persons act if all rest."""
        self.wrong = wrong == 4
        self.net = Network("5678902" if self.wrong else make.SECRET, make.QR if scans else None)
        if ahead:
            self.net.join()
        for _ in range(ahead):
            self.everything_moves_on(1)

    # The run goes on.

    @precondition(lambda self: not self.net.relay.joined)
    @rule()
    def the_sender_joins(self) -> None:
        self.net.join()

    @rule(seat=seats, times=st.integers(1, 4))
    def a_line_carries(self, seat: Any, times: int) -> None:
        for _ in range(times):
            self.net.carry_up(seat)
            self.net.carry_down(seat)

    @rule(rounds=st.integers(1, 4))
    def everything_moves_on(self, rounds: int) -> None:
        for _ in range(rounds):
            self.net.round()

    @rule()
    def the_person_agrees(self) -> None:
        self.net.queue(self.net.sender, self.net.sender.agree())

    @rule()
    def the_receiver_asks(self) -> None:
        self.net.feed(self.net.receiver, Asked())

    @rule(digest=st.sampled_from([DIGEST, DIGEST, bytes(32)]))
    def the_store_answers(self, digest: bytes) -> None:
        self.net.store(digest)

    @rule(code=st.sampled_from(["cannot-keep", "replace-declined", "bound-to-other"]), really=rarely)
    def the_receiver_refuses(self, code: str, really: int) -> None:
        if really == RARELY:
            self.net.feed(self.net.receiver, Refused(code))

    # Persons, clocks and connections give up.

    @rule(seat=seats, event=st.sampled_from([Left(), LinkLost(), TimeOver()]), really=rarely)
    def somebody_leaves(self, seat: Any, event: Any, really: int) -> None:
        if really == RARELY:
            self.net.feed(self.net.devices[seat], event)

    @rule(seat=seats)
    def a_connection_breaks(self, seat: Any) -> None:
        self.net.lose(seat)

    @rule(seat=seats)
    def a_connection_comes_back(self, seat: Any) -> None:
        self.net.resume(seat)

    @rule(seconds=st.sampled_from([1.0, 10.0, 31.0, 200.0]), really=rarely)
    def time_passes(self, seconds: float, really: int) -> None:
        if seconds < 30 or really == RARELY:
            self.net.relay.wait(seconds)

    # Lines that do what lines must not.

    @rule(seat=seats, downward=st.booleans(), place=st.integers(0, 3))
    def a_frame_is_repeated(self, seat: Any, downward: bool, place: int) -> None:
        line: list[Any] = self.net.relay.down[seat] if downward else self.net.up[seat]
        if place < len(line):
            line.insert(place, line[place])

    @rule(seat=seats, downward=st.booleans(), place=st.integers(0, 3))
    def a_frame_is_dropped(self, seat: Any, downward: bool, place: int) -> None:
        line: list[Any] = self.net.relay.down[seat] if downward else self.net.up[seat]
        if place < len(line):
            line.pop(place)

    @rule(seat=seats, downward=st.booleans(), really=rarely)
    def two_frames_are_swapped(self, seat: Any, downward: bool, really: int) -> None:
        line: list[Any] = self.net.relay.down[seat] if downward else self.net.up[seat]
        if len(line) > 1 and really == RARELY:
            line[0], line[1] = line[1], line[0]

    @rule(seat=seats, downward=st.booleans(), bit=st.integers(0, 16_402 * 8), really=rarely)
    def a_bit_is_altered(self, seat: Any, downward: bool, bit: int, really: int) -> None:
        if really < RARELY:
            return
        line: list[Any] = self.net.relay.down[seat] if downward else self.net.up[seat]
        for at, frame in enumerate(line):
            if frame[0] == "post":
                line[at] = ("post", frame[1], _flipped(frame[2], bit))
                return

    # A relay that does as it likes.

    @rule(seat=seats, data=st.data(), really=rarely)
    def the_relay_says_what_it_heard_before(self, seat: Any, data: st.DataObject, really: int) -> None:
        """Replays, reflects, reorders: any body that was ever sent, to either side, out of turn."""
        known = [body for device in self.net.devices for body in device.sent]
        if known and really == RARELY:
            self.net.feed(self.net.devices[seat], Heard(data.draw(st.sampled_from(known))))

    @rule(seat=seats, why=st.sampled_from(["done", "wrong", "declined", "crowded", "whatever"]), really=rarely)
    def the_relay_says_it_is_over(self, seat: Any, why: str, really: int) -> None:
        if really == RARELY:
            self.net.feed(self.net.devices[seat], Closed(why))

    @rule(seat=seats, really=rarely)
    def the_relay_says_that_somebody_came(self, seat: Any, really: int) -> None:
        if really == RARELY:
            self.net.feed(self.net.devices[seat], PeerCame())

    @rule(seat=seats, inner=st.sampled_from(frames.Inner), really=rarely)
    def the_relay_seals_under_a_key_of_its_own(self, seat: Any, inner: frames.Inner, really: int) -> None:
        if really < RARELY:
            return
        direction = schedule.TO_RECEIVER if seat == 0 else schedule.TO_SENDER
        body = frames.seal(Secret(bytes(32)), direction, 0, inner, DIGEST)
        self.net.feed(self.net.devices[seat], Heard(body))

    # What always holds.

    @invariant()
    def every_state_is_in_its_table(self) -> None:
        for device in self.net.devices:
            assert type(device.state) in device.machine.states().values()
        assert type(self.net.relay.state) in MAILBOX.states().values()

    @invariant()
    def nobody_on_the_way_sees_anything_of_worth(self) -> None:
        for device in self.net.devices:
            for body in device.sent:
                assert not [piece for piece in WORTH if piece in body]
                assert len(body) == frames.SEALED_BODY or len(body) <= frames.MOST_PLAIN

    @invariant()
    def the_payload_leaves_only_after_the_tag_and_the_yes(self) -> None:
        one, other = self.net.sender, self.net.receiver
        if frames.Inner.PAYLOAD in kinds(one):
            assert one.agreed
            assert one.words is not None
        if other.delivered is not None:
            assert one.agreed
            assert one.words == other.words
            assert (other.delivered.certificate, other.delivered.key_file.reveal()) == (CERTIFICATE, KEY_FILE)

    @invariant()
    def success_means_storage(self) -> None:
        for device in self.net.devices:
            if isinstance(device.state, Acknowledged):
                assert self.net.receiver.stored
                assert self.net.receiver.delivered is not None

    @invariant()
    def there_is_one_share_and_no_second_guess(self) -> None:
        for device in self.net.devices:
            plain = [kind for kind in kinds(device) if kind <= 4]
            assert len(plain) == len(set(plain))
            assert len(device.sent) <= 8
        if self.wrong:
            assert self.net.sender.words is None
            assert self.net.receiver.words is None

    @invariant()
    def the_relay_forgets_when_it_is_over(self) -> None:
        if self.net.relay.over:
            assert self.net.relay.bodies == ([], [])


def _flipped(body: bytes, bit: int) -> bytes:
    bit %= len(body) * 8
    altered = bytearray(body)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)


def test_C7_C8_C9_C10_C13_hold_whatever_network_and_relay_do() -> None:
    run_state_machine_as_test(Copying, settings=settings(max_examples=100, stateful_step_count=30, deadline=None))


def test_C13_an_undisturbed_run_ends_acknowledged_on_both_sides() -> None:
    for scans in (None, make.QR):
        net = Network(sender_qr=scans)
        net.join()
        net.settle()
        assert net.sender.state == net.receiver.state == Acknowledged()
        assert net.sender.words == net.receiver.words is not None
        assert net.relay.why == "done"


@given(st.lists(st.tuples(st.integers(0, 30), seats), max_size=8, unique=True))
@settings(max_examples=60, deadline=None)
def test_C8_connections_may_break_at_any_moment_and_the_same_run_goes_on(breaks: list[tuple[int, Any]]) -> None:
    net = Network()
    net.join()
    for moment in range(31):
        for at, seat in breaks:
            if at == moment:
                net.lose(seat)
        net.round()
        for at, seat in breaks:
            if at == moment:
                net.resume(seat)
    net.settle()
    assert net.sender.state == net.receiver.state == Acknowledged()


def test_C8_a_wrong_number_ends_the_run_on_both_screens_after_one_guess() -> None:
    net = Network(guess="0000000")
    net.join()
    net.settle()
    assert net.sender.state == net.receiver.state == WrongCode()
    assert kinds(net.sender) == [2]
    assert kinds(net.receiver) == [1, 3]
    assert net.relay.why == "wrong"


def test_C8_a_relay_that_drops_and_restarts_gets_one_guess() -> None:
    """It plays the sender: one SHARE_A of its own; whatever it does then, the receiver answers no second one."""
    victim = Device("receiver", 0, make.own("receiver", opened=True, qr=make.QR))
    victim.feed(endpoint.Admitted(make.MAILBOX))
    victim.feed(PeerCame())
    hello = victim.sent[0]
    thief = Device("sender", 1, Network(guess="1234567").sender.own)
    thief.feed(endpoint.Admitted(make.MAILBOX))
    thief.feed(Heard(hello))
    victim.feed(Heard(thief.sent[0]))
    answer = victim.sent[1]
    thief.feed(Heard(answer))
    assert thief.state == WrongCode()
    again = Device("sender", 1, Network(guess="7654321").sender.own)
    again.feed(endpoint.Admitted(make.MAILBOX))
    again.feed(Heard(hello))
    assert again.sent[0] != thief.sent[0]
    assert victim.feed(Heard(again.sent[0])) == [("close", "broken")]
    assert victim.sent == [hello, answer]
    assert victim.state == endpoint.Broken()


def test_C10_C12_the_thief_of_the_relays_memory_has_sealed_bytes_only() -> None:
    """Everything that the relay ever held, with the number's mailbox digits known, and no worth in it."""
    net = Network()
    net.join()
    net.settle()
    held = b"".join(body for device in net.devices for body in device.sent)
    assert not [piece for piece in WORTH if piece in held]
    assert make.RELAY.encode() not in held


def test_a_session_key_belongs_to_its_run_its_mailbox_and_its_relay() -> None:
    """Same digits, another relay, mailbox or device text: another key, and the run ends (C6)."""
    changes = ({"relay": "http://localhost:8706"}, {"secret": Secret("5678902")})
    for change in changes:
        one, other = make.ends("receiver", None, make.QR)
        for name, value in change.items():
            object.__setattr__(one.own, name, value)
        hello = make.hello_of(one, other)
        share_a = one.feed(Heard(hello))[0]
        share_b = other.feed(Heard(share_a))[0]
        one.feed(Heard(share_b))
        assert one.state == WrongCode()


@pytest.mark.parametrize("which", ["hello", "share_a"])
def test_C6_C9_a_device_text_that_was_altered_on_the_way_ends_the_run(which: str) -> None:
    one, other = make.ends("receiver", None, make.QR)
    hello = make.hello_of(one, other)
    if which == "hello":
        hello = hello.replace(b"Android", b"Bndroid")
    share_a = one.feed(Heard(hello))[0]
    if which == "share_a":
        share_a = share_a.replace(b"Chrome", b"Dhrome")
    one.feed(Heard(other.feed(Heard(share_a))[0]))
    assert one.state == WrongCode()
    assert not isinstance(other.state, receiver.KeyConfirmed | receiver.Receiving)
    assert isinstance(make._until(3)[0].state, sender.KeyConfirmed)
