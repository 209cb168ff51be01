"""The machine of four eyes is held to its table: every event in every state, every state through the store (G2, G3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingam.console.changes.flow import (
    EDGES,
    MACHINE,
    Agreed,
    Applied,
    Approved,
    Change,
    ChangeExpired,
    Declined,
    Done,
    Drafted,
    Edited,
    Expired,
    Refused,
    SamePerson,
    Signature,
    Signed,
    Submitted,
    TakenBack,
    Text,
    TimeOver,
    Voided,
    written,
)
from ingam.kernel.flow import IllegalMove

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEXT = Text("INGAM-CHANGE/1\n---\n" + written("sms_ttl_s", "180", "120") + "\n", ("E3",), NOW + timedelta(days=1))
CHANGE = Change("0" * 32, "limits", "E1", {"sms_ttl_s": "120"})
MADE = Signature("E1", NOW, "c1", "d", "a", "s")
CHECKED = Signature("E2", NOW, "c2", "d", "a", "s")
STATES: tuple[Any, ...] = (
    Drafted(CHANGE, TEXT),
    Submitted(CHANGE, TEXT, MADE),
    Approved(CHANGE, TEXT, MADE, CHECKED),
    Applied(CHANGE, TEXT, MADE, CHECKED, NOW),
    Declined(CHANGE, TEXT, "E2", NOW),
    Expired(CHANGE, TEXT, NOW),
    Voided(CHANGE, TEXT, "withdrawn", NOW),
)
EVENTS: tuple[Any, ...] = (
    Edited({"sms_ttl_s": "90"}, TEXT),
    Signed(MADE),
    Agreed(CHECKED),
    Refused("E2", NOW),
    TimeOver(NOW),
    TakenBack("withdrawn", NOW),
    Done(NOW),
)


@pytest.mark.parametrize("state", STATES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda one: type(one).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: Any, event: Any) -> None:
    targets = EDGES[type(state)].get(type(event))
    if targets is None:
        with pytest.raises(IllegalMove):
            MACHINE.advance(state, event)
    else:
        assert type(MACHINE.advance(state, event).state) in targets


@pytest.mark.parametrize("state", STATES, ids=lambda one: type(one).__name__)
def test_every_state_comes_back_from_the_store(state: Any) -> None:
    assert MACHINE.load(MACHINE.dump(state)) == state


@pytest.mark.parametrize("who", ["E1", "E3"])
def test_G2_neither_maker_nor_subject_checks(who: str) -> None:
    for event in (Agreed(Signature(who, NOW, "c", "d", "a", "s")), Refused(who, NOW)):
        with pytest.raises(SamePerson):
            MACHINE.advance(Submitted(CHANGE, TEXT, MADE), event)


def test_G2_only_the_maker_submits() -> None:
    with pytest.raises(SamePerson):
        MACHINE.advance(Drafted(CHANGE, TEXT), Signed(CHECKED))


def test_G3_nothing_is_signed_after_its_day() -> None:
    late = Signature("E2", TEXT.expires_at, "c", "d", "a", "s")
    with pytest.raises(ChangeExpired):
        MACHINE.advance(Submitted(CHANGE, TEXT, MADE), Agreed(late))
    with pytest.raises(ChangeExpired):
        MACHINE.advance(Drafted(CHANGE, TEXT), Signed(Signature("E1", TEXT.expires_at, "c", "d", "a", "s")))


def test_a_text_says_its_lines_and_hashes_all_of_itself() -> None:
    assert TEXT.lines == [("sms_ttl_s", "180", "120")]
    assert Text(TEXT.body + " ", (), NOW).challenge != TEXT.challenge and len(TEXT.challenge) == 32
