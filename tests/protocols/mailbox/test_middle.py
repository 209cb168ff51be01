"""Somebody between both devices who knows the number: two keys, and still no choice of the words to compare (C10).

The sender's lot is committed to in SHARE_A and shown in CONFIRM. So whoever answers a sender has chosen its share
before it can know the words, and whoever plays a sender to a receiver has chosen its lot before it knows Yb.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from vectors.copying import make

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, frames, receiver, schedule, sender
from ingam.protocols.mailbox.endpoint import Admitted, Broken, Close, Heard, Send, ShowWords, WrongCode
from ingam.protocols.mailbox.frames import Confirm, ShareB
from ingam.protocols.mailbox.schedule import Keys

LOT = make.octets("sender lot", 16)
OTHERS = [make.octets(f"lot {n}", 16) for n in range(64)]


def answers(one: make.End, hello: bytes, share_a: bytes, label: str) -> tuple[bytes, Keys]:
    """SHARE_B of a middle that knows the number, with a share of its choice, and the keys that it leads to."""
    said = frames.read_share_a(share_a)
    scalar, sid = cpace.scalar(make.octets(label, 32)), frames.read_hello(hello).nonce + said.nonce
    prs = schedule.password(said.mode, one.own.secret, None)
    yb = cpace.share(scalar, cpace.generator(prs, schedule.channel(make.RELAY, make.MAILBOX), sid))
    ada = schedule.sender_data(1, said.mode, said.device)
    adb = schedule.receiver_data(b"\x01", said.mode, make.DEVICES["receiver"])
    isk = cpace.isk(sid, cpace.secret_point(scalar, said.ya), (said.ya, ada), (yb, adb))
    keys = schedule.keys(Secret(isk), schedule.transcript(hello, share_a, yb))
    return frames.write_share_b(ShareB(yb, keys.tag_b.reveal())), keys


def test_C10_a_middle_that_answers_the_sender_chooses_its_share_before_it_can_know_the_words() -> None:
    one, other = make.ends("receiver", None, make.QR)
    hello = make.hello_of(one, other)
    share_a = one.feed(Heard(hello))[0]
    assert LOT not in share_a
    assert frames.read_share_a(share_a).commitment == schedule.commitment(Secret(LOT))
    choices = [answers(one, hello, share_a, f"middle {n}") for n in range(16)]
    # What it wishes for it can compute under a lot that it supposes, and under no supposed one is it what is shown.
    share_b, keys = min(choices, key=lambda choice: schedule.words(choice[1], Secret(OTHERS[0])))
    wished = {schedule.words(keys, Secret(lot)) for lot in OTHERS}
    assert len(wished) == len(OTHERS)
    step = one.machine.advance(one.state, Heard(share_b))
    sent, shown = step.effects
    assert isinstance(sent, Send)
    assert isinstance(shown, ShowWords)
    assert (shown.first, shown.second) not in wished
    # Only now, with the share spent, does it learn the lot.
    lot = frames.read_confirm(sent.body).lot
    assert (shown.first, shown.second) == schedule.words(keys, lot)
    assert lot == Secret(LOT)


def test_C10_the_sender_shows_words_only_after_its_lot_is_on_its_way() -> None:
    one, _, share_b = make._until(2)
    effects = one.machine.advance(one.state, Heard(share_b)).effects
    assert [type(effect) for effect in effects] == [Send, ShowWords]


def test_C10_a_middle_that_plays_the_sender_cannot_take_another_lot_when_it_has_seen_the_receivers_share() -> None:
    one, other, confirm = make._until(3)
    said = frames.read_confirm(confirm)
    for lot in (*OTHERS, bytes(16), LOT[:-1] + bytes([LOT[-1] ^ 1])):
        step = other.machine.advance(other.state, Heard(frames.write_confirm(Confirm(said.tag, Secret(lot)))))
        assert step.state == Broken("copy-broken")
        assert step.effects == (Close("broken"),)
    confirmed = other.machine.advance(other.state, Heard(confirm)).state
    assert isinstance(confirmed, receiver.KeyConfirmed)
    assert isinstance(one.state, sender.KeyConfirmed)
    assert confirmed.words == one.state.words


def test_C9_the_tag_binds_the_commitment_that_was_sent() -> None:
    """A middle without the number that puts its own commitment in SHARE_A ends the run at the sender."""
    one, other = make.ends("receiver", None, make.QR)
    share_a = one.feed(Heard(make.hello_of(one, other)))[0]
    own = frames.read_share_a(share_a)._replace(commitment=schedule.commitment(Secret(OTHERS[0])))
    one.feed(Heard(other.feed(Heard(frames.write_share_a(own)))[0]))
    assert one.state == WrongCode()


def test_C9_a_wrong_tag_is_a_wrong_number_whatever_the_lot() -> None:
    _, other, confirm = make._until(3)
    for lot in (LOT, OTHERS[0]):
        forged = frames.write_confirm(Confirm(bytes(32), Secret(lot)))
        assert other.machine.advance(other.state, Heard(forged)).state == WrongCode()
    assert frames.read_confirm(confirm).lot == Secret(LOT)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_lot_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="lot"):
        schedule.commitment(Secret(bytes(length)))


def test_C8_who_is_in_between_has_two_guesses_under_one_number() -> None:
    """One at the receiver, whose tag tells it, and then one at the sender; there is no third at either."""
    one, other = make.ends("receiver", None, make.QR)
    hello = make.hello_of(one, other)
    guesses = []
    for digits in ("0000001", "0000002"):
        middle = make.End("sender", replace(make.own("sender", opened=False, qr=None), secret=Secret(digits)))
        middle.feed(Admitted(make.MAILBOX))
        guesses.append(middle.feed(Heard(hello))[0])
        if len(guesses) == 1:
            middle.feed(Heard(other.feed(Heard(guesses[0]))[0]))
            assert middle.state == WrongCode()
    assert other.feed(Heard(guesses[1])) == []
    assert other.state == Broken()
    # The sender has heard nothing of it, and gives the second one.
    share_a = one.feed(Heard(hello))[0]
    wrong = replace(one.own, secret=Secret("0000003"))
    share_b, _ = answers(make.End("sender", wrong), hello, share_a, "middle")
    assert one.feed(Heard(share_b)) == []
    assert one.state == WrongCode()
    assert not one.machine.allows(one.state, Heard(share_b))
