"""SDP, RTP, telephone events, G.711 and Digest: vectors of their documents, and parsers that survive any bytes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.kernel.secret import Secret
from ingam.protocols.sip import digest, dtmf, pcmu, rtp, sdp
from ingam.protocols.sip.dtmf import KeyEvent, Keys
from ingam.protocols.sip.gate import Gate
from ingam.protocols.sip.rtp import Packet
from ingam.protocols.sip.sdp import Answer, SdpUnusable

KEY = Secret(bytes(range(30)))
ANSWER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 96\r\n"
    b"c=IN IP4 192.0.2.7\r\na=rtpmap:96 telephone-event/8000\r\n"
)


def test_an_answer_says_where_speech_comes_from() -> None:
    found = sdp.answer(ANSWER, secured=False)
    assert (found.address, found.port, found.events, found.key) == ("192.0.2.7", 4000, frozenset({96, 101}), None)


def test_our_own_offer_is_an_answer_that_we_would_take() -> None:
    assert sdp.answer(sdp.offer("192.0.2.1", 4000, 7, None), secured=False).port == 4000
    found = sdp.answer(sdp.offer("2001:db8::1", 4000, 7, KEY), secured=True)
    assert (found.address, found.key) == ("2001:db8::1", KEY)
    assert KEY.reveal().hex() not in repr(found)


def test_E6_a_secured_offer_takes_no_plain_answer_and_no_other_suite() -> None:
    secured = sdp.offer("192.0.2.1", 4000, 7, KEY)
    for answer in (
        ANSWER,
        secured.replace(b"RTP/SAVP", b"RTP/AVP"),
        secured.replace(b"_80", b"_32"),
        secured.replace(b"inline:AAEC", b"inline:"),
        secured[: secured.index(b"a=crypto")],
    ):
        with pytest.raises(SdpUnusable):
            sdp.answer(answer, secured=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"192.0.2.7", b"evil.test"), (b"192.0.2.7", b"224.0.0.1"), (b"192.0.2.7", b"0.0.0.0"), (b"4000", b"0"),
        (b"4000", b"70000"), (b"AVP 0 96", b"AVP 8 96"), (b"AVP 0 96", b"AVP 0"), (b"event/8000", b"event/16000"),
        (b"telephone-event", b"CN"), (b"m=audio", b"m=video"), (b"a=rtp", b"a=inactive\r\na=rtp"),
        (b"a=rtp", b"a=sendonly\r\na=rtp"), (b"s=-", b"nonsense"), (b"IN IP4 192.0.2.7", b"IN IP6 192.0.2.7"),
    ],
)  # fmt: skip
def test_an_answer_that_we_cannot_speak_under_is_unusable(old: bytes, new: bytes) -> None:
    with pytest.raises(SdpUnusable):
        sdp.answer(ANSWER.replace(old, new), secured=False)


@given(st.binary(max_size=200), st.integers(0, len(ANSWER)))
def test_any_bytes_are_an_answer_or_unusable(data: bytes, at: int) -> None:
    for secured in (True, False):
        with suppress(SdpUnusable):
            sdp.answer(ANSWER[:at] + data + ANSWER[at:], secured=secured)


packets = st.builds(
    Packet, st.integers(0, 127), st.booleans(), st.integers(0, 65535), st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1), st.binary(max_size=200),
)  # fmt: skip


@given(packets)
def test_a_packet_is_read_as_it_was_written(packet: Packet) -> None:
    assert rtp.read(rtp.write(packet)) == packet


@given(st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    rtp.read(data)
    rtp.read(b"\x80" + data)
    rtp.read(b"\xbf" + data)


def test_extensions_sources_and_padding_are_left_out() -> None:
    plain = rtp.write(Packet(0, False, 1, 2, 3, b""))
    whole = b"\xb1" + plain[1:] + b"\x00" * 4 + b"\xbe\xde\x00\x01" + b"\x00" * 4 + b"speech" + b"\x00\x00\x03"
    assert rtp.read(whole) == Packet(0, False, 1, 2, 3, b"speech")
    assert rtp.read(whole[:-1] + b"\x00") is None


def test_E6_the_gate_lets_one_source_of_the_answered_address_through() -> None:
    gate, there = Gate(Answer("192.0.2.7", 4000, frozenset({96}))), ("192.0.2.7", 4000)
    one = Packet(96, False, 1, 2, 3, b"\x04\x0a\x00\xa0")
    assert gate.let(rtp.write(one), ("192.0.2.8", 4000)) is None
    assert gate.let(rtp.write(one), ("192.0.2.7", 4001)) is None
    assert gate.let(rtp.write(one._replace(payload_type=97)), there) is None
    assert gate.let(b"\x80", there) is None
    assert gate.let(rtp.write(one), there) == one
    assert gate.let(rtp.write(one._replace(ssrc=4)), there) is None
    assert gate.let(rtp.write(one), there) == one


def fed(*told: tuple[int, int, bool, int]) -> list[str]:
    """Keys of packets (timestamp, event, end, duration)."""
    keys = Keys()
    found = (
        keys.feed(Packet(96, False, 0, at, 1, dtmf.write(KeyEvent(event, end, 10, duration))))
        for at, event, end, duration in told
    )
    return [key for key in found if key is not None]


def test_a_key_is_pressed_once_however_many_packets_tell_of_it() -> None:
    four = [(1000, 4, False, 160), (1000, 4, False, 320), (1000, 4, True, 480), (1000, 4, True, 480)]
    assert fed(*four) == ["4"]
    assert fed(*four, (2000, 4, False, 160), (2000, 4, True, 320)) == ["4", "4"]
    assert fed(four[-1]) == ["4"]  # only the last packet arrived
    assert fed(*four, (2000, 7, True, 160), four[-1]) == ["4", "7"]  # one was overtaken
    assert fed((2**32 - 80, 4, True, 160), (500, 7, True, 160)) == ["4", "7"]  # the timestamp began anew


def test_a_key_that_is_held_very_long_is_still_one() -> None:
    assert fed((0, 4, False, 65535), (65535, 4, False, 160), (65535, 4, True, 320)) == ["4"]


def test_events_that_are_no_keys_are_none() -> None:
    assert fed((0, 12, True, 1), (1, 255, True, 1)) == []
    assert Keys().feed(Packet(96, False, 0, 0, 1, b"\x04\x0a")) is None
    assert "".join(fed(*((1000 * (n + 1), n, True, 160) for n in range(12)))) == dtmf.KEYS


def test_mu_law_is_g711s() -> None:
    # ITU-T G.711 table 2a: the largest, the smallest and the steps of the first segment.
    assert pcmu.encode([0, 32767, -32768, 4, -4]) == bytes([0xFF, 0x80, 0x00, 0xFE, 0x7E])
    assert list(pcmu.decode(bytes([0xFF, 0x7F, 0x80, 0x00, 0xFE]))) == [0, 0, 32124, -32124, 8]


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_mu_law_is_close_and_stays_what_it_is(samples: list[int]) -> None:
    once = pcmu.decode(pcmu.encode(samples))
    assert all(abs(a - b) <= max(16, abs(a) // 16) or abs(a) > 32000 for a, b in zip(samples, once, strict=True))
    assert list(pcmu.decode(pcmu.encode(once))) == list(once)


MUFASA = {"user": "Mufasa", "password": Secret("Circle of Life"), "method": "GET", "uri": "/dir/index.html"}
CHALLENGES = [
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
]
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("asked", "response"),
    [
        (CHALLENGES, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (CHALLENGES[1:], "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_digest_is_rfc_7616s_and_prefers_sha_256(asked: list[str], response: str) -> None:
    found = digest.challenge(asked)
    assert found is not None
    made = digest.credentials(found, cnonce=CNONCE, **MUFASA)  # type: ignore[arg-type]
    assert f'response="{response}"' in made and "Circle" not in made


@pytest.mark.parametrize(
    "asked", [[], ["Basic realm=x"], ['Digest realm="x"'], ['Digest realm="x", nonce="y", algorithm=SHA3']]
)
def test_what_cannot_be_answered_is_no_challenge(asked: list[str]) -> None:
    assert digest.challenge(asked) is None
