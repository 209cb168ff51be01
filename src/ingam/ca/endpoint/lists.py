"""The published revocation lists, as general messages tell them: found by address or by issuer."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ingam.ca.office import Office
from ingam.npki import scan, subject
from ingam.npki.der import NotDer
from ingam.npki.subject import NameMalformed, same_name
from ingam.protocols.cmp.general import CrlStatus
from ingam.protocols.crl import CrlUnusable, glance

MOST_LIST: Final = 1024 * 1024
"""Bytes of a list that a message brings; a larger one is for HTTP and LDAP."""

_FILE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ENTRY: Final = re.compile(r"ldap://[^/]+/ou=([^,]+),.*")
_URI: Final = 0x86
_DIRECTORY_NAME: Final = 0xA4


class KnownList(NamedTuple):
    """DER of a CertificateList, and its thisUpdate."""

    der: bytes
    this_update: datetime


class PublishedLists(Protocol):
    """What is published now."""

    def whole(self, generation: int) -> KnownList | None:
        """The list of everything that a generation of the issuing CA issued."""

    def named(self, source: bytes) -> KnownList | None:
        """The list of a CRLSource (`[0]` distribution point, `[1]` issuer), from its DER. Raises NotDer."""


class FolderLists:
    """`PublishedLists` of the folder that HTTP serves."""

    def __init__(self, office: Office, folder: Path) -> None:
        self._office = office
        self._folder = folder

    def whole(self, generation: int) -> KnownList | None:
        return self._read(f"issuing-{generation}")

    def named(self, source: bytes) -> KnownList | None:
        at, limit = scan.inside(source, 0, len(source), source[0])
        if source[0] == 0xA1:
            return self._of_issuer(source, at, limit)
        at, limit = scan.inside(source, at, limit, 0xA0)  # fullName; a name relative to the issuer is not used here
        for tag, _, start, end in scan.parts(source, at, limit):
            found = self._at(source[start:end].decode("latin-1")) if tag == _URI else None
            if found is not None:
                return found
        return None

    def _of_issuer(self, source: bytes, at: int, limit: int) -> KnownList | None:
        for tag, _, start, end in scan.parts(source, at, limit):
            for issuer in self._office.issuers:
                if tag == _DIRECTORY_NAME and _is(source[start:end], issuer.certificate.subject):
                    return self.whole(issuer.generation.number)
        return None

    def _at(self, address: str) -> KnownList | None:
        """The list of a distribution point, if the address is to the letter one of this authority's."""
        authority = self._office.authority
        entry = _ENTRY.fullmatch(address)
        name = entry[1] if entry else address.rpartition("/")[2].removesuffix(".crl")
        if address not in (authority.list_http(name), authority.list_address(name)):
            return None
        return self._read(name)

    def _read(self, name: str) -> KnownList | None:
        if not _FILE.fullmatch(name):
            return None
        try:
            path = self._folder / f"{name}.crl"
            if path.stat().st_size > MOST_LIST:
                return None
            found = path.read_bytes()
            return KnownList(found, glance.of(found).this_update)
        except (OSError, CrlUnusable):
            return None


def is_newer(known: KnownList, one: CrlStatus) -> bool:
    """Whether a list is newer than the one that the asker has."""
    return one.this_update is None or one.this_update < known.this_update


def _is(name: bytes, known: subject.Name) -> bool:
    try:
        return same_name(subject.parse(name), known)
    except (NameMalformed, NotDer):
        return False
