"""CMS SignedData with signed attributes (RFC 5652), in exactly the one form of security rules A1-A5.

One signer, one certificate, SHA-256, RSA PKCS#1 v1.5, and five signed attributes with one value each: contentType,
messageDigest, signingTime, signing-certificate-v2 (RFC 5035) and ingam-context. Challenges carry our own content type
and a context that no text signer can produce (A2; draft-ietf-lamps-cms-euf-cma-signeddata): `FF FF` is invalid in
CP949 and in UTF-8. Forms without signed attributes live in `cms_plain` and are never looked for here (A5).
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from ingam.kernel.errors import Refusal
from ingam.npki import certificate as certificates
from ingam.npki import der, scan
from ingam.npki.certificate import Certificate, RsaPublic
from ingam.npki.der import NotDer

OID_CHALLENGE: Final = "2.25.147690576529670081407829877669301549600.1"
"""eContentType of a challenge: ours alone, so that no other signer's output is one (A2)."""
OID_CONTEXT: Final = "2.25.147690576529670081407829877669301549600.2"
"""The ingam-context attribute: OCTET STRING of `FF FF` + purpose in ASCII."""
OID_DATA: Final = "1.2.840.113549.1.7.1"
OID_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"

MAX_CONTENT: Final = 16 * 1024 * 1024
"""Bytes of a signed file; a challenge is under 1,024."""
MAX_AROUND: Final = 128 * 1024
"""Bytes that container, certificate and signature may add to the content."""

FILE_PURPOSE: Final = "file"
"""The context of `sign_data`: a signed file can never be presented as a login."""

_SHA256: Final = der.algorithm("2.16.840.1.101.3.4.2.1", b"")  # RFC 5754 §2: made without parameters …
_SHA256_NULL: Final = der.algorithm("2.16.840.1.101.3.4.2.1")  # … and accepted with NULL
_RSA: Final = der.algorithm("1.2.840.113549.1.1.1")
_SHA256_RSA: Final = der.algorithm("1.2.840.113549.1.1.11")  # RFC 5754 §3.2: NULL is there
DIGEST_ALGORITHMS: Final = frozenset((_SHA256, _SHA256_NULL))
SIGNATURE_ALGORITHMS: Final = frozenset((_RSA, _SHA256_RSA))
_SIGNED_DATA: Final = der.oid(OID_SIGNED_DATA)
_CONTENT_TYPES: Final = {der.oid(one): one for one in (OID_CHALLENGE, OID_DATA)}
_VERSIONS: Final = {OID_CHALLENGE: der.integer(3), OID_DATA: der.integer(1)}  # RFC 5652 §5.1: 3 for other than id-data
_SIGNER_VERSION: Final = der.integer(1)

_CONTENT_TYPE: Final = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = der.oid("1.2.840.113549.1.9.4")
_SIGNING_TIME: Final = der.oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE: Final = der.oid("1.2.840.113549.1.9.16.2.47")
_CONTEXT: Final = der.oid(OID_CONTEXT)
_ATTRIBUTES: Final = frozenset((_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME, _SIGNING_CERTIFICATE, _CONTEXT))

# SigningCertificateV2 { certs { ESSCertIDv2 { certHash OCTET STRING of 32 } } }, up to the hash.
_ESS_HEAD: Final = bytes.fromhex("3026302430220420")

_PURPOSE: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PKCS1: Final = PKCS1v15()
_HASH: Final = SHA256()


class CmsRefused(Refusal):
    """A signed message is not what it has to be; `code` names the one check that it failed.

    Form: cms-too-large, cms-not-der, cms-not-signed-data, cms-version, cms-digest-algorithm, cms-content-type,
    cms-no-content, cms-several-certificates, cms-crls, cms-several-signers, cms-signer-mismatch,
    cms-no-signed-attributes, cms-attributes-order, cms-attributes, cms-signature-algorithm, cms-unsigned-attributes.
    Meaning: cms-content, cms-digest, cms-context, cms-signing-time, cms-signing-certificate, cms-key-bounds,
    signature-invalid. Plain forms also: cms-content-is-attributes, cms-signed-attributes.
    """

    code = "cms-refused"


class UnverifiedSignedData(NamedTuple):
    """A message of the right form; nothing in it is believed yet.

    `content_type` dotted; `content` and `signature` the octets; `signed_attributes` the received slice with its `A0`;
    `attributes` maps an encoded type to its one encoded value.
    """

    content_type: str
    content: bytes
    certificate: Certificate
    signed_attributes: bytes
    attributes: dict[bytes, bytes]
    signature: bytes

    def __repr__(self) -> str:
        return "<unverified signed data>"


class VerifiedSignature(NamedTuple):
    """The certificate's key signed the expected content for the expected purpose; the certificate itself is unproven.

    `signing_time` is what the signer's device says, aware, UTC; it proves nothing.
    """

    certificate: Certificate
    signing_time: datetime
    content: bytes

    def __repr__(self) -> str:
        return f"<signature by {self.certificate!r}>"


def sign(
    content: bytes,
    certificate: Certificate,
    key: RSAPrivateKey,
    *,
    purpose: str,
    signing_time: datetime,
    content_type: str = OID_CHALLENGE,
) -> bytes:
    """DER of a ContentInfo over `content` in the form of A2.

    `purpose`: 1-32 of `[a-z0-9-]`; `signing_time`: aware, written in UTC to the second. Raises CmsRefused
    (cms-key-mismatch, cms-key-bounds, cms-too-large) and ValueError for a purpose or an instant that cannot be.
    """
    check_key(certificate, key)
    if len(content) > MAX_CONTENT:
        raise CmsRefused("cms-too-large")
    attributes = _attributes(content, certificate, purpose, signing_time, content_type)
    signature = key.sign(der.set_of(attributes), _PKCS1, _HASH)
    signer = der.seq(
        _SIGNER_VERSION,
        der.seq(certificate.issuer.raw, der.integer(certificate.serial)),
        _SHA256,
        b"\xa0" + der.set_of(attributes)[1:],
        _SHA256_RSA,
        der.octets(signature),
    )
    return wrap(_VERSIONS[content_type], _SHA256, content_type, content, certificate.der, signer)


def wrap(version: bytes, digest: bytes, content_type: str, content: bytes, certificate: bytes, signer: bytes) -> bytes:
    """ContentInfo with SignedData of one certificate and one signer, from encoded parts (RFC 5652 §5.1)."""
    signed = der.seq(
        version,
        der.tlv(der.SET, digest),
        der.seq(der.oid(content_type), der.explicit(0, der.octets(content))),
        der.tlv(0xA0, certificate),
        der.tlv(der.SET, signer),
    )
    return der.seq(_SIGNED_DATA, der.explicit(0, signed))


def sign_data(content: bytes, certificate: Certificate, key: RSAPrivateKey, *, signing_time: datetime) -> bytes:
    """A signed file: id-data with the same five attributes and the context `file`; errors as `sign`.

    Any content may be signed so: only its digest is, inside attributes, so content can never pass for attributes (A5).
    """
    return sign(
        content, certificate, key, purpose=FILE_PURPOSE, signing_time=signing_time, content_type=OID_DATA
    )  # fmt: skip


def _attributes(
    content: bytes, certificate: Certificate, purpose: str, signing_time: datetime, content_type: str
) -> list[bytes]:
    return [
        _attribute(_CONTENT_TYPE, der.oid(content_type)),
        _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(content).digest())),
        _attribute(_SIGNING_TIME, _time(signing_time)),
        _attribute(_SIGNING_CERTIFICATE, _signing_certificate(certificate)),
        _attribute(_CONTEXT, _context(purpose)),
    ]


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der.seq(kind, der.tlv(der.SET, value))


@lru_cache(maxsize=64)
def _context(purpose: str) -> bytes:
    if _PURPOSE.fullmatch(purpose) is None:
        raise ValueError("a purpose is 1-32 characters of a-z, 0-9 and -")
    return der.octets(b"\xff\xff" + purpose.encode("ascii"))


def _signing_certificate(certificate: Certificate) -> bytes:
    """RFC 5035 §3: ESSCertIDv2 with SHA-256, the default, left out; issuer and serial stand in the sid already."""
    return _ESS_HEAD + certificate.fingerprint


def _time(at: datetime) -> bytes:
    """RFC 5652 §11.3: UTCTime through 2049, GeneralizedTime from 2050."""
    if at.tzinfo is None:
        raise ValueError("an instant is aware")
    utc = at.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return der.tlv(der.UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return der.tlv(der.GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def check_key(certificate: Certificate, key: RSAPrivateKey) -> None:
    public = certificate.public_key
    check_bounds(public)
    numbers = key.public_key().public_numbers()
    if (numbers.n, numbers.e) != public:
        raise CmsRefused("cms-key-mismatch")


def check_bounds(public: RsaPublic) -> None:
    """The bounds of A4. Raises CmsRefused cms-key-bounds."""
    if not public.within_bounds:
        raise CmsRefused("cms-key-bounds", bits=public.bits)


def parse(data: bytes) -> UnverifiedSignedData:
    """The form of A2-A4 from DER, to the last byte; content and container at most 16 MiB + 128 KiB.

    Raises CmsRefused with the code of the first thing that is wrong, and CertificateMalformed for its certificate.
    """
    if len(data) > MAX_CONTENT + MAX_AROUND:
        raise CmsRefused("cms-too-large")
    try:
        return _parse(bytes(data))
    except NotDer as wrong:
        raise CmsRefused("cms-not-der", **wrong.facts) from None


def _parse(data: bytes) -> UnverifiedSignedData:
    body, end = _signed_data(data)
    try:
        _, version_end = scan.inside(data, body, end, der.INTEGER)
        digests, digests_end = scan.inside(data, version_end, end, der.SET)
        encapsulated, encapsulated_end = scan.inside(data, digests_end, end, der.SEQUENCE)
        held, held_end = scan.inside(data, encapsulated_end, end, 0xA0)
        signers, signers_end = scan.inside(data, held_end, end, der.SET)
        if signers_end != end:
            raise NotDer(expected="nothing behind", found=end - signers_end)
    except NotDer as wrong:
        raise _other_form(data, body, end, wrong) from None

    if data[digests:digests_end] not in DIGEST_ALGORITHMS:
        raise CmsRefused("cms-digest-algorithm")
    content_type, content = _content(data, encapsulated, encapsulated_end)
    if data[body:version_end] != _VERSIONS[content_type]:
        raise CmsRefused("cms-version")
    _, one = scan.inside(data, held, held_end, der.SEQUENCE)
    if one != held_end:
        raise CmsRefused("cms-several-certificates", found=2)
    certificate = certificates.parse(data[held:held_end])
    signer, one = scan.inside(data, signers, signers_end, der.SEQUENCE)
    if one != signers_end:
        raise CmsRefused("cms-several-signers")
    return _signer(data, signer, one, content_type, content, certificate)


def _other_form(data: bytes, at: int, limit: int, wrong: NotDer) -> CmsRefused:
    """What a SignedData has that is not of our form, from its tags. Raises NotDer where they cannot be read."""
    tags = [part[0] for part in scan.parts(data, at, limit)]
    if tags[:3] != [der.INTEGER, der.SET, der.SEQUENCE]:
        return CmsRefused("cms-not-signed-data")
    if 0xA1 in tags:
        return CmsRefused("cms-crls")
    if 0xA0 not in tags:
        return CmsRefused("cms-several-certificates", found=0)
    return CmsRefused("cms-not-der", **wrong.facts)


def _signed_data(data: bytes) -> tuple[int, int]:
    """Content of the SignedData in the ContentInfo that is all of `data` (RFC 5652 §3)."""
    at, limit = scan.whole(data, der.SEQUENCE)
    end = at + len(_SIGNED_DATA)
    if data[at:end] != _SIGNED_DATA:
        raise CmsRefused("cms-not-signed-data")
    outer, stop = scan.inside(data, end, limit, 0xA0)
    body, inner = scan.inside(data, outer, stop, der.SEQUENCE)
    if stop != limit or inner != stop:
        raise CmsRefused("cms-not-der", found="more")
    return body, inner


def _content(data: bytes, at: int, limit: int) -> tuple[str, bytes]:
    """Type and octets of the EncapsulatedContentInfo."""
    _, end = scan.inside(data, at, limit, der.OID)
    content_type = _CONTENT_TYPES.get(data[at:end])
    if content_type is None:
        raise CmsRefused("cms-content-type")
    if end == limit:
        raise CmsRefused("cms-no-content")
    outer, stop = scan.inside(data, end, limit, 0xA0)
    body, inner = scan.inside(data, outer, stop, der.OCTET_STRING)
    if stop != limit or inner != stop:
        raise CmsRefused("cms-not-der", found="more")
    return content_type, data[body:inner]


def _signer(
    data: bytes, at: int, limit: int, content_type: str, content: bytes, certificate: Certificate
) -> UnverifiedSignedData:
    """SignerInfo (RFC 5652 §5.3); sid is issuer and serial, byte for byte those of the certificate beside it (A4)."""
    try:
        _, version_end = scan.inside(data, at, limit, der.INTEGER)
        sid, sid_end = scan.inside(data, version_end, limit, der.SEQUENCE)
        _, digest_end = scan.inside(data, sid_end, limit, der.SEQUENCE)
        attributes, attributes_end = scan.inside(data, digest_end, limit, 0xA0)
        _, algorithm_end = scan.inside(data, attributes_end, limit, der.SEQUENCE)
        signature, signature_end = scan.inside(data, algorithm_end, limit, der.OCTET_STRING)
        if signature_end != limit:
            raise NotDer(expected="nothing behind", found=limit - signature_end)
    except NotDer as wrong:
        raise _other_signer(data, at, limit, wrong) from None

    if data[at:version_end] != _SIGNER_VERSION:
        raise CmsRefused("cms-version")
    if data[sid:sid_end] != certificate.issuer.raw + der.integer(certificate.serial):
        raise CmsRefused("cms-signer-mismatch")
    if data[sid_end:digest_end] not in DIGEST_ALGORITHMS:
        raise CmsRefused("cms-digest-algorithm")
    if data[attributes_end:algorithm_end] not in SIGNATURE_ALGORITHMS:
        raise CmsRefused("cms-signature-algorithm")
    return UnverifiedSignedData(
        content_type=content_type,
        content=content,
        certificate=certificate,
        signed_attributes=data[digest_end:attributes_end],
        attributes=_read_attributes(data, attributes, attributes_end),
        signature=data[signature:signature_end],
    )


def _other_signer(data: bytes, at: int, limit: int, wrong: NotDer) -> CmsRefused:
    """What a SignerInfo has that is not of our form, from its tags. Raises NotDer where they cannot be read."""
    tags = [part[0] for part in scan.parts(data, at, limit)]
    if tags[:3] != [der.INTEGER, der.SEQUENCE, der.SEQUENCE]:
        return CmsRefused("cms-signer-mismatch")
    if 0xA0 not in tags:
        return CmsRefused("cms-no-signed-attributes")
    if 0xA1 in tags:
        return CmsRefused("cms-unsigned-attributes")
    return CmsRefused("cms-not-der", **wrong.facts)


def _read_attributes(data: bytes, at: int, limit: int) -> dict[bytes, bytes]:
    """Exactly the five types of A2, one value each, in DER order (X.690 §11.6)."""
    found: dict[bytes, bytes] = {}
    previous = b""
    while at < limit:
        start = at
        body, at = scan.inside(data, at, limit, der.SEQUENCE)
        encoded = data[start:at]
        if encoded < previous:  # encodings are prefix-free, so comparing bytes is the comparison of §11.6
            raise CmsRefused("cms-attributes-order")
        previous = encoded
        kind_end = body + 2 + data[body + 1] if body + 2 <= at else at
        kind = data[body:kind_end]
        if kind not in _ATTRIBUTES or kind_end > at:
            scan.head(data, body, at)  # what is no DER is called so first
            raise CmsRefused("cms-attributes", found=len(found) + 1)
        values, end = scan.inside(data, kind_end, at, der.SET)
        _, _, value_end = scan.head(data, values, end)
        if end != at or value_end != end or kind in found:
            raise CmsRefused("cms-attributes", found=len(found) + 1)
        found[kind] = data[values:end]
    if len(found) != len(_ATTRIBUTES):
        raise CmsRefused("cms-attributes", found=len(found))
    return found


def verify(
    signed: UnverifiedSignedData, *, content: bytes, purpose: str, content_type: str = OID_CHALLENGE
) -> VerifiedSignature:
    """The numbered checks of a signed challenge. `content` is what the server itself expects, rebuilt (A1).

    Raises CmsRefused, each check by its code, and CertificateKeyKind. The certificate's own path is `chain.validate`.
    """
    certificate, attributes = signed.certificate, signed.attributes
    # 1. The content type is the one of this use, outside and inside the signature.
    if signed.content_type != content_type or attributes[_CONTENT_TYPE] != der.oid(content_type):
        raise CmsRefused("cms-content-type")
    # 2. The content is, byte for byte, what the server expects.
    if signed.content != content:
        raise CmsRefused("cms-content")
    # 3. The digest under the signature is the digest of that content.
    if attributes[_MESSAGE_DIGEST] != b"\x04\x20" + hashlib.sha256(content).digest():
        raise CmsRefused("cms-digest")
    # 4. The context names this purpose and nothing else.
    if attributes[_CONTEXT] != _context(purpose):
        raise CmsRefused("cms-context")
    # 5. The signature names the very certificate that came with it.
    if attributes[_SIGNING_CERTIFICATE] != _signing_certificate(certificate):
        raise CmsRefused("cms-signing-certificate")
    # 6. The signing time is an instant.
    signing_time = _read_time(attributes[_SIGNING_TIME])
    # 7. The key's bounds, before anything is computed with it (A4).
    check_bounds(certificate.public_key)
    # 8. The signature, over the received attribute bytes under the tag of a SET (A3; RFC 5652 §5.4).
    check_signature(certificate, signed.signature, b"\x31" + signed.signed_attributes[1:])
    return VerifiedSignature(certificate, signing_time, content)


def verify_data(signed: UnverifiedSignedData, *, content: bytes | None = None) -> VerifiedSignature:
    """The same checks for a signed file of `sign_data`; with `content`, it also has to be that very content."""
    expected = signed.content if content is None else content
    return verify(signed, content=expected, purpose=FILE_PURPOSE, content_type=OID_DATA)


def check_signature(certificate: Certificate, signature: bytes, message: bytes) -> None:
    """RSA PKCS#1 v1.5 with SHA-256 by the certificate's key, whose bounds are checked. Raises signature-invalid."""
    try:
        certificate.verifying_key().verify(signature, message, _PKCS1, _HASH)
    except InvalidSignature:
        raise CmsRefused("signature-invalid") from None


def _read_time(value: bytes) -> datetime:
    try:
        at, end = certificates.instant(value, 0, len(value))
    except (certificates.CertificateMalformed, NotDer):
        raise CmsRefused("cms-signing-time") from None
    if end != len(value):
        raise CmsRefused("cms-signing-time")
    return at
