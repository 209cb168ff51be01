"""The registration machine is held to its table: every event in every state, every edge walked, states through JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests import tables

from ingam.center.registration.flow import (
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
from ingam.customer.additional_auth.flow import Answered, Asked, Choosing, Requested
from ingam.kernel.errors import Defect

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATES: list[State] = [
    Identifying(),
    ChoosingFactor(),
    ChoosingFactor(Choosing(lapsed=True)),
    AwaitingFactor(Requested("sms", "r", AT, AT)),
    AwaitingCertificate("p", AT),
    AwaitingCertificate("p", AT, "ab" * 32),
    Registered("ab" * 32, replaced=True, already=False),
    Locked("no-medium-locked"),
    Expired(),
    Cancelled(),
]
EVENTS: list[Event] = [
    Identified(),
    FactorRequested(Asked("ars", "r2", AT, AT, "home_phone")),
    FactorProved(Answered("p", AT)),
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
    tables.follows(REGISTRATION, state, event)


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    tables.is_walked(REGISTRATION, STATES, EVENTS, {Registered, Locked, Expired, Cancelled})


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert REGISTRATION.load(REGISTRATION.dump(state)) == state


def test_states_of_the_first_version_are_still_read() -> None:
    facts = '{"method":"sms","request_id":"r","sent_at":"2026-11-22T12:00:00Z","expires_at":"2026-11-22T12:00:00Z"}'
    stored = f'{{"state":"AwaitingFactor","version":1,"facts":{facts}}}'
    assert REGISTRATION.load(stored) == AwaitingFactor(Requested("sms", "r", AT, AT))
    lapsed = '{"state":"ChoosingFactor","version":1,"facts":{"lapsed":true}}'
    assert REGISTRATION.load(lapsed) == ChoosingFactor(Choosing(lapsed=True))


def test_a_state_that_no_code_knows_is_a_defect() -> None:
    with pytest.raises(Defect):
        REGISTRATION.load('{"state":"Dreaming","version":1,"facts":{}}')


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert [name for name, _ in STEPS] == [f"registration.{number}" for number in range(1, len(STEPS) + 1)]
