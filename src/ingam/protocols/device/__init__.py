"""The text that a person's device key signs: who asks, for what, in which session, about what (security E8, F5).

A hardware key signs it as the SHA-256 in its WebAuthn challenge, a software key (WebCrypto, P-256) signs it itself; the
browser's twin is `browser/src/pure/device.ts`. The server rebuilds every byte from its own record of the challenge.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.challenge import Challenge

FIRST_LINE: Final = "INGAM-DEVICE/1"
POINT_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64


class DeviceKeyRefused(Refusal):
    """A software key that is none, or a signature that is not its own; fact `cause`: key or signature."""

    code = "device-refused"


def text(challenge: Challenge, act: str | None = None) -> bytes:
    """The exact bytes: ASCII, nine lines, each ending in LF. `act`: what a use of a device is for, or None for `-`."""
    return (
        f"{FIRST_LINE}\n"
        f"purpose: {challenge.purpose}\n"
        f"act: {act or '-'}\n"
        f"origin: {challenge.origin}\n"
        f"nonce: {challenge.nonce}\n"
        f"issued: {rfc3339(challenge.issued)}\n"
        f"expires: {rfc3339(challenge.expires)}\n"
        f"session: {challenge.session}\n"
        f"body: {challenge.body or '-'}\n"
    ).encode("ascii")


def in_webauthn(signed: bytes) -> bytes:
    """The WebAuthn challenge of a text: its SHA-256, 32 bytes."""
    return sha256(signed).digest()


def key_id(point: bytes) -> bytes:
    """Names a software key: SHA-256 of its uncompressed P-256 point, 32 bytes."""
    return sha256(point).digest()


def check_point(point: bytes) -> bytes:
    """The point itself, if it is an uncompressed one on P-256. Raises DeviceKeyRefused (key)."""
    _public(point)
    return point


def check_software(point: bytes, signature: bytes, signed: bytes) -> None:
    """ECDSA with SHA-256; `signature`: r and s of 32 bytes each, as WebCrypto gives it. Raises DeviceKeyRefused."""
    key = _public(point)
    if len(signature) != SIGNATURE_BYTES:
        raise DeviceKeyRefused(cause="signature")
    half = SIGNATURE_BYTES // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise DeviceKeyRefused(cause="signature") from None


def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    if len(point) != POINT_BYTES:
        raise DeviceKeyRefused(cause="key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise DeviceKeyRefused(cause="key") from None
