"""Shapes: the to-be-signed bytes of every certificate of the Korean profile, built from data (npki.md section 2).

An authority, the sandbox's other authorities and the tests share these builders. Nothing here knows a clock, makes a
key or draws a number: serial, instants, keys and the VID are parameters. The order of extensions and the string types
are those of the published certificates, so that the same facts give the same bytes.

    name, Validity, Policy, Shape   what goes in
    root, authority, responder, delegated_responder, person, encryption, server, message_signer, registrar   the shapes
    tbs_certificate, assemble, sign   bytes out
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ingam.kernel.errors import Defect
from ingam.kernel.instants import KST
from ingam.npki import der, scan, vid
from ingam.npki.private_key import RANDOM_NUMBER
from ingam.npki.signature import RSA_SHA256
from ingam.npki.vid import Vid

SHA256_WITH_RSA: Final = RSA_SHA256
ANY_POLICY: Final = "2.5.29.32.0"
ROOT_SERVICE_POLICY: Final = "1.2.410.200004.2.1"
"""Of the OCSP and TSA certificates that the root issues."""

ROOT_CPS: Final = "http://www.rootca.or.kr/rca/cps.html"
NOTICE_ACCREDITED: Final = (
    "이 인증서는 공인인증서입니다"
    "(This certificate is accredited under Electronic Signature Act of the Republic of Korea)"
)
"""Of the RootCA 4 generation (2010-2030)."""

NOTICE_JOINT: Final = NOTICE_ACCREDITED.replace("공인", "공동")
"""Of the RootCA 5 generation (2026-2036)."""

OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CMC_RA: Final = "1.3.6.1.5.5.7.3.28"
"""id-kp-cmcRA (RFC 6402 section 2.10): who holds it may speak for others (RFC 9810 section 5.1.1, security D4)."""

_TYPES: Final = {"C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3"}
_TRUE: Final = b"\x01\x01\xff"
_EXPLICIT_POLICY: Final = der.seq(b"\x80\x01\x00")
_OCSP_METHOD: Final = der.oid("1.3.6.1.5.5.7.48.1")
_CA_ISSUERS: Final = der.oid("1.3.6.1.5.5.7.48.2")
_CPS: Final = der.oid("1.3.6.1.5.5.7.2.1")
_USER_NOTICE: Final = der.oid("1.3.6.1.5.5.7.2.2")


class Usage(Enum):
    """The keyUsage values of the profile: the content of their DER BIT STRING (npki.md section 2.1)."""

    SIGN = bytes.fromhex("06c0")  # digitalSignature, nonRepudiation
    ENCRYPT = bytes.fromhex("0520")  # keyEncipherment alone: the km pair
    AUTHORITY = bytes.fromhex("0106")  # keyCertSign, cRLSign
    DIGITAL_SIGNATURE = bytes.fromhex("0780")  # digitalSignature alone: OCSP, CMP, TLS


@dataclass(frozen=True, slots=True)
class Validity:
    """Aware instants, whole seconds, from 1950 on."""

    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """One PolicyInformation. `cps`: an IA5 address; `notice`: a BMPString, which yessign puts first."""

    oid: str
    cps: str | None = None
    notice: str | None = None
    notice_first: bool = False


@dataclass(frozen=True, slots=True)
class AuthorityKey:
    """The full authorityKeyIdentifier: the issuer's key id, and name and serial of the issuer's own certificate.

    `issuer`: DER of the name that issued the issuer's certificate.
    """

    key_id: bytes
    issuer: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What distinguishes one kind of certificate from another; None and () leave an extension out.

    `basic`: (is an authority, path length or None). `real_name` makes a subjectAltName, with `vid` inside if there is
    one; `hosts` are dNSNames behind it. `ocsp_signing`: that purpose, critical. `purposes`: more extended
    key usages, dotted. `no_check`: id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1).
    `crl` and `crl_http`: two addresses of the same list, in one distribution point; `freshest`: its delta. `ocsp`,
    `ca_issuers`: authorityInfoAccess. All addresses as the certificate names them.
    """

    usage: Usage | None = None
    policy: Policy | None = None
    real_name: str | None = None
    vid: Vid | None = None
    basic: tuple[bool, int | None] | None = None
    explicit_policy: bool = False
    ocsp_signing: bool = False
    crl: str | None = None
    ocsp: str | None = None
    hosts: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    no_check: bool = False
    crl_http: str | None = None
    freshest: str | None = None
    ca_issuers: str | None = None


def root(usage: Usage | None = None) -> Shape:
    """A root: key identifier and basicConstraints, nothing else (the KISA kind), or with a keyUsage (RFC 5280)."""
    return Shape(usage, basic=(True, None))


def authority(
    real_name: str,
    crl: str,
    *,
    notice: str,
    path_length: int | None = 0,
    cps: str = ROOT_CPS,
    crl_http: str | None = None,
    ca_issuers: str | None = None,
) -> Shape:
    """A licensed CA. `crl`, `crl_http`: the root's list; `path_length` None as SignKorea CA5 has it; `cps`: the root's.

    `ca_issuers`: where the root's certificate lies.
    """
    return Shape(
        Usage.AUTHORITY,
        Policy(ANY_POLICY, cps, notice),
        real_name,
        basic=(True, path_length),
        explicit_policy=True,
        crl=crl,
        crl_http=crl_http,
        ca_issuers=ca_issuers,
    )


def responder(
    real_name: str, crl: str, *, notice: str, cps: str = ROOT_CPS, policy_oid: str = ROOT_SERVICE_POLICY
) -> Shape:
    """An OCSP responder as the root issues it: EKU critical, no id-pkix-ocsp-nocheck (npki.md section 7)."""
    return Shape(Usage.SIGN, Policy(policy_oid, cps, notice), real_name, ocsp_signing=True, crl=crl)


def person(policy: Policy, real_name: str, identifier: Vid | None, *, crl: str, ocsp: str) -> Shape:
    """A signing certificate: identifyData, neither basicConstraints nor EKU. `identifier` None leaves the VID out."""
    return Shape(Usage.SIGN, policy, real_name, identifier, crl=crl, ocsp=ocsp)


def encryption(policy_oid: str, *, crl: str, ocsp: str | None) -> Shape:
    """A km certificate (암호용), and the one that R is encrypted to: a policy without qualifiers, no subjectAltName."""
    return Shape(Usage.ENCRYPT, Policy(policy_oid), crl=crl, ocsp=ocsp)


def delegated_responder(policy_oid: str) -> Shape:
    """An OCSP responder as the issuing CA itself issues it (RFC 6960 section 4.2.2.2), never asked about: short-lived.

    It has a policy because the CA's certificate requires an explicit one of everything below it.
    """
    return Shape(Usage.DIGITAL_SIGNATURE, Policy(policy_oid), ocsp_signing=True, no_check=True)


def message_signer(policy_oid: str, *, crl: str, ocsp: str | None = None) -> Shape:
    """The certificate that a CA protects its CMP messages with: digitalSignature, and nothing that a person has."""
    return Shape(Usage.DIGITAL_SIGNATURE, Policy(policy_oid), crl=crl, ocsp=ocsp)


def registrar(policy_oid: str, *, crl: str, ocsp: str | None = None) -> Shape:
    """A registration authority's: a message signer with id-kp-cmcRA."""
    return Shape(Usage.DIGITAL_SIGNATURE, Policy(policy_oid), crl=crl, ocsp=ocsp, purposes=(CMC_RA,))


def server(policy: Policy, hosts: tuple[str, ...], *, crl: str, ocsp: str | None = None) -> Shape:
    """A TLS server's: its host names and serverAuth. A server that signs as its firm has a person's shape instead."""
    return Shape(Usage.DIGITAL_SIGNATURE, policy, hosts=hosts, purposes=(SERVER_AUTH,), crl=crl, ocsp=ocsp)


def name(*parts: tuple[str, str]) -> bytes:
    """DER of a Name, root first: ("C", "KR"), ("O", …), ("OU", …), ("CN", …); all but C are UTF8Strings."""
    return der.seq(*[(_step if kind == "CN" else _shared_step)(kind, value) for kind, value in parts])


def end_of_day(day: date) -> datetime:
    """23:59:59 in Korea on that day: the notAfter of every person's certificate."""
    return datetime.combine(day, time(23, 59, 59), KST).astimezone(UTC)


def public_key(key: RSAPrivateKey | RSAPublicKey) -> bytes:
    """DER of the SubjectPublicKeyInfo."""
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_identifier(spki: bytes) -> bytes:
    """20 bytes: SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1). Raises NotDer."""
    at, limit = scan.whole(spki, der.SEQUENCE)
    _, at = scan.inside(spki, at, limit, der.SEQUENCE)
    bits, end = scan.inside(spki, at, limit, der.BIT_STRING)
    if end != limit or spki[bits : bits + 1] != b"\0":
        raise der.NotDer(expected="a public key", found="something else")
    return hashlib.sha1(spki[bits + 1 : end], usedforsecurity=False).digest()


def private_key_info(key: RSAPrivateKey, random: bytes | None) -> bytes:
    """Plain PKCS#8 with R: `random` is 20 bytes or more, or None for a pair without one (npki.md section 1.1)."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if random is None:
        return plain
    attribute = der.seq(RANDOM_NUMBER, der.set_of([der.bits(random)]))
    return der.seq(der.whole(plain).content, der.tlv(0xA0, attribute))


def tbs_certificate(
    shape: Shape,
    *,
    serial: int,
    issuer: bytes,
    validity: Validity,
    subject: bytes,
    spki: bytes,
    authority_key: AuthorityKey | None,
    subject_key: bytes | None = None,
    algorithm: bytes = SHA256_WITH_RSA,
) -> bytes:
    """DER of a TBSCertificate, version 3, to be signed with `algorithm` (DER AlgorithmIdentifier, `npki.signature`).

    `issuer`, `subject`: DER names; `spki`: DER; `authority_key` None for a root; `subject_key` is computed where it is
    not given. Raises Defect `shape-serial`, `shape-instant`.
    """
    if serial <= 0 or serial.bit_length() > 159:
        raise Defect("shape-serial")
    return der.seq(
        der.explicit(0, der.integer(2)),
        der.integer(serial),
        algorithm,
        issuer,
        der.seq(instant(validity.not_before), instant(validity.not_after)),
        subject,
        spki,
        der.explicit(3, der.seq(*extensions(shape, authority_key, subject_key or key_identifier(spki)))),
    )


def assemble(tbs: bytes, signature: bytes, algorithm: bytes = SHA256_WITH_RSA) -> bytes:
    """The certificate of to-be-signed bytes and their signature (content of the BIT STRING)."""
    return der.seq(tbs, algorithm, der.bits(signature))


def sign(tbs: bytes, key: RSAPrivateKey) -> bytes:
    """The certificate, signed with RSASSA-PKCS1-v1_5 and SHA-256."""
    return assemble(tbs, key.sign(tbs, PKCS1v15(), SHA256()))


def extensions(shape: Shape, authority_key: AuthorityKey | None, subject_key: bytes) -> list[bytes]:
    """DER of each extension of a shape, in the order of the published certificates."""
    found: list[bytes] = []
    if authority_key is not None:
        found.append(_extension("2.5.29.35", authority_key_value(authority_key)))
    found.append(_extension("2.5.29.14", der.octets(subject_key)))
    if shape.usage is not None:
        found.append(_extension("2.5.29.15", der.tlv(der.BIT_STRING, shape.usage.value), critical=True))
    if shape.policy is not None:
        found.append(_extension("2.5.29.32", der.seq(_policy(shape.policy)), critical=True))
    if shape.real_name is not None or shape.hosts:
        found.append(alternative_name(shape.real_name, shape.vid, shape.hosts))
    if shape.basic is not None:
        found.append(_extension("2.5.29.19", _basic_constraints(*shape.basic), critical=True))
    if shape.explicit_policy:
        found.append(_extension("2.5.29.36", _EXPLICIT_POLICY, critical=True))
    return found + _purposes(shape) + _addresses(shape)


def _purposes(shape: Shape) -> list[bytes]:
    found: list[bytes] = []
    purposes = ((OCSP_SIGNING,) if shape.ocsp_signing else ()) + shape.purposes
    if purposes:
        found.append(_extension("2.5.29.37", der.seq(*map(der.oid, purposes)), critical=shape.ocsp_signing))
    if shape.no_check:
        found.append(_extension("1.3.6.1.5.5.7.48.1.5", der.null))
    return found


def _addresses(shape: Shape) -> list[bytes]:
    found: list[bytes] = []
    if shape.crl is not None or shape.crl_http is not None:
        found.append(_extension("2.5.29.31", der.seq(_distribution_point(shape.crl, shape.crl_http))))
    if shape.freshest is not None:
        found.append(_extension("2.5.29.46", der.seq(_distribution_point(shape.freshest))))
    access = ((_OCSP_METHOD, shape.ocsp), (_CA_ISSUERS, shape.ca_issuers))
    descriptions = [der.seq(method, _address(address)) for method, address in access if address is not None]
    if descriptions:
        found.append(_extension("1.3.6.1.5.5.7.1.1", der.seq(*descriptions)))
    return found


def alternative_name(real_name: str | None, identifier: Vid | None, hosts: tuple[str, ...] = ()) -> bytes:
    """DER of a subjectAltName extension: identifyData where there is a `real_name`, then dNSNames."""
    names = [] if real_name is None else [_identify_data(real_name, identifier)]
    names += [der.tlv(0x82, host.encode("ascii")) for host in hosts]
    return _extension("2.5.29.17", der.seq(*names))


def authority_key_value(key: AuthorityKey) -> bytes:
    """DER of an AuthorityKeyIdentifier in full form; a revocation list carries the same (npki.md section 7)."""
    serial = der.whole(der.integer(key.serial)).content
    return der.seq(der.tlv(0x80, key.key_id), der.tlv(0xA1, der.explicit(4, key.issuer)), der.tlv(0x82, serial))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.seq(der.oid(oid), _TRUE if critical else b"", der.octets(value))


def _step(kind: str, value: str) -> bytes:
    """A RelativeDistinguishedName of one attribute."""
    tag = der.PRINTABLE_STRING if kind == "C" else der.UTF8_STRING
    return der.tlv(der.SET, der.seq(der.oid(_TYPES[kind]), der.tlv(tag, value.encode("utf-8"))))


_shared_step = lru_cache(maxsize=1024)(_step)  # country, firm and branch; never a person's name


def _policy(policy: Policy) -> bytes:
    qualifiers = []
    if policy.cps is not None:
        qualifiers.append(der.seq(_CPS, der.tlv(der.IA5_STRING, policy.cps.encode("ascii"))))
    if policy.notice is not None:
        text = der.tlv(der.BMP_STRING, policy.notice.encode("utf-16-be"))
        qualifiers.insert(0 if policy.notice_first else 1, der.seq(_USER_NOTICE, der.seq(text)))
    return der.seq(der.oid(policy.oid), der.seq(*qualifiers) if qualifiers else b"")


def _identify_data(real_name: str, identifier: Vid | None) -> bytes:
    """otherName of type kisa-identifyData; an authority's has a realName alone (npki.md section 3)."""
    if identifier is None:
        value = der.seq(der.tlv(der.UTF8_STRING, real_name.encode("utf-8")))
    else:
        value = vid.encode_identify_data(real_name, identifier)
    return der.tlv(0xA0, der.oid(vid.IDENTIFY_DATA) + der.explicit(0, value))


def _basic_constraints(is_authority: bool, path_length: int | None) -> bytes:
    return der.seq(_TRUE if is_authority else b"", b"" if path_length is None else der.integer(path_length))


def _distribution_point(*addresses: str | None) -> bytes:
    """One point: several addresses are several ways to the same list (RFC 5280 section 4.2.1.13)."""
    names = b"".join(_address(one) for one in addresses if one is not None)
    return der.seq(der.explicit(0, der.explicit(0, names)))


def _address(address: str) -> bytes:
    return der.tlv(0x86, address.encode("ascii"))


def instant(at: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). Raises Defect `shape-instant`."""
    if at.tzinfo is None or at.microsecond:
        raise Defect("shape-instant")
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    if utc.year < 1950:
        raise Defect("shape-instant")
    rest = b"%02d%02d%02d%02d%02dZ" % (utc.month, utc.day, utc.hour, utc.minute, utc.second)
    if utc.year < 2050:
        return der.tlv(der.UTC_TIME, b"%02d" % (utc.year % 100) + rest)
    return der.tlv(der.GENERALIZED_TIME, b"%04d" % utc.year + rest)
