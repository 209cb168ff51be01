"""The signed text to the byte, and the sealing of R (security A1, A15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.kernel.secret import Secret
from ingam.protocols.challenge import Challenge, Purpose, SealKey, SealUnreadable, seal, seal_info, text

CERTIFICATE = b"a certificate"
R = bytes.fromhex("031500") + bytes(range(20))
CHALLENGE = Challenge(
    Purpose.LOGIN,
    "http://localhost:8700",
    "a1" * 32,
    datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 22, 10, 3, 0, tzinfo=UTC),
    "b2" * 32,
    None,
)
KEY = SealKey(ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1()))


def test_A1_the_signed_text_has_ten_lines_in_a_fixed_order() -> None:
    assert text(CHALLENGE, CERTIFICATE, None) == (
        b"INGAM-CHALLENGE/1\n"
        b"purpose: login\n"
        b"origin: http://localhost:8700\n"
        b"nonce: " + b"a1" * 32 + b"\n"
        b"issued: 2026-11-22T10:00:00Z\n"
        b"expires: 2026-11-22T10:03:00Z\n"
        b"session: " + b"b2" * 32 + b"\n"
        b"certificate: " + sha256(CERTIFICATE).hexdigest().encode() + b"\n"
        b"sealed: -\n"
        b"body: -\n"
    )


def test_A1_the_sealed_blob_and_the_body_are_named_by_their_digests() -> None:
    lines = text(replace(CHALLENGE, body="c3" * 32), CERTIFICATE, b"blob").decode().splitlines()
    assert lines[8] == f"sealed: {sha256(b'blob').hexdigest()}"
    assert lines[9] == f"body: {'c3' * 32}"


def test_A15_r_comes_back_for_the_same_challenge_and_certificate() -> None:
    blob = seal(KEY.public, Secret(R), CHALLENGE, CERTIFICATE)
    assert blob[:16].decode() == KEY.key_id
    assert KEY.open(blob, CHALLENGE, CERTIFICATE).reveal() == R


def test_A15_the_info_binds_key_and_challenge_without_the_sealed_line() -> None:
    unsealed = text(CHALLENGE, CERTIFICATE, None).replace(b"sealed: -\n", b"")
    expected = b"ingam/vid-random/1" + KEY.key_id.encode() + sha256(unsealed).digest()
    assert seal_info(KEY.key_id, CHALLENGE, CERTIFICATE) == expected


@pytest.mark.parametrize(
    "other",
    [
        replace(CHALLENGE, nonce="a2" * 32),
        replace(CHALLENGE, origin="http://localhost:8701"),
        replace(CHALLENGE, purpose=Purpose.REGISTRATION),
        replace(CHALLENGE, session="b3" * 32),
        replace(CHALLENGE, body="c3" * 32),
    ],
)
def test_A15_a_blob_of_another_challenge_does_not_open(other: Challenge) -> None:
    blob = seal(KEY.public, Secret(R), CHALLENGE, CERTIFICATE)
    with pytest.raises(SealUnreadable):
        KEY.open(blob, other, CERTIFICATE)


def test_A15_a_blob_for_another_certificate_does_not_open() -> None:
    with pytest.raises(SealUnreadable):
        KEY.open(seal(KEY.public, Secret(R), CHALLENGE, CERTIFICATE), CHALLENGE, b"another")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_A15_any_other_bytes_are_refused_with_one_code(blob: bytes) -> None:
    with pytest.raises(SealUnreadable):
        KEY.open(blob, CHALLENGE, CERTIFICATE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 119), st.integers(1, 255))
def test_A15_one_altered_byte_is_refused(place: int, change: int) -> None:
    blob = bytearray(seal(KEY.public, Secret(R), CHALLENGE, CERTIFICATE))
    blob[place] ^= change
    with pytest.raises(SealUnreadable):
        KEY.open(bytes(blob), CHALLENGE, CERTIFICATE)
