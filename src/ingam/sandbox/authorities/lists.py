"""Revocation lists of the other authorities: one a partition of a CA, and the root's of CAs (npki.md section 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from ingam.kernel.errors import Refusal
from ingam.sandbox.authorities.books import Issued
from ingam.sandbox.authorities.houses import LICENSED, ROOT_4, ROOT_5, STRANGER, Licensed
from ingam.sandbox.authorities.issuing import Signer
from ingam.sandbox.world import World

PARTITION_DAYS: Final = 1
ROOT_DAYS: Final = 14
KEPT_S: Final = 60
FIRST_NUMBER: Final = 100
"""Numbers begin here, so that there are older ones to play with."""


class UnknownList(Refusal):
    """No authority publishes a list of this name."""

    code = "sandbox-unknown-list"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A list as published: it is signed again when something changed, when a switch moved, or after a minute."""

    why: tuple[object, ...]
    until: datetime
    content: bytes


class Lists:
    """Publishes lists on demand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, _Kept] = {}

    def partition(self, house: str, name: str, position: str, now: datetime) -> bytes:
        """DER of a CA's CRL for `dp4p1` and the like. Raises UnknownList."""
        found = re.fullmatch(r"(dp\d+p)([1-3])", name)
        one = next((ca for ca in LICENSED if found and ca.partition == found[1] and ca.house.key == house), None)
        if one is None or not one.configured:
            raise UnknownList
        return self._published(name, one.key, one, position, now)

    def root(self, name: str, position: str, now: datetime) -> bytes:
        """DER of a root's ARL, `root4` or `root5`. Raises UnknownList."""
        if name not in (ROOT_4.key, ROOT_5.key):
            raise UnknownList
        return self._published(name, name, None, position, now)

    def _published(self, part: str, signer: str, ca: Licensed | None, position: str, now: datetime) -> bytes:
        if position == "malformed":
            return b"<html>maintenance</html>"
        entries = self._world.books.listed(part)
        why = (position, *((one.serial, one.standing) for one in entries))
        kept = self._kept.get(part)
        if kept is None or kept.why != why or now >= kept.until:
            kept = _Kept(why, now + timedelta(seconds=KEPT_S), self._built(part, signer, ca, entries, position, now))
            self._kept[part] = kept
        return kept.content

    def _built(
        self, part: str, signer: str, ca: Licensed | None, entries: list[Issued], position: str, now: datetime
    ) -> bytes:
        issuer = self._world.signer(signer)
        number = 1 if position == "older-number" else FIRST_NUMBER + self._world.books.next_number(part)
        begins = now.replace(microsecond=0) - (timedelta(days=40) if position == "stale" else timedelta(0))
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_der_x509_certificate(issuer.der).subject)
            .last_update(begins)
            .next_update(begins + timedelta(days=PARTITION_DAYS if ca else ROOT_DAYS))
            .add_extension(_authority_key(issuer), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        if ca is not None:
            other = f"{ca.partition}{int(part[-1]) % 3 + 1}"
            builder = builder.add_extension(_point(ca, other if position == "other-partition" else part), critical=True)
        for one in entries:
            builder = builder.add_revoked_certificate(_entry(one, now))
        key = self._world.signer(STRANGER.key).key if position == "wrong-signature" else issuer.key
        return _sign(builder, key)


def _sign(builder: x509.CertificateRevocationListBuilder, key: RSAPrivateKey) -> bytes:
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def _authority_key(issuer: Signer) -> x509.AuthorityKeyIdentifier:
    """In full form, as the published lists have it."""
    found = x509.load_der_x509_certificate(issuer.der)
    name = x509.DirectoryName(found.issuer)
    return x509.AuthorityKeyIdentifier(issuer.authority_key.key_id, [name], found.serial_number)


def _point(ca: Licensed, part: str) -> x509.IssuingDistributionPoint:
    """The very address that certificates of the partition name."""
    address = x509.UniformResourceIdentifier(ca.list_address(part))
    return x509.IssuingDistributionPoint([address], None, False, False, None, False, False)


def _entry(one: Issued, now: datetime) -> x509.RevokedCertificate:
    reason = x509.ReasonFlags[one.reason] if one.reason else x509.ReasonFlags.unspecified
    entry = x509.RevokedCertificateBuilder().serial_number(one.serial)
    entry = entry.revocation_date((one.changed_at or now).replace(microsecond=0))
    return entry.add_extension(x509.CRLReason(reason), critical=False).build()
