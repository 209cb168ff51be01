"""Signatures without signed attributes, as older Korean tools make: plain CMS v1 and the Koscom brief (npki.md §5).

The signature lies directly over the content, so a signature over attributes could be shown as one over content and the
reverse (draft-ietf-lamps-cms-euf-cma-signeddata). Hence security A5: each form has functions of its own, no form is
guessed, no route of the center comes here, and content that reads as a SET OF Attribute is neither signed nor verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from ingam.npki import certificate as certificates
from ingam.npki import cms, der
from ingam.npki.certificate import Certificate
from ingam.npki.cms import CmsRefused
from ingam.npki.der import NotDer
from ingam.npki.subject import Name

_SHA256: Final = der.algorithm("2.16.840.1.101.3.4.2.1")
_RSA: Final = der.algorithm("1.2.840.113549.1.1.1")
_SHA256_RSA: Final = der.algorithm("1.2.840.113549.1.1.11")
_ZERO: Final = der.integer(0)
_ONE: Final = der.integer(1)


@dataclass(frozen=True, slots=True, repr=False)
class PlainSignature:
    """The certificate's key signed this content, at some time, for nobody knows what: it names no purpose."""

    certificate: Certificate
    content: bytes


def sign_plain(content: bytes, certificate: Certificate, key: RSAPrivateKey) -> bytes:
    """Plain CMS v1 (ContentInfo, id-data, rsaEncryption, no attributes), byte for byte as PyPinkSign and INITECH do.

    Raises CmsRefused (cms-content-is-attributes, cms-key-mismatch, cms-key-bounds, cms-too-large).
    """
    sid = der.seq(certificate.issuer.raw, der.integer(certificate.serial))
    signer = der.seq(_ONE, sid, _SHA256, _RSA, der.octets(_sign(content, certificate, key)))
    return cms.wrap(_ONE, _SHA256, cms.OID_DATA, content, certificate.der, signer)


def verify_plain(data: bytes, *, content: bytes | None = None) -> PlainSignature:
    """A plain CMS v1 from DER; with `content`, it has to be that very content. Raises CmsRefused."""
    return _guarded(data, content, brief=False)


def sign_brief(content: bytes, certificate: Certificate, key: RSAPrivateKey) -> bytes:
    """The Koscom brief: a bare SignedData of version 0 whose sid holds the signer's own subject (npki.md §5).

    Raises as `sign_plain`.
    """
    sid = der.seq(printable_name(certificate.subject), der.integer(certificate.serial))
    signer = der.seq(_ZERO, sid, _SHA256, _SHA256_RSA, der.octets(_sign(content, certificate, key)))
    contentinfo = cms.wrap(_ZERO, _SHA256, cms.OID_DATA, content, certificate.der, signer)
    return der.whole(contentinfo).sequence()[1].explicit(0).raw


def verify_brief(data: bytes, *, content: bytes | None = None) -> PlainSignature:
    """A Koscom brief from DER; with `content`, it has to be that very content. Raises CmsRefused."""
    return _guarded(data, content, brief=True)


def reads_as_attributes(content: bytes) -> bool:
    """Whether content could be taken for signed attributes: a SET of SEQUENCE {OID, SET} (A5).

    Wider than DER on purpose: any order and any definite length, since a careless verifier takes those too.
    """
    outer = _loose(content, 0, len(content))
    if outer is None or outer[0] != der.SET or outer[2] != len(content) or outer[1] == outer[2]:
        return False
    at = outer[1]
    while at < outer[2]:
        attribute = _loose(content, at, outer[2])
        if attribute is None or attribute[0] != der.SEQUENCE:
            return False
        kind = _loose(content, attribute[1], attribute[2])
        values = None if kind is None else _loose(content, kind[2], attribute[2])
        if kind is None or values is None or kind[0] != der.OID or values[0] != der.SET or values[2] != attribute[2]:
            return False
        at = attribute[2]
    return True


def _loose(data: bytes, at: int, limit: int) -> tuple[int, int, int] | None:
    """Tag, body and end of an element with any definite length, or None."""
    if at + 2 > limit:
        return None
    length, body = data[at + 1], at + 2
    if length >= 0x80:
        count = length & 0x7F
        if count == 0 or body + count > limit:
            return None
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    return None if body + length > limit else (data[at], body, body + length)


def _sign(content: bytes, certificate: Certificate, key: RSAPrivateKey) -> bytes:
    cms.check_key(certificate, key)
    _check_content(content)
    return key.sign(content, PKCS1v15(), SHA256())


def _check_content(content: bytes) -> None:
    if len(content) > cms.MAX_CONTENT:
        raise CmsRefused("cms-too-large")
    if reads_as_attributes(content):
        raise CmsRefused("cms-content-is-attributes")


def _guarded(data: bytes, content: bytes | None, *, brief: bool) -> PlainSignature:
    if len(data) > cms.MAX_CONTENT + cms.MAX_AROUND:
        raise CmsRefused("cms-too-large")
    try:
        signed = der.whole(bytes(data)) if brief else _content_info(bytes(data))
        found, signature = _read(signed, brief=brief)
    except NotDer as wrong:
        raise CmsRefused("cms-not-der", **wrong.facts) from None
    # 1. The content is the expected one, and cannot pass for attributes.
    if content is not None and found.content != content:
        raise CmsRefused("cms-content")
    _check_content(found.content)
    # 2. The key's bounds, before anything is computed with it (A4).
    cms.check_bounds(found.certificate.public_key)
    # 3. The signature, directly over the content.
    cms.check_signature(found.certificate, signature, found.content)
    return found


def _content_info(data: bytes) -> der.Element:
    fields = der.whole(data).sequence()
    if len(fields) != 2 or fields[0].raw != der.oid(cms.OID_SIGNED_DATA):
        raise CmsRefused("cms-not-signed-data")
    return fields[1].explicit(0)


def _read(signed: der.Element, *, brief: bool) -> tuple[PlainSignature, bytes]:
    """The one shape of each form: one SHA-256, content inside, one certificate, one signer, no attributes."""
    version = _ZERO if brief else _ONE
    fields = signed.sequence()
    if [field.tag for field in fields] != [der.INTEGER, der.SET, der.SEQUENCE, 0xA0, der.SET]:
        raise CmsRefused("cms-not-signed-data")
    if fields[0].raw != version:
        raise CmsRefused("cms-version")
    if fields[1].content not in cms.DIGEST_ALGORITHMS:
        raise CmsRefused("cms-digest-algorithm")
    content = _content(fields[2])
    held = fields[3].sequence(0xA0)
    if len(held) != 1:
        raise CmsRefused("cms-several-certificates", found=len(held))
    certificate = certificates.parse(held[0].raw)
    signers = fields[4].sequence(der.SET)
    if len(signers) != 1:
        raise CmsRefused("cms-several-signers")
    return PlainSignature(certificate, content), _signature(signers[0], certificate, brief=brief)


def _content(encapsulated: der.Element) -> bytes:
    fields = encapsulated.sequence()
    if not fields or fields[0].raw != der.oid(cms.OID_DATA):
        raise CmsRefused("cms-content-type")
    if len(fields) != 2:
        raise CmsRefused("cms-no-content")
    return fields[1].explicit(0).expect(der.OCTET_STRING).content


def _signature(signer: der.Element, certificate: Certificate, *, brief: bool) -> bytes:
    fields = signer.sequence()
    tags = [field.tag for field in fields]
    if 0xA0 in tags:
        raise CmsRefused("cms-signed-attributes")
    if 0xA1 in tags:
        raise CmsRefused("cms-unsigned-attributes")
    if tags != [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.OCTET_STRING]:
        raise CmsRefused("cms-not-der", found="another SignerInfo")
    if fields[0].raw != (_ZERO if brief else _ONE):
        raise CmsRefused("cms-version")
    # The brief names the signer where the issuer belongs, in another string type: compared with what we would write.
    subject = certificate.subject
    names = [printable_name(subject, one) for one in ("cp949", "utf-8")] if brief else [certificate.issuer.raw]
    if fields[1].content not in [name + der.integer(certificate.serial) for name in names]:
        raise CmsRefused("cms-signer-mismatch")
    if fields[2].raw not in cms.DIGEST_ALGORITHMS:
        raise CmsRefused("cms-digest-algorithm")
    if fields[3].raw not in cms.SIGNATURE_ALGORITHMS:
        raise CmsRefused("cms-signature-algorithm")
    return fields[4].content


def printable_name(name: Name, charset: str = "cp949") -> bytes:
    """A name with every value as PrintableString, in CP949 as the brief writes its text (npki.md §5)."""
    return der.seq(
        *(
            der.set_of(
                der.seq(der.oid(one.oid), der.tlv(der.PRINTABLE_STRING, one.value.encode(charset, "replace")))
                for one in rdn
            )
            for rdn in name.rdns
        )
    )
