"""An authenticator in memory: what a passkey answers, in the JSON forms of WebAuthn L3, with faults on request."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import CoseKey
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from ingam.protocols.webauthn import decode, encode

PRESENT, VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def public_of(key: ec.EllipticCurvePrivateKey) -> dict[int, int | bytes]:
    """COSE_Key of an ES256 key (RFC 9053, 7.1.1)."""
    at = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}


@dataclass
class Authenticator:
    """One key in one authenticator; `counter` rises by one a use. Fields may be changed to make it lie."""

    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    user_handle: bytes = b""
    rp_id: str | None = None
    cross_origin: bool = False

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of navigator.credentials.create() to PublicKeyCredentialCreationOptionsJSON."""
        self.user_handle = decode(options["user"]["id"])
        public = CoseKey(public_of(self.key))
        kept = AttestedCredentialData.create(Aaguid(bytes(16)), self.credential_id, public)
        data = self._data(options["rp"]["id"], ATTESTED, kept)
        answer = AttestationObject.create("none", data, {})
        return self._answer("webauthn.create", options, {"attestationObject": encode(bytes(answer))})

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of navigator.credentials.get() to PublicKeyCredentialRequestOptionsJSON."""
        self.counter += 1
        data = bytes(self._data(options["rpId"], 0, b""))
        said = self._client_data("webauthn.get", options)
        signature = self.key.sign(data + sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        told = {"authenticatorData": encode(data), "signature": encode(signature)}
        if self.user_handle:
            told["userHandle"] = encode(self.user_handle)
        return self._answer("webauthn.get", options, told)

    def copied(self) -> Authenticator:
        """The same key, counter and all, in somebody else's hands."""
        return replace(self)

    def _data(self, rp_id: str, more: int, kept: bytes) -> Any:
        named = sha256((self.rp_id or rp_id).encode()).digest()
        return AuthenticatorData.create(named, AuthenticatorData.FLAG(self.flags | more), self.counter, kept)

    def _client_data(self, kind: str, options: Mapping[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return json.dumps(said, separators=(",", ":")).encode()

    def _answer(self, kind: str, options: Mapping[str, Any], response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": encode(self.credential_id),
            "rawId": encode(self.credential_id),
            "type": "public-key",
            "response": {"clientDataJSON": encode(self._client_data(kind, options)), **response},
            "clientExtensionResults": {},
        }
