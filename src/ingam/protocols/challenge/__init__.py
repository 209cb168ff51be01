"""The text that a person signs to register or to log in, and the sealing of R beside it (security A1, A15).

Both roles: the vault builds the same bytes in `browser/src/pure/challenge.ts`; the server rebuilds every byte from
its own record and compares; it never parses values out of a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret

FIRST_LINE = "INGAM-CHALLENGE/1"
SEAL_LABEL = b"ingam/vid-random/1"
ENCAPSULATED = 65
KEY_ID = 16
SEALED_MAX = KEY_ID + ENCAPSULATED + 128 + 16
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealUnreadable(Refusal):
    """The sealed R cannot be opened: another key, another challenge, or altered bytes."""

    code = "seal-unreadable"


class Purpose(StrEnum):
    """What a signature is for; the closed list that vault and server share (B2)."""

    REGISTRATION = "registration"
    REBIND = "rebind"
    LOGIN = "login"
    IDENTITY = "identity"
    COPY_OUT = "copy-out"
    # What a device key, a passkey or a certificate signs to act (F5); `device` exempts from additional authentication.
    DEVICE = "device"
    DEVICE_ADD = "device-add"
    DEVICE_REMOVE = "device-remove"
    CONTACT_CHANGE = "contact-change"
    RELEASE = "release"
    LOAN = "loan"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's record of one challenge. `nonce`, `session`, `body`: 64 lower hex; `body` None is `-`."""

    purpose: Purpose
    origin: str
    nonce: str
    issued: datetime
    expires: datetime
    session: str
    body: str | None


def text(challenge: Challenge, certificate: bytes, sealed: bytes | None) -> bytes:
    """The exact bytes that are signed: ASCII, ten lines, each ending in LF (A1).

    `certificate`: DER; `sealed`: the whole sealed blob or None for `-`.
    """
    return _lines(
        challenge, certificate, "sealed: " + (sha256(sealed).hexdigest() if sealed is not None else "-") + "\n"
    )


def body_of(text: str) -> str:
    """The `body` of an act: SHA-256 of the exact text that the person is shown, 64 lower hex (A19, F5)."""
    return sha256(text.encode()).hexdigest()


def seal_info(key_id: str, challenge: Challenge, certificate: bytes) -> bytes:
    """The HPKE info: label, key id, SHA-256 of the challenge without its `sealed` line (A15)."""
    return SEAL_LABEL + key_id.encode("ascii") + sha256(_lines(challenge, certificate, "")).digest()


def _lines(challenge: Challenge, certificate: bytes, sealed_line: str) -> bytes:
    return (
        f"{FIRST_LINE}\n"
        f"purpose: {challenge.purpose}\n"
        f"origin: {challenge.origin}\n"
        f"nonce: {challenge.nonce}\n"
        f"issued: {rfc3339(challenge.issued)}\n"
        f"expires: {rfc3339(challenge.expires)}\n"
        f"session: {challenge.session}\n"
        f"certificate: {sha256(certificate).hexdigest()}\n"
        f"{sealed_line}"
        f"body: {challenge.body or '-'}\n"
    ).encode("ascii")


@dataclass(frozen=True, slots=True)
class SealKey:
    """The server's key pair for R, in memory, replaced daily. `key_id`: 16 lower hex characters of its public hash."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> bytes:
        """The uncompressed P-256 point, 65 bytes, as the vault fetches it."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def key_id(self) -> str:
        """Names the key inside every blob."""
        return sha256(self.public).hexdigest()[:KEY_ID]

    def open(self, blob: bytes, challenge: Challenge, certificate: bytes) -> Secret[bytes]:
        """R as the DER of its BIT STRING. Raises SealUnreadable. Call it in the request that brought the blob."""
        if not KEY_ID + ENCAPSULATED + 16 < len(blob) <= SEALED_MAX or key_id_of(blob) != self.key_id:
            raise SealUnreadable
        try:
            opened = SUITE.decrypt(blob[KEY_ID:], self.private, info=seal_info(self.key_id, challenge, certificate))
        except (InvalidTag, ValueError):
            raise SealUnreadable from None
        return Secret(opened)


def key_id_of(blob: bytes) -> str:
    """The key that a blob names; raises SealUnreadable for bytes that name none."""
    try:
        return blob[:KEY_ID].decode("ascii")
    except UnicodeDecodeError:
        raise SealUnreadable from None


def seal(public: bytes, random_der: Secret[bytes], challenge: Challenge, certificate: bytes) -> bytes:
    """What the vault does, for the CLI and the tests: key id, encapsulated key (65 bytes), ciphertext."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    key_id = sha256(public).hexdigest()[:KEY_ID]
    return key_id.encode("ascii") + SUITE.encrypt(
        random_der.reveal(), key, info=seal_info(key_id, challenge, certificate)
    )
