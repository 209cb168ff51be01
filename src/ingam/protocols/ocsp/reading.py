"""OCSP (RFC 6960, 9654) as a relying party reads it: a request's bytes, an answer's bytes, and the numbered checks.

The NPKI field lets the root issue the responder's certificate, so the accepted responders are configured per issuing
CA (RFC 6960 §4.2.2.2 local configuration; security A11). No clock, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1, sha256
from typing import Final

from ingam.kernel.errors import Outage
from ingam.npki import der
from ingam.npki.certificate import Certificate, CertificateMalformed, instant
from ingam.npki.der import Element, NotDer
from ingam.npki.signature import PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid, known_key
from ingam.npki.signature import verify as verify_signature

MAX_ANSWER: Final = 64 * 1024
CLOCK_SKEW: Final = timedelta(minutes=5)
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"

_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_SHA1: Final = der.algorithm("1.3.14.3.2.26")
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_ENUMERATED: Final = 0x0A
_TRY_LATER: Final = 3

# CRLReason (RFC 5280 §5.3.1)
REASONS: Final = {
    0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
    5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}  # fmt: skip
HOLD: Final = "certificateHold"


class OcspUnusable(Outage):
    """An answer came, and it confirms nothing; the code says why.

    Codes: status-malformed, status-refused, status-responder-untrusted, status-responder-invalid,
    status-signature-invalid, status-mismatch, status-nonce-mismatch, status-stale, status-future.
    """

    code = "status-malformed"


class OcspTryLater(Outage):
    """The responder asks to come back later: a CRL may be asked instead (A12)."""

    code = "status-try-later"


@dataclass(frozen=True, slots=True)
class CertStatus:
    """A verified answer. `status`: good, revoked or unknown; `revoked_at` and `reason` for revoked."""

    status: str
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None = None
    reason: str = "unspecified"


@dataclass(frozen=True, slots=True)
class UnverifiedAnswer:
    """A basic response, parsed and not yet believed."""

    tbs: bytes
    responder_by_key: bytes | None
    responder_by_name: bytes | None
    responses: tuple[Element, ...]
    nonce: bytes | None
    algorithm: bytes
    signature: bytes


def cert_id(person: Certificate, issuer: Certificate) -> bytes:
    """The CertID by SHA-1, which every responder of the field knows (npki.md §7); a name for the question, no proof."""
    return der.seq(
        _SHA1,
        der.octets(sha1(issuer.subject.raw, usedforsecurity=False).digest()),
        der.octets(sha1(_key_bits(issuer), usedforsecurity=False).digest()),
        der.integer(person.serial),
    )


def request(asked: bytes, nonce: bytes | None) -> bytes:
    """OCSPRequest for one CertID, with a nonce of 1-128 bytes or without (RFC 6960 §4.1.1, RFC 9654 §2.1)."""
    extensions = b"" if nonce is None else der.explicit(2, der.seq(_nonce_extension(nonce)))
    return der.seq(der.seq(der.seq(der.seq(asked)), extensions))


def _nonce_extension(nonce: bytes) -> bytes:
    return der.seq(der.oid(_NONCE), der.octets(der.octets(nonce)))


def parse(data: bytes) -> UnverifiedAnswer:
    """The basic response of an answer. Raises OcspTryLater, OcspUnusable (status-malformed, status-refused)."""
    if len(data) > MAX_ANSWER:
        raise OcspUnusable(found="too large")
    try:
        return _basic(_successful(der.whole(data)))
    except (NotDer, CertificateMalformed, IndexError, ValueError):  # ValueError: more or fewer parts than there are
        raise OcspUnusable from None


def verify(
    answer: UnverifiedAnswer,
    *,
    person: Certificate,
    issuer: Certificate,
    responders: tuple[Certificate, ...],
    nonce: bytes,
    at: datetime,
) -> CertStatus:
    """The status in an answer that passes every check; raises OcspUnusable with the code of the first it fails."""
    _check_speaker(answer, responders, at)
    # 4. Exactly one answer, about the certificate that was asked.
    parts = _the_one(answer, person, issuer)
    # 5. It answers this question and no older one.
    if answer.nonce != nonce:
        raise OcspUnusable("status-nonce-mismatch")
    # 6. It is of now.
    return _current(parts, at)


def verify_relayed(
    answer: UnverifiedAnswer, *, asked: tuple[bytes, ...], responders: tuple[Certificate, ...], at: datetime
) -> tuple[CertStatus, ...]:
    """The statuses in a responder's answer that another node passes on: who spoke, about what, and when.

    `asked`: the CertIDs as asked, DER; the answer names the same bytes in the same order. A nonce is the asker's to
    compare. Raises OcspUnusable with the code of the first check it fails.
    """
    _check_speaker(answer, responders, at)
    try:
        answers = [one.sequence() for one in answer.responses]
        named = tuple(parts[0].raw for parts in answers)
    except (NotDer, IndexError):
        raise OcspUnusable from None
    if named != asked:
        raise OcspUnusable("status-mismatch", answers=len(named))
    return tuple(_current(parts, at) for parts in answers)


def _check_speaker(answer: UnverifiedAnswer, responders: tuple[Certificate, ...], at: datetime) -> None:
    # 1. A configured responder of this issuing CA speaks.
    responder = _responder(answer, responders)
    # 2. Its certificate is for OCSP answers and valid now.
    _check_responder(responder, at)
    # 3. It signed these bytes, SHA-256 or better.
    _check_signature(answer, responder)


def _current(parts: list[Element], at: datetime) -> CertStatus:
    try:
        status = _status(parts)
    except (NotDer, CertificateMalformed, IndexError, ValueError):
        raise OcspUnusable from None
    if status.this_update > at + CLOCK_SKEW:
        raise OcspUnusable("status-future")
    if at > status.next_update:
        raise OcspUnusable("status-stale")
    return status


def _successful(response: Element) -> Element:
    parts = response.sequence()
    code = int.from_bytes(parts[0].expect(_ENUMERATED).content, "big")
    if code == _TRY_LATER:
        raise OcspTryLater
    if code != 0 or len(parts) != 2:
        raise OcspUnusable("status-refused", status=code)
    kind, body = parts[1].explicit(0).sequence()
    if kind.oid() != _BASIC:
        raise OcspUnusable(found=kind.oid())
    return der.whole(body.expect(der.OCTET_STRING).content)


def _basic(basic: Element) -> UnverifiedAnswer:
    tbs, algorithm, signature, *_ = basic.sequence()
    parts = tbs.sequence()
    if parts[0].tag == 0xA0:
        parts = parts[1:]
    who, _produced, responses, *extensions = parts
    by_name = who.explicit(1).raw if who.tag == 0xA1 else None
    by_key = who.explicit(2).expect(der.OCTET_STRING).content if who.tag == 0xA2 else None
    return UnverifiedAnswer(
        tbs=tbs.raw,
        responder_by_key=by_key,
        responder_by_name=by_name,
        responses=tuple(responses.sequence()),
        nonce=_nonce(extensions),
        algorithm=algorithm.raw,
        signature=signature.bits(),
    )


def _nonce(extensions: list[Element]) -> bytes | None:
    for extension in extensions[0].explicit(1).sequence() if extensions else ():
        parts = extension.sequence()
        if parts[0].oid() == _NONCE:
            value = parts[-1].expect(der.OCTET_STRING).content
            # RFC 6960 wraps the nonce in an OCTET STRING of its own; older responders echo it bare.
            inner = der.element(value) if value[:1] == b"\x04" else None
            return inner.content if inner is not None and inner.end == len(value) else value
    return None


def _responder(answer: UnverifiedAnswer, responders: tuple[Certificate, ...]) -> Certificate:
    for one in responders:
        by_key = answer.responder_by_key
        if by_key is not None and sha1(_key_bits(one), usedforsecurity=False).digest() == by_key:
            return one
        if answer.responder_by_name is not None and one.subject.raw == answer.responder_by_name:
            return one
    raise OcspUnusable("status-responder-untrusted")


def _check_responder(responder: Certificate, at: datetime) -> None:
    constraints = responder.basic_constraints
    fit = responder.eku == (OCSP_SIGNING,) and not (constraints is not None and constraints.ca)
    if not fit or not responder.not_before <= at <= responder.not_after:
        raise OcspUnusable("status-responder-invalid")


def _check_signature(answer: UnverifiedAnswer, responder: Certificate) -> None:
    try:
        verify_signature(known_key(responder.spki), answer.algorithm, answer.signature, answer.tbs)
    except (PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid):
        raise OcspUnusable("status-signature-invalid") from None


def _the_one(answer: UnverifiedAnswer, person: Certificate, issuer: Certificate) -> list[Element]:
    if len(answer.responses) != 1:
        raise OcspUnusable("status-mismatch", answers=len(answer.responses))
    try:
        parts = answer.responses[0].sequence()
        algorithm, name_hash, key_hash, serial = parts[0].sequence()
        wanted = sha256 if algorithm.sequence()[0].oid() == _SHA256 else sha1
        same = (
            serial.integer() == person.serial
            and name_hash.content == wanted(issuer.subject.raw, usedforsecurity=False).digest()
            and key_hash.content == wanted(_key_bits(issuer), usedforsecurity=False).digest()
        )
    except (NotDer, IndexError, ValueError):
        raise OcspUnusable from None
    if not same:
        raise OcspUnusable("status-mismatch")
    return parts


def _status(parts: list[Element]) -> CertStatus:
    kind, this_update, *rest = parts[1:]
    if not rest or rest[0].tag != 0xA0:
        # Without nextUpdate nobody can say how old is too old; such an answer confirms nothing here (A11).
        raise OcspUnusable("status-stale")
    this, until = _instant(this_update), _instant(rest[0].explicit(0))
    if kind.tag == 0x80:
        return CertStatus("good", this, until)
    if kind.tag == 0x82:
        return CertStatus("unknown", this, until)
    revoked_at, *reason = kind.sequence(0xA1)
    code = int.from_bytes(reason[0].explicit(0).content, "big") if reason else 0
    return CertStatus("revoked", this, until, _instant(revoked_at), REASONS.get(code, "unspecified"))


def _instant(element: Element) -> datetime:
    return instant(element.data, element.start, element.end)[0]


def _key_bits(certificate: Certificate) -> bytes:
    return der.whole(certificate.spki).sequence()[1].bits()
