"""CRL v2 (RFC 5280 section 5) as an authority writes it: entries, and what stands in front of and behind them.

A list of ten million entries is never one object: `entry` makes the DER of one, kept ready in the books; `ends` makes
the two ends of the to-be-signed part around entries of a known size; `frame` makes what a signature puts around that.
The shape is the field's (npki.md section 7): authorityKeyIdentifier in full form, CRLNumber, and the partition's
address in a critical IssuingDistributionPoint. No clock, no file, no key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from ingam.kernel.errors import Defect
from ingam.npki import der, shapes
from ingam.npki.certificate import Certificate
from ingam.protocols.crl.reading import MOST_NUMBER

MOST_TBS: Final = (1 << 32) - 1
"""Bytes of the content that a length of four octets can tell, which is what our readers take."""

MOST_SERIAL_BITS: Final = 159

_TRUE: Final = b"\x01\x01\xff"
_VERSION_2: Final = der.integer(1)
_ENUMERATED: Final = 0x0A
_REASON: Final = der.oid("2.5.29.21")
_INVALIDITY: Final = der.oid("2.5.29.24")
_AKI: Final = der.oid("2.5.29.35")
_NUMBER: Final = der.oid("2.5.29.20")
_DELTA: Final = der.oid("2.5.29.27")
_IDP: Final = der.oid("2.5.29.28")
_FRESHEST: Final = der.oid("2.5.29.46")


class Reason(IntEnum):
    """CRLReason (RFC 5280 section 5.3.1); 7 is not used."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


@dataclass(frozen=True, slots=True)
class Outline:
    """All of a list but its entries and its signature.

    `algorithm`: DER AlgorithmIdentifier of the signature. `issuer`: DER Name. `authority_key`: DER value of the
    authorityKeyIdentifier. `number`: at most 20 octets. Instants: aware, whole seconds. `addresses`: what certificates
    name as this list's distribution point, for the critical IssuingDistributionPoint; () for a list of everything.
    `base`: the number of the complete list that a delta continues; None for a complete list. `freshest`: where the
    delta of this complete list is.
    """

    algorithm: bytes
    issuer: bytes
    authority_key: bytes
    number: int
    this_update: datetime
    next_update: datetime
    addresses: tuple[str, ...] = ()
    base: int | None = None
    freshest: tuple[str, ...] = ()


def entry(serial: int, at: datetime, reason: int = Reason.UNSPECIFIED, invalid_since: datetime | None = None) -> bytes:
    """DER of one revokedCertificates entry: serial, instant (whole seconds), reasonCode, invalidityDate.

    An unspecified reason is left out (RFC 5280 section 5.3.1). REMOVE_FROM_CRL says in a delta that a hold ended or a
    held certificate expired. Raises Defect `crl-serial`, `crl-instant`; ValueError for a number that is no CRLReason.
    """
    if serial <= 0 or serial.bit_length() > MOST_SERIAL_BITS:
        raise Defect("crl-serial")
    extensions = _REASONS[Reason(reason)]
    if invalid_since is not None:
        extensions += _extension(_INVALIDITY, der.tlv(der.GENERALIZED_TIME, _digits(invalid_since, "%Y")))
    return der.seq(der.integer(serial), _instant(at), der.seq(extensions) if extensions else b"")


def authority_key(issuer: Certificate) -> bytes:
    """DER of the authorityKeyIdentifier of a list that this authority signs: its key, its issuer's name, its serial."""
    key_id = issuer.ski or shapes.key_identifier(issuer.spki)
    return shapes.authority_key_value(shapes.AuthorityKey(key_id, issuer.issuer.raw, issuer.serial))


def ends(outline: Outline, size: int) -> tuple[bytes, bytes]:
    """What stands in front of and behind `size` bytes of entries in the DER of a TBSCertList; size 0: none is revoked.

    Raises Defect `crl-too-large`, `crl-number`, `crl-instant`, `crl-delta`.
    """
    _check(outline)
    fixed = (
        _VERSION_2
        + outline.algorithm
        + outline.issuer
        + _instant(outline.this_update)
        + _instant(outline.next_update)
        + (_head(der.SEQUENCE, size) if size else b"")
    )
    tail = der.explicit(0, der.seq(*_extensions(outline)))
    return _head(der.SEQUENCE, len(fixed) + size + len(tail)) + fixed, tail


def frame(tbs_size: int, algorithm: bytes, signature: bytes) -> tuple[bytes, bytes]:
    """What stands in front of and behind a TBSCertList of this many bytes in the DER of the CertificateList."""
    behind = algorithm + der.bits(signature)
    return _head(der.SEQUENCE, tbs_size + len(behind)), behind


def tbs(outline: Outline, entries: Iterable[bytes] = ()) -> bytes:
    """DER of a TBSCertList that fits in memory."""
    body = b"".join(entries)
    head, tail = ends(outline, len(body))
    return head + body + tail


def assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """DER of the CertificateList of to-be-signed bytes and their signature (content of the BIT STRING)."""
    before, behind = frame(len(tbs), algorithm, signature)
    return before + tbs + behind


def _check(outline: Outline) -> None:
    if not 0 <= outline.number < 1 << (8 * MOST_NUMBER - 1):
        raise Defect("crl-number")
    if outline.next_update <= outline.this_update:
        raise Defect("crl-instant")
    if outline.base is not None and (outline.freshest or not 0 <= outline.base < outline.number):
        # A delta names no delta (RFC 5280 section 5.2.6), and continues an older list (5.2.4).
        raise Defect("crl-delta")


def _extensions(outline: Outline) -> list[bytes]:
    found = [
        _extension(_AKI, outline.authority_key),
        _extension(_NUMBER, der.integer(outline.number)),
    ]
    if outline.base is not None:
        found.append(_extension(_DELTA, der.integer(outline.base), critical=True))
    if outline.addresses:
        found.append(_extension(_IDP, der.seq(_point(outline.addresses)), critical=True))
    if outline.freshest:
        found.append(_extension(_FRESHEST, der.seq(der.seq(_point(outline.freshest)))))
    return found


def _point(addresses: tuple[str, ...]) -> bytes:
    """distributionPoint with fullName: the same list at each address."""
    return der.explicit(0, der.explicit(0, b"".join(der.tlv(0x86, one.encode("ascii")) for one in addresses)))


def _extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    return der.seq(oid, _TRUE if critical else b"", der.octets(value))


def _head(tag: int, size: int) -> bytes:
    """Tag and shortest length of an element whose content is written elsewhere."""
    if size < 0x80:
        return bytes((tag, size))
    if size > MOST_TBS:
        raise Defect("crl-too-large")
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def _instant(at: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280 section 5.1.2.4)."""
    if 1950 <= at.astimezone(UTC).year < 2050:
        return der.tlv(der.UTC_TIME, _digits(at, "%y"))
    return der.tlv(der.GENERALIZED_TIME, _digits(at, "%Y"))


def _digits(at: datetime, year: str) -> bytes:
    if at.tzinfo is None or at.microsecond:
        raise Defect("crl-instant")
    return at.astimezone(UTC).strftime(f"{year}%m%d%H%M%SZ").encode("ascii")


_REASONS: Final = {
    reason: b"" if reason == Reason.UNSPECIFIED else _extension(_REASON, der.tlv(_ENUMERATED, bytes((reason,))))
    for reason in Reason
}
