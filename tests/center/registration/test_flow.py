"""The registration machine is held to its table: every event in every state, every edge walked, states through JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingam.center.registration.flow import (
    EDGES,
    REGISTRATION,
    AwaitingCertificate,
    AwaitingFactor,
    Cancelled,
    CertificateBound,
    ChoosingFactor,
    Event,
    Expired,
    FactorProved,
    FactorRequested,
    Identified,
    Identifying,
    Left,
    Locked,
    ProofLapsed,
    Registered,
    ReplacementAgreed,
    State,
    TimeRanOut,
    TriedTooOften,
    WentBack,
)  # fmt: skip
from ingam.center.registration.steps import STEPS
from ingam.kernel.errors import Defect
from ingam.kernel.flow import IllegalMove

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATES: list[State] = [
    Identifying(),
    ChoosingFactor(),
    ChoosingFactor(lapsed=True),
    AwaitingFactor("sms", "r", AT, AT),
    AwaitingCertificate("p", AT),
    AwaitingCertificate("p", AT, "ab" * 32),
    Registered("ab" * 32, replaced=True, already=False),
    Locked("no-medium-locked"),
    Expired(),
    Cancelled(),
]
EVENTS: list[Event] = [
    Identified(),
    FactorRequested("sms", "r2", AT, AT),
    FactorProved("p", AT),
    ReplacementAgreed("cd" * 32),
    ReplacementAgreed(None),
    ProofLapsed(),
    CertificateBound("ab" * 32, replaced=False, already=True),
    WentBack(),
    TriedTooOften("registration-locked"),
    TimeRanOut(),
    Left(),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    targets = EDGES.get(type(state), {}).get(type(event))
    if targets is None:
        with pytest.raises(IllegalMove):
            REGISTRATION.advance(state, event)
        return
    assert type(REGISTRATION.advance(state, event).state) in targets


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    walked = {
        (type(state), type(event), type(REGISTRATION.advance(state, event).state))
        for state in STATES
        for event in EVENTS
        if REGISTRATION.allows(state, event)
    }
    table = {(s, e, t) for s, events in EDGES.items() for e, targets in events.items() for t in targets}
    assert walked == table
    assert {type(state) for state in STATES} == set(REGISTRATION.states().values())
    assert REGISTRATION.ends() == {Registered, Locked, Expired, Cancelled}


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert REGISTRATION.load(REGISTRATION.dump(state)) == state


def test_a_state_that_no_code_knows_is_a_defect() -> None:
    with pytest.raises(Defect):
        REGISTRATION.load('{"state":"Dreaming","version":1,"facts":{}}')


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert [name for name, _ in STEPS] == [f"registration.{number}" for number in range(1, len(STEPS) + 1)]
