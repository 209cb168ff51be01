"""The small bodies (RFC 9810 §5.3): certConf and pkiconf, error, pollReq and pollRep, p10cr, nested.

Certification answers are in `cert_response`, revocation in `revocation`, general messages in `general`, requests in
`crmf`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.npki import der, scan, signature
from ingam.npki.certificate import Certificate
from ingam.npki.der import NotDer
from ingam.protocols.cmp import message, reading, status
from ingam.protocols.cmp.header import VERSIONS
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage, content
from ingam.protocols.cmp.status import CmpRefused, FailInfo, StatusInfo

MOST_STATUSES: Final = 16
MOST_HASH: Final = 64
MOST_NESTED: Final = 16
MOST_DEPTH: Final = 3

SHA256: Final = der.algorithm("2.16.840.1.101.3.4.2.1")
_HASHES: Final = {
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
# The hash of the algorithm that the certificate is signed with (RFC 9810 §5.3.18).
_OF_SIGNATURE: Final = {
    signature.RSA_SHA256: "sha256", signature.ECDSA_SHA256: "sha256",
    signature.RSA_SHA384: "sha384", signature.ECDSA_SHA384: "sha384",
    signature.RSA_SHA512: "sha512", signature.ECDSA_SHA512: "sha512",
}  # fmt: skip


class CertStatus(NamedTuple):
    """CertStatus of a certConf. `hash_alg`: DER AlgorithmIdentifier (cmp2021), or None for the certificate's own."""

    cert_hash: bytes
    cert_req_id: int
    status: StatusInfo = status.ACCEPTED
    hash_alg: bytes | None = None


class ErrorMsg(NamedTuple):
    """ErrorMsgContent. `details`: errorDetails, as received."""

    status: StatusInfo
    error_code: int | None = None
    details: tuple[str, ...] = ()


class PollRep(NamedTuple):
    """One entry of a pollRep. `check_after`: seconds."""

    cert_req_id: int
    check_after: int
    reason: tuple[str, ...] = ()


@reading.strict
def read_cert_conf(body: Body) -> tuple[CertStatus, ...]:
    """The CertStatuses of a certConf: none (everything is rejected) to 16. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = reading.only(data, *content(body, (BodyKind.CERT_CONF,)), der.SEQUENCE)
    if at == limit:
        return ()
    found = reading.items(data, *content(body, (BodyKind.CERT_CONF,)), der.SEQUENCE, MOST_STATUSES)
    return tuple(_cert_status(data, first, last) for _, _, first, last in found)


def _cert_status(data: bytes, at: int, limit: int) -> CertStatus:
    digest, at = scan.inside(data, at, limit, der.OCTET_STRING)
    if at - digest > MOST_HASH:
        raise NotDer(expected=f"at most {MOST_HASH} octets", found=at - digest)
    found = CertStatus(data[digest:at], 0)
    cert_req_id, at = reading.number(data, at, limit)
    found = found._replace(cert_req_id=cert_req_id)
    if at < limit and data[at] == der.SEQUENCE:
        info, at = status.read_status_info(data, at, limit)
        found = found._replace(status=info)
    if at < limit:
        inner, end = reading.only(data, at, limit, 0xA0)
        reading.only(data, inner, end, der.SEQUENCE)
        found = found._replace(hash_alg=data[inner:end])
    return found


def write_cert_conf(*statuses: CertStatus) -> Body:
    """The body of a certConf; an accepted status is the default and left out (RFC 9810 §5.3.18)."""
    return Body(BodyKind.CERT_CONF, der.explicit(BodyKind.CERT_CONF, der.seq(*map(_write_cert_status, statuses))))


def _write_cert_status(one: CertStatus) -> bytes:
    return der.seq(
        der.octets(one.cert_hash),
        der.integer(one.cert_req_id),
        b"" if one.status == status.ACCEPTED else status.write_status_info(one.status),
        b"" if one.hash_alg is None else der.explicit(0, one.hash_alg),
    )


def confirm(certificate: Certificate, cert_req_id: int, info: StatusInfo = status.ACCEPTED) -> CertStatus:
    """The CertStatus for a certificate. Where its signature names no hash (ML-DSA), SHA-256 is named: pvno 3."""
    name = _OF_SIGNATURE.get(certificate.signature_algorithm)
    digest = hashlib.new(name or "sha256", certificate.der).digest()
    return CertStatus(digest, cert_req_id, info, None if name else SHA256)


def confirms(one: CertStatus, certificate: bytes, signature_algorithm: bytes) -> bool:
    """Whether the CertStatus names this DER certificate, in constant time.

    `signature_algorithm`: the DER AlgorithmIdentifier that it is signed with. Raises CmpRefused
    (cmp-confirmation-hash, badAlg) for a hash that is none of SHA-256, -384, -512.
    """
    name = _OF_SIGNATURE.get(signature_algorithm) if one.hash_alg is None else _named_hash(one.hash_alg)
    if name is None:
        raise CmpRefused("cmp-confirmation-hash", FailInfo.BAD_ALG)
    return hmac.compare_digest(hashlib.new(name, certificate).digest(), one.cert_hash)


def _named_hash(algorithm: bytes) -> str | None:
    body, end = scan.whole(algorithm, der.SEQUENCE)
    inner = algorithm[body:end]
    return _HASHES.get(inner.removesuffix(der.null))


PKICONF: Final = Body(BodyKind.PKICONF, der.explicit(BodyKind.PKICONF, der.null))
"""The body of a pkiconf."""


@reading.strict
def read_pkiconf(body: Body) -> None:
    """Raises CmpRefused (cmp-malformed) unless the body is a pkiconf."""
    at, limit = content(body, (BodyKind.PKICONF,))
    if body.element[at:limit] != der.null:
        raise NotDer(expected="NULL", found="something else")


@reading.strict
def read_error(body: Body) -> ErrorMsg:
    """The ErrorMsgContent of an error. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = reading.only(data, *content(body, (BodyKind.ERROR,)), der.SEQUENCE)
    info, at = status.read_status_info(data, at, limit)
    found = ErrorMsg(info)
    if at < limit and data[at] == der.INTEGER:
        code, at = reading.number(data, at, limit)
        found = found._replace(error_code=code)
    return found if at == limit else found._replace(details=status.read_free_text(data, at, limit))


def write_error(error: ErrorMsg) -> Body:
    """The body of an error."""
    inner = der.seq(
        status.write_status_info(error.status),
        b"" if error.error_code is None else der.integer(error.error_code),
        status.write_free_text(error.details) if error.details else b"",
    )
    return Body(BodyKind.ERROR, der.explicit(BodyKind.ERROR, inner))


def error(refused: CmpRefused, *texts: str) -> Body:
    """The body of the error that answers a refused message: rejection and its failInfo."""
    return write_error(ErrorMsg(status.rejection(refused.fail_info, *texts)))


@reading.strict
def read_poll_req(body: Body) -> tuple[int, ...]:
    """The certReqIds of a pollReq: 1 to 16. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    found = reading.items(data, *content(body, (BodyKind.POLL_REQ,)), der.SEQUENCE, MOST_STATUSES)
    return tuple(_only_number(data, first, last) for _, _, first, last in found)


def _only_number(data: bytes, at: int, limit: int) -> int:
    value, end = reading.number(data, at, limit)
    if end != limit:
        raise NotDer(expected="one number", found="more")
    return value


def write_poll_req(*cert_req_ids: int) -> Body:
    """The body of a pollReq."""
    inner = der.seq(*(der.seq(der.integer(one)) for one in cert_req_ids))
    return Body(BodyKind.POLL_REQ, der.explicit(BodyKind.POLL_REQ, inner))


@reading.strict
def read_poll_rep(body: Body) -> tuple[PollRep, ...]:
    """The entries of a pollRep: 1 to 16. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    found = reading.items(data, *content(body, (BodyKind.POLL_REP,)), der.SEQUENCE, MOST_STATUSES)
    return tuple(_poll_rep(data, first, last) for _, _, first, last in found)


def _poll_rep(data: bytes, at: int, limit: int) -> PollRep:
    cert_req_id, at = reading.number(data, at, limit)
    check_after, at = reading.number(data, at, limit)
    if check_after < 0:
        raise NotDer(expected="seconds to wait", found=check_after)
    return PollRep(cert_req_id, check_after, status.read_free_text(data, at, limit) if at < limit else ())


def write_poll_rep(*entries: PollRep) -> Body:
    """The body of a pollRep."""
    inner = der.seq(*map(_write_poll_rep, entries))
    return Body(BodyKind.POLL_REP, der.explicit(BodyKind.POLL_REP, inner))


def _write_poll_rep(one: PollRep) -> bytes:
    reason = status.write_free_text(one.reason) if one.reason else b""
    return der.seq(der.integer(one.cert_req_id), der.integer(one.check_after), reason)


@reading.strict
def read_p10cr(body: Body) -> bytes:
    """The DER CertificationRequest of a p10cr; `pkcs10` reads it. Raises CmpRefused (cmp-malformed)."""
    at, limit = content(body, (BodyKind.P10CR,))
    reading.only(body.element, at, limit, der.SEQUENCE)
    return body.element[at:limit]


def write_p10cr(request: bytes) -> Body:
    """The body of a p10cr."""
    return Body(BodyKind.P10CR, der.explicit(BodyKind.P10CR, request))


@reading.strict
def read_nested(body: Body, depth: int = 1, versions: frozenset[int] = VERSIONS) -> tuple[UnverifiedMessage, ...]:
    """The messages inside a nested one: 1 to 16. `depth`: 1 for the outermost; over 3 is refused.

    Raises CmpRefused: cmp-malformed, cmp-nested-depth (badRequest), and as `message.parse` does.
    """
    if depth > MOST_DEPTH:
        raise CmpRefused("cmp-nested-depth", FailInfo.BAD_REQUEST)
    at, limit = content(body, (BodyKind.NESTED,))
    return read_messages(body.element[at:limit], versions)


@reading.strict
def read_messages(value: bytes, versions: frozenset[int] = VERSIONS) -> tuple[UnverifiedMessage, ...]:
    """DER PKIMessages, as in a nested body and in origPKIMessage: 1 to 16. Raises as `message.parse` does."""
    found = reading.items(value, 0, len(value), der.SEQUENCE, MOST_NESTED)
    return tuple(message.parse(value[start:last], versions=versions) for _, start, _, last in found)


def write_nested(messages: Sequence[bytes]) -> Body:
    """The body of a nested message around DER PKIMessages."""
    return Body(BodyKind.NESTED, der.explicit(BodyKind.NESTED, der.seq(*messages)))
