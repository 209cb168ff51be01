"""Proof of possession (RFC 4211 §4, RFC 9483 §4.1): that whoever asks for a certificate has the private key (D4)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NamedTuple

from ingam.kernel.secret import Secret
from ingam.npki import signature
from ingam.npki.signature import PublicKey
from ingam.protocols.cmp.crmf import (
    CertReqMsg,
    PublicKeyMac,
    RaVerified,
    SignaturePop,
    SigningKeyInput,
    write_signing_key_input,
)
from ingam.protocols.cmp.protection import KeyCache, MacProtection, signature_algorithm
from ingam.protocols.cmp.status import CmpRefused, FailInfo


class Proven(NamedTuple):
    """A public key whose holder has asked: DER SubjectPublicKeyInfo, and the key loaded from it."""

    spki: bytes
    key: PublicKey


def verify_pop(
    request: CertReqMsg,
    *,
    sender: bytes,
    secret: Secret[bytes] | None = None,
    ra_verified: bool = False,
    cache: KeyCache | None = None,
) -> Proven:
    """The key that the request proves the possession of; raises CmpRefused with the first check that fails.

    `sender`: DER GeneralName of the verified header; `secret`: the shared secret of the sender, for a publicKeyMAC;
    `ra_verified`: whether the sender is an RA whose word counts. Codes: cmp-pop-missing, cmp-pop-kind, cmp-pop-wrong
    (badPOP), cmp-pop-ra (notAuthorized), cmp-template-key (badCertTemplate).
    """
    pop = request.pop
    # 1. There is a proof.
    if pop is None:
        raise CmpRefused("cmp-pop-missing", FailInfo.BAD_POP)
    # 2. An RA's word counts from an RA only.
    if isinstance(pop, RaVerified):
        if not ra_verified:
            raise CmpRefused("cmp-pop-ra", FailInfo.NOT_AUTHORIZED)
        return _proven(request.template.public_key)
    # 3. Otherwise it is a signature; keys here sign.
    if not isinstance(pop, SignaturePop):
        raise CmpRefused("cmp-pop-kind", FailInfo.BAD_POP)
    # 4. There is one key, of a kind and size that is certified here.
    proven = _proven(_one_key(request, pop.input))
    # 5. Where the name was not signed, it is bound to the sender or to the shared secret.
    if pop.input is not None:
        _check_auth_info(pop.input, sender, secret, cache)
    # 6. The key has signed these bytes.
    try:
        signature.verify(proven.key, signature_algorithm(pop.algorithm), pop.signature, pop.signed, pss=True)
    except (signature.SignatureInvalid, signature.SignatureAlgorithmRefused):
        raise CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP) from None
    return proven


def usable_key(spki: bytes | None) -> PublicKey:
    """The key, of a kind and size that is used here. Raises CmpRefused (cmp-template-key, badCertTemplate)."""
    try:
        if spki is not None:
            return signature.public_key(spki)
    except signature.PublicKeyRefused:
        pass
    raise CmpRefused("cmp-template-key", FailInfo.BAD_CERT_TEMPLATE)


def _proven(spki: bytes | None) -> Proven:
    key = usable_key(spki)
    return Proven(spki or b"", key)


def _one_key(request: CertReqMsg, given: SigningKeyInput | None) -> bytes | None:
    in_template = request.template.public_key
    if given is None:
        return in_template
    if in_template is not None and in_template != given.public_key:
        raise CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP)
    return given.public_key


def _check_auth_info(
    given: SigningKeyInput, sender: bytes, secret: Secret[bytes] | None, cache: KeyCache | None
) -> None:
    if given.mac is None:
        bound = given.sender is not None and hmac.compare_digest(given.sender, sender)
    else:
        bound = secret is not None and MacProtection(secret, given.mac.algorithm, cache).matches(
            given.public_key, given.mac.value
        )
    if not bound:
        raise CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP)


def sign_pop(cert_request: bytes, algorithm: bytes, sign: Callable[[bytes], bytes]) -> SignaturePop:
    """The proof over a CertRequest that names subject and key. `algorithm`: DER AlgorithmIdentifier of `sign`."""
    return SignaturePop(None, algorithm, sign(cert_request), cert_request)


def sign_pop_as_sender(spki: bytes, sender: bytes, algorithm: bytes, sign: Callable[[bytes], bytes]) -> SignaturePop:
    """The proof of an authenticated sender (DER GeneralName) whose CertRequest lacks subject or key."""
    return _sign_input(SigningKeyInput(sender, None, spki), algorithm, sign)


def sign_pop_with_mac(
    spki: bytes, mac: MacProtection, algorithm: bytes, sign: Callable[[bytes], bytes]
) -> SignaturePop:
    """The proof of one who has a shared secret only, as NPKI clients send it: a MAC over the key (npki.md §6)."""
    value = PublicKeyMac(mac.algorithm, mac.protect(spki))
    return _sign_input(SigningKeyInput(None, value, spki), algorithm, sign)


def _sign_input(given: SigningKeyInput, algorithm: bytes, sign: Callable[[bytes], bytes]) -> SignaturePop:
    signed = write_signing_key_input(given)
    return SignaturePop(given, algorithm, sign(signed), signed)
