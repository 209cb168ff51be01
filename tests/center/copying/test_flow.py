"""The machine of a copy is held to its table: every event in every state, every edge walked, states through JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests import tables

from ingam.center.copying.flow import (
    COPYING,
    EDGES,
    OVER,
    ArrivalRefused,
    CertificateArrived,
    CertificateProved,
    CertificateStored,
    CopyReported,
    Event,
    FactorProved,
    FactorRequested,
    FactorStopped,
    JoinAllowed,
    LeftBy,
    MailboxTold,
    ProofLapsed,
    ReceiverAnnounced,
    ReceiverConfirmed,
    ReceiverDenied,
    ReceiverOpens,
    SenderOpens,
    TimeRanOut,
)
from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cancelled,
    Cleared,
    Confirmed,
    Copied,
    Device,
    Expired,
    Failed,
    Opening,
    Proved,
    Receiver,
    Role,
    Sender,
    State,
)
from ingam.center.copying.steps import STEPS
from ingam.customer.additional_auth.flow import Answered, Asked, Requested
from ingam.kernel.errors import Defect

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEVICE = Device("phone", "Android", "Chrome", "서울", "Seoul", "ab" * 32)
RECEIVER = Receiver("a" * 32, "b" * 64, None, DEVICE, AT)
OTHER = Receiver("c" * 32, "d" * 64, "e" * 64, DEVICE, AT)
SENDER = Sender("f" * 64, DEVICE, "ko")
NUMBER = Opening(Role.RECEIVER, "1" * 32, "41234")
CODE = Opening(Role.SENDER, "2" * 32)
STATES: list[State] = [
    Announced(RECEIVER),
    Announced(RECEIVER, NUMBER),
    Confirmed(RECEIVER, SENDER, NUMBER),
    AwaitingFactor(RECEIVER, SENDER, Requested("sms", "r", AT, AT), NUMBER),
    Cleared(RECEIVER, SENDER, opening=NUMBER),
    Cleared(RECEIVER, SENDER, "p", AT),
    Proved(RECEIVER, SENDER, "ab" * 32, NUMBER),
    Proved(RECEIVER, SENDER, "ab" * 32, CODE),
    Allowed(RECEIVER, SENDER, "ab" * 32, NUMBER, "3" * 32),
    Arrived(RECEIVER, SENDER, "ab" * 32),
    Arrived(RECEIVER, SENDER, "ab" * 32, reported=True),
    Copied(RECEIVER, SENDER, "ab" * 32, AT),
    Copied(RECEIVER, SENDER, "ab" * 32, AT, reported=True),
    Cancelled(Role.SENDER, RECEIVER, SENDER),
    Cancelled(Role.RECEIVER, RECEIVER),
    Failed("copy-stopped", RECEIVER),
    Expired(RECEIVER, SENDER),
]
EVENTS: list[Event] = [
    ReceiverAnnounced(OTHER),
    ReceiverOpens("4" * 32),
    SenderOpens("5" * 32),
    MailboxTold("77777"),
    ReceiverConfirmed(SENDER, known=True),
    ReceiverConfirmed(SENDER, known=False),
    ReceiverDenied("copy-stopped"),
    FactorRequested(Asked("ars", "r2", AT, AT, "work_phone")),
    FactorProved(Answered("p", AT)),
    FactorStopped("ars-refused"),
    ProofLapsed(),
    CertificateProved("cd" * 32),
    JoinAllowed("6" * 32),
    CertificateArrived(),
    ArrivalRefused("bound-to-other"),
    CertificateStored(AT),
    CopyReported(),
    LeftBy(Role.RECEIVER),
    TimeRanOut(),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_does_what_the_table_says(state: State, event: Event) -> None:
    tables.follows(COPYING, state, event)


def test_every_edge_is_walked_and_every_state_is_reached() -> None:
    tables.is_walked(COPYING, STATES, EVENTS, {Cancelled, Failed, Expired})
    assert {Copied, Cancelled, Failed, Expired} == OVER
    assert EDGES[Copied] == {CopyReported: {Copied}}  # nothing else comes after it


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_from_the_store_as_it_was(state: State) -> None:
    assert COPYING.load(COPYING.dump(state)) == state


def test_C2_every_way_to_a_ticket_of_the_sender_passes_the_factor_or_a_known_device_and_the_certificate() -> None:
    """From the table alone: take away what clears or proves, and no state with a ticket for the sender is reached."""
    for cut in (ReceiverConfirmed, CertificateProved):
        assert _reached(without={cut}).isdisjoint({Proved, Allowed, Arrived, Copied})
    known = {FactorProved}  # without the factor only a yes to a known device clears
    unknown = {(Announced, Cleared), (Confirmed, Cleared), (AwaitingFactor, Cleared)}
    assert _reached(without=known, unless=unknown).isdisjoint({Cleared, Proved, Allowed, Arrived, Copied})


def _reached(without: Any, unless: Any = ()) -> set[Any]:
    found: set[Any] = {Announced}
    waiting: list[Any] = [Announced]
    while waiting:
        state = waiting.pop()
        for event, targets in EDGES.get(state, {}).items():
            new = {one for one in targets if event not in without and (state, one) not in unless} - found
            found |= new
            waiting += new
    return found


def test_a_number_of_the_receiver_outlives_the_yes_and_a_code_of_the_sender_a_new_yes_not() -> None:
    kept = COPYING.advance(Announced(RECEIVER, NUMBER), ReceiverConfirmed(SENDER, known=True)).state
    assert isinstance(kept, Cleared) and kept.opening == NUMBER
    gone = COPYING.advance(Proved(RECEIVER, SENDER, "ab" * 32, CODE), ReceiverConfirmed(SENDER, known=True)).state
    assert isinstance(gone, Cleared) and gone.opening is None


def test_C8_a_number_that_was_joined_is_over_when_either_end_asks_for_another() -> None:
    joined = Allowed(RECEIVER, SENDER, "ab" * 32, NUMBER, "3" * 32)
    for event, role in ((ReceiverOpens("4" * 32), Role.RECEIVER), (SenderOpens("4" * 32), Role.SENDER)):
        state = COPYING.advance(joined, event).state
        assert isinstance(state, Proved) and state.opening == Opening(role, "4" * 32)
    again = COPYING.advance(joined, CertificateProved("ab" * 32)).state
    assert isinstance(again, Proved) and again.opening is None


def test_joining_without_a_number_is_a_defect_of_ours() -> None:
    with pytest.raises(Defect):
        COPYING.advance(Proved(RECEIVER, SENDER, "ab" * 32), JoinAllowed("6" * 32))


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert [name for name, _ in STEPS] == [f"copying.{number}" for number in range(1, len(STEPS) + 1)]
