"""Messages to the last octet: what is written is read, what is near it is refused, a sealed one tells its type only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, frames
from ingam.protocols.mailbox.frames import Confirm, FrameBroken, Hello, Inner, Payload, ShareA, ShareB
from ingam.protocols.mailbox.schedule import TO_RECEIVER, TO_SENDER

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/run.json").read_text(encoding="utf-8"))
SEALED = VECTORS["sealed"]
KEY = Secret(bytes(range(32)))
READERS = {
    "hello": frames.read_hello,
    "share_a": frames.read_share_a,
    "share_b": frames.read_share_b,
    "confirm": frames.read_confirm,
}
DEVICES = st.text(max_size=40).filter(frames.is_device)
NONCES = st.binary(min_size=16, max_size=16)
POINTS = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("case", VECTORS["plain_refused"], ids=lambda case: f"{case['message']} {case['name']}")
def test_a_message_with_one_thing_wrong_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(FrameBroken):
        READERS[case["message"]](bytes.fromhex(case["body"]))


@pytest.mark.parametrize("case", VECTORS["payload_refused"], ids=lambda case: case["name"])
def test_C11_a_payload_with_one_thing_wrong_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(FrameBroken):
        frames.read_payload(bytes.fromhex(case["content"]))


def test_C9_the_sealed_frame_of_the_vectors_is_made_and_opened() -> None:
    key, content = Secret(bytes.fromhex(SEALED["key"])), bytes.fromhex(SEALED["content"])
    body = frames.seal(key, SEALED["direction"], SEALED["sequence"], Inner(SEALED["inner"]), content)
    assert body.hex() == SEALED["body"]
    assert frames.unseal(key, SEALED["direction"], SEALED["sequence"], body) == (Inner(SEALED["inner"]), content)


@pytest.mark.parametrize("case", SEALED["refused"], ids=lambda case: case["name"])
def test_C9_a_sealed_frame_with_one_thing_wrong_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(FrameBroken):
        key = Secret(bytes.fromhex(SEALED["key"]))
        frames.unseal(key, SEALED["direction"], SEALED["sequence"], bytes.fromhex(case["body"]))


@given(st.sets(st.integers(0, 255), min_size=1, max_size=8), NONCES, DEVICES)
def test_hello_is_read_as_it_was_written(versions: set[int], nonce: bytes, device: str) -> None:
    hello = Hello(bytes(sorted(versions)), nonce, device)
    assert frames.read_hello(frames.write_hello(hello)) == hello


@given(st.integers(0, 255), st.sampled_from(["n", "q"]), NONCES, POINTS, POINTS, DEVICES)
def test_share_a_is_read_as_it_was_written(
    version: int, mode: Any, nonce: bytes, ya: bytes, commitment: bytes, device: str
) -> None:
    share = ShareA(version, mode, nonce, ya, commitment, device)
    assert frames.read_share_a(frames.write_share_a(share)) == share


@given(POINTS, POINTS, NONCES)
def test_share_b_and_confirm_are_read_as_they_were_written(yb: bytes, tag: bytes, lot: bytes) -> None:
    assert frames.read_share_b(frames.write_share_b(ShareB(yb, tag))) == ShareB(yb, tag)
    confirm = Confirm(tag, Secret(lot))
    assert frames.read_confirm(frames.write_confirm(confirm)) == confirm


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=600))
@settings(max_examples=300)
def test_any_octets_are_refused_or_are_the_only_form_of_what_they_say(kind: str, body: bytes) -> None:
    writers: dict[str, Any] = {
        "hello": frames.write_hello,
        "share_a": frames.write_share_a,
        "share_b": frames.write_share_b,
        "confirm": frames.write_confirm,
    }
    prefixed = bytes([["hello", "share_a", "share_b", "confirm"].index(kind) + 1]) + body
    for octets in (body, prefixed):
        try:
            read = READERS[kind](octets)
        except FrameBroken:
            continue
        assert writers[kind](read) == octets


@given(st.binary(max_size=frames.PADDED - 2), st.sampled_from(Inner), st.integers(0, 2**64 - 1))
@settings(max_examples=50)
def test_C9_every_sealed_frame_has_one_size_and_tells_its_type_alone(
    content: bytes, inner: Inner, sequence: int
) -> None:
    body = frames.seal(KEY, TO_SENDER, sequence, inner, content)
    assert len(body) == frames.SEALED_BODY == 16_402
    assert body[:2] == bytes([5, inner])
    assert frames.unseal(KEY, TO_SENDER, sequence, body) == (inner, content)
    for direction, other in ((TO_RECEIVER, sequence), (TO_SENDER, (sequence + 1) % 2**64)):
        with pytest.raises(FrameBroken):
            frames.unseal(KEY, direction, other, body)


@given(st.integers(0, frames.SEALED_BODY * 8 - 1))
@settings(max_examples=60)
def test_C9_one_flipped_bit_anywhere_refuses_the_frame(bit: int) -> None:
    body = bytearray(frames.seal(KEY, TO_RECEIVER, 0, Inner.PAYLOAD, b"content"))
    body[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameBroken):
        frames.unseal(KEY, TO_RECEIVER, 0, bytes(body))


@given(st.binary(min_size=1, max_size=frames.MOST_CERTIFICATE), st.binary(min_size=1, max_size=frames.MOST_KEY_FILE))
@settings(max_examples=50)
def test_C11_certificate_and_key_file_arrive_byte_for_byte(certificate: bytes, key_file: bytes) -> None:
    payload = Payload(certificate, Secret(key_file))
    content = frames.write_payload(payload)
    assert len(content) <= frames.PADDED - 2
    read = frames.read_payload(content)
    assert (read.certificate, read.key_file.reveal()) == (certificate, key_file)
    assert read.digest == payload.digest


@given(st.binary(max_size=200))
def test_any_content_is_refused_or_is_the_only_form_of_a_payload(content: bytes) -> None:
    try:
        read = frames.read_payload(content)
    except FrameBroken:
        return
    assert cpace.lv_cat(read.certificate, read.key_file.reveal()) == content


@pytest.mark.parametrize(("certificate", "key_file"), [(0, 1), (1, 0), (6_145, 1), (1, 8_193)])
def test_what_is_too_large_or_empty_is_not_sent(certificate: int, key_file: int) -> None:
    with pytest.raises(ValueError, match="bounds"):
        frames.write_payload(Payload(bytes(certificate), Secret(bytes(key_file))))


def test_a_code_is_read_strictly() -> None:
    assert frames.read_code(b"bound-to-other") == "bound-to-other"
    for wrong in (b"", b"A", b"a b", b"a" * 65, "é".encode(), b"a\n", b"\xff"):
        with pytest.raises(FrameBroken):
            frames.read_code(wrong)


def test_a_device_text_that_could_mislead_is_not_sent() -> None:
    assert frames.is_device("PC · Chrome · Windows")
    assert frames.is_device("스마트폰" * 10)
    for wrong in ("", "a" * 121, "스" * 41, "PC\n", "PC\u202e", "PC\u200b", "PC\u2028", "\ud800"):
        assert not frames.is_device(wrong)
        with pytest.raises(ValueError, match="device"):
            frames.write_hello(Hello(b"\x01", bytes(16), wrong))
