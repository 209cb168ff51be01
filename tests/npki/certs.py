"""Certificates for tests: a small world of root, CA and person, and ways to make each of them wrong.

Its own builder, apart from `npki.shapes`: what the product would never write has to be writable here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from ingam.npki import certificate, der
from ingam.npki.certificate import Certificate

VECTORS = Path(__file__).parents[2] / "vectors"
SAMPLES = VECTORS / "npki-samples"

SHA256_RSA = der.algorithm("1.2.840.113549.1.1.11")
SHA1_RSA = der.algorithm("1.2.840.113549.1.1.5")
TRUE = b"\x01\x01\xff"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

TYPES = {"C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3"}
SIGN, CRYPT, AUTHORITY = bytes.fromhex("030206c0"), bytes.fromhex("03020520"), bytes.fromhex("03020106")
VID = bytes.fromhex("f0" * 32)


@dataclass(frozen=True, slots=True)
class Party:
    """A certificate and its key."""

    certificate: Certificate
    key: RSAPrivateKey


@cache
def key(name: str) -> RSAPrivateKey:
    """A key of vectors/keys, such as `rsa2048-00`."""
    raw = (VECTORS / "keys" / f"{name}.p8").read_bytes()
    loaded = load_der_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded


def spki(private: RSAPrivateKey) -> bytes:
    """DER of the public half."""
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(private: RSAPrivateKey) -> bytes:
    """20 octets that stand for a key."""
    return hashlib.sha256(spki(private)).digest()[:20]


def name(*parts: tuple[str, str], tag: int = der.UTF8_STRING) -> bytes:
    """DER of a Name, root first; C is PrintableString."""
    return der.seq(*(der.set_of([_attribute(kind, value, tag)]) for kind, value in parts))


def _attribute(kind: str, value: str, tag: int) -> bytes:
    if kind == "C":
        tag = der.PRINTABLE_STRING
    codec = "utf-16-be" if tag == der.BMP_STRING else "utf-8"
    return der.seq(der.oid(TYPES[kind]), der.tlv(tag, value.encode(codec)))


ROOT_NAME = name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "KISA Test RootCA 4")
)
CA_NAME = name(("C", "KR"), ("O", "SignKorea"), ("OU", "AccreditedCA"), ("CN", "SignKorea Test CA4"))
PERSON_NAME = name(
    ("C", "KR"), ("O", "SignKorea"), ("OU", "증권"), ("OU", "동양"), ("OU", "HTS"), ("CN", "홍길동-6422061")
)  # fmt: skip


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension."""
    return der.seq(der.oid(oid), TRUE if critical else b"", der.octets(value))


def aki(key_identifier: bytes, issuer: bytes | None = None, serial: int | None = None) -> bytes:
    """authorityKeyIdentifier, in full form where issuer and serial are given."""
    parts = [der.tlv(0x80, key_identifier)]
    if issuer is not None and serial is not None:
        parts += [der.tlv(0xA1, der.explicit(4, issuer)), der.tlv(0x82, der.integer(serial)[2:])]
    return extension("2.5.29.35", der.seq(*parts))


def ski(private: RSAPrivateKey) -> bytes:
    return extension("2.5.29.14", der.octets(key_id(private)))


def usage(bits: bytes) -> bytes:
    return extension("2.5.29.15", bits, critical=True)


def policy(*oids: str) -> bytes:
    return extension("2.5.29.32", der.seq(*(der.seq(der.oid(one)) for one in oids)), critical=True)


def basic(*, ca: bool, path_len: int | None = None) -> bytes:
    body = (TRUE if ca else b"") + (b"" if path_len is None else der.integer(path_len))
    return extension("2.5.29.19", der.seq(body), critical=True)


def eku(oid: str) -> bytes:
    return extension("2.5.29.37", der.seq(der.oid(oid)), critical=True)


def other_name(value: bytes, oid: str = certificate.OID_IDENTIFY_DATA) -> bytes:
    return der.tlv(0xA0, der.oid(oid) + der.explicit(0, value))


def identify_data(real_name: str = "홍길동") -> bytes:
    vid = der.seq(der.algorithm("2.16.840.1.101.3.4.2.1", b""), der.explicit(0, der.octets(VID)))
    user_info = der.seq(der.seq(der.oid("1.2.410.200004.10.1.1.1"), vid))
    return der.seq(der.tlv(der.UTF8_STRING, real_name.encode()), user_info)


def san(*names: bytes) -> bytes:
    return extension("2.5.29.17", der.seq(*names))


def utc_time(at: datetime) -> bytes:
    return der.tlv(der.UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode())


def build(
    *,
    subject: bytes,
    public: bytes,
    issuer: bytes,
    signer: RSAPrivateKey,
    extensions: Sequence[bytes],
    serial: int = 0x085221,
    not_before: datetime = datetime(2026, 3, 29, 5, tzinfo=UTC),
    not_after: datetime = datetime(2027, 4, 17, 14, 59, 59, tzinfo=UTC),
    algorithm: bytes = SHA256_RSA,
    digest: HashAlgorithm | None = None,
) -> bytes:
    """DER of a certificate over whatever is asked for."""
    tbs = der.seq(
        der.explicit(0, der.integer(2)),
        der.integer(serial),
        algorithm,
        issuer,
        der.seq(utc_time(not_before), utc_time(not_after)),
        subject,
        public,
        der.explicit(3, der.seq(*extensions)) if extensions else b"",
    )
    return der.seq(tbs, algorithm, der.bits(signer.sign(tbs, PKCS1v15(), digest or SHA256())))


@cache
def root() -> Party:
    """A root in the shape of KISA RootCA 4: basicConstraints and key id, nothing more."""
    private = key("rsa2048-00")
    made = build(
        subject=ROOT_NAME, public=spki(private), issuer=ROOT_NAME, signer=private, serial=1,
        extensions=[ski(private), basic(ca=True)],
        not_before=datetime(2010, 7, 12, tzinfo=UTC), not_after=datetime(2040, 7, 12, tzinfo=UTC),
    )  # fmt: skip
    return Party(certificate.parse(made), private)


def ca_extensions(private: RSAPrivateKey) -> list[bytes]:
    """What a CA of the profile carries."""
    return [
        aki(key_id(root().key), ROOT_NAME, 1), ski(private), usage(AUTHORITY), policy("2.5.29.32.0"),
        basic(ca=True, path_len=0), extension("2.5.29.36", der.seq(bytes.fromhex("800100")), critical=True),
    ]  # fmt: skip


@cache
def ca(key_name: str = "rsa2048-01", serial: int = 4139, subject: bytes = CA_NAME) -> Party:
    """A CA in the shape of SignKorea CA4 under `root`."""
    private = key(key_name)
    made = build(
        subject=subject, public=spki(private), issuer=ROOT_NAME, signer=root().key, serial=serial,
        extensions=ca_extensions(private),
        not_before=datetime(2020, 6, 2, tzinfo=UTC), not_after=datetime(2036, 6, 2, tzinfo=UTC),
    )  # fmt: skip
    return Party(certificate.parse(made), private)


def person_extensions(issuer: Party, private: RSAPrivateKey) -> dict[str, bytes]:
    """What a person's signing certificate carries, by short name, so that a test can take one away or change it."""
    return {
        "aki": aki(issuer.certificate.ski or b"", issuer.certificate.issuer.raw, issuer.certificate.serial),
        "ski": ski(private),
        "usage": usage(SIGN),
        "policy": policy("1.2.410.200004.5.1.1.9"),
        "san": san(other_name(identify_data())),
        "crldp": extension(
            "2.5.29.31",
            der.seq(der.seq(der.explicit(0, der.explicit(0, der.tlv(0x86, b"ldap://dir.signkorea.test/ou=dp4p1"))))),
        ),
        "aia": extension(
            "1.3.6.1.5.5.7.1.1",
            der.seq(der.seq(der.oid("1.3.6.1.5.5.7.48.1"), der.tlv(0x86, b"http://ocsp.signkorea.test"))),
        ),
    }


def person_der(
    issuer: Party | None = None,
    *,
    key_name: str = "rsa2048-02",
    subject: bytes = PERSON_NAME,
    public: bytes | None = None,
    issuer_name: bytes | None = None,
    signer: RSAPrivateKey | None = None,
    without: Sequence[str] = (),
    extra: Sequence[bytes] = (),
    serial: int = 0x085221,
    not_before: datetime = datetime(2026, 3, 29, 5, tzinfo=UTC),
    not_after: datetime = datetime(2027, 4, 17, 14, 59, 59, tzinfo=UTC),
    algorithm: bytes = SHA256_RSA,
    digest: HashAlgorithm | None = None,
    put: Mapping[str, bytes] | None = None,
) -> bytes:
    """A person's certificate; `put` replaces or adds extensions, named as in `person_extensions`."""
    issuer = issuer or ca()
    private = key(key_name)
    extensions = person_extensions(issuer, private) | dict(put or {})
    return build(
        subject=subject, public=public or spki(private), issuer=issuer_name or issuer.certificate.subject.raw,
        signer=signer or issuer.key, serial=serial, not_before=not_before, not_after=not_after,
        algorithm=algorithm, digest=digest,
        extensions=[*(one for kind, one in extensions.items() if kind not in without), *extra],
    )  # fmt: skip


@cache
def person() -> Party:
    """홍길동 with a 증권용 certificate of `ca`."""
    return Party(certificate.parse(person_der()), key("rsa2048-02"))


@cache
def somebody_else() -> Party:
    """Another person under the same CA."""
    made = person_der(
        key_name="rsa2048-03", serial=0x085223, subject=name(("C", "KR"), ("O", "SignKorea"), ("CN", "김철수"))
    )
    return Party(certificate.parse(made), key("rsa2048-03"))
