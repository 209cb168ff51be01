"""CMP over TCP without a socket: both forms of frames, in any pieces, within their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.protocols.cmp import message, tcp
from ingam.protocols.cmp.status import CmpRefused
from ingam.protocols.cmp.tcp import Frame, FrameKind, Frames

VERSIONS = pytest.mark.parametrize("version", [0, tcp.VERSION], ids=["rfc2510", "draft"])


def whole(data: bytes) -> Frame:
    (frame,) = Frames().feed(data)
    return frame


def refused(data: bytes) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        Frames().feed(data)
    assert caught.value.code == "cmp-frame"
    return caught.value


def test_the_older_form_is_length_type_and_value() -> None:
    assert tcp.request(b"message") == bytes.fromhex("00000008") + b"\x00message"
    assert whole(tcp.request(b"message")) == Frame(FrameKind.PKI_REQ, b"message")


def test_the_later_form_says_its_version_and_whether_the_connection_ends() -> None:
    assert tcp.request(b"message", tcp.VERSION) == bytes.fromhex("0000000a 0a 00 00") + b"message"
    closing = Frame(FrameKind.FINAL_MSG_REP, b"m", tcp.VERSION, close=True)
    assert tcp.write(closing) == bytes.fromhex("00000004 0a 01 05") + b"m" and whole(tcp.write(closing)) == closing


@VERSIONS
def test_an_answer_has_the_form_of_its_question(version: int) -> None:
    asked = whole(tcp.request(b"question", version))
    answered = whole(tcp.answer(b"answer", asked))
    assert (answered.kind, answered.version) == (FrameKind.FINAL_MSG_REP, version)
    assert tcp.message_in(asked) == b"question" and tcp.message_in(answered) == b"answer"
    assert whole(tcp.error("later, please", asked)).value == b"later, please"


@VERSIONS
def test_polling_names_its_reference_and_its_time(version: int) -> None:
    later = whole(tcp.later(7, 60, version))
    assert later.kind is FrameKind.POLL_REP and tcp.polling(later) == (7, 60) and tcp.message_in(later) == b""
    asked = whole(tcp.poll(7, version))
    assert asked.kind is FrameKind.POLL_REQ and tcp.polling(asked) == (7, 0)


def test_a_part_of_an_answer_carries_both() -> None:
    frame = Frame(FrameKind.PARTIAL_MSG_REP, bytes(7) + b"\x05" + b"message")
    assert tcp.polling(whole(tcp.write(frame))) == (0, 5) and tcp.message_in(frame) == b"message"


kinds = st.sampled_from([FrameKind.PKI_REQ, FrameKind.FINAL_MSG_REP, FrameKind.ERROR_MSG_REP])
frames = st.builds(
    lambda kind, value, version, close: Frame(kind, value, version, close and version != 0),
    kinds, st.binary(min_size=1, max_size=50), st.sampled_from([0, tcp.VERSION]), st.booleans(),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(frames, max_size=4), st.lists(st.integers(1, 20), max_size=40))
def test_frames_come_whole_whatever_the_pieces_were(given: list[Frame], pieces: list[int]) -> None:
    data = b"".join(map(tcp.write, given))
    taken, found = Frames(), []
    for size in pieces:
        found += taken.feed(data[:size])
        data = data[size:]
    assert found + taken.feed(data) == given and taken.whole


def test_a_connection_that_ends_inside_a_frame_is_seen() -> None:
    taken = Frames()
    assert taken.feed(tcp.request(b"message")[:-1]) == [] and not taken.whole


def test_a_frame_over_the_limit_is_refused_at_its_length() -> None:
    size = 12 + message.MOST_MESSAGE
    refused(size.to_bytes(4, "big") + b"\0")
    refused(b"\xff\xff\xff\xff\0")
    refused(bytes(4) + b"\0")
    most = bytes(message.MOST_MESSAGE)
    assert whole(tcp.request(most)).value == most
    refused(tcp.request(most + b"\0"))


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("00000002 07 00"),  # no such type
        bytes.fromhex("00000001 00"),  # no message
        bytes.fromhex("00000002 01 00"),  # a pollRep has eight bytes
        bytes.fromhex("00000006 02 0000000000"),  # a pollReq has four
        bytes.fromhex("00000001 0a"),  # a version without a type
        bytes.fromhex("00000002 0a 00"),
        bytes.fromhex("00000004 0a 02 00 30"),  # an unknown flag
        bytes.fromhex("00000009 04 00000000 00000000"),  # a part without a message
        tcp.write(Frame(FrameKind.ERROR_MSG_REP, bytes(1025))),
    ],
    ids=lambda data: data[:8].hex(),
)
def test_frames_of_no_known_form_are_refused(data: bytes) -> None:
    refused(data)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        Frames().feed(data)
    except CmpRefused as refusal:
        assert refusal.code == "cmp-frame"
