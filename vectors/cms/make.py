"""Makes the signed messages of this folder: one of the right form, and one for every way in which it can be wrong.

`python -m vectors.cms.make` from the root of the project. Everything is fixed (keys of vectors/keys, instants,
content), so the same files come out every time; Python and TypeScript read them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from tests.npki import certs

from ingam.npki import certificate, cms, cms_plain, der

HERE = Path(__file__).parent
TIME = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
PURPOSE = "login"
CONTENT = (
    b"INGAM-CHALLENGE/1\npurpose: login\norigin: http://localhost:8700\n"
    b"nonce: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    b"issued: 2026-11-22T10:00:00Z\nexpires: 2026-11-22T10:03:00Z\nsession: "
    + b"5a" * 32 + b"\ncertificate: " + certs.person().certificate.fingerprint.hex().encode()
    + b"\nsealed: -\nbody: -\n"
)  # fmt: skip

SHA256_ABSENT = der.algorithm("2.16.840.1.101.3.4.2.1", b"")
SHA1 = der.algorithm("1.3.14.3.2.26")
RSA = der.algorithm("1.2.840.113549.1.1.1")
SHA256_RSA = der.algorithm("1.2.840.113549.1.1.11")
PSS = der.algorithm("1.2.840.113549.1.1.10", der.seq())
SIGNED_DATA = der.oid(cms.OID_SIGNED_DATA)
CONTENT_TYPE, DIGEST, TIME_OID, ESS = (
    f"1.2.840.113549.1.9.{one}" for one in ("3", "4", "5", "16.2.47")
)  # fmt: skip


def attribute(oid: str, *values: bytes) -> bytes:
    return der.seq(der.oid(oid), der.set_of(values))


def right_attributes() -> dict[str, bytes]:
    person = certs.person().certificate
    return {
        CONTENT_TYPE: attribute(CONTENT_TYPE, der.oid(cms.OID_CHALLENGE)),
        DIGEST: attribute(DIGEST, der.octets(hashlib.sha256(CONTENT).digest())),
        TIME_OID: attribute(TIME_OID, der.tlv(der.UTC_TIME, b"261122100000Z")),
        ESS: attribute(ESS, der.seq(der.seq(der.seq(der.octets(person.fingerprint))))),
        cms.OID_CONTEXT: attribute(cms.OID_CONTEXT, der.octets(b"\xff\xff" + PURPOSE.encode())),
    }


@dataclass(frozen=True)
class Message:
    """Every part of a signed message that a refusal changes; the defaults are the right form."""

    outer: bytes = SIGNED_DATA
    version: int = 3
    digests: tuple[bytes, ...] = (SHA256_ABSENT,)
    content_type: str = cms.OID_CHALLENGE
    content: bytes | None = CONTENT
    certificates: tuple[bytes, ...] = (certs.person().certificate.der,)
    crls: bytes = b""
    signers: int = 1
    signer_version: int = 1
    sid: bytes = der.seq(certs.CA_NAME, der.integer(certs.person().certificate.serial))
    digest: bytes = SHA256_ABSENT
    attributes: dict[str, bytes] = field(default_factory=right_attributes)
    order: bool = True
    algorithm: bytes = SHA256_RSA
    unsigned: bytes = b""
    key: RSAPrivateKey = field(default_factory=lambda: certs.person().key)
    signature: bytes | None = None

    def attribute_bytes(self) -> bytes:
        ordered = sorted(self.attributes.values())
        return b"".join(ordered if self.order else reversed(ordered))

    def signer(self) -> bytes:
        held = self.attribute_bytes()
        signature = self.signature
        if signature is None:
            signed = der.tlv(der.SET, held) if held else self.content or b""
            signature = self.key.sign(signed, PKCS1v15(), SHA256())
        return der.seq(
            der.integer(self.signer_version), self.sid, self.digest, der.tlv(0xA0, held) if held else b"",
            self.algorithm, der.octets(signature), self.unsigned,
        )  # fmt: skip

    def inner(self) -> bytes:
        held = b"" if self.content is None else der.explicit(0, der.octets(self.content))
        return der.seq(
            der.integer(self.version),
            der.set_of(self.digests),
            der.seq(der.oid(self.content_type), held),
            der.tlv(0xA0, b"".join(self.certificates)) if self.certificates else b"",
            self.crls,
            der.tlv(der.SET, self.signer() * self.signers),
        )

    def encoded(self) -> bytes:
        return der.seq(self.outer, der.explicit(0, self.inner()))


def with_attribute(oid: str, *values: bytes) -> Message:
    return Message(attributes={**right_attributes(), oid: attribute(oid, *values)})


def without_attribute(oid: str) -> Message:
    return Message(attributes={kind: one for kind, one in right_attributes().items() if kind != oid})


def indefinite(raw: bytes) -> bytes:
    """The same message with an indefinite length outside: BER, not DER."""
    return b"\x30\x80" + der.whole(raw).content + b"\0\0"


def long_form(raw: bytes) -> bytes:
    """The same message with one length octet too many."""
    content = der.whole(raw).content
    return b"\x30\x83" + len(content).to_bytes(3, "big") + content


def flipped(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


def with_key(name: str, e: int | None = None, n: int | None = None) -> Message:
    """A message by a certificate whose public numbers are out of bounds; the signature is never computed with them."""
    private = certs.key(name)
    numbers = private.public_key().public_numbers()
    key = der.seq(der.integer(n or numbers.n), der.integer(e or numbers.e))
    public = der.seq(RSA, der.bits(key))
    made = certificate.parse(certs.person_der(public=public))
    held = right_attributes() | {ESS: attribute(ESS, der.seq(der.seq(der.seq(der.octets(made.fingerprint)))))}
    return Message(certificates=(made.der,), attributes=held)


def forged_content() -> Message:
    """A2: an old plain signature over chosen content, shown as a signature over attributes.

    The attacker had somebody sign, without attributes, a text that is the DER of attributes (a careless signer does).
    The context octets FF FF cannot stand in a text, so the attributes lack or miss them.
    """
    return Message(
        attributes={
            kind: one for kind, one in right_attributes().items() if kind != cms.OID_CONTEXT
        } | {cms.OID_CONTEXT: attribute(cms.OID_CONTEXT, der.octets(b"??" + PURPOSE.encode()))}
    )  # fmt: skip


def refusals() -> dict[str, tuple[bytes, str]]:
    right = Message()
    raw = right.encoded()
    other = certs.somebody_else()
    other_sid = der.seq(certs.CA_NAME, der.integer(other.certificate.serial))
    attributes = right_attributes()
    ec = der.algorithm("1.2.840.10045.4.3.2", b"")
    return {
        "empty": (b"", "cms-not-der"),
        "text": (b"-----BEGIN CMS-----", "cms-not-der"),
        "a byte behind": (raw + b"\0", "cms-not-der"),
        "a byte missing": (raw[:-1], "cms-not-der"),
        "indefinite length": (indefinite(raw), "cms-not-der"),
        "length not minimal": (long_form(raw), "cms-not-der"),
        "enveloped data": (replace(right, outer=der.oid("1.2.840.113549.1.7.3")).encoded(), "cms-not-signed-data"),
        "bare signed data without content info": (right.inner(), "cms-not-signed-data"),
        "version 1": (replace(right, version=1).encoded(), "cms-version"),
        "version 4": (replace(right, version=4).encoded(), "cms-version"),
        "signer version 3": (replace(right, signer_version=3).encoded(), "cms-version"),
        "digest algorithms sha-1": (replace(right, digests=(SHA1,)).encoded(), "cms-digest-algorithm"),
        "digest algorithms none": (replace(right, digests=()).encoded(), "cms-digest-algorithm"),
        "digest algorithms two": (replace(right, digests=(SHA1, SHA256_ABSENT)).encoded(), "cms-digest-algorithm"),
        "signer digest sha-1": (replace(right, digest=SHA1).encoded(), "cms-digest-algorithm"),
        "content type of somebody": (replace(right, content_type="1.2.3.4").encoded(), "cms-content-type"),
        "id-data outside": (
            replace(right, content_type=cms.OID_DATA, version=1).encoded(), "cms-content-type",
        ),
        "id-data inside": (with_attribute(CONTENT_TYPE, der.oid(cms.OID_DATA)).encoded(), "cms-content-type"),
        "detached": (replace(right, content=None).encoded(), "cms-no-content"),
        "no certificate": (replace(right, certificates=()).encoded(), "cms-several-certificates"),
        "two certificates": (
            replace(right, certificates=(certs.person().certificate.der, certs.ca().certificate.der)).encoded(),
            "cms-several-certificates",
        ),
        "certificate damaged": (replace(right, certificates=(der.seq(),)).encoded(), "cert-malformed"),
        "revocation list inside": (replace(right, crls=der.tlv(0xA1, der.seq())).encoded(), "cms-crls"),
        "no signer": (replace(right, signers=0).encoded(), "cms-not-der"),
        "two signers": (replace(right, signers=2).encoded(), "cms-several-signers"),
        "signer is another serial": (replace(right, sid=other_sid).encoded(), "cms-signer-mismatch"),
        "signer by key id": (replace(right, sid=der.tlv(0x80, b"k" * 20)).encoded(), "cms-signer-mismatch"),
        "no signed attributes": (replace(right, attributes={}).encoded(), "cms-no-signed-attributes"),
        "attributes not in DER order": (replace(right, order=False).encoded(), "cms-attributes-order"),
        **{
            f"without {name}": (without_attribute(oid).encoded(), "cms-attributes")
            for name, oid in (
                ("contentType", CONTENT_TYPE), ("messageDigest", DIGEST), ("signingTime", TIME_OID),
                ("signing-certificate-v2", ESS), ("ingam-context", cms.OID_CONTEXT),
            )
        },
        "one attribute more": (with_attribute("1.2.840.113549.1.9.52", der.null).encoded(), "cms-attributes"),
        "messageDigest with two values": (
            with_attribute(DIGEST, der.octets(hashlib.sha256(CONTENT).digest()), der.octets(b"x")).encoded(),
            "cms-attributes",
        ),
        "messageDigest twice": (
            replace(right, attributes=attributes | {"again": attributes[DIGEST]}).encoded(), "cms-attributes",
        ),
        "messageDigest without a value": (with_attribute(DIGEST).encoded(), "cms-not-der"),
        "unsigned attributes": (
            replace(right, unsigned=der.tlv(0xA1, attribute("1.2.3.4", der.null))).encoded(), "cms-unsigned-attributes",
        ),
        "signature algorithm pss": (replace(right, algorithm=PSS).encoded(), "cms-signature-algorithm"),
        "signature algorithm ecdsa": (replace(right, algorithm=ec).encoded(), "cms-signature-algorithm"),
        "signature algorithm sha1-rsa": (
            replace(right, algorithm=der.algorithm("1.2.840.113549.1.1.5")).encoded(), "cms-signature-algorithm",
        ),
        "other content": (replace(right, content=CONTENT.replace(b"login", b"rebind")).encoded(), "cms-content"),
        "digest of other content": (
            with_attribute(DIGEST, der.octets(hashlib.sha256(b"other").digest())).encoded(), "cms-digest",
        ),
        "context of another purpose": (
            with_attribute(cms.OID_CONTEXT, der.octets(b"\xff\xffregistration")).encoded(), "cms-context",
        ),
        "context without FF FF": (with_attribute(cms.OID_CONTEXT, der.octets(b"login")).encoded(), "cms-context"),
        "context as text": (
            with_attribute(cms.OID_CONTEXT, der.tlv(der.UTF8_STRING, b"\xff\xfflogin")).encoded(), "cms-context",
        ),
        "context with more behind": (
            with_attribute(cms.OID_CONTEXT, der.octets(b"\xff\xfflogin\0")).encoded(), "cms-context",
        ),
        "A2 attributes that a text signer could have signed": (forged_content().encoded(), "cms-context"),
        "signing certificate of somebody else": (
            with_attribute(
                ESS, der.seq(der.seq(der.seq(der.octets(other.certificate.fingerprint))))
            ).encoded(), "cms-signing-certificate",
        ),
        "signing time no instant": (
            with_attribute(TIME_OID, der.tlv(der.UTC_TIME, b"2611221000Z")).encoded(), "cms-signing-time",
        ),
        "signing time a text": (
            with_attribute(TIME_OID, der.tlv(der.UTF8_STRING, b"261122100000Z")).encoded(), "cms-signing-time",
        ),
        "key of 1024 bits": (with_key("rsa2048-02", n=(1 << 1024) - 105).encoded(), "cms-key-bounds"),
        "key of 4104 bits": (with_key("rsa2048-02", n=(1 << 4104) - 105).encoded(), "cms-key-bounds"),
        "exponent 3": (with_key("rsa2048-02", e=3).encoded(), "cms-key-bounds"),
        "exponent even": (with_key("rsa2048-02", e=65538).encoded(), "cms-key-bounds"),
        "exponent of 33 bits": (with_key("rsa2048-02", e=(1 << 32) + 1).encoded(), "cms-key-bounds"),
        "modulus even": (with_key("rsa2048-02", n=(1 << 2048) - 2).encoded(), "cms-key-bounds"),
        "signed by another key": (replace(right, key=other.key).encoded(), "signature-invalid"),
        "signature flipped": (flipped(raw, len(raw) - 1), "signature-invalid"),
        "signature short": (replace(right, signature=b"\x01" * 255).encoded(), "signature-invalid"),
        "signature zero": (replace(right, signature=bytes(256)).encoded(), "signature-invalid"),
        "signature over the attributes under A0": (
            replace(
                right, signature=right.key.sign(der.tlv(0xA0, right.attribute_bytes()), PKCS1v15(), SHA256())
            ).encoded(), "signature-invalid",
        ),
        "A2 signature over the content, as without attributes": (
            replace(right, signature=right.key.sign(CONTENT, PKCS1v15(), SHA256())).encoded(), "signature-invalid",
        ),
    }  # fmt: skip


def plain_refusals() -> dict[str, tuple[str, bytes, str]]:
    """For the forms without signed attributes: (form, bytes, code). The first three are the forgeries of A2 and A5."""
    right = Message()
    attributes = der.tlv(der.SET, right.attribute_bytes())
    stolen = right.key.sign(attributes, PKCS1v15(), SHA256())  # what every signed challenge holds
    represented = Message(
        version=1, content_type=cms.OID_DATA, content=attributes, attributes={}, signature=stolen, algorithm=RSA
    )
    brief = replace(
        represented, version=0, signer_version=0, algorithm=SHA256_RSA,
        sid=der.seq(cms_plain.printable_name(certs.person().certificate.subject), der.integer(0x085221)),
    )  # fmt: skip
    loose = b"\x31\x83" + len(attributes[3:]).to_bytes(3, "big") + attributes[3:]
    plain = cms_plain.sign_plain(b"text", certs.person().certificate, certs.person().key)
    short = cms_plain.sign_brief(b"text", certs.person().certificate, certs.person().key)
    bad = "cms-content-is-attributes"
    return {
        "A5 attributes of a challenge shown as plain content": ("plain", represented.encoded(), bad),
        "A5 attributes of a challenge shown as brief content": ("brief", brief.inner(), bad),
        "A5 attributes with a loose length": ("plain", replace(represented, content=loose).encoded(), bad),
        "a challenge as plain": ("plain", right.encoded(), "cms-version"),
        "a signed file as plain": (
            "plain",
            cms.sign_data(b"text", certs.person().certificate, certs.person().key, signing_time=TIME),
            "cms-signed-attributes",
        ),
        "a brief as plain": ("plain", short, "cms-not-signed-data"),
        "a plain one as brief": ("brief", plain, "cms-not-signed-data"),
        "a plain one as a challenge": ("signed", plain, "cms-no-signed-attributes"),
        "plain, flipped": ("plain", flipped(plain, len(plain) - 1), "signature-invalid"),
        "plain, a byte behind": ("plain", plain + b"\0", "cms-not-der"),
    }  # fmt: skip


def main() -> None:
    person = certs.person()
    signed = cms.sign(CONTENT, person.certificate, person.key, purpose=PURPOSE, signing_time=TIME)
    if signed != Message().encoded():
        raise SystemExit("the product and this script disagree on the right form")
    right = {
        "origin": "made by vectors/cms/make.py with vectors/keys/rsa2048-02.p8",
        "key": "rsa2048-02",
        "certificate": person.certificate.der.hex(),
        "content": CONTENT.decode(),
        "purpose": PURPOSE,
        "signing_time": "2026-11-22T10:00:00Z",
        "signed": signed.hex(),
        "signed_file": cms.sign_data(CONTENT, person.certificate, person.key, signing_time=TIME).hex(),
        "plain": cms_plain.sign_plain(CONTENT, person.certificate, person.key).hex(),
        "brief": cms_plain.sign_brief(CONTENT, person.certificate, person.key).hex(),
    }
    wrong = [
        {"name": name, "form": "signed", "hex": raw.hex(), "code": code} for name, (raw, code) in refusals().items()
    ] + [
        {"name": name, "form": form, "hex": raw.hex(), "code": code}
        for name, (form, raw, code) in plain_refusals().items()
    ]
    about = {"content": CONTENT.decode(), "purpose": PURPOSE, "refusals": wrong}
    for path, value in (("signed.json", right), ("refusals.json", about)):
        (HERE / path).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
