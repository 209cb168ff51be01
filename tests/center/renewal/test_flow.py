"""The renewal machine, held to its table: once the authority may have renewed, nothing but its word ends a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests import tables

from ingam.center.renewal import flow
from ingam.center.renewal.flow import RENEWAL, Event, State
from ingam.center.renewal.steps import STEPS

LATER = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
RUN = ("d" * 64, "11" * 32, "22" * 32, "universal")
STATES: list[State] = [
    flow.Agreeing(*RUN),
    flow.Requested(*RUN),
    flow.Delivered(*RUN, "Y2VydA==", "33" * 32),
    flow.Renewed("33" * 32, "universal", "1a2b", LATER, bound=True),
    flow.Refused("renewal-refused"),
    flow.Expired(),
    flow.Cancelled(),
]
EVENTS: list[Event] = [
    flow.KeyMade(flow.Agreeing("d" * 64, "44" * 32, "55" * 32, "gold")),
    flow.Agreed(),
    flow.CertificateCarried("Y2VydA==", "33" * 32),
    flow.Confirmed("1a2b", LATER, bound=False),
    flow.Declined("renewal-refused"),
    flow.TimeRanOut(),
    flow.Left(),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    tables.follows(RENEWAL, state, event)


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    tables.is_walked(RENEWAL, STATES, EVENTS, {flow.Renewed, flow.Refused, flow.Expired, flow.Cancelled})


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert RENEWAL.load(RENEWAL.dump(state)) == state


def test_D10_neither_time_nor_a_button_ends_what_the_authority_may_have_renewed() -> None:
    for state in STATES[1:3]:
        assert not RENEWAL.allows(state, flow.TimeRanOut()) and not RENEWAL.allows(state, flow.Left())


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert [name for name, _ in STEPS] == [f"renewal.{number}" for number in range(1, len(STEPS) + 1)]
