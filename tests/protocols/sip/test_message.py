"""SIP messages: RFC 4475's torture in small, streams cut anywhere, and nothing else than SipMalformed comes out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.sip import message
from ingam.protocols.sip.message import Framing, Request, Response, SipMalformed

HEAD = (
    ("Via", "SIP/2.0/UDP a.test;branch=z9hG4bKx"),
    ("From", "<sip:a@a.test>;tag=1"),
    ("To", "<sip:b@b.test>"),
    ("Call-ID", "c@a.test"),
    ("CSeq", "7 BYE"),
)
BYE = Request("BYE", "sip:b@b.test", HEAD, b"")


def test_what_is_written_is_read_again() -> None:
    for one in (BYE, Response(180, "Ringing", HEAD), Request("BYE", "sip:b@b.test", HEAD, b"\x00 any \r\n\r\n body")):
        found = message.read(message.write(one))
        assert found == replace(one, headers=(*HEAD, ("Content-Length", str(len(one.body)))))


def test_compact_names_folded_lines_and_lists_are_understood() -> None:
    data = (
        b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/TCP b;branch=z9hG4bK2\r\n"
        b"f: <sip:a@a>;\r\n  tag=x\r\n"
        b'to : "Com, ma <x>" <sip:b@b;lr>;tag="y"\r\ni: 1\r\nCSEQ: 0009 INVITE\r\n'
        b"m: <sip:c@c>, <sip:d@d>\r\nl: 2\r\n\r\nhixx"
    )
    one = message.read(data)
    assert isinstance(one, Response) and one.body == b"hi"
    assert message.listed(one, "Via") == ["SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/2.0/TCP b;branch=z9hG4bK2"]
    assert message.branch(one) == "z9hG4bK1"
    assert message.parameter(message.first(one, "From") or "", "TAG") == "x"
    to = message.first(one, "To") or ""
    assert (message.address(to), message.parameter(to, "tag")) == ("sip:b@b;lr", "y")
    assert message.cseq(one) == (9, "INVITE")
    assert [message.address(part) for part in message.listed(one, "contact")] == ["sip:c@c", "sip:d@d"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BYE sip:b@b SIP/2.0\r\n",
        message.write(BYE).replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1),
        message.write(BYE).replace(b"BYE sip", b"bye sip"),
        message.write(BYE).replace(b"7 BYE", b"7 INVITE"),
        message.write(BYE).replace(b"7 BYE", b"-7 BYE"),
        message.write(BYE).replace(b"7 BYE", b"2147483648 BYE"),
        message.write(BYE).replace(b"Call-ID: c@a.test\r\n", b""),
        message.write(BYE).replace(b"Content-Length: 0", b"Content-Length: 1"),
        message.write(BYE).replace(b"Content-Length: 0", b"Content-Length: -1"),
        message.write(BYE).replace(b"Content-Length: 0", b"Content-Length: 0\r\nl: 1"),
        message.write(BYE).replace(b"To: ", b"T o: "),
        message.write(BYE).replace(b"c@a.test", b"c@\x00"),
        message.write(BYE).replace(b"c@a.test", b"c@\xff"),
        message.write(BYE).replace(b"\r\n\r\n", b"\r\n" + b"x: y\r\n" * 200 + b"\r\n"),
        message.write(BYE)[:-2] + b"x: " + b"y" * 40_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_message_is_malformed(data: bytes) -> None:
    with pytest.raises(SipMalformed):
        message.read(data)


def test_nothing_is_written_that_would_be_a_header_of_its_own() -> None:
    with pytest.raises(SipMalformed):
        message.write(Request("BYE", "sip:b@b", (("To", "x\r\nEvil: 1"),)))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    for whole in (data, message.write(BYE)[: len(data)] + data, b"SIP/2.0 200 OK\r\n" + data + b"\r\n\r\n"):
        try:
            message.read(whole)
        except SipMalformed:
            continue


@given(st.lists(st.integers(1, 400), max_size=30))
def test_a_stream_is_cut_at_the_same_places_however_it_arrives(cuts: list[int]) -> None:
    bodies = (b"", b"one", b"\r\n\r\nBYE x SIP/2.0\r\n")
    whole = [message.write(Request("BYE", "sip:b@b", HEAD, body)) for body in bodies]
    stream, framing, found = b"\r\n\r\n".join(whole), Framing(), []
    for cut in [*cuts, len(stream)]:
        found += framing.feed(stream[:cut])
        stream = stream[cut:]
    assert found == whole


@pytest.mark.parametrize("data", [b"x" * 40_000, b"BYE x SIP/2.0\r\nTo: x\r\n\r\n", b"X\r\nl: 99999\r\n\r\n"])
def test_a_stream_without_lengths_or_bounds_is_malformed(data: bytes) -> None:
    with pytest.raises(SipMalformed):
        Framing().feed(data)
