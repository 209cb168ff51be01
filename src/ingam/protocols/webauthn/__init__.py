"""WebAuthn Level 3 as a relying party: options for the browser, and the checks of what it answers (security E8, G1).

Over `fido2`, which reads CBOR, authenticator data and COSE keys; which checks are made stands here, numbered. A person
is verified (PIN, finger, face) at every use, attestation is not asked for, and challenges and randomness are the
caller's. Answers are RegistrationResponseJSON and AuthenticationResponseJSON, where binary values are base64url.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.webauthn import AttestationObject, AuthenticatorData, CollectedClientData

from ingam.kernel.errors import Refusal

ES256: Final = -7
EDDSA: Final = -8
RS256: Final = -257
ALGORITHMS: Final = (ES256, EDDSA, RS256)
RSA_LEAST_BITS: Final = 2048
RSA_MOST_BYTES: Final = 1024
CHALLENGE_LEAST: Final = 16
CREDENTIAL_ID_MOST: Final = 1023  # WebAuthn L3, 5.8.3
ANSWER_MOST: Final = 16 * 1024  # characters of one base64url value
TIMEOUT_MS: Final = 120_000
_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    struct.error,
)


class WebAuthnRefused(Refusal):
    """The answer does not prove what was asked; fact `cause` names the check (see `register` and `check`)."""

    code = "webauthn-refused"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks. `id`: the host name; `name`: what the browser shows; `origin`: the only page that may ask."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A registered public key. `public_key`: COSE_Key bytes; `counter`: 0 for authenticators that do not count.

    `backed_up`: the key is copied between the person's devices (BS), so that it names a person and no one device.
    """

    credential_id: bytes
    public_key: bytes
    counter: int
    backed_up: bool = False
    aaguid: bytes = bytes(16)


def registration_options(
    rp: RelyingParty,
    user_handle: bytes,
    user_name: str,
    challenge: bytes,
    exclude: Sequence[bytes] = (),
    *,
    platform: bool,
    resident: bool,
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON.

    `user_handle`: 1-64 random bytes, nothing of the person; a second credential under it takes the first one's place in
    an authenticator. `platform`: only this device's own authenticator; `resident`: found without a name.
    """
    selection = {
        "residentKey": "required" if resident else "discouraged",
        "requireResidentKey": resident,
        "userVerification": "required",
    }
    if platform:
        selection["authenticatorAttachment"] = "platform"
    return {
        "rp": {"id": rp.id, "name": rp.name},
        "user": {"id": encode(user_handle), "name": user_name, "displayName": user_name},
        "challenge": encode(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in ALGORITHMS],
        "excludeCredentials": _descriptors(exclude),
        "authenticatorSelection": selection,
        "attestation": "none",
        "timeout": TIMEOUT_MS,
    }


def request_options(rp: RelyingParty, challenge: bytes, allow: Sequence[bytes] = ()) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON; without `allow` any resident key of this relying party may answer."""
    return {
        "rpId": rp.id,
        "challenge": encode(challenge),
        "allowCredentials": _descriptors(allow),
        "userVerification": "required",
        "timeout": TIMEOUT_MS,
    }


def register(rp: RelyingParty, challenge: bytes, answer: Mapping[str, object]) -> Credential:
    """The credential that an answer to `registration_options` makes (WebAuthn L3, 7.1). Raises WebAuthnRefused.

    Causes: 1 malformed, 2 type, 3 challenge, 4 origin, 5 rp-id, 6 presence, 7 verification, 8 backup, 9 algorithm.
    """
    said = _client_data(answer)
    made = _attested(answer)
    _same_asked(rp, challenge, said, CollectedClientData.TYPE.CREATE)
    _person_there(rp, made)
    kept = made.credential_data
    if kept is None or kept.credential_id != credential_id(answer):
        _refuse("malformed")
    _key(kept.public_key)
    return Credential(
        kept.credential_id, cbor.encode(kept.public_key), made.counter, made.is_backed_up(), bytes(kept.aaguid)
    )


def check(rp: RelyingParty, challenge: bytes, credential: Credential, answer: Mapping[str, object]) -> int:
    """The credential's new counter, if its key signed this challenge (WebAuthn L3, 7.2). Raises WebAuthnRefused.

    Causes: 1 malformed, 2 type, 3 challenge, 4 origin, 5 rp-id, 6 presence, 7 verification, 8 backup, 9 algorithm,
    10 credential (another one answered), 11 signature, 12 counter (it did not rise: perhaps a copy of the key).
    """
    said = _client_data(answer)
    shown = _authenticator_data(answer)
    _same_asked(rp, challenge, said, CollectedClientData.TYPE.GET)
    _person_there(rp, shown)
    if not hmac.compare_digest(credential_id(answer), credential.credential_id):
        _refuse("credential")
    try:
        key = _key(CoseKey.parse(_map(cbor.decode(credential.public_key))))
        key.verify(bytes(shown) + sha256(bytes(said)).digest(), _octets(_response(answer), "signature"))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError, TypeError):
        _refuse("signature")
    if (shown.counter or credential.counter) and shown.counter <= credential.counter:
        _refuse("counter")
    return shown.counter


def credential_id(answer: Mapping[str, object]) -> bytes:
    """Which credential answered: 1-1023 bytes, unproven until `check`. Raises WebAuthnRefused (malformed)."""
    named = _octets(answer, "rawId")
    if not 0 < len(named) <= CREDENTIAL_ID_MOST or answer.get("id") != encode(named):
        _refuse("malformed")
    return named


def user_handle(answer: Mapping[str, object]) -> bytes | None:
    """Whose resident key it says it is; None where the authenticator names nobody. Unproven until `check`."""
    response = _response(answer)
    return None if response.get("userHandle") is None else _octets(response, "userHandle")


def signs_with(public_key: bytes) -> int:
    """The COSE algorithm of a kept key: one of ALGORITHMS."""
    return int(_map(cbor.decode(public_key))[3])


def encode(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if encode(found) != text:
        raise ValueError("not base64url")
    return found


def _same_asked(rp: RelyingParty, challenge: bytes, said: CollectedClientData, kind: CollectedClientData.TYPE) -> None:
    """2-4: the browser says what it was asked, by which page, for what."""
    if said.type != kind.value:
        _refuse("type")
    if len(challenge) < CHALLENGE_LEAST or not hmac.compare_digest(said.challenge, challenge):
        _refuse("challenge")
    if said.origin != rp.origin or said.cross_origin:
        _refuse("origin")


def _person_there(rp: RelyingParty, data: AuthenticatorData) -> None:
    """5-8: for this relying party, with a person there who was verified; a backup only of a key that may have one."""
    if not hmac.compare_digest(data.rp_id_hash, sha256(rp.id.encode()).digest()):
        _refuse("rp-id")
    if not data.is_user_present():
        _refuse("presence")
    if not data.is_user_verified():
        _refuse("verification")
    if data.is_backed_up() and not data.is_backup_eligible():
        _refuse("backup")


def _key(key: CoseKey) -> CoseKey:
    """9: of an algorithm that was asked for, and long enough."""
    if key.get(3) not in ALGORITHMS:
        _refuse("algorithm")
    try:
        _load(key)
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm):
        _refuse("algorithm")
    return key


def _load(key: CoseKey) -> None:
    """Raises ValueError, KeyError or TypeError for what makes no key: a point off the curve, a short RSA key."""
    if key[3] == ES256 and key[1] == 2 and key[-1] == 1 and len(key[-2]) == len(key[-3]) == 32:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key[-2] + key[-3])
    elif key[3] == EDDSA and key[1] == 1 and key[-1] == 6:
        ed25519.Ed25519PublicKey.from_public_bytes(key[-2])
    elif key[3] == RS256 and key[1] == 3 and len(key[-1]) <= RSA_MOST_BYTES:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(key[-2], "big"), int.from_bytes(key[-1], "big"))
        if numbers.public_key().key_size < RSA_LEAST_BITS:
            raise ValueError("short")
    else:
        raise ValueError("another kind of key")


def _client_data(answer: Mapping[str, object]) -> CollectedClientData:
    try:
        said = CollectedClientData(_octets(_response(answer), "clientDataJSON"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        _refuse("malformed")
    if not isinstance(said.type, str) or not isinstance(said.origin, str) or not isinstance(said.cross_origin, bool):
        _refuse("malformed")
    return said


def _attested(answer: Mapping[str, object]) -> AuthenticatorData:
    """What the attestation object carries; its statement is not looked at, none was asked for."""
    try:
        return AttestationObject(_octets(_response(answer), "attestationObject")).auth_data
    except _UNREADABLE:
        _refuse("malformed")


def _authenticator_data(answer: Mapping[str, object]) -> AuthenticatorData:
    try:
        return AuthenticatorData(_octets(_response(answer), "authenticatorData"))
    except _UNREADABLE:
        _refuse("malformed")


def _response(answer: Mapping[str, object]) -> Mapping[str, object]:
    response = answer.get("response")
    if not isinstance(response, Mapping) or answer.get("type") != "public-key":
        _refuse("malformed")
    return response


def _octets(holder: Mapping[str, object], name: str) -> bytes:
    value = holder.get(name)
    if not isinstance(value, str) or len(value) > ANSWER_MOST:
        _refuse("malformed")
    try:
        return decode(value)
    except ValueError:
        _refuse("malformed")


def _map(value: object) -> Mapping[int, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("no COSE_Key")
    return value


def _descriptors(ids: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": encode(one)} for one in ids]


def _refuse(cause: str) -> NoReturn:
    raise WebAuthnRefused(cause=cause)
