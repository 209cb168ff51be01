"""The relay's machine of a mailbox is held to its table, and to what C8 and C12 ask of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.kernel.errors import Defect
from ingam.kernel.flow import IllegalMove
from ingam.protocols.mailbox import mailbox
from ingam.protocols.mailbox.mailbox import (
    EDGES,
    MAILBOX,
    Away,
    Back,
    Burnt,
    Carry,
    Closes,
    Crowded,
    Delivered,
    Expired,
    Forget,
    Joined,
    Joins,
    Opened,
    Posted,
    Relaying,
    Stops,
    Tell,
    TimePassed,
)

ENDS_AT = 1_000.0
IDS = ("ab" * 16, "cd" * 32)
OPENED = Opened(*IDS, "receiver", ENDS_AT)
JOINED = Joined(*IDS, "receiver", ENDS_AT)
RELAYING = Relaying(*IDS, "receiver", ENDS_AT, (1, 1))
LIVE: list[Any] = [
    OPENED,
    Opened(*IDS, "sender", ENDS_AT, away=100.0),
    JOINED,
    Joined(*IDS, "sender", ENDS_AT, (1, 0), (100.0, None)),
    RELAYING,
    Relaying(*IDS, "sender", ENDS_AT, (8, 1), (None, 100.0)),
]
STATES: list[Any] = [*LIVE, Delivered(), Crowded(), Expired(), Burnt("wrong")]
EVENTS: list[Any] = [
    *(kind(at) for kind in (Joins, TimePassed) for at in (110.0, 500.0, 2_000.0)),
    *(kind(at, seat) for kind in (Away, Back) for at in (110.0, 500.0, 2_000.0) for seat in (0, 1)),
    Posted(110.0, 0, 0, 70), Posted(110.0, 0, 1, 70), Posted(110.0, 1, 0, 70), Posted(110.0, 1, 0, 70, same=True),
    Posted(110.0, 0, 0, 70, same=False), Posted(110.0, 0, 0, 16_403), Posted(2_000.0, 0, 0, 70),
    *(Closes(seat, why) for seat in (0, 1) for why in ("done", "wrong", "cancelled", "broken", "declined", "expired")),
    Stops(),
]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=repr)
def test_every_event_in_every_state_does_what_the_table_says(state: Any) -> None:
    for event in EVENTS:
        targets = EDGES.get(type(state), {}).get(type(event))
        if targets is None:
            with pytest.raises(IllegalMove):
                MAILBOX.advance(state, event)
        else:
            assert type(MAILBOX.advance(state, event).state) in targets


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    walked = {
        (type(state), type(event), type(MAILBOX.advance(state, event).state))
        for state in LIVE
        for event in EVENTS
        if MAILBOX.allows(state, event)
    }
    table = {(s, e, t) for s, rows in EDGES.items() for e, targets in rows.items() for t in targets}
    assert walked == table
    assert {type(state) for state in STATES} == set(MAILBOX.states().values())
    assert MAILBOX.ends() == {Delivered, Crowded, Expired, Burnt}


@pytest.mark.parametrize("state", STATES, ids=repr)
def test_every_state_comes_back_from_the_store_as_it_was(state: Any) -> None:
    assert MAILBOX.load(MAILBOX.dump(state)) == state


def test_C12_a_state_holds_no_digit_of_the_number_and_no_byte_of_a_message() -> None:
    for state in LIVE:
        assert set(type(state).__slots__) <= {"ticket", "who", "role", "ends", "away", "counts"}


def test_an_end_is_no_place_to_move_from() -> None:
    with pytest.raises(Defect):
        mailbox.move(Delivered(), Stops())


def test_C8_whoever_joins_second_ends_it_for_all() -> None:
    first = MAILBOX.advance(OPENED, Joins(10.0))
    assert first.effects == (Tell(0, "peer"),)
    assert first.state == Joined(*IDS, "receiver", 190.0)
    second = MAILBOX.advance(first.state, Joins(11.0))
    assert second.state == Crowded()
    assert second.effects == (Forget("crowded"),)


def test_a_message_goes_to_the_other_seat_once() -> None:
    step = MAILBOX.advance(JOINED, Posted(10.0, 0, 0, 63))
    assert step.effects == (Carry(1, 0),)
    assert step.state == Joined(*IDS, "receiver", ENDS_AT, (1, 0))
    again = MAILBOX.advance(step.state, Posted(11.0, 0, 0, 63, same=True))
    assert (again.state, again.effects) == (step.state, ())
    answer = MAILBOX.advance(step.state, Posted(12.0, 1, 0, 75))
    assert answer.state == Relaying(*IDS, "receiver", ENDS_AT, (1, 1))
    assert answer.effects == (Carry(0, 0),)


@pytest.mark.parametrize(
    "posted",
    [
        Posted(10.0, 0, 2, 63), Posted(10.0, 0, 0, 63, same=False), Posted(10.0, 0, 0, 63), Posted(10.0, 0, 1, 0),
        Posted(10.0, 0, 1, 16_403),
    ],
    ids=["a gap", "other bytes", "bytes that the store lost", "nothing", "too large"],
)  # fmt: skip
def test_C8_a_message_that_cannot_follow_burns_the_mailbox(posted: Posted) -> None:
    step = MAILBOX.advance(RELAYING, posted)
    assert step.state == Burnt("broken")
    assert step.effects == (Forget("broken"),)


def test_C12_the_ninth_message_of_a_seat_burns_the_mailbox() -> None:
    full = Relaying(*IDS, "receiver", ENDS_AT, (8, 1))
    assert MAILBOX.advance(full, Posted(10.0, 0, 8, 63)).state == Burnt("broken")
    assert MAILBOX.advance(full, Posted(10.0, 0, 7, 63, same=True)).state == full


def test_nobody_speaks_into_a_mailbox_alone() -> None:
    assert MAILBOX.advance(OPENED, Posted(10.0, 0, 0, 63)).state == Burnt("broken")


def test_a_wrong_number_burns_it_and_both_are_told() -> None:
    step = MAILBOX.advance(RELAYING, Closes(1, "wrong"))
    assert step.state == Burnt("wrong")
    assert step.effects == (Forget("wrong"),)


def test_done_is_the_senders_word() -> None:
    assert MAILBOX.advance(RELAYING, Closes(1, "done")).state == Delivered()
    assert MAILBOX.advance(RELAYING, Closes(0, "done")).state == RELAYING
    assert mailbox.role(RELAYING, 0) == "receiver"
    assert mailbox.role(RELAYING, 1) == "sender"


def test_a_side_that_is_away_for_thirty_seconds_ends_it() -> None:
    gone = MAILBOX.advance(RELAYING, Away(10.0, 1))
    assert gone.effects == (Tell(0, "away"),)
    assert mailbox.deadline(gone.state) == 40.0  # type: ignore[arg-type]
    assert MAILBOX.advance(gone.state, TimePassed(39.9)).state == gone.state
    assert MAILBOX.advance(gone.state, TimePassed(40.0)).state == Burnt("gone")
    back = MAILBOX.advance(gone.state, Back(39.0, 1))
    assert back.effects == (Tell(0, "back"),)
    assert back.state == RELAYING


def test_who_comes_back_is_told_what_it_missed() -> None:
    both_away = Joined(*IDS, "receiver", ENDS_AT, away=(10.0, 12.0))
    assert MAILBOX.advance(both_away, Back(13.0, 0)).effects == (Tell(0, "peer"), Tell(0, "away"), Tell(1, "back"))
    assert MAILBOX.advance(both_away, Back(13.0, 1)).effects == (Tell(1, "away"), Tell(0, "back"))


def test_its_time_ends_it_whatever_comes() -> None:
    for event in (Joins(ENDS_AT), TimePassed(ENDS_AT), Back(ENDS_AT, 0)):
        assert MAILBOX.advance(OPENED, event).state == Expired()
    assert mailbox.deadline(OPENED) == ENDS_AT


@given(st.lists(st.sampled_from(EVENTS), max_size=20))
def test_whatever_comes_it_ends_once_and_forgets_when_it_ends(events: list[Any]) -> None:
    state: Any = OPENED
    for event in events:
        if type(state) in MAILBOX.ends():
            return
        step = MAILBOX.advance(state, event)
        forgets = [effect for effect in step.effects if isinstance(effect, Forget)]
        assert len(forgets) == (type(step.state) in MAILBOX.ends())
        state = step.state
