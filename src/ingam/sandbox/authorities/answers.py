"""OCSP answers (RFC 6960) that are wrong on purpose: what a switch puts in the place of the house's own answer."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, NamedTuple

from ingam.npki import der
from ingam.protocols.ocsp import answering
from ingam.protocols.ocsp.answering import CertId, OcspRequestMalformed, SingleResponse
from ingam.sandbox.authorities.houses import LICENSED, Licensed
from ingam.sandbox.behind import Signing, Signings

CURRENT_S: Final = 30 * 60
"""From thisUpdate to nextUpdate."""

OLD_S: Final = 4 * 86_400

NOISE: Final = b"<html>maintenance</html>"


class _Lie(NamedTuple):
    """What an answer will say, and who says it. `at`: seconds since 1970."""

    by: Signing
    cert_id: bytes
    nonce: bytes | None
    at: int
    status: bytes = answering.GOOD
    """As it was before anything happened: the reason why old answers are replayed."""


def bent(signings: Signings, stranger: Signing, house: str, request: bytes, position: str, now: datetime) -> bytes:
    """DER of an OCSPResponse. `position`: of the responder's switch, but for those of the transport."""
    if position == "malformed":
        return NOISE
    if position == "try-later":
        return answering.TRY_LATER
    try:
        question = answering.question(request)
    except OcspRequestMalformed:
        return answering.MALFORMED_REQUEST
    asked, ca = question.asked[0], _authority(signings, house, question.asked[0])
    if ca is None:
        return answering.UNAUTHORIZED
    lie = _Lie(signings.signing(ca.responder), asked.raw, question.nonce, int(now.timestamp()))
    return _signed(_told(lie, position, asked, stranger))


def _told(lie: _Lie, position: str, asked: CertId, stranger: Signing) -> _Lie:
    if position == "wrong-signer":
        return lie._replace(by=stranger)
    if position == "old-answer":
        return lie._replace(at=lie.at - OLD_S)
    if position == "other-nonce":
        return lie._replace(nonce=bytes(16))
    if position == "other-serial":
        algorithm, name, key, _ = der.whole(asked.raw).exactly(4)
        return lie._replace(cert_id=der.seq(algorithm.raw, name.raw, key.raw, der.integer(asked.serial + 1)))
    return lie._replace(status=answering.UNKNOWN)


def _signed(lie: _Lie) -> bytes:
    own = lie.by.certificate
    key_hash = hashlib.sha1(answering.key_bits(own.spki), usedforsecurity=False).digest()
    single = SingleResponse(lie.cert_id, lie.status, lie.at, lie.at + CURRENT_S)
    tbs = answering.prepare(key_hash, lie.at, [single], lie.nonce)
    return answering.assemble(tbs, lie.by.algorithm, lie.by.sign(tbs), own.der)


def _authority(signings: Signings, house: str, asked: CertId) -> Licensed | None:
    """The CA of this house that the CertID names."""
    ours = (one for one in LICENSED if one.house.key == house)
    return next((one for one in ours if asked.issuer in answering.issuer_hashes(signings.certificate(one.key))), None)
