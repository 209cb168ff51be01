"""The machine of 본인확인 추가인증 is held to its table: every event in every state, every edge walked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests import tables

from ingam.customer.additional_auth.flow import (
    FACTOR,
    Answered,
    Asked,
    Choosing,
    Event,
    Expired,
    Locked,
    ProofLapsed,
    ProofUsed,
    Proved,
    Requested,
    State,
    TimeRanOut,
    TriedTooOften,
    Used,
    WentBack,
)

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATES: list[State] = [
    Choosing(),
    Choosing(lapsed=True),
    Requested("sms", "r", AT, AT),
    Requested("ars", "c" * 32, AT, AT, "home_phone"),
    Proved("p", AT),
    Used(),
    Locked("ars-refused"),
    Expired(),
]
EVENTS: list[Event] = [
    Asked("sms", "r2", AT, AT),
    Answered("p", AT),
    ProofLapsed(),
    ProofUsed(),
    WentBack(),
    TriedTooOften("no-medium-locked"),
    TimeRanOut(),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    tables.follows(FACTOR, state, event)


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    tables.is_walked(FACTOR, STATES, EVENTS, {Used, Locked, Expired})


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert FACTOR.load(FACTOR.dump(state)) == state


def test_E1_a_proof_is_used_once_and_nothing_is_reached_without_one() -> None:
    assert all(Used not in targets for state, found in FACTOR.edges.items() if state is not Proved
               for targets in found.values())  # fmt: skip
    assert FACTOR.edges[Proved][ProofUsed] == {Used} and Used in FACTOR.ends()
