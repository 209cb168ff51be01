"""Where an authority publishes: LDAP entries and the HTTP folder. Revocation lists and CA certificates only.

Nothing of a person is ever published, and nobody is found by name (security H4): the two types that a directory takes
are made from bytes that prove what they are, so a person's certificate cannot become one of them. A list is never
replaced by an older one, whoever else publishes at the same time (security D13).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from ingam.kernel.errors import Defect, Outage
from ingam.npki import certificate as certificates
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.subject import Name
from ingam.ports.books import OlderList as OlderList
from ingam.protocols.crl import CrlUnusable, glance

_FILE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TYPES: Final = frozenset(("c", "o", "ou", "cn"))
_SPECIAL: Final = re.compile(r'[,+"\\<>;=]')
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class DirectoryOutage(Outage):
    """A place did not take what was to be published; what stood there stands. Trying again later may do.

    Codes: directory-unreachable, directory-slow, directory-lost (the connection ended in the middle),
    directory-bind-refused, directory-refused (facts: what it said).
    """

    code = "directory-outage"


class NotPublic(Defect):
    """Something that is neither a revocation list nor a CA certificate was to be published (security H4)."""

    code = "directory-not-public"


class Attribute(StrEnum):
    """What stands at a place, by its attribute (RFC 4523); a place holds one of each."""

    LIST = "certificateRevocationList"
    AUTHORITY_LIST = "authorityRevocationList"
    DELTA = "deltaRevocationList"
    CERTIFICATE = "cACertificate"


_ENDINGS: Final = {
    Attribute.LIST: ".crl",
    Attribute.AUTHORITY_LIST: ".crl",
    Attribute.DELTA: "-delta.crl",
    Attribute.CERTIFICATE: ".der",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A distribution point or an authority. `file`: its name in a folder, without the ending (`dp1p1`, `issuing-1`).

    `dn`: its entry, root first: (("c", "KR"), ("o", …), ("ou", "AccreditedCA"), ("ou", "dp1p1")). Attribute types are
    those of an authority's name; nothing below names a person. Raises NotPublic for others.
    """

    file: str
    dn: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.file) or not self.dn:
            raise NotPublic(found="no place")
        for kind, value in self.dn:
            if kind not in _TYPES or not value.strip() or _CONTROL.search(value) or len(value) > 256:
                raise NotPublic(found="no place")

    @property
    def entry(self) -> str:
        """The entry's name leaf first, escaped (RFC 4514): `ou=dp1p1,ou=AccreditedCA,o=…,c=KR`."""
        return dn_text(self.dn)

    def file_name(self, attribute: Attribute) -> str:
        """The name of the file of an attribute: `dp1p1.crl`, `dp1p1-delta.crl`, `root-1.crl`, `issuing-1.der`."""
        return self.file + _ENDINGS[attribute]


def dn_text(dn: tuple[tuple[str, str], ...]) -> str:
    """A name, root first, as text: leaf first with the escapes of RFC 4514 section 2.4."""
    return ",".join(f"{kind}={_escaped(value)}" for kind, value in reversed(dn))


def dn_of(name: Name) -> tuple[tuple[str, str], ...]:
    """The entry of an authority's own name. Raises NotPublic where it has other attributes than an authority's."""
    found = tuple((rdn[0].short.lower(), rdn[0].value) for rdn in name.rdns)
    if any(len(rdn) != 1 for rdn in name.rdns) or any(kind not in _TYPES for kind, _ in found):
        raise NotPublic(found="no authority's name")
    return found


class AuthorityCertificate:
    """A CA's certificate: basicConstraints say so, its key signs certificates. Raises NotPublic for any other bytes."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        try:
            found = certificates.parse(octets)
            basic, usage = found.basic_constraints, found.key_usage
        except CertificateMalformed:
            raise NotPublic(found="no certificate") from None
        if basic is None or not basic.ca or (usage is not None and "keyCertSign" not in usage):
            raise NotPublic(found="no CA certificate")
        self._octets = found.der

    def public_octets(self) -> bytes:
        """Its DER."""
        return self._octets


class PublicList:
    """A revocation list in a file, whole, of a kind that stands under `attribute`. Raises NotPublic for other bytes.

    `number`: its CRLNumber; `size`: bytes. The file stays as it is while it is published.
    """

    __slots__ = ("attribute", "number", "path", "size")

    def __init__(self, path: Path, attribute: Attribute) -> None:
        try:
            found, self.size = glance_at(path)
        except CrlUnusable:
            raise NotPublic(found="no revocation list") from None
        if (
            found.number < 0
            or attribute is Attribute.CERTIFICATE
            or (found.base is None) == (attribute is Attribute.DELTA)
        ):
            raise NotPublic(found="a list of another kind")
        self.path, self.attribute, self.number = path, attribute, found.number

    def public_octets(self) -> bytes:
        """Its DER; for places that take a value whole."""
        return self.path.read_bytes()


def glance_at(path: Path) -> tuple[glance.Glance, int]:
    """What the list in a file says of itself, and the file's size. Raises CrlUnusable, FileNotFoundError."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        return glance.at_distance(lambda at, count: os.pread(file.fileno(), count, at), size), size


def public(given: object, kind: type[AuthorityCertificate] | type[PublicList]) -> None:
    """Every adapter asks this first: whatever the types of a caller say, nothing else goes out. Raises NotPublic."""
    if type(given) is not kind:
        raise NotPublic(found="something else")


class Directory(Protocol):
    """A place of publication. Blocks (call it in a thread); each act succeeds as a whole or not at all."""

    @property
    def name(self) -> str:
        """What state, metrics and messages call it: `folder`, or the host of a directory."""

    def publish_list(self, place: Place, given: PublicList) -> None:
        """Put a list in place of an older one; the same list again is fine.

        Raises OlderList (one of this number or a newer one stands there), DirectoryOutage.
        """

    def publish_certificate(self, place: Place, given: AuthorityCertificate) -> None:
        """Put a CA's certificate beside what stands there; the same one again is fine. Raises DirectoryOutage."""

    def number(self, place: Place, attribute: Attribute) -> int | None:
        """The CRLNumber of what stands there; None: nothing, or nothing that is a list. Raises DirectoryOutage."""

    def close(self) -> None:
        """Let go of what is open."""


def _escaped(value: str) -> str:
    escaped = _SPECIAL.sub(lambda found: "\\" + found[0], value)
    if value.startswith((" ", "#")):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if value.endswith(" ") else escaped
