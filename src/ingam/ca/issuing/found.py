"""What stands in to-be-signed bytes, read strictly to the last byte: the lint's own eyes, apart from what wrote them.

Values that are the same in thousands of certificates are read once for all of them; none of those names a person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from ingam.npki import certificate, der, extensions, scan
from ingam.npki.der import NotDer

AUTHORITY_KEY: Final = bytes.fromhex("551d23")
SUBJECT_KEY: Final = bytes.fromhex("551d0e")
KEY_USAGE: Final = bytes.fromhex("551d0f")
POLICIES: Final = bytes.fromhex("551d20")
ALTERNATIVE_NAME: Final = bytes.fromhex("551d11")
BASIC: Final = bytes.fromhex("551d13")
POLICY_CONSTRAINTS: Final = bytes.fromhex("551d24")
PURPOSES: Final = bytes.fromhex("551d25")
LISTS: Final = bytes.fromhex("551d1f")
DELTA: Final = bytes.fromhex("551d2e")
ACCESS: Final = bytes.fromhex("2b06010505070101")
NO_CHECK: Final = bytes.fromhex("2b0601050507300105")

IDENTIFY_DATA: Final = bytes.fromhex("2a831a8c9a440a0101")
VID: Final = bytes.fromhex("2a831a8c9a440a010101")
_COMMON_NAME: Final = bytes.fromhex("550403")
_TRUE: Final = b"\x01\x01\xff"


class Attribute(NamedTuple):
    """One attribute of a name: content of its type, tag of its string, content."""

    kind: bytes
    tag: int
    value: bytes


class Identity(NamedTuple):
    """One identifyData: realName's tag and content, and (type, hash algorithm, octets) of each item of userInfo."""

    tag: int
    real_name: bytes
    items: tuple[tuple[bytes, bytes, bytes], ...]


class Names(NamedTuple):
    """A subjectAltName: identifyData, dNSNames, and tags of whatever else is there."""

    identities: tuple[Identity, ...]
    hosts: tuple[str, ...]
    others: tuple[int, ...]


class Found(NamedTuple):
    """To-be-signed bytes, taken apart. `rdns`: of the subject; `behind`: tags of what follows the key.

    `says`: type of each extension → what it says; `critical`: types marked so; `twice`: whether one stands there again.
    """

    size: int
    version: bytes
    serial: int
    serial_size: int
    algorithm: bytes
    issuer: bytes
    not_before: datetime
    not_after: datetime
    time_tags: tuple[int, int]
    subject: bytes
    rdns: tuple[tuple[Attribute, ...], ...]
    spki: bytes
    behind: tuple[int, ...]
    says: dict[bytes, object]
    critical: set[bytes]
    twice: bool

    def __repr__(self) -> str:
        return "<Found>"  # a person's name and VID stand in it


def read(tbs: bytes) -> Found:
    """The parts. Raises NotDer, CertificateMalformed."""
    at, limit = scan.whole(tbs, der.SEQUENCE)
    _, version_end = scan.inside(tbs, at, limit, 0xA0)
    body, _ = scan.inside(tbs, version_end, limit, der.INTEGER)
    serial, serial_end = scan.integer(tbs, version_end, limit)
    _, algorithm_end = scan.inside(tbs, serial_end, limit, der.SEQUENCE)
    _, issuer_end = scan.inside(tbs, algorithm_end, limit, der.SEQUENCE)
    times, times_end = scan.inside(tbs, issuer_end, limit, der.SEQUENCE)
    not_before, second = certificate.instant(tbs, times, times_end)
    not_after, last = certificate.instant(tbs, second, times_end)
    if last != times_end:
        raise NotDer(expected="two instants", found="more")
    subject, subject_end = scan.inside(tbs, times_end, limit, der.SEQUENCE)
    _, spki_end = scan.inside(tbs, subject_end, limit, der.SEQUENCE)
    says: dict[bytes, object] = {}
    critical: set[bytes] = set()
    behind, twice = _behind(tbs, spki_end, limit, says, critical)
    return Found(
        len(tbs),
        tbs[at:version_end],
        serial,
        serial_end - body,
        tbs[serial_end:algorithm_end],
        tbs[algorithm_end:issuer_end],
        not_before,
        not_after,
        (tbs[times], tbs[second]),
        tbs[times_end:subject_end],
        _rdns(tbs, subject, subject_end),
        tbs[subject_end:spki_end],
        behind,
        says,
        critical,
        twice,
    )


def _rdns(data: bytes, at: int, limit: int) -> tuple[tuple[Attribute, ...], ...]:
    found = []
    while at < limit:
        body, at = scan.inside(data, at, limit, der.SET)
        rdn = data[body:at]
        found.append(_rdn(rdn) if rdn[4:7] == _COMMON_NAME else _shared_rdn(rdn))
    return tuple(found)


def _rdn(rdn: bytes) -> tuple[Attribute, ...]:
    found, at, limit = [], 0, len(rdn)
    while at < limit:
        body, at = scan.inside(rdn, at, limit, der.SEQUENCE)
        kind, kind_end = scan.inside(rdn, body, at, der.OID)
        tag, value, end = scan.head(rdn, kind_end, at)
        if end != at:
            raise NotDer(expected="type and value", found="more")
        found.append(Attribute(rdn[kind:kind_end], tag, rdn[value:end]))
    return tuple(found)


_shared_rdn = lru_cache(maxsize=1024)(_rdn)


def _behind(
    data: bytes, at: int, limit: int, says: dict[bytes, object], critical: set[bytes]
) -> tuple[tuple[int, ...], bool]:
    tags: list[int] = []
    twice = False
    for tag, _, body, end in scan.parts(data, at, limit):
        tags.append(tag)
        if tag == 0xA3:
            at, stop = scan.inside(data, body, end, der.SEQUENCE)
            if stop != end:
                raise NotDer(expected="extensions", found="more")
            while at < stop:
                kind, marked, value, at = _extension(data, at, stop)
                twice = twice or kind in says
                says[kind] = _READERS.get(kind, bytes)(value)
                if marked:
                    critical.add(kind)
    return tuple(tags), twice


def _extension(data: bytes, at: int, limit: int) -> tuple[bytes, bool, bytes, int]:
    at, limit = scan.inside(data, at, limit, der.SEQUENCE)
    body, at = scan.inside(data, at, limit, der.OID)
    kind = data[body:at]
    critical = data[at : at + 3] == _TRUE  # FALSE is the default and never written (X.690 §11.5)
    value, end = scan.inside(data, at + 3 if critical else at, limit, der.OCTET_STRING)
    if end != limit:
        raise NotDer(expected="an extension", found="more")
    return kind, critical, data[value:end], limit


# What each extension says, in the form that `rules` writes it down in.


def _subject_key(value: bytes) -> bytes:
    body, end = scan.whole(value, der.OCTET_STRING)
    return value[body:end]


@lru_cache(maxsize=256)
def _authority_key(value: bytes) -> tuple[tuple[int, bytes], ...]:
    return tuple((tag, value[body:end]) for tag, _, body, end in scan.sequence(value))


@lru_cache(maxsize=64)
def _key_usage(value: bytes) -> bytes:
    extensions.key_usage(value)  # in DER a named list of bits has no zero bit behind
    return value[2:]


@lru_cache(maxsize=256)
def _policies(value: bytes) -> tuple[tuple[str, tuple[tuple[str, int, bytes], ...]], ...]:
    found = []
    for one in der.whole(value).sequence():
        kind, *rest = one.at_least(1)
        if len(rest) > 1:
            raise NotDer(expected="a policy", found="more")
        found.append((kind.oid(), tuple(_qualifier(part) for part in (rest[0].at_least(1) if rest else ()))))
    return tuple(found)


def _qualifier(one: der.Element) -> tuple[str, int, bytes]:
    kind, value = one.exactly(2)
    if value.tag == der.SEQUENCE:  # UserNotice, of an explicitText alone
        (value,) = value.exactly(1)
    return kind.oid(), value.tag, value.content


@lru_cache(maxsize=64)
def _basic(value: bytes) -> tuple[bool, int | None]:
    found = extensions.basic_constraints(value)
    return found.ca, found.path_len


@lru_cache(maxsize=64)
def _purposes(value: bytes) -> tuple[str, ...]:
    return extensions.oids(value)


@lru_cache(maxsize=1024)
def _lists(value: bytes) -> tuple[tuple[str, ...], ...]:
    """The addresses of each distribution point; nothing but a fullName of addresses may stand there."""
    found = []
    for point in der.whole(value).sequence():
        (name,) = point.exactly(1)
        (full,) = name.exactly(1, 0xA0)
        found.append(tuple(_address(one) for one in full.at_least(1, 0xA0)))
    return tuple(found)


@lru_cache(maxsize=256)
def _access(value: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(
        (method.oid(), _address(location))
        for method, location in (one.exactly(2) for one in der.whole(value).at_least(1))
    )


def _address(one: der.Element) -> str:
    try:
        return one.expect(0x86).content.decode("ascii")
    except UnicodeDecodeError:
        raise NotDer(expected="an address", found="other bytes") from None


def _names(value: bytes) -> Names:
    identities, hosts, others = [], [], []
    for tag, start, body, end in scan.sequence(value):
        if tag == 0xA0 and value[body + 2 : body + 2 + len(IDENTIFY_DATA)] == IDENTIFY_DATA:
            identities.append(_identity(value, body, end))
        elif tag == 0x82:
            hosts.append(value[body:end].decode("latin-1"))
        else:
            others.append(value[start])
    return Names(tuple(identities), tuple(hosts), tuple(others))


def _identity(data: bytes, at: int, limit: int) -> Identity:
    _, at = scan.inside(data, at, limit, der.OID)
    body, end = scan.inside(data, at, limit, 0xA0)
    body, stop = scan.inside(data, body, end, der.SEQUENCE)
    if end != limit or stop != end:
        raise NotDer(expected="identifyData", found="more")
    tag, name, name_end = scan.head(data, body, stop)
    if name_end == stop:
        return Identity(tag, data[name:name_end], ())
    at, end = scan.inside(data, name_end, stop, der.SEQUENCE)
    if end != stop:
        raise NotDer(expected="userInfo", found="more")
    items = []
    while at < end:
        body, at = scan.inside(data, at, end, der.SEQUENCE)
        items.append(_item(data, body, at))
    return Identity(tag, data[name:name_end], tuple(items))


def _item(data: bytes, at: int, limit: int) -> tuple[bytes, bytes, bytes]:
    kind, kind_end = scan.inside(data, at, limit, der.OID)
    body, end = scan.inside(data, kind_end, limit, der.SEQUENCE)
    _, hash_end = scan.inside(data, body, end, der.SEQUENCE)
    outer, stop = scan.inside(data, hash_end, end, 0xA0)
    octets, last = scan.inside(data, outer, stop, der.OCTET_STRING)
    if not limit == end == stop == last:
        raise NotDer(expected="a VID", found="more")
    return data[kind:kind_end], data[body:hash_end], data[octets:last]


_READERS: Final[dict[bytes, Callable[[bytes], object]]] = {
    AUTHORITY_KEY: _authority_key,
    SUBJECT_KEY: _subject_key,
    KEY_USAGE: _key_usage,
    POLICIES: _policies,
    ALTERNATIVE_NAME: _names,
    BASIC: _basic,
    PURPOSES: _purposes,
    LISTS: _lists,
    DELTA: _lists,
    ACCESS: _access,
}
