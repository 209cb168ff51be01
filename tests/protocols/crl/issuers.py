"""Authorities that sign lists, one of each kind of key, all below the root of `tests.npki.certs`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from tests.npki import certs

from ingam.adapters.hsm.signing_file import FileSigner
from ingam.npki import certificate, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import AuthorityKey, Shape, Usage, Validity
from ingam.npki.signature import KeyKind
from ingam.ports.signing import Intent
from ingam.protocols.crl import writing
from ingam.protocols.crl.writing import Outline

NOW = certs.NOW
DAY = timedelta(days=1)
PARTITION = "dp4p9649"
ADDRESS = f"ldap://dir.signkorea.test:389/ou={PARTITION},ou=AccreditedCA,o=SignKorea,c=KR"
HTTP = f"http://dir.signkorea.test/{PARTITION}.crl"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA's certificate and its signer."""

    certificate: Certificate
    signer: FileSigner


def new_key(kind: KeyKind) -> Any:
    """A key of the kind; RSA ones are those of the vectors."""
    if kind is KeyKind.RSA_2048:
        return certs.key("rsa2048-01")
    if kind is KeyKind.RSA_3072:
        return certs.key("rsa3072-00")
    if kind is KeyKind.ML_DSA_65:
        return MLDSA65PrivateKey.generate()
    return generate_private_key(SECP256R1() if kind is KeyKind.P_256 else SECP384R1())


@cache
def issuer(kind: KeyKind = KeyKind.RSA_2048) -> Issuer:
    """A CA with such a key."""
    signer = FileSigner("issuing-1", new_key(kind))
    return Issuer(certificate.parse(below_root(certs.CA_NAME, signer.public.spki, authority(), 4139)), signer)


def authority() -> Shape:
    return Shape(Usage.AUTHORITY, basic=(True, 0))


def below_root(subject: bytes, spki: bytes, shape: Shape, serial: int) -> bytes:
    """A certificate that the root signed."""
    root = certs.root()
    tbs = shapes.tbs_certificate(
        shape, serial=serial, issuer=certs.ROOT_NAME, validity=decade(), subject=subject, spki=spki,
        authority_key=AuthorityKey(certs.key_id(root.key), certs.ROOT_NAME, 1),
    )  # fmt: skip
    return shapes.sign(tbs, root.key)


def decade() -> Validity:
    return Validity(datetime(2020, 6, 2, tzinfo=UTC), datetime(2036, 6, 2, tzinfo=UTC))


def outline(by: Issuer, **changes: Any) -> Outline:
    """A list of now, of one partition."""
    facts: dict[str, Any] = {
        "algorithm": by.signer.public.algorithm,
        "issuer": by.certificate.subject.raw,
        "authority_key": writing.authority_key(by.certificate),
        "number": 7,
        "this_update": NOW - timedelta(hours=1),
        "next_update": NOW + timedelta(hours=23),
        "addresses": (ADDRESS, HTTP),
    }
    return Outline(**{**facts, **changes})


def signed(by: Issuer, about: Outline, *entries: bytes) -> bytes:
    """The whole list."""
    tbs = writing.tbs(about, entries)
    return writing.assemble(tbs, about.algorithm, by.signer.sign(Intent.of(tbs)))
