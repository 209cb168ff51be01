"""Certificates of the other authorities, signed: roots, CAs, responders, and people's under a CA."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.kernel.errors import Defect
from ingam.npki import certificate, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import AuthorityKey, Shape, Validity
from ingam.sandbox.authorities.houses import ROOT_5, Licensed, Root

_YEAR: Final = timedelta(days=365, hours=6)


@dataclass(frozen=True)
class Signer:
    """A certificate and its key."""

    der: bytes
    key: RSAPrivateKey

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate, parsed."""
        return certificate.parse(self.der)

    @cached_property
    def authority_key(self) -> AuthorityKey:
        """The full identifier that certificates and lists under it carry."""
        found = self.certificate
        return AuthorityKey(shapes.key_identifier(found.spki), found.issuer.raw, found.serial)

    def issue(self, shape: Shape, subject: bytes, serial: int, validity: Validity, key: RSAPrivateKey) -> bytes:
        """DER of a certificate under this one."""
        tbs = shapes.tbs_certificate(
            shape,
            serial=serial,
            issuer=self.certificate.subject.raw,
            validity=validity,
            subject=subject,
            spki=shapes.public_key(key),
            authority_key=self.authority_key,
        )
        return shapes.sign(tbs, self.key)


def make_root(root: Root, key: RSAPrivateKey, now: datetime) -> Signer:
    """A self-signed root with serial 1."""
    before, after = root.years
    tbs = shapes.tbs_certificate(
        shapes.root(),
        serial=1,
        issuer=root.name,
        validity=_around(now, before, after),
        subject=root.name,
        spki=shapes.public_key(key),
        authority_key=None,
    )
    return Signer(shapes.sign(tbs, key), key)


def make_authority(one: Licensed, root: Signer, key: RSAPrivateKey, now: datetime) -> Signer:
    """A licensed CA of ten years."""
    shape = shapes.authority(one.house.operator, one.root_list, notice=one.root.notice, path_length=one.path_length)
    return Signer(root.issue(shape, one.name, one.serial, _ten_years(one, now), key), key)


def make_responder(one: Licensed, root: Signer, key: RSAPrivateKey, now: datetime) -> Signer:
    """The CA's OCSP responder, issued by the ROOT for ten years (npki.md section 7)."""
    shape = shapes.responder(one.house.operator, one.root_list, notice=one.root.notice)
    return Signer(root.issue(shape, one.responder_name, one.serial + 16, _ten_years(one, now), key), key)


def _ten_years(one: Licensed, now: datetime) -> Validity:
    return _around(now, 0.6, 9.4) if one.root is ROOT_5 else _around(now, 6, 3.9)


def _around(now: datetime, before: float, after: float) -> Validity:
    if now.tzinfo is None:
        raise Defect("sandbox-instant")
    at = now.astimezone(UTC).replace(microsecond=0, second=0)
    return Validity(_minute(at - _YEAR * before), _minute(at + _YEAR * after))


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
