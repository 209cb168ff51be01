"""The breaker against its table: whatever happens in whatever order, only edges of `EDGES` are walked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from ingam.adapters.outgoing.breaker import EDGES, IN_A_ROW, OPEN_S, Breaker, Event, Pass, State

SETTLED = (Event.ANSWERED, Event.OUTAGE, Event.GAVE_UP)


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def fallen() -> tuple[Breaker, Hands]:
    hands = Hands()
    breaker = Breaker(clock=hands)
    for _ in range(IN_A_ROW):
        breaker.settle(admitted(breaker), Event.OUTAGE)
    return breaker, hands


def admitted(breaker: Breaker) -> Pass:
    given = breaker.admit()
    assert given is not None
    return given


def test_five_outages_in_a_row_open_it_for_twenty_seconds() -> None:
    breaker, hands = fallen()
    assert breaker.state is State.OPEN
    hands.now += OPEN_S - 0.001
    assert breaker.admit() is None
    hands.now += 0.001
    assert breaker.admit() is not None


def test_one_answer_starts_the_count_again() -> None:
    breaker = Breaker()
    for event in [Event.OUTAGE] * 4 + [Event.ANSWERED] + [Event.OUTAGE] * 4:
        breaker.settle(admitted(breaker), event)
    assert breaker.state is State.CLOSED


def test_only_one_probe_passes() -> None:
    breaker, hands = fallen()
    hands.now += OPEN_S
    probe = admitted(breaker)
    assert breaker.admit() is None
    breaker.settle(probe, Event.ANSWERED)
    assert breaker.admit() is not None


def test_a_probe_that_fails_opens_it_for_as_long_again() -> None:
    breaker, hands = fallen()
    hands.now += OPEN_S
    breaker.settle(admitted(breaker), Event.OUTAGE)
    hands.now += OPEN_S - 0.001
    assert breaker.admit() is None


def test_a_probe_that_was_given_up_leaves_room_for_the_next() -> None:
    breaker, hands = fallen()
    hands.now += OPEN_S
    breaker.settle(admitted(breaker), Event.GAVE_UP)
    assert breaker.admit() is not None


def test_a_late_outcome_moves_nothing() -> None:
    hands = Hands()
    breaker = Breaker(clock=hands)
    late = admitted(breaker)
    for _ in range(IN_A_ROW):
        breaker.settle(admitted(breaker), Event.OUTAGE)
    breaker.settle(late, Event.ANSWERED)
    assert breaker.admit() is None
    hands.now += OPEN_S
    admitted(breaker)
    breaker.settle(late, Event.OUTAGE)
    assert breaker.state is State.HALF_OPEN


@given(st.integers(1, 9), st.floats(0.1, 100))
def test_the_row_and_the_time_are_settings(row: int, seconds: float) -> None:
    hands = Hands()
    breaker = Breaker(in_a_row=row, open_s=seconds, clock=hands)
    for _ in range(row):
        assert breaker.state is State.CLOSED
        breaker.settle(admitted(breaker), Event.OUTAGE)
    assert breaker.state is State.OPEN
    hands.now += seconds
    assert breaker.admit() is not None


class Walks(RuleBasedStateMachine):
    """Callers come, go and are late, the clock runs: every change of state is an edge of the table."""

    passes = Bundle("passes")

    def __init__(self) -> None:
        super().__init__()
        self.hands = Hands()
        self.breaker = Breaker(clock=self.hands)
        self.under_way = 0
        self.opened_at: float | None = None

    @rule(seconds=st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.hands.now += seconds

    @rule(target=passes)
    def a_caller_comes(self) -> tuple[Pass, State] | None:
        before = self.breaker.state
        given = self.breaker.admit()
        after = self.breaker.state
        if after is not before:
            assert after in EDGES[before][Event.WAITED]
        shut = {(State.OPEN, State.OPEN), (State.HALF_OPEN, State.HALF_OPEN)}
        assert (given is None) == ((before, after) in shut)
        return None if given is None else (given, after)

    @rule(one=consumes(passes), event=st.sampled_from(SETTLED))
    def a_call_ends(self, one: tuple[Pass, State] | None, event: Event) -> None:
        if one is None:
            return
        given, admitted_in = one
        before = self.breaker.state
        self.breaker.settle(given, event)
        after = self.breaker.state
        if after is not before:
            assert before is admitted_in
            assert after in EDGES[before][event]
        if after is State.OPEN and before is not State.OPEN and event is Event.OUTAGE:
            self.opened_at = self.hands.now

    @invariant()
    def open_is_never_left_early(self) -> None:
        if self.breaker.state is State.HALF_OPEN:
            assert self.opened_at is not None
            assert self.hands.now >= self.opened_at + OPEN_S


TestWalks = Walks.TestCase


def test_every_edge_of_the_table_can_be_walked() -> None:
    walked: set[tuple[State, Event, State]] = set()
    for event in SETTLED:
        breaker = Breaker()
        breaker.settle(admitted(breaker), event)
        walked.add((State.CLOSED, event, breaker.state))
        breaker, hands = fallen()
        walked.add((State.CLOSED, Event.OUTAGE, breaker.state))
        hands.now += OPEN_S
        probe = admitted(breaker)
        walked.add((State.OPEN, Event.WAITED, breaker.state))
        breaker.settle(probe, event)
        walked.add((State.HALF_OPEN, event, breaker.state))
    assert walked == {(one, event, to) for one, edges in EDGES.items() for event, tos in edges.items() for to in tos}
