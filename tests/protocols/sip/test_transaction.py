"""The transaction machine is its table, and repeats as RFC 3261 section 17 says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.sip import transaction
from ingam.protocols.sip.transaction import EDGES, Act, Event, Kind, Phase, State, Timer, Timers

TIMERS = Timers()


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("reliable", [True, False])
def test_every_event_in_every_phase_is_the_tables(kind: Kind, phase: Phase, event: Event, reliable: bool) -> None:
    before = State(kind, reliable, phase, 0.5)
    after, effects = transaction.advance(before, event, TIMERS)
    to = EDGES[kind].get(phase, {}).get(event)
    if to is None:
        assert (after, effects) == (before, ())
    else:
        assert after.phase in to and after.kind is kind


@given(st.sampled_from(Kind), st.booleans(), st.lists(st.sampled_from(Event), max_size=30))
def test_an_answer_is_final_once_and_nothing_follows_the_end(kind: Kind, reliable: bool, events: list[Event]) -> None:
    state, timed_out = State(kind, reliable), 0
    for event in events:
        was = state.phase
        state, effects = transaction.advance(state, event, TIMERS)
        timed_out += effects.count(Act.TIMED_OUT)
        assert was is not Phase.TERMINATED or not effects
        assert Act.ACKNOWLEDGE not in effects or kind is Kind.INVITE
    assert timed_out <= 1


def waits(kind: Kind, phase: Phase, times: int) -> list[float]:
    state, _ = transaction.advance(State(kind, False), Event.STARTED, TIMERS)
    if phase is Phase.PROCEEDING:
        state, _ = transaction.advance(state, Event.PROVISIONAL, TIMERS)
    found = []
    for _ in range(times):
        state, effects = transaction.advance(state, Event.RESEND, TIMERS)
        found += [one.seconds for one in effects if isinstance(one, Timer)]
    return found


def test_an_invite_doubles_and_another_request_stops_doubling_at_four_seconds() -> None:
    assert waits(Kind.INVITE, Phase.CALLING, 6) == [1, 2, 4, 8, 16, 32]
    assert waits(Kind.REQUEST, Phase.CALLING, 5) == [1, 2, 4, 4, 4]
    assert waits(Kind.REQUEST, Phase.PROCEEDING, 2) == [4, 4]
    assert waits(Kind.INVITE, Phase.PROCEEDING, 2) == []


def test_nothing_is_repeated_over_tcp_and_nothing_is_kept_after_the_answer() -> None:
    state, effects = transaction.advance(State(Kind.INVITE, True), Event.STARTED, TIMERS)
    assert effects == (Act.SEND, Timer(Event.GIVE_UP, 32.0))
    _, effects = transaction.advance(state, Event.FAILURE, TIMERS)
    assert effects == (Act.ACKNOWLEDGE, Act.TELL, Timer(Event.DONE, 0.0))


def test_a_refusal_that_comes_again_is_acknowledged_and_not_told_again() -> None:
    state = State(Kind.INVITE, False, Phase.PROCEEDING)
    state, effects = transaction.advance(state, Event.FAILURE, TIMERS)
    assert effects == (Act.ACKNOWLEDGE, Act.TELL, Timer(Event.DONE, 32.0))
    assert transaction.advance(state, Event.FAILURE, TIMERS)[1] == (Act.ACKNOWLEDGE,)
