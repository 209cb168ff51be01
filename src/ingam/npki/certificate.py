"""A joint certificate (RFC 5280 §4.1), read from its own bytes: raw slices, names, key, and lazily its extensions.

Reading proves the form and nothing else; who may be trusted is decided in `chain`. What is hashed or verified is always
the received slice.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ingam.kernel.errors import Refusal
from ingam.npki import der, extensions, scan, subject
from ingam.npki.der import NotDer
from ingam.npki.extensions import AuthorityKey as AuthorityKey
from ingam.npki.extensions import BasicConstraints as BasicConstraints
from ingam.npki.extensions import CertificateMalformed as CertificateMalformed
from ingam.npki.subject import Name

MAX_CERTIFICATE: Final = 64 * 1024
MAX_EXTENSIONS: Final = 64
OID_IDENTIFY_DATA: Final = "1.2.410.200004.10.1.1"

_RSA_ENCRYPTION: Final = der.algorithm("1.2.840.113549.1.1.1")
_VERSION_3: Final = bytes.fromhex("a003020102")
_TRUE: Final = b"\x01\x01\xff"

KEY_USAGE: Final = "2.5.29.15"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
SUBJECT_ALT_NAME: Final = "2.5.29.17"
SUBJECT_KEY_ID: Final = "2.5.29.14"
AUTHORITY_KEY_ID: Final = "2.5.29.35"
CERTIFICATE_POLICIES: Final = "2.5.29.32"
POLICY_CONSTRAINTS: Final = "2.5.29.36"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
CRL_DISTRIBUTION_POINTS: Final = "2.5.29.31"
AUTHORITY_INFO_ACCESS: Final = "1.3.6.1.5.5.7.1.1"

_KEY_USAGE: Final = der.oid(KEY_USAGE)[2:]
_BASIC_CONSTRAINTS: Final = der.oid(BASIC_CONSTRAINTS)[2:]
_SUBJECT_ALT_NAME: Final = der.oid(SUBJECT_ALT_NAME)[2:]
_SUBJECT_KEY_ID: Final = der.oid(SUBJECT_KEY_ID)[2:]
_AUTHORITY_KEY_ID: Final = der.oid(AUTHORITY_KEY_ID)[2:]
_CERTIFICATE_POLICIES: Final = der.oid(CERTIFICATE_POLICIES)[2:]
_POLICY_CONSTRAINTS: Final = der.oid(POLICY_CONSTRAINTS)[2:]
_EXTENDED_KEY_USAGE: Final = der.oid(EXTENDED_KEY_USAGE)[2:]
_CRL_DISTRIBUTION_POINTS: Final = der.oid(CRL_DISTRIBUTION_POINTS)[2:]
_AUTHORITY_INFO_ACCESS: Final = der.oid(AUTHORITY_INFO_ACCESS)[2:]

# The extensions whose meaning this package acts on; any other one that is marked critical refuses the certificate
# (RFC 5280 §4.2). policyConstraints asks for an explicit policy, which `chain` demands of everybody.
_UNDERSTOOD: Final = frozenset(
    (_KEY_USAGE, _BASIC_CONSTRAINTS, _SUBJECT_ALT_NAME, _CERTIFICATE_POLICIES, _POLICY_CONSTRAINTS,
     _EXTENDED_KEY_USAGE, _CRL_DISTRIBUTION_POINTS)
)  # fmt: skip


class CertificateKeyKind(Refusal):
    """The certificate is for a key that is not RSA; every joint certificate is (npki.md §2.1)."""

    code = "cert-key-kind"


class SeveralIdentifyData(Refusal):
    """More than one identifyData: nobody can say which one is the owner's (security A14)."""

    code = "cert-several-identify-data"


class Extension(NamedTuple):
    """`value` is the content of the OCTET STRING: the DER of the extension itself."""

    critical: bool
    value: bytes


class RsaPublic(NamedTuple):
    """The numbers of an RSA public key."""

    n: int
    e: int

    @property
    def bits(self) -> int:
        """Length of the modulus in bits."""
        return self.n.bit_length()

    @property
    def within_bounds(self) -> bool:
        """2048-4096 bits, an odd modulus and an odd e in [65537, 2³²): asked before computing (security A4)."""
        n, e = self
        return 2048 <= n.bit_length() <= 4096 and 65537 <= e < 1 << 32 and n & e & 1 == 1


class Certificate(NamedTuple):
    """A parsed certificate; `tbs`, `spki`, `signature_algorithm` are the received slices with their heads.

    `signature` is the content of the BIT STRING; `fingerprint` 32 bytes, SHA-256 of `der`; instants are aware, UTC.
    Properties read their extension when asked, and raise CertificateMalformed where its bytes are not what it says.
    """

    der: bytes
    fingerprint: bytes
    tbs: bytes
    serial: int
    issuer: Name
    not_before: datetime
    not_after: datetime
    subject: Name
    spki: bytes
    rsa: RsaPublic | None
    extensions: dict[bytes, tuple[bool, bytes]]
    duplicates: tuple[bytes, ...]
    unknown: tuple[bytes, ...]
    signature_algorithm: bytes
    signature: bytes

    def __repr__(self) -> str:
        # A name and a VID stand in it, and a repr ends up in logs (security H9).
        return f"<Certificate {self.fingerprint[:4].hex()}>"

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def extension(self, oid: str) -> Extension | None:
        """The extension of a dotted type, or None."""
        found = self.extensions.get(der.oid(oid)[2:])
        return None if found is None else Extension(*found)

    @property
    def public_key(self) -> RsaPublic:
        """The RSA key's numbers. Raises CertificateKeyKind for another kind of key."""
        if self.rsa is None:
            raise CertificateKeyKind()
        return self.rsa

    def verifying_key(self) -> RSAPublicKey:
        """The key ready to verify with; bounds are the caller's to check first (security A4).

        Raises CertificateKeyKind, CertificateMalformed.
        """
        if self.rsa is None:
            raise CertificateKeyKind()
        try:
            key = load_der_public_key(self.spki)
        except ValueError:
            raise CertificateMalformed(expected="an RSA key", found="one that cannot be loaded") from None
        if not isinstance(key, RSAPublicKey):
            raise CertificateKeyKind()
        return key

    @property
    def signature_oid(self) -> str:
        """Dotted form of the algorithm that the issuer signed with."""
        return der.whole(self.signature_algorithm).sequence()[0].oid()

    @property
    def duplicate_extensions(self) -> tuple[str, ...]:
        """Types that stand more than once (RFC 5280 §4.2 forbids it)."""
        return tuple(der.decode_oid(one) for one in self.duplicates)

    @property
    def critical_unknown(self) -> tuple[str, ...]:
        """Types marked critical that this package does not act on."""
        return tuple(der.decode_oid(one) for one in self.unknown)

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Names of RFC 5280 §4.2.1.3 (`digitalSignature` …), or None where the extension is absent."""
        found = self.extensions.get(_KEY_USAGE)
        return None if found is None else extensions.key_usage(found[1])

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        """CA mark and path length, or None where the extension is absent."""
        found = self.extensions.get(_BASIC_CONSTRAINTS)
        return None if found is None else extensions.basic_constraints(found[1])

    @property
    def eku(self) -> tuple[str, ...] | None:
        """Dotted purposes of extendedKeyUsage, or None where the extension is absent."""
        found = self.extensions.get(_EXTENDED_KEY_USAGE)
        return None if found is None else extensions.oids(found[1])

    @property
    def ski(self) -> bytes | None:
        """The subject key identifier."""
        found = self.extensions.get(_SUBJECT_KEY_ID)
        return None if found is None else extensions.octets(found[1])

    @property
    def aki(self) -> AuthorityKey | None:
        """The authority key identifier."""
        found = self.extensions.get(_AUTHORITY_KEY_ID)
        return None if found is None else extensions.authority_key(found[1])

    @property
    def policies(self) -> tuple[str, ...]:
        """Dotted policies in the order of the certificate; empty where the extension is absent."""
        found = self.extensions.get(_CERTIFICATE_POLICIES)
        return () if found is None else extensions.policies(found[1])

    @property
    def policy_oid(self) -> str | None:
        """The one policy; None where there is none or more than one."""
        found = self.policies
        return found[0] if len(found) == 1 else None

    @property
    def crl_distribution_points(self) -> tuple[str, ...]:
        """The addresses as written, `ldap://…` or `http://…`; they select a partition, never a host (security A13)."""
        found = self.extensions.get(_CRL_DISTRIBUTION_POINTS)
        return () if found is None else extensions.distribution_points(found[1])

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """The OCSP addresses of authorityInfoAccess as written; information only (security A13)."""
        found = self.extensions.get(_AUTHORITY_INFO_ACCESS)
        return () if found is None else extensions.ocsp_urls(found[1])

    @property
    def san_other_names(self) -> tuple[tuple[str, bytes], ...]:
        """Each otherName of subjectAltName: dotted type and the DER inside its `[0] EXPLICIT`."""
        found = self.extensions.get(_SUBJECT_ALT_NAME)
        return () if found is None else extensions.other_names(found[1])

    @property
    def identify_data(self) -> bytes | None:
        """DER of the one IdentifyData (npki.md §3), or None. Raises SeveralIdentifyData."""
        found = [value for kind, value in self.san_other_names if kind == OID_IDENTIFY_DATA]
        if len(found) > 1:
            raise SeveralIdentifyData(found=len(found))
        return found[0] if found else None

    @property
    def self_issued(self) -> bool:
        """Whether issuer and subject are the same name, as in a root."""
        return subject.same_name(self.issuer, self.subject)


def parse(data: bytes) -> Certificate:
    """A certificate from its DER, to the last byte; at most 64 KiB. Raises CertificateMalformed (cert-malformed)."""
    if len(data) > MAX_CERTIFICATE:
        raise CertificateMalformed(found="too large")
    try:
        return _parse(bytes(data))
    except (NotDer, subject.NameMalformed) as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None


def _parse(data: bytes) -> Certificate:
    at, limit = scan.whole(data, der.SEQUENCE)
    tbs_body, tbs_end = scan.inside(data, at, limit, der.SEQUENCE)
    _, algorithm_end = scan.inside(data, tbs_end, limit, der.SEQUENCE)
    bits, end = scan.inside(data, algorithm_end, limit, der.BIT_STRING)
    if end != limit or bits == end or data[bits] != 0:
        raise CertificateMalformed(expected="tbs, algorithm and signature", found="something else")
    algorithm = data[tbs_end:algorithm_end]

    if data[tbs_body : tbs_body + 5] != _VERSION_3:
        raise CertificateMalformed(expected="version 3", found=data[tbs_body : tbs_body + 5].hex())
    serial, serial_end = scan.integer(data, tbs_body + 5, tbs_end)
    if serial <= 0 or serial.bit_length() > 160:
        raise CertificateMalformed(expected="a positive serial of at most 20 octets", found=serial.bit_length())
    _, inner_end = scan.inside(data, serial_end, tbs_end, der.SEQUENCE)
    if data[serial_end:inner_end] != algorithm:  # RFC 5280 §4.1.1.2: both places name the same algorithm
        raise CertificateMalformed(expected="one signature algorithm", found="two")
    _, issuer_end = scan.inside(data, inner_end, tbs_end, der.SEQUENCE)
    validity, validity_end = scan.inside(data, issuer_end, tbs_end, der.SEQUENCE)
    not_before, second = instant(data, validity, validity_end)
    not_after, last = instant(data, second, validity_end)
    if last != validity_end:
        raise CertificateMalformed(expected="two instants", found="more")
    _, subject_end = scan.inside(data, validity_end, tbs_end, der.SEQUENCE)
    _, spki_end = scan.inside(data, subject_end, tbs_end, der.SEQUENCE)
    extensions, duplicates, unknown = _extensions(data, spki_end, tbs_end)
    return Certificate(
        der=data,
        fingerprint=hashlib.sha256(data).digest(),
        tbs=data[at:tbs_end],
        serial=serial,
        issuer=subject.parse_issuer(data[inner_end:issuer_end]),
        not_before=not_before,
        not_after=not_after,
        subject=subject.parse(data[validity_end:subject_end]),
        spki=data[subject_end:spki_end],
        rsa=_rsa_public(data, subject_end, spki_end),
        extensions=extensions,
        duplicates=duplicates,
        unknown=unknown,
        signature_algorithm=algorithm,
        signature=data[bits + 1 : end],
    )


def instant(data: bytes, at: int, limit: int) -> tuple[datetime, int]:
    """UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5 (seconds, `Z`), and the end of its element.

    Raises CertificateMalformed or NotDer.
    """
    tag, body, end = scan.head(data, at, limit)
    digits = data[body : end - 1]
    size = end - body
    if data[end - 1 : end] != b"Z" or not digits.isdigit() or (tag, size) not in ((0x17, 13), (0x18, 15)):
        raise CertificateMalformed(expected="an instant", found=f"{tag:02x}")
    text = digits.decode("ascii")
    if tag == der.UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    if text[8:10] == "24":  # ISO 8601 knows it, RFC 5280 does not; newer Pythons read it as the next day
        raise CertificateMalformed(expected="an instant", found="no such day or hour")
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}Z"), end
    except ValueError:
        raise CertificateMalformed(expected="an instant", found="no such day or hour") from None


Extensions = tuple[dict[bytes, tuple[bool, bytes]], tuple[bytes, ...], tuple[bytes, ...]]


def _extensions(data: bytes, at: int, limit: int) -> Extensions:
    """The [3] of the to-be-signed part: by encoded type; types that stand twice; critical types nobody here knows.

    Unique identifiers ([1], [2]) do not occur in the profile and are refused.
    """
    found: dict[bytes, tuple[bool, bytes]] = {}
    duplicates: list[bytes] = []
    unknown: list[bytes] = []
    if at == limit:
        return found, (), ()
    outer, end = scan.inside(data, at, limit, 0xA3)
    at, stop = scan.inside(data, outer, end, der.SEQUENCE)
    if end != limit or stop != end or at == stop:
        raise CertificateMalformed(expected="extensions", found="something else")
    while at < stop:
        body, at = scan.inside(data, at, stop, der.SEQUENCE)
        if data[body : body + 2] == b"\x06\x03" and body + 5 < at:  # nearly every type has three octets
            kind_end = body + 5
            kind = data[body + 2 : kind_end]
        else:
            kind_body, kind_end = scan.inside(data, body, at, der.OID)
            kind = data[kind_body:kind_end]
        critical = kind_end < at and data[kind_end] == der.BOOLEAN
        if critical:  # FALSE is the default and never written (X.690 §11.5)
            if data[kind_end : kind_end + 3] != _TRUE:
                raise CertificateMalformed(expected="TRUE", found=data[kind_end : kind_end + 3].hex())
            kind_end += 3
            if kind not in _UNDERSTOOD:
                unknown.append(kind)
        value, value_end = scan.inside(data, kind_end, at, der.OCTET_STRING)
        if value_end != at:
            raise CertificateMalformed(expected="an extension", found="more")
        if kind in found:
            duplicates.append(kind)
        else:
            found[kind] = (critical, data[value:value_end])
        if len(found) + len(duplicates) > MAX_EXTENSIONS:
            raise CertificateMalformed(found="too many extensions")
    return found, tuple(duplicates), tuple(unknown)


def _rsa_public(data: bytes, at: int, limit: int) -> RsaPublic | None:
    """Numbers of the SubjectPublicKeyInfo at `at`; None for another kind of key."""
    at, limit = scan.inside(data, at, limit, der.SEQUENCE)
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    if data[at:end] != _RSA_ENCRYPTION:
        return None
    bits, stop = scan.inside(data, end, limit, der.BIT_STRING)
    if stop != limit or bits == stop or data[bits] != 0:
        raise CertificateMalformed(expected="an RSA key", found="something else")
    at, inner = scan.inside(data, bits + 1, stop, der.SEQUENCE)
    n, at = scan.integer(data, at, inner)
    e, at = scan.integer(data, at, inner)
    if inner != stop or at != inner or n <= 0 or e <= 0:
        raise CertificateMalformed(expected="an RSA key", found="something else")
    return RsaPublic(n, e)
