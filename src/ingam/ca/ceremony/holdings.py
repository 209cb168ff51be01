"""The certificates of an authority as they lie in its folder, and whose is whose.

`certificates/<use>-<n>.der`; `root-2-by-1.der` is a root's key certified by another root; `log-1.spki` is the key of
the transparency log. Numbers count for each use; which issuing CA a service belongs to, its certificate says: its
issuer, or where the root issued it, its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki import certificate as certificates
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.npki.signature import (
    PublicKeyRefused,
    SignatureAlgorithmRefused,
    SignatureInvalid,
    known_key,
    verify,
)

CERTIFICATES: Final = "certificates"
SERVICES: Final = ("ocsp", "encryption", "cmp")
_FILE: Final = re.compile(r"(root|issuing|ocsp|encryption|cmp)-([1-9][0-9]{0,3})(?:-by-([1-9][0-9]{0,3}))?\.der")
_LOG: Final = re.compile(r"log-([1-9][0-9]{0,3})\.spki")


class HoldingsMissing(Refusal):
    """The folder has no such certificate (facts: name)."""

    code = "ceremony-certificate-missing"


class Service(NamedTuple):
    """A certificate of `ocsp`, `encryption` or `cmp`, and the name of its key."""

    name: str
    certificate: Certificate


@dataclass(frozen=True)
class Holdings:
    """`cross`: by (of, by): the key of root `of` certified by root `by`. `log`: DER SubjectPublicKeyInfo, or None."""

    roots: Mapping[int, Certificate]
    issuing: Mapping[int, Certificate]
    services: tuple[Service, ...]
    cross: Mapping[tuple[int, int], Certificate]
    log: bytes | None

    def root_of(self, issuing: int) -> int:
        """The number of the root that issued an issuing CA. Raises HoldingsMissing."""
        certificate = self._issuing(issuing)
        for number, root in self.roots.items():
            if is_issuer(root, certificate):
                return number
        raise HoldingsMissing(name=f"root of issuing-{issuing}")

    def service(self, use: str, issuing: int, at: datetime) -> Service:
        """The newest one of an issuing CA that is valid at the instant. Raises HoldingsMissing."""
        found = [one for one in self.services_of(use, issuing) if _valid(one.certificate, at)]
        if not found:
            raise HoldingsMissing(name=f"{use} of issuing-{issuing}")
        return found[-1]

    def services_of(self, use: str, issuing: int) -> list[Service]:
        """All of them, oldest number first, valid or not."""
        certificate = self._issuing(issuing)
        return [one for one in self.services if _use(one.name) == use and self._belongs(one.certificate, certificate)]

    def next_number(self, use: str) -> int:
        """The first number of a use that no certificate has."""
        taken = [*self.roots] if use == "root" else [*self.issuing] if use == "issuing" else []
        taken += [_number(one.name) for one in self.services if _use(one.name) == use]
        return max(taken, default=0) + 1

    def _issuing(self, number: int) -> Certificate:
        found = self.issuing.get(number)
        if found is None:
            raise HoldingsMissing(name=f"issuing-{number}")
        return found

    def _belongs(self, service: Certificate, issuing: Certificate) -> bool:
        if is_issuer(issuing, service):
            return True
        # One that the root issued is for the CA whose name and a word more it carries.
        ours, its = issuing.subject.value("CN"), service.subject.value("CN")
        by_root = any(is_issuer(root, service) and is_issuer(root, issuing) for root in self.roots.values())
        return by_root and ours is not None and its is not None and its.rpartition(" ")[0] == ours


def is_issuer(issuer: Certificate, of: Certificate) -> bool:
    """Whether the key and name of `issuer` signed `of`."""
    if of.issuer.raw != issuer.subject.raw:
        return False
    try:
        verify(known_key(issuer.spki), of.signature_algorithm, of.signature, of.tbs)
    except (PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid):
        return False
    return True


def read_certificates(folder: Path) -> Holdings:
    """What lies in an authority's folder. Raises HoldingsMissing where it holds no such folder or a damaged file."""
    place = folder / CERTIFICATES
    if not place.is_dir():
        raise HoldingsMissing(name=CERTIFICATES)
    found: dict[tuple[str, int, int], Certificate] = {}
    logs: dict[int, bytes] = {}
    for path in sorted(place.iterdir()):
        if match := _FILE.fullmatch(path.name):
            found[match[1], int(match[2]), int(match[3] or 0)] = _parsed(path)
        elif match := _LOG.fullmatch(path.name):
            logs[int(match[1])] = path.read_bytes()
    return _sorted(found, logs)


def _sorted(found: Mapping[tuple[str, int, int], Certificate], logs: Mapping[int, bytes]) -> Holdings:
    def of(use: str) -> dict[int, Certificate]:
        return {number: one for (name, number, by), one in sorted(found.items(), key=_place) if name == use and not by}

    return Holdings(
        of("root"),
        of("issuing"),
        tuple(Service(f"{use}-{number}", one) for use in SERVICES for number, one in of(use).items()),
        {(number, by): one for (_, number, by), one in found.items() if by},
        logs[max(logs)] if logs else None,
    )


def _place(item: tuple[tuple[str, int, int], Certificate]) -> tuple[str, int, int]:
    return item[0]


def _parsed(path: Path) -> Certificate:
    try:
        return certificates.parse(path.read_bytes())
    except CertificateMalformed:
        raise HoldingsMissing(name=path.stem) from None


def _use(name: str) -> str:
    return name.rpartition("-")[0]


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _valid(certificate: Certificate, at: datetime) -> bool:
    return certificate.not_before <= at <= certificate.not_after
