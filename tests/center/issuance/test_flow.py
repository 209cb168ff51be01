"""The issuance machine is held to its table: every event in every state, every edge walked, states through JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests import tables

from ingam.center.issuance import flow, states
from ingam.center.issuance.flow import ISSUANCE, Event
from ingam.center.issuance.states import Door, State
from ingam.center.issuance.steps import STEPS
from ingam.kernel.errors import Defect

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=3)
DOOR, OTHER = Door("aa" * 32, "bb" * 32, AT), Door("cc" * 32, "bb" * 32, LATER)
AGAIN = Door("aa" * 32, "bb" * 32, AT, states.Kind.REISSUE)
ASKED = states.Asked("t" * 32, "dd" * 32, LATER)
PROVED = states.Proved("phone", "dd" * 32)
STATES: list[State] = [
    states.Consenting(DOOR),
    states.NameConfirmed(DOOR),
    states.NameConfirmed(DOOR, ASKED),
    states.PhoneProved(DOOR, PROVED),
    states.IdCardAccepted(DOOR, states.Proved("certificate", None), "resident"),
    states.IdCardAccepted(DOOR, PROVED, "licence", lapsed=True),
    states.AwaitingOneWon(DOOR, PROVED, "resident", "R" * 20, "004", "****1234**", AT, LATER),
    states.Describing(DOOR, PROVED),
    states.AwaitingKey(DOOR),
    states.ChoosingProduct(DOOR, "ee" * 32),
    states.Requested(DOOR, "ee" * 32, "gold", "c2VhbGVk"),
    states.Delivered(DOOR, "ee" * 32, "gold", "c2VhbGVk", "Y2VydA==", "ff" * 32),
    states.Issued("ff" * 32, "gold", "1a2b", LATER, replaced=True),
    states.Refused("issuance-refused"),
    states.Consenting(AGAIN),
    states.Delivered(AGAIN, "ee" * 32, "gold", "c2VhbGVk", "Y2VydA==", "ff" * 32),
    states.Refused("issuance-refused", states.Kind.REISSUE),
    states.Expired(),
    states.Cancelled(),
]
EVENTS: list[Event] = [
    flow.NameChecked(LATER),
    flow.IdentityAsked(ASKED),
    flow.IdentityProved(LATER, PROVED),
    flow.CardAccepted(LATER, "licence"),
    flow.OneWonSent("S" * 20, "088", "****5678**", LATER, LATER),
    flow.OneWonLapsed(),
    flow.OneWonProved(LATER),
    flow.Described(LATER),
    flow.KeyMade(LATER, "11" * 32),
    flow.HolderRegistered(LATER, "gold", "c2VhbGVk"),
    flow.CertificateCarried(LATER, "Y2VydA==", "22" * 32),
    flow.Confirmed("1a2b", LATER, replaced=False),
    flow.Resumed(OTHER),
    flow.WentBack(),
    flow.Declined("issuance-refused"),
    flow.TimeRanOut(),
    flow.Left(),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    tables.follows(ISSUANCE, state, event)


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    tables.is_walked(ISSUANCE, STATES, EVENTS, {states.Issued, states.Refused, states.Expired, states.Cancelled})


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert ISSUANCE.load(ISSUANCE.dump(state)) == state


def test_whoever_goes_on_has_the_same_state_behind_another_door_and_began_when_it_began() -> None:
    for state in STATES:
        if ISSUANCE.allows(state, flow.Resumed(OTHER)):
            moved = ISSUANCE.advance(state, flow.Resumed(OTHER)).state
            door = replace(OTHER, kind=states.kind_of(state), began_at=AT)
            assert moved == type(state)(**{**{n: getattr(state, n) for n in state.__slots__}, "door": door})


def test_nobody_leaves_by_a_button_once_the_authority_may_have_issued() -> None:
    for state in STATES:
        if isinstance(state, states.Requested | states.Delivered):
            assert not ISSUANCE.allows(state, flow.Left())
            assert not ISSUANCE.allows(state, flow.WentBack())


def test_a_finished_step_is_remembered_as_the_last_one() -> None:
    moved = ISSUANCE.advance(states.Consenting(DOOR), flow.NameChecked(LATER)).state
    assert isinstance(moved, states.NameConfirmed)
    assert moved.door == Door(DOOR.session, DOOR.device, LATER)


def test_a_state_that_no_code_knows_is_a_defect() -> None:
    with pytest.raises(Defect):
        ISSUANCE.load('{"state":"Dreaming","version":1,"facts":{}}')


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert [name for name, _ in STEPS] == [f"issuance.{number}" for number in range(1, len(STEPS) + 1)]


def test_a_run_stays_of_its_kind_to_its_end() -> None:
    resumed = ISSUANCE.advance(states.ChoosingProduct(AGAIN, "ee" * 32), flow.Resumed(OTHER)).state
    assert states.kind_of(resumed) is states.Kind.REISSUE
    assert states.kind_of(ISSUANCE.advance(resumed, flow.Declined("x")).state) is states.Kind.REISSUE
    ended = ISSUANCE.advance(STATES[-4], flow.Confirmed("1a", LATER, replaced=True)).state
    assert states.kind_of(ended) is states.Kind.REISSUE


def test_a_state_that_was_stored_before_there_were_kinds_is_of_a_new_certificate() -> None:
    stored = ISSUANCE.dump(states.AwaitingKey(DOOR)).replace(',"kind":"new"', "")
    assert "kind" not in stored
    assert states.kind_of(ISSUANCE.load(stored)) is states.Kind.NEW


def test_a_run_that_ends_without_a_certificate_keeps_the_codes_that_have_to_be_withdrawn() -> None:
    for state in STATES:
        for event in (flow.Declined("x"), flow.TimeRanOut()):
            if ISSUANCE.allows(state, event):
                sealed = states.codes_of(ISSUANCE.advance(state, event).state)
                assert sealed == (state.sealed if isinstance(state, states.Requested | states.Delivered) else "")
    before = ISSUANCE.dump(states.Expired()).replace('"sealed":""', "")
    assert states.codes_of(ISSUANCE.load(before)) == ""
