"""CRL v2 (RFC 5280 §5) as a relying party reads it: entries, number, partition, and the numbered checks.

User CRLs of the field are partitioned (npki.md §7): a certificate names its partition `ou=dpNpM`, and the CRL's
IssuingDistributionPoint must be that one (security A12). No clock, no socket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.errors import Outage
from ingam.npki import der, signature
from ingam.npki.certificate import Certificate, CertificateMalformed, instant
from ingam.npki.der import Element, NotDer
from ingam.npki.signature import PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid
from ingam.npki.subject import NameMalformed, parse_issuer, same_name
from ingam.protocols.ocsp import CLOCK_SKEW, REASONS

MAX_CRL: Final = 16 * 1024 * 1024
MOST_NUMBER: Final = 20

_NUMBER: Final = "2.5.29.20"
_REASON: Final = "2.5.29.21"
_DELTA: Final = "2.5.29.27"  # changes alone are no list, whether or not their maker marked them critical
_IDP: Final = "2.5.29.28"
_AKI: Final = "2.5.29.35"
_PARTITION: Final = re.compile(r"ou=(dp\d{1,6}p\d{1,9})(?:,|$)", re.IGNORECASE)


class CrlUnusable(Outage):
    """A list came, and it confirms nothing; the code says why.

    Codes: status-crl-malformed, status-crl-untrusted, status-crl-partition, status-crl-stale, status-crl-future,
    status-crl-older.
    """

    code = "status-crl-malformed"


@dataclass(frozen=True, slots=True)
class Entry:
    """When a certificate was revoked, and the CRLReason."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list that passed the checks; `number` may pass 64 bits."""

    number: int
    this_update: datetime
    next_update: datetime
    entries: dict[int, Entry]


@dataclass(frozen=True, slots=True)
class UnverifiedList:
    """A list, parsed and not yet believed; its entries are read only behind the signature.

    Anybody on the way can send a directory's answer: half a million entries, or serials that collide in a hash table,
    would cost seconds before a signature says that they are nobody's. `revoked` is the raw SEQUENCE, or None.
    """

    tbs: bytes
    algorithm: bytes
    signature: bytes
    issuer: bytes
    number: int
    this_update: datetime
    next_update: datetime
    revoked: Element | None
    partition: str | None
    critical_unknown: bool
    only_users: bool


def partition_of(person: Certificate) -> str | None:
    """The partition that a certificate names, e.g. `dp4p9649`; the address around it is never used (A13)."""
    for address in person.crl_distribution_points:
        if match := _PARTITION.search(address):
            return match[1].lower()
    return None


def parse(data: bytes) -> UnverifiedList:
    """The parts of a CertificateList. Raises CrlUnusable."""
    if len(data) > MAX_CRL:
        raise CrlUnusable(found="too large")
    try:
        return _list(*der.whole(data).exactly(3))
    except (NotDer, CertificateMalformed, IndexError, ValueError):
        raise CrlUnusable from None


def verify(
    given: UnverifiedList,
    *,
    issuer: Certificate,
    partition: str | None,
    lowest_number: int,
    at: datetime,
    max_age: timedelta | None,
) -> RevocationList:
    """The list, if it passes every check; raises CrlUnusable with the code of the first it fails.

    `partition` None: a whole list (a root's ARL). `lowest_number`: the highest CRLNumber seen so far, or -1.
    """
    # 1. The issuing CA signed these bytes, SHA-256 or better.
    _check_signature(given, issuer)
    # 2. No critical extension that we do not act on.
    if given.critical_unknown:
        raise CrlUnusable("status-crl-untrusted")
    # 3. It is the partition that the certificate names.
    if given.partition != partition or (partition is None and given.only_users):
        # A root's list of users alone says nothing of the CAs that are asked for (A10).
        raise CrlUnusable("status-crl-partition")
    # 4. It is of now.
    if given.this_update > at + CLOCK_SKEW:
        raise CrlUnusable("status-crl-future")
    too_old = max_age is not None and at - given.this_update > max_age
    if at > given.next_update or too_old:
        raise CrlUnusable("status-crl-stale")
    # 5. No newer one was seen before.
    if given.number < lowest_number:
        raise CrlUnusable("status-crl-older")
    return RevocationList(given.number, given.this_update, given.next_update, _read_entries(given.revoked))


def _list(tbs: Element, algorithm: Element, signed: Element) -> UnverifiedList:
    parts = tbs.sequence()
    if parts[0].tag != der.INTEGER or parts[0].integer() != 1 or parts[1].raw != algorithm.raw:
        raise CrlUnusable(expected="version 2")
    issuer, this_update, next_update = parts[2], _instant(parts[3]), _instant(parts[4])
    rest = parts[5:]
    revoked = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
    number, partition, unknown, only_users = _extensions(rest)
    return UnverifiedList(
        tbs=tbs.raw,
        algorithm=algorithm.raw,
        signature=signed.bits(),
        issuer=issuer.raw,
        number=number,
        this_update=this_update,
        next_update=next_update,
        revoked=revoked,
        partition=partition,
        critical_unknown=unknown,
        only_users=only_users,
    )


def _read_entries(revoked: Element | None) -> dict[int, Entry]:
    try:
        return {} if revoked is None else dict(_entries(revoked))
    except (NotDer, CertificateMalformed, IndexError, ValueError):
        raise CrlUnusable from None


def _entries(revoked: Element) -> Iterator[tuple[int, Entry]]:
    for one in revoked.children():
        serial, when, *extensions = one.sequence()
        yield serial.integer(), Entry(_instant(when), _reason(extensions))


def _reason(extensions: list[Element]) -> str:
    for extension in extensions[0].children() if extensions else ():
        kind, *_, value = extension.sequence()
        if kind.oid() == _REASON:
            code = int.from_bytes(der.whole(value.expect(der.OCTET_STRING).content).expect(0x0A).content, "big")
            return REASONS.get(code, "unspecified")
    return "unspecified"


def _extensions(rest: list[Element]) -> tuple[int, str | None, bool, bool]:
    """CRLNumber (-1 where absent), partition, whether something critical is unknown, onlyContainsUserCerts."""
    number, partition, unknown, only_users = -1, None, False, False
    for extension in rest[0].explicit(0).sequence() if rest else ():
        kind, *critical, value = extension.sequence()
        name, inner = kind.oid(), value.expect(der.OCTET_STRING).content
        if name == _NUMBER:
            number = _number(der.whole(inner))
        elif name == _IDP:
            partition, strange, only_users = _distribution_point(inner)
            unknown = unknown or strange
        elif name == _DELTA or (name != _AKI and critical and critical[0].content == b"\xff"):
            unknown = True
    return number, partition, unknown, only_users


def _number(element: Element) -> int:
    """CRLNumber has at most 20 octets (RFC 5280 §5.2.3)."""
    if element.end - element.body > MOST_NUMBER:
        raise NotDer(expected="a CRLNumber of 20 octets", found=element.end - element.body)
    return element.integer()


def _distribution_point(value: bytes) -> tuple[str | None, bool, bool]:
    """Partition (in a fullName URI or directory name), whether a flag narrows the list strangely, only users'."""
    partition, strange, only_users = "", False, False
    for part in der.whole(value).children():
        if part.tag == 0xA0:
            text = part.content.decode("latin-1").lower()
            match = _PARTITION.search(text) or re.search(r"(dp\d{1,6}p\d{1,9})", text)
            partition = match[1] if match else ""
        elif part.tag == 0x81:  # onlyContainsUserCerts
            only_users = part.content != b"\x00"
        elif part.tag != 0x82:  # onlyContainsCACerts
            strange = True
    return partition or None, strange, only_users


def _check_signature(given: UnverifiedList, issuer: Certificate) -> None:
    usage = issuer.key_usage
    if usage is not None and "cRLSign" not in usage:
        raise CrlUnusable("status-crl-untrusted")
    try:
        named = same_name(parse_issuer(given.issuer), issuer.subject)
        signature.verify(signature.known_key(issuer.spki), given.algorithm, given.signature, given.tbs)
    except (NameMalformed, PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid):
        raise CrlUnusable("status-crl-untrusted") from None
    if not named:
        raise CrlUnusable("status-crl-untrusted")


def _instant(element: Element) -> datetime:
    return instant(element.data, element.start, element.end)[0]
