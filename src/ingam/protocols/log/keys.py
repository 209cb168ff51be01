"""Keys that heads are checked with: a log's and a witness's, two types, each with a name and its text form.

The text, `<name>+<key id in hex>+<base64 of kind ‖ key>`, is that of C2SP signed-note; whoever checks has it from a
place that he trusts. A log's key is any that `npki.signature` knows (kind FF `INGAM-SPKI/1`, then its
SubjectPublicKeyInfo), or Ed25519 (kind 01, then 32 bytes; C2SP signed-note); a witness's is Ed25519 (kind 04, then 32
bytes; C2SP tlog-cosignature).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ingam.kernel.errors import Refusal
from ingam.npki.signature import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    ML_DSA_65,
    RSA_SHA256,
    PublicKeyRefused,
    SignatureInvalid,
    known_key,
    verify,
)
from ingam.protocols.log import notation

KEY_ID: Final = 4
MOST_KEY_TEXT: Final = 8192
NAME: Final = re.compile(r"[!-*,-~]{1,255}")
"""Of logs and witnesses: an address without its scheme, as `log.example.test/ca`; no blank, no plus, ASCII."""

_SPKI: Final = b"\xffINGAM-SPKI/1"
_NOTE_ED25519: Final = b"\x01"
_COSIGNATURE: Final = b"\x04"
ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of Ed25519 (RFC 8410), all but its last 32 bytes."""
_ED25519: Final = 32
_TIME: Final = 8
_TIMED: Final = _TIME + 64


class KeyMalformed(Refusal):
    """The text is no key of a log or a witness, or one of another kind than is asked for."""

    code = "log-key-malformed"


class LogKey(NamedTuple):
    """The key of a log. `name`: the log's origin; `spki`: DER SubjectPublicKeyInfo."""

    name: str
    spki: bytes

    @property
    def id(self) -> bytes:
        """Names the key beside the name, 4 bytes."""
        return _id(self.name, self._material)

    @property
    def text(self) -> str:
        """As it is handed to whoever checks."""
        return _text(self.name, self._material)

    @property
    def _material(self) -> bytes:
        raw = _ed25519(self.spki)
        return _SPKI + self.spki if raw is None else _NOTE_ED25519 + raw

    def verify(self, signature: bytes, body: bytes) -> None:
        """Raises SignatureInvalid."""
        raw = _ed25519(self.spki)
        if raw is not None:
            _verify_ed25519(raw, signature, body)
            return
        key = known_key(self.spki)
        if isinstance(key, RSAPublicKey):
            algorithm = RSA_SHA256
        elif isinstance(key, EllipticCurvePublicKey):
            algorithm = ECDSA_SHA384 if key.curve.key_size == 384 else ECDSA_SHA256
        else:
            algorithm = ML_DSA_65
        verify(key, algorithm, signature, body)


class WitnessKey(NamedTuple):
    """The key of a witness. `public`: the 32 bytes of RFC 8032."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Names the key beside the name, 4 bytes."""
        return _id(self.name, _COSIGNATURE + self.public)

    @property
    def text(self) -> str:
        """As it is handed to whoever checks."""
        return _text(self.name, _COSIGNATURE + self.public)

    def verify(self, signature: bytes, body: bytes) -> None:
        """`signature`: seconds since 1970 in 8 bytes, then Ed25519's 64. Raises SignatureInvalid."""
        if len(signature) != _TIMED:
            raise SignatureInvalid
        message = _cosigned(int.from_bytes(signature[:_TIME], "big"), body)
        _verify_ed25519(self.public, signature[_TIME:], message)


VerifierKey: TypeAlias = LogKey | WitnessKey


def cosign(key: Ed25519PrivateKey, seconds: int, body: bytes) -> bytes:
    """A witness's signature over a head's body: time and Ed25519, 72 bytes (C2SP tlog-cosignature)."""
    return seconds.to_bytes(_TIME, "big") + key.sign(_cosigned(seconds, body))


def witness_key(name: str, key: Ed25519PrivateKey) -> WitnessKey:
    """The public half under its name. Raises KeyMalformed for a name that is none."""
    return _witness_key(name, key.public_key().public_bytes_raw())


def log_key(origin: str, spki: bytes) -> LogKey:
    """A log's key under its origin. Raises KeyMalformed."""
    try:
        if _ed25519(spki) is None:
            known_key(spki)
    except PublicKeyRefused:
        raise KeyMalformed from None
    return LogKey(_name(origin), spki)


def parse(text: str) -> VerifierKey:
    """The key of a text, a final line feed left aside. Raises KeyMalformed."""
    if len(text) > MOST_KEY_TEXT:
        raise KeyMalformed
    try:
        name, _, rest = text.removesuffix("\n").partition("+")
        material = notation.octets(rest.partition("+")[2])
    except ValueError:
        raise KeyMalformed from None
    key = _key(name, material)
    if key.text != text.removesuffix("\n"):
        raise KeyMalformed
    return key


def _key(name: str, material: bytes) -> VerifierKey:
    if material.startswith(_SPKI):
        return log_key(name, material[len(_SPKI) :])
    if material.startswith(_NOTE_ED25519) and len(material) == 1 + _ED25519:
        return log_key(name, ED25519_SPKI + material[1:])
    if material.startswith(_COSIGNATURE):
        return _witness_key(name, material[len(_COSIGNATURE) :])
    raise KeyMalformed


def _witness_key(name: str, public: bytes) -> WitnessKey:
    if len(public) != _ED25519:
        raise KeyMalformed
    return WitnessKey(_name(name), public)


def _ed25519(spki: bytes) -> bytes | None:
    """The 32 bytes of RFC 8032, where it is such a key."""
    whole = len(spki) == len(ED25519_SPKI) + _ED25519 and spki.startswith(ED25519_SPKI)
    return spki[len(ED25519_SPKI) :] if whole else None


def _verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise SignatureInvalid from None


def _name(name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise KeyMalformed
    return name


def _cosigned(seconds: int, body: bytes) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n".encode("ascii") + body


def _id(name: str, material: bytes) -> bytes:
    return sha256(name.encode("ascii") + b"\n" + material).digest()[:KEY_ID]


def _text(name: str, material: bytes) -> str:
    return f"{name}+{_id(name, material).hex()}+{notation.base64(material)}"
