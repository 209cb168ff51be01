"""Events: one spelling each, read back only where it is that one; commitments say nothing without their salt."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocols.log.trees import NOW

from ingam.kernel.errors import Failure
from ingam.protocols.log import commitment, event
from ingam.protocols.log.event import Bundle, Event, EventMalformed, Issue, List, ListKind, LoggedState, Status

DIGEST = bytes(range(32))
TEXTS: list[tuple[Event, str]] = [
    (
        Issue(1, 0x0F23, DIGEST, NOW),
        f"INGAM-LOG/1\nkind: issue\nca: 1\nserial: 0f23\ncertificate: {DIGEST.hex()}\nat: 2026-11-22T10:00:00Z\n",
    ),
    (
        Status(2, 0x80, LoggedState.REVOKED, 1, NOW),
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 80\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:00Z\n",
    ),
    (
        Status(2, 0x80, LoggedState.VALID, None, NOW),
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 80\nstate: valid\nreason: -\nat: 2026-11-22T10:00:00Z\n",
    ),
    (
        List(1, ListKind.PARTITION, 4, 17, DIGEST, NOW),
        "INGAM-LOG/1\nkind: list\nca: 1\nlist: partition\npartition: 4\nnumber: 17\n"
        f"digest: {DIGEST.hex()}\nat: 2026-11-22T10:00:00Z\n",
    ),
    (Bundle(DIGEST, NOW), f"INGAM-LOG/1\nkind: bundle\ndigest: {DIGEST.hex()}\nat: 2026-11-22T10:00:00Z\n"),
]

instants = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
generations, serials = st.integers(0, 10**6), st.integers(1, (1 << 160) - 1)
digests = st.binary(min_size=32, max_size=32)
reasons = st.one_of(st.none(), st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 9, 10]))
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Issue, generations, serials, digests, instants),
    st.builds(Status, generations, serials, st.sampled_from(LoggedState), reasons, instants),
    st.builds(
        List, generations, st.sampled_from(ListKind), st.one_of(st.none(), generations),
        st.integers(0, (1 << 159) - 1), digests, instants,
    ),
    st.builds(Bundle, digests, instants),
)  # fmt: skip


@pytest.mark.parametrize(("happened", "text"), TEXTS)
def test_an_event_is_written_to_the_byte(happened: Event, text: str) -> None:
    assert event.text(happened) == text.encode("ascii")


@given(events)
def test_what_was_written_is_read_back(happened: Event) -> None:
    assert event.parse(event.text(happened)) == happened


@given(events, st.data())
def test_no_other_spelling_is_read(happened: Event, data: st.DataObject) -> None:
    text = event.text(happened)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                text[:at] + text[at + 1 :],
                text[:at] + b" " + text[at:],
                text + b"\n",
                text[:-1],
                b"\n" + text,
                text.upper(),
                text.replace(b"\n", b"\r\n"),
                text.replace(b"kind: ", b"kind:  "),
                text.replace(b"at: ", b"at: 0"),
            ]
        )
    )
    if changed != text:
        try:
            read = event.parse(changed)
        except EventMalformed:
            return
        # A digit less may be another number, and then it is that event and no other.
        assert event.text(read) == changed
        assert read != happened


@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: b"INGAM-LOG/1\nkind: " + text.encode()))
)
def test_strange_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        assert event.text(event.parse(data)) == data
    except Failure as failure:
        assert failure.code == "log-event-malformed"


@pytest.mark.parametrize(
    "text",
    [
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 80\nstate: pending\nreason: -\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 80\nstate: revoked\nreason: 7\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 0080\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/1\nkind: status\nca: 02\nserial: 80\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/1\nkind: status\nca: 2\nserial: 80\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:60Z\n",
        "INGAM-LOG/1\nca: 2\nkind: status\nserial: 80\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/2\nkind: status\nca: 2\nserial: 80\nstate: revoked\nreason: 1\nat: 2026-11-22T10:00:00Z\n",
        "INGAM-LOG/1\n" + "kind: issue\n" * 200,
    ],
)
def test_values_out_of_their_bounds_are_refused(text: str) -> None:
    with pytest.raises(EventMalformed):
        event.parse(text.encode())


def test_the_commitment_can_be_computed_with_any_tool() -> None:
    salt, told = bytes(32), event.text(TEXTS[0][0])
    entry = b"INGAM-LEAF/1\n" + hmac.new(salt, told, hashlib.sha256).hexdigest().encode() + b"\n"
    assert commitment.entry(salt, told) == entry
    assert commitment.commit(salt, told) == hashlib.sha256(b"\0" + entry).digest()


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33), bytes(64)])
def test_H3_a_salt_of_another_length_commits_to_nothing(salt: bytes) -> None:
    """HMAC pads a short key with zeros: two salts would open one leaf."""
    with pytest.raises(commitment.SaltMalformed):
        commitment.commit(salt, b"event")


@given(digests, digests, events)
def test_H3_the_leaf_is_another_one_under_another_salt(one: bytes, two: bytes, happened: Event) -> None:
    told = event.text(happened)
    assert (commitment.commit(one, told) == commitment.commit(two, told)) == (one == two)
    assert told not in commitment.entry(one, told)
