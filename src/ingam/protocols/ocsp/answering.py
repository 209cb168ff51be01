"""OCSP (RFC 6960, 5019, 9654) as a responder: a question read strictly, an answer prepared, then signed elsewhere.

The CertID of an answer is the very bytes of the question: what was asked by SHA-1 is never answered by SHA-256.
Instants are whole seconds since 1970, UTC. No clock, no socket, no key: `prepare` gives the bytes to sign, `assemble`
takes the signature.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from ingam.kernel.errors import Refusal
from ingam.npki import der, scan
from ingam.npki.certificate import Certificate
from ingam.npki.der import NotDer

MAX_REQUEST: Final = 8 * 1024
"""Bytes: eight CertIDs, a nonce, a name, and the signature and chain of a relying party under contract."""

MAX_PATH: Final = 4 * 1024
"""Bytes of base64 in a GET path; RFC 5019 section 5 sends no more than 255 that way."""

MAX_ASKED: Final = 8
MAX_NONCE: Final = 128
MAX_SERIAL: Final = 20
"""Content octets of a serial (RFC 5280 section 4.1.2.2)."""

# OCSPResponseStatus (RFC 6960 section 4.2.1); none of these is signed.
_SUCCESSFUL: Final = bytes.fromhex("0a0100")
MALFORMED_REQUEST: Final = bytes.fromhex("30030a0101")
INTERNAL_ERROR: Final = bytes.fromhex("30030a0102")
TRY_LATER: Final = bytes.fromhex("30030a0103")
UNAUTHORIZED: Final = bytes.fromhex("30030a0106")

_NONCE: Final = der.oid("1.3.6.1.5.5.7.48.1.2")
_BASIC: Final = der.oid("1.3.6.1.5.5.7.48.1.1")
_HASH_BYTES: Final = {}
for _parameters in (der.null, b""):
    _HASH_BYTES[der.algorithm("1.3.14.3.2.26", _parameters)] = 20
    _HASH_BYTES[der.algorithm("2.16.840.1.101.3.4.2.1", _parameters)] = 32
_VERSION_1: Final = bytes.fromhex("a003020100")
# Criticality is ours to keep for: nonce, preferred algorithms, response types, service locator, archive cut-off, CrlID.
_UNDERSTOOD: Final = frozenset(der.oid(f"1.3.6.1.5.5.7.48.1.{arc}") for arc in (2, 3, 4, 6, 7, 8))
_GENERAL_NAMES: Final = frozenset((0xA0, 0x81, 0x82, 0xA3, 0xA4, 0xA5, 0x86, 0x87, 0x88))
_MAX_EXTENSIONS: Final = 16

GOOD: Final = b"\x80\x00"
UNKNOWN: Final = b"\x82\x00"


class OcspRequestMalformed(Refusal):
    """The bytes are no OCSPRequest in DER within the bounds; answered with malformedRequest."""

    code = "ocsp-request-malformed"


class CertId(NamedTuple):
    """One certificate asked about. `raw`: DER as received; `issuer`: 20 or 32 bytes of the name's hash, as many of the
    key's; `serial`: as the INTEGER says.
    """

    raw: bytes
    issuer: bytes
    serial: int


class Question(NamedTuple):
    """`asked`: one to eight; `nonce`: its 1-128 bytes, or None."""

    asked: tuple[CertId, ...]
    nonce: bytes | None


class SingleResponse(NamedTuple):
    """What is said of one CertID. `cert_id`: its DER as received; `status`: DER of a CertStatus; seconds since 1970."""

    cert_id: bytes
    status: bytes
    this_update: int
    next_update: int


def question(data: bytes) -> Question:
    """A whole OCSPRequest. A signature is tolerated and its form looked at: who asks is not our concern.

    Raises OcspRequestMalformed.
    """
    if len(data) > MAX_REQUEST:
        raise OcspRequestMalformed(found="too large")
    try:
        return _question(data)
    except NotDer as wrong:
        raise OcspRequestMalformed(None, **wrong.facts) from None


def asked_in_path(text: bytes) -> bytes:
    """The OCSPRequest in the path of a GET (RFC 6960 appendix A.1): url-encoded base64, without the slash before it.

    Raises OcspRequestMalformed.
    """
    if len(text) > MAX_PATH:
        raise OcspRequestMalformed(found="too large")
    plain = unquote_to_bytes(text) if b"%" in text else text
    try:
        # Some clients leave the padding away, which would have to be escaped.
        return b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (NotBase64, ValueError):
        raise OcspRequestMalformed(found="no base64") from None


def issuer_hashes(issuer: Certificate) -> tuple[bytes, bytes]:
    """What CertIDs call an issuer: name hash and key hash joined, by SHA-1 (40 bytes) and by SHA-256 (64 bytes)."""
    name, key = issuer.subject.raw, key_bits(issuer.spki)
    by_sha1 = hashlib.sha1(name, usedforsecurity=False).digest() + hashlib.sha1(key, usedforsecurity=False).digest()
    return by_sha1, hashlib.sha256(name).digest() + hashlib.sha256(key).digest()


def key_bits(spki: bytes) -> bytes:
    """Content of the public key's BIT STRING, without the octet of unused bits."""
    return der.whole(spki).sequence()[1].bits()


def revoked(at: int, reason: int | None) -> bytes:
    """CertStatus `revoked`. `at`: seconds since 1970; `reason`: a CRLReason number, None and 0 are left out.

    RFC 5280 section 5.3.1: a reason that says nothing is not written.
    """
    why = _tlv(0xA0, _tlv(0x0A, bytes((reason,)))) if reason else b""
    return _tlv(0xA1, generalized_time(at) + why)


@lru_cache(maxsize=256)
def generalized_time(at: int) -> bytes:
    """GeneralizedTime of seconds since 1970, UTC, without a fraction (RFC 5280 section 4.1.2.5.2)."""
    return der.tlv(der.GENERALIZED_TIME, datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def prepare(
    responder_key_hash: bytes, produced_at: int, responses: Sequence[SingleResponse], nonce: bytes | None
) -> bytes:
    """DER of the ResponseData to be signed: responderID by key (SHA-1, 20 bytes), the nonce as it was asked."""
    extensions = b"" if nonce is None else _before_nonce(len(nonce)) + nonce
    listed = b"".join([_tlv(0x30, one.cert_id + one.status + _times(one[2], one[3])) for one in responses])
    speaker = _speaker(responder_key_hash)
    return _tlv(0x30, speaker + generalized_time(produced_at) + _tlv(0x30, listed) + extensions)


def assemble(tbs: bytes, algorithm: bytes, signature: bytes, certificate: bytes) -> bytes:
    """DER of the successful OCSPResponse. `algorithm`: DER AlgorithmIdentifier; `certificate`: the responder's."""
    basic = tbs + algorithm + _tlv(0x03, b"\0" + signature) + _certificates(certificate)
    body = _BASIC + _tlv(0x04, _tlv(0x30, basic))
    return _tlv(0x30, _SUCCESSFUL + _tlv(0xA0, _tlv(0x30, body)))


# What is the same in answer after answer.


@lru_cache(maxsize=64)
def _speaker(key_hash: bytes) -> bytes:
    return _tlv(0xA2, _tlv(0x04, key_hash))


@lru_cache(maxsize=64)
def _certificates(certificate: bytes) -> bytes:
    return _tlv(0xA0, _tlv(0x30, certificate))


@lru_cache(maxsize=256)
def _times(this_update: int, next_update: int) -> bytes:
    return generalized_time(this_update) + _tlv(0xA0, generalized_time(next_update))


@lru_cache(maxsize=MAX_NONCE + 1)
def _before_nonce(size: int) -> bytes:
    """All of the responseExtensions that stands before the content of a nonce."""
    whole = _tlv(0xA1, _tlv(0x30, _tlv(0x30, _NONCE + _tlv(0x04, _tlv(0x04, bytes(size))))))
    return whole[: len(whole) - size]


# An answer is made of some twenty elements while its asker waits: their heads come from two tables.
_LENGTHS: Final = [
    bytes((size,)) if size < 0x80 else bytes((0x81, size)) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")
    for size in range(2048)
]
_TAGS: Final = [bytes((tag,)) for tag in range(256)]


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    return _TAGS[tag] + _LENGTHS[size] + content if size < 2048 else der.tlv(tag, content)


def _question(data: bytes) -> Question:
    at, limit = scan.whole(data, der.SEQUENCE)
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    if end < limit:
        _, signature_end = scan.inside(data, end, limit, 0xA0)
        _, last = scan.inside(data, scan.head(data, end, limit)[1], signature_end, der.SEQUENCE)
        if signature_end != limit or last != limit:
            raise OcspRequestMalformed(found="more behind the question")
    if data[body : body + 5] == _VERSION_1:  # the default, which DER leaves out and some clients write
        body += 5
    body = _past_requestor(data, body, end)
    asked, body = _asked(data, body, end)
    nonce = None
    if body < end:
        inner, stop = scan.inside(data, body, end, 0xA2)
        nonce = _extensions(data, inner, stop)
        body = stop
    if body != end:
        raise OcspRequestMalformed(found="more behind the question")
    return Question(asked, nonce)


def _past_requestor(data: bytes, at: int, limit: int) -> int:
    """Past the requestorName, one GeneralName, which changes nothing."""
    if data[at : at + 1] != b"\xa1":
        return at
    body, end = scan.inside(data, at, limit, 0xA1)
    tag, _, name_end = scan.head(data, body, end)
    if tag not in _GENERAL_NAMES or name_end != end:
        raise OcspRequestMalformed(found="no name")
    return end


def _asked(data: bytes, at: int, limit: int) -> tuple[tuple[CertId, ...], int]:
    at, stop = scan.inside(data, at, limit, der.SEQUENCE)
    found: list[CertId] = []
    while at < stop:
        if len(found) == MAX_ASKED:
            raise OcspRequestMalformed(found="too many certificates")
        body, end = scan.inside(data, at, stop, der.SEQUENCE)
        one, body = _cert_id(data, body, end)
        found.append(one)
        if body < end:
            inner, last = scan.inside(data, body, end, 0xA0)
            if _extensions(data, inner, last) is not None or last != end:
                raise OcspRequestMalformed(found="more behind the certificate")
        at = end
    if not found:
        raise OcspRequestMalformed(found="no certificate")
    return tuple(found), stop


def _cert_id(data: bytes, at: int, limit: int) -> tuple[CertId, int]:
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    _, algorithm_end = scan.inside(data, body, end, der.SEQUENCE)
    size = _HASH_BYTES.get(data[body:algorithm_end])
    if size is None:
        raise OcspRequestMalformed(found="another hash")
    name, name_end = scan.inside(data, algorithm_end, end, der.OCTET_STRING)
    key, key_end = scan.inside(data, name_end, end, der.OCTET_STRING)
    if name_end - name != size or key_end - key != size:
        raise OcspRequestMalformed(found="a hash of another size")
    serial, last = scan.integer(data, key_end, end)
    if last != end or last - key_end > 2 + MAX_SERIAL + 1:
        raise OcspRequestMalformed(found="no serial")
    return CertId(data[at:end], data[name:name_end] + data[key:key_end], serial), end


def _extensions(data: bytes, at: int, limit: int) -> bytes | None:
    """The nonce among the extensions, if there is one; what is critical and not understood is refused.

    RFC 5280 has no empty list of them, and BouncyCastle's path validation writes one into every question.
    """
    at, stop = scan.inside(data, at, limit, der.SEQUENCE)
    if stop != limit:
        raise OcspRequestMalformed(found="more behind the extensions")
    nonce: bytes | None = None
    many = 0
    while at < stop:
        many += 1
        body, at = scan.inside(data, at, stop, der.SEQUENCE)
        _, kind_end = scan.inside(data, body, at, der.OID)
        kind = data[body:kind_end]
        critical, kind_end = _critical(data, kind_end, at)
        value, end = scan.inside(data, kind_end, at, der.OCTET_STRING)
        if end != at or many > _MAX_EXTENSIONS or (critical and kind not in _UNDERSTOOD):
            raise OcspRequestMalformed(found="an extension")
        if kind == _NONCE:
            if nonce is not None:
                raise OcspRequestMalformed(found="two nonces")
            nonce = _nonce(data, value, end)
    return nonce


def _critical(data: bytes, at: int, limit: int) -> tuple[bool, int]:
    """Whether a BOOLEAN stands here, and what follows it; OpenSSL and others write the default FALSE too."""
    if data[at : at + 1] != b"\x01":
        return False, at
    body, end = scan.inside(data, at, limit, der.BOOLEAN)
    if data[body:end] not in (b"\xff", b"\x00"):
        raise OcspRequestMalformed(found="an extension")
    return data[body] == 0xFF, end


def _nonce(data: bytes, at: int, limit: int) -> bytes:
    """RFC 9654 section 2.1: an OCTET STRING of 1 to 128 bytes, and nothing else."""
    body, end = scan.inside(data, at, limit, der.OCTET_STRING)
    if end != limit or not 1 <= end - body <= MAX_NONCE:
        raise OcspRequestMalformed(found="a nonce of another size")
    return data[body:end]
