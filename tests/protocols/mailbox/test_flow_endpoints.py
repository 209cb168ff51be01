"""Both endpoint machines are held to their tables: every event in every state, every edge walked."""

from __future__ import annotations

from typing import Any

import pytest
from vectors.copying import make

from ingam.kernel.flow import IllegalMove, Machine
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import endpoint, frames, receiver, schedule, sender, wire
from ingam.protocols.mailbox.endpoint import (
    Acknowledged,
    Admitted,
    Agreed,
    Asked,
    Broken,
    Cancelled,
    Closed,
    Declined,
    Event,
    Expired,
    Heard,
    Left,
    LinkLost,
    PeerCame,
    PeerGone,
    Refused,
    Stored,
    TimeOver,
    WrongCode,
)
from ingam.protocols.mailbox.frames import Confirm, Inner, ShareB
from ingam.protocols.mailbox.schedule import TO_RECEIVER, TO_SENDER

ENDS: list[Any] = [
    Acknowledged(),
    WrongCode(),
    PeerGone(),
    Expired(),
    Cancelled(),
    Declined("cannot-keep"),
    Broken(),
]


def machines() -> list[tuple[Machine[Any, Any], list[Any], list[Any]]]:
    """Each machine with a state of every kind and events that walk every edge."""
    walked = [make._until(count) for count in range(7)]
    last = [body for _, _, body in walked]
    digest = make._digest()
    wrong_b = frames.write_share_b(ShareB(frames.read_share_b(last[2]).yb, bytes(32)))
    replies = [
        make._reply(Inner.STORED, 0, digest),
        make._reply(Inner.ASKING, 0),
        make._reply(Inner.REFUSED, 0, b"cannot-keep"),
        make._reply(Inner.CANCELLED, 0),
    ]
    from_sender = [
        make._payload(Inner.PAYLOAD, 0),
        make._payload(Inner.PAYLOAD, 0, b"none"),
        make._payload(Inner.CANCELLED, 0),
        make._payload(Inner.CANCELLED, 1),
    ]
    wrong_a = frames.write_confirm(Confirm(bytes(32), Secret(bytes(16))))
    heard = [Heard(body) for body in (*last[:4], wrong_b, wrong_a, *replies, *from_sender)]
    events: list[Any] = [
        Admitted(make.MAILBOX), Admitted("00000"), PeerCame(), *heard, Heard(b"noise"),
        Agreed(make.CERTIFICATE, Secret(make.KEY_FILE)), Asked(), Stored(digest), Stored(bytes(32)),
        Refused("bound-to-other"), Left(), *(Closed(why) for why in ("wrong", "gone", "expired", "cancelled")),
        Closed("declined"), Closed("done"), LinkLost(), TimeOver(),
    ]  # fmt: skip
    qr = make.QR
    send_states = [
        sender.Inviting(make.own("sender", opened=True, qr=qr)),
        sender.Inviting(make.own("sender", opened=True, qr=qr), make.MAILBOX),
        sender.Joining(make.own("sender", opened=False, qr=None), make.MAILBOX),
        *(walked[count][0].state for count in (0, 1, 3, 5)),
    ]
    receive_states = [
        receiver.Inviting(make.own("receiver", opened=True, qr=qr)),
        receiver.Inviting(make.own("receiver", opened=True, qr=qr), make.MAILBOX),
        receiver.Joining(make.own("receiver", opened=False, qr=qr), make.MAILBOX),
        *(walked[count][1].state for count in (1, 2, 4, 6)),
    ]
    return [(sender.SENDER, send_states, events), (receiver.RECEIVER, receive_states, events)]


MACHINES = machines()
each = pytest.mark.parametrize(("machine", "states", "events"), MACHINES, ids=["sender", "receiver"])


@each
def test_every_event_in_every_state_does_what_the_table_says(
    machine: Machine[Any, Any], states: list[Any], events: list[Any]
) -> None:
    for state in (*states, *ENDS):
        for event in events:
            targets = machine.edges.get(type(state), {}).get(type(event))
            if targets is None:
                with pytest.raises(IllegalMove):
                    machine.advance(state, event)
            else:
                assert type(machine.advance(state, event).state) in targets


@each
def test_every_edge_is_walked_and_every_state_is_reached(
    machine: Machine[Any, Any], states: list[Any], events: list[Any]
) -> None:
    walked = {
        (type(state), type(event), type(machine.advance(state, event).state))
        for state in states
        for event in events
        if machine.allows(state, event)
    }
    table = {(s, e, t) for s, rows in machine.edges.items() for e, targets in rows.items() for t in targets}
    assert walked == table
    assert {type(state) for state in (*states, *ENDS)} == set(machine.states().values())
    assert machine.ends() == set(endpoint.ENDS)


@each
def test_H1_no_state_and_no_event_prints_a_secret(
    machine: Machine[Any, Any], states: list[Any], events: list[Any]
) -> None:
    hidden = [make.SECRET, repr(make.QR), repr(make.KEY_FILE[:16])[2:-1], repr(make.octets("sender scalar", 31))[2:-1]]
    for one in (*states, *events):
        assert not [text for text in hidden if text in repr(one)]
    # CONFIRM shows the lot; before it no state does.
    assert not [one for one in states if repr(make.octets("sender lot", 16))[2:-1] in repr(one)]


def test_each_end_has_its_own_code() -> None:
    codes = [end.code for end in ENDS]
    assert len(set(codes)) == len(codes)


def test_C13_once_the_payload_is_under_way_only_the_receivers_proven_word_is_no_unconfirmed_end() -> None:
    for asking in (False, True):
        state = make._until(5)[0].state
        if asking:
            state = sender.SENDER.advance(state, Heard(make._reply(Inner.ASKING, 0))).state
        at = int(asking)
        noise: list[Event] = [Heard(b"noise"), Heard(bytes(16_402)), Heard(make._reply(Inner.STORED, at, bytes(32)))]
        noise += [Heard(make._reply(Inner.REFUSED, at, b"No code")), Heard(make._reply(Inner.CANCELLED, at, b"x"))]
        noise += [Heard(make._reply(Inner.STORED, at + 1, make._digest())), Heard(make._reply(Inner.PAYLOAD, at))]
        leaving: list[Event] = [
            Left(),
            LinkLost(),
            TimeOver(),
            *(Closed(why) for why in (*wire.CLOSED_WHYS, "moonlight")),
        ]
        for event in (*noise, *leaving):
            assert getattr(sender.SENDER.advance(state, event).state, "code", None) == "copy-unconfirmed"
        said = [
            (make._reply(Inner.STORED, at, make._digest()), Acknowledged()),
            (make._reply(Inner.REFUSED, at, b"cannot-keep"), Declined("cannot-keep")),
            (make._reply(Inner.CANCELLED, at), Cancelled("copy-peer-cancelled")),
        ]
        for body, end in said:
            assert sender.SENDER.advance(state, Heard(body)).state == end


@each
def test_before_it_the_codes_say_whose_network_and_whose_person(
    machine: Machine[Any, Any], states: list[Any], events: list[Any]
) -> None:
    for state in states:
        if not isinstance(state, sender.Sending):
            assert machine.advance(state, LinkLost()).state == PeerGone("copy-link-lost")
            assert machine.advance(state, Closed("gone")).state == PeerGone("copy-peer-gone")
            assert machine.advance(state, Closed("cancelled")).state == Cancelled("copy-peer-cancelled")
            assert machine.advance(state, Left()).state == Cancelled("copy-cancelled")
            assert machine.advance(state, TimeOver()).state == Expired()
    assert LinkLost() in events


def test_a_receiver_that_does_not_show_a_qr_cannot_join_and_a_sender_without_one_cannot_open() -> None:
    with pytest.raises(ValueError, match="QR"):
        sender.start(make.own("sender", opened=True, qr=None))
    with pytest.raises(ValueError, match="QR"):
        receiver.start(make.own("receiver", opened=False, qr=None), make.MAILBOX)
    for start in (sender.start, receiver.start):
        with pytest.raises(ValueError, match=r"mailbox|QR"):
            start(make.own("sender", opened=False, qr=make.QR))


def test_what_is_too_large_is_not_sent_and_changes_nothing() -> None:
    state = make._until(3)[0].state
    with pytest.raises(ValueError, match="bounds"):
        sender.SENDER.advance(state, Agreed(bytes(7_000), Secret(b"key")))


def test_a_store_that_names_no_code_is_a_programming_error() -> None:
    state = make._until(6)[1].state
    with pytest.raises(ValueError, match="code"):
        receiver.RECEIVER.advance(state, Refused("No code"))


def test_mode_q_needs_its_bytes() -> None:
    with pytest.raises(ValueError, match="QR"):
        schedule.password("q", Secret("5678901"), None)


def test_C5_C7_a_scanning_sender_never_falls_back_to_digits() -> None:
    """With other QR bytes and the same digits, the run ends; there is no second try in mode n."""
    scanned = make.End("sender", make.own("sender", opened=False, qr=bytes(16)))
    other = make.End("receiver", make.own("receiver", opened=True, qr=make.QR))
    hello = make.hello_of(scanned, other)
    share_a = scanned.feed(Heard(hello))[0]
    assert frames.read_share_a(share_a).mode == "q"
    share_b = other.feed(Heard(share_a))[0]
    assert scanned.feed(Heard(share_b)) == []
    assert scanned.state == WrongCode()


def test_C9_the_two_directions_have_two_keys() -> None:
    state = make._until(3)[0].state
    assert state.to_receiver != state.to_sender
    body = frames.seal(state.to_receiver, TO_RECEIVER, 0, Inner.CANCELLED)
    with pytest.raises(frames.FrameBroken):
        frames.unseal(state.to_sender, TO_SENDER, 0, body)
