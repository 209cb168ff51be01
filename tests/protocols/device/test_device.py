"""The text that device keys sign, and the signatures of software keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.challenge import Challenge, Purpose
from ingam.protocols.device import DeviceKeyRefused, check_point, check_software, in_webauthn, key_id, text

ISSUED = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ASKED = Challenge(
    Purpose.DEVICE, "http://localhost:8700", "ab" * 32, ISSUED, ISSUED + timedelta(seconds=180), "cd" * 32, None
)
KEY = ec.derive_private_key(12345, ec.SECP256R1())
POINT = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def signed_by_webcrypto(key: ec.EllipticCurvePrivateKey, octets: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_text_is_as_the_browser_builds_it() -> None:
    assert text(ASKED, "registration").decode() == (
        "INGAM-DEVICE/1\npurpose: device\nact: registration\norigin: http://localhost:8700\n"
        f"nonce: {'ab' * 32}\nissued: 2026-11-26T09:00:00Z\nexpires: 2026-11-26T09:03:00Z\n"
        f"session: {'cd' * 32}\nbody: -\n"
    )
    # The same value stands in browser/test/pure/device.test.ts.
    assert sha256(text(ASKED, "registration")).hexdigest() == (
        "c8ba36ca6507d356ef88eaa84dde312616df6213f0ee97b25ca7e33884e56cc1"
    )


def test_every_part_of_a_challenge_is_signed() -> None:
    others = [
        text(ASKED, "rebind"),
        text(ASKED),
        text(replace(ASKED, purpose=Purpose.CONTACT_CHANGE), "registration"),
        text(replace(ASKED, nonce="ac" * 32), "registration"),
        text(replace(ASKED, session="ce" * 32), "registration"),
        text(replace(ASKED, body="ef" * 32), "registration"),
    ]
    assert len({in_webauthn(one) for one in [text(ASKED, "registration"), *others]}) == len(others) + 1


def test_a_software_key_signs_its_text_and_no_other() -> None:
    octets = text(ASKED, "registration")
    signature = signed_by_webcrypto(KEY, octets)
    check_software(check_point(POINT), signature, octets)
    with pytest.raises(DeviceKeyRefused, match="signature"):
        check_software(POINT, signature, text(ASKED, "rebind"))
    with pytest.raises(DeviceKeyRefused, match="signature"):
        check_software(POINT, signed_by_webcrypto(ec.derive_private_key(54321, ec.SECP256R1()), octets), octets)
    assert len(key_id(POINT)) == 32


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_nothing_but_a_refusal_comes_of_other_octets(point: bytes, signature: bytes) -> None:
    with pytest.raises(DeviceKeyRefused):
        check_software(point, signature, b"text")
    with pytest.raises(DeviceKeyRefused):
        check_software(POINT, signature, b"text")
