"""OCSP answers (RFC 6960) of the other authorities, right ones and, where a switch says so, wrong ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ingam.npki import der
from ingam.sandbox.authorities.books import Issued, Standing
from ingam.sandbox.authorities.houses import LICENSED, STRANGER, Licensed
from ingam.sandbox.authorities.issuing import Signer
from ingam.sandbox.world import World

CURRENT: Final = timedelta(minutes=30)
"""From thisUpdate to nextUpdate."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an answer will say."""

    request: ocsp.OCSPRequest
    serial: int
    issued: Issued | None
    nonce: bytes | None
    signer: Signer
    at: datetime

    @property
    def status(self) -> ocsp.OCSPCertStatus:
        if self.issued is None:
            return ocsp.OCSPCertStatus.UNKNOWN
        good = self.issued.standing is Standing.GOOD
        return ocsp.OCSPCertStatus.GOOD if good else ocsp.OCSPCertStatus.REVOKED


def answer(world: World, house: str, request: bytes, position: str, now: datetime) -> bytes:
    """DER of an OCSPResponse. `position`: of the responder's switch; `off` and `slow` are the transport's business."""
    if position == "malformed":
        return b"<html>maintenance</html>"
    if position == "try-later":
        return _without_answer(ocsp.OCSPResponseStatus.TRY_LATER)
    try:
        asked = ocsp.load_der_ocsp_request(request)
    except (ValueError, NotImplementedError):
        return _without_answer(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    ca = _authority(world, house, asked)
    if ca is None:
        return _without_answer(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    issued = world.books.find(ca.key, asked.serial_number)
    honest = _Answer(asked, asked.serial_number, issued, _nonce(asked), world.responder(ca.key), _second(now))
    return _signed(_bent(world, honest, position))


def _bent(world: World, honest: _Answer, position: str) -> _Answer:
    """The answer as the switch wants it."""
    if position == "wrong-signer":
        return replace(honest, signer=world.responder(STRANGER.key))
    if position == "old-answer":
        return replace(honest, issued=_as_it_was(honest.issued), at=honest.at - timedelta(days=4))
    if position == "other-nonce":
        return replace(honest, issued=_as_it_was(honest.issued), nonce=bytes(16))
    if position == "other-serial":
        return replace(honest, serial=honest.serial + 1)
    return replace(honest, issued=None) if position == "unknown" else honest


def _as_it_was(issued: Issued | None) -> Issued | None:
    """An old answer knows nothing of a later revocation: the reason why it is replayed."""
    return None if issued is None else replace(issued, standing=Standing.GOOD)


def _signed(answer: _Answer) -> bytes:
    request, issued = answer.request, answer.issued
    ended = issued if answer.status is ocsp.OCSPCertStatus.REVOKED else None
    responder = x509.load_der_x509_certificate(answer.signer.der)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            request.issuer_name_hash,
            request.issuer_key_hash,
            answer.serial,
            request.hash_algorithm,
            answer.status,
            answer.at,
            answer.at + CURRENT,
            None if ended is None else ended.changed_at,
            None if ended is None or ended.reason is None else x509.ReasonFlags[ended.reason],
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        .certificates([responder])
    )
    if answer.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(answer.nonce), critical=False)
    return builder.sign(answer.signer.key, SHA256()).public_bytes(Encoding.DER)


def _without_answer(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _nonce(request: ocsp.OCSPRequest) -> bytes | None:
    try:
        return request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _authority(world: World, house: str, request: ocsp.OCSPRequest) -> Licensed | None:
    """The CA of this house that the CertID names, by SHA-1 or SHA-256 of its name and key."""
    wanted = request.issuer_name_hash, request.issuer_key_hash
    for one in LICENSED:
        if (
            one.configured
            and one.house.key == house
            and _hashes(world.signer(one.key), request.hash_algorithm) == wanted
        ):
            return one
    return None


def _hashes(signer: Signer, algorithm: HashAlgorithm) -> tuple[bytes, bytes] | None:
    if not isinstance(algorithm, SHA1 | SHA256):
        return None
    _, key = der.whole(signer.certificate.spki).sequence()
    parts = signer.certificate.subject.raw, key.bits()
    name_hash, key_hash = (hashlib.new(algorithm.name, part, usedforsecurity=False).digest() for part in parts)
    return name_hash, key_hash


def _second(at: datetime) -> datetime:
    # GeneralizedTime in DER must not have fractional seconds (RFC 5280 section 4.1.2.5.2).
    return at.replace(microsecond=0)
