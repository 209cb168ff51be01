"""What a list of any size says of itself, told from its first and last kilobytes: its entries are never read.

For whoever keeps lists rather than believes them: which number stands at a place, where the to-be-signed bytes lie.
No signature is checked here. The bytes come through a function, so that a file and a directory's value are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from ingam.npki import der, scan
from ingam.npki.certificate import CertificateMalformed, instant
from ingam.npki.der import NotDer
from ingam.protocols.crl.reading import MOST_NUMBER, CrlUnusable

MOST_HEAD: Final = 8192
"""Bytes in front of the entries: a name has at most 4,096."""

MOST_TAIL: Final = 65_536
"""Bytes behind the entries: extensions, algorithm, signature."""

_NUMBER: Final = "2.5.29.20"
_DELTA: Final = "2.5.29.27"

Read = Callable[[int, int], bytes]
"""(offset, count) → at most `count` bytes of the list from there."""


class Glance(NamedTuple):
    """`number` -1: the list has none. `base`: of a delta, or None. `issuer`: DER Name.

    `tbs`, `entries`: (start, end) of the to-be-signed part and of the entries' bytes within the list.
    """

    number: int
    base: int | None
    this_update: datetime
    next_update: datetime
    issuer: bytes
    tbs: tuple[int, int]
    entries: tuple[int, int]


def of(data: bytes) -> Glance:
    """Of a list in memory. Raises CrlUnusable."""
    return at_distance(lambda at, count: data[at : at + count], len(data))


def at_distance(read: Read, size: int) -> Glance:
    """Of `size` bytes elsewhere, which must be one CertificateList to the last. Raises CrlUnusable."""
    try:
        return _glance(read, size)
    except (NotDer, CertificateMalformed, IndexError, ValueError):
        raise CrlUnusable from None


def _glance(read: Read, size: int) -> Glance:
    data = read(0, MOST_HEAD)
    body, end = _sequence(data, 0, size)
    if end != size:
        raise NotDer(expected="nothing behind", found=size - end)
    at, tbs_end = _sequence(data, body, size)
    version, at = scan.integer(data, at, len(data))
    if version != 1:
        raise NotDer(expected="version 2", found=version)
    _, algorithm_end = scan.inside(data, at, len(data), der.SEQUENCE)
    _, issuer_end = scan.inside(data, algorithm_end, len(data), der.SEQUENCE)
    this_update, behind = instant(data, issuer_end, len(data))
    next_update, behind = instant(data, behind, len(data))
    # The entries' SEQUENCE is left out where nothing is revoked (RFC 5280 section 5.1.2.6).
    listed = behind < tbs_end and data[behind] == der.SEQUENCE
    entries = _sequence(data, behind, tbs_end) if listed else (behind, behind)
    number, base = _behind(read, entries[1], tbs_end, size, data[at:algorithm_end])
    issuer = data[algorithm_end:issuer_end]
    return Glance(number, base, this_update, next_update, issuer, (body, tbs_end), entries)


def _sequence(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """Start and end of the content of a SEQUENCE whose end may lie far behind `data`."""
    tag, body, end = scan.head(data, at, limit)
    if tag != der.SEQUENCE:
        raise NotDer(expected="30", found=f"{tag:02x}")
    return body, end


def _behind(read: Read, at: int, tbs_end: int, size: int, algorithm: bytes) -> tuple[int, int | None]:
    """CRLNumber and BaseCRLNumber; and behind them stand the same algorithm again and a signature, no more."""
    if size - at > MOST_TAIL:
        raise NotDer(expected="extensions and a signature", found=size - at)
    data = read(at, size - at)
    extensions, outside = data[: tbs_end - at], data[tbs_end - at :]
    if len(data) != size - at or not outside.startswith(algorithm):
        raise NotDer(expected="one signature algorithm, and a signature")
    der.whole(outside[len(algorithm) :]).bits()
    found = {kind: value for kind, value in map(_extension, _list_extensions(extensions)) if kind in (_NUMBER, _DELTA)}
    return _number(found[_NUMBER]) if _NUMBER in found else -1, _number(found[_DELTA]) if _DELTA in found else None


def _list_extensions(data: bytes) -> list[der.Element]:
    return der.whole(data).explicit(0).sequence() if data else []


def _extension(one: der.Element) -> tuple[str, bytes]:
    kind, *_, value = one.sequence()
    return kind.oid(), value.expect(der.OCTET_STRING).content


def _number(value: bytes) -> int:
    if len(value) > MOST_NUMBER + 2:
        raise NotDer(expected="a CRLNumber of 20 octets", found=len(value))
    return der.whole(value).integer()
