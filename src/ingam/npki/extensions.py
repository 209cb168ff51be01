"""The values of certificate extensions (RFC 5280 §4.2.1), each from its DER to what it says; asked for one by one."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki import der, scan, subject
from ingam.npki.der import NotDer
from ingam.npki.subject import Name

_TRUE: Final = b"\x01\x01\xff"

_USAGES: Final = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip


class CertificateMalformed(Refusal):
    """The bytes are no certificate of RFC 5280 §4.1 in DER, or one of its parts is not what it says."""

    code = "cert-malformed"


class BasicConstraints(NamedTuple):
    """RFC 5280 §4.2.1.9."""

    ca: bool
    path_len: int | None


class AuthorityKey(NamedTuple):
    """RFC 5280 §4.2.1.1; the Korean profile fills all three: key id, the issuer's issuer, the issuer's serial."""

    key_id: bytes | None
    issuer: Name | None
    serial: int | None


# Extension values that repeat in thousands of certificates are read once; none of the cached ones names a person.


@lru_cache(maxsize=256)
def key_usage(value: bytes) -> frozenset[str]:
    try:
        body, end = scan.whole(value, der.BIT_STRING)
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    unused = value[body] if body < end else 8
    bits = value[body + 1 : end]
    # DER of a named bit list: no trailing zero bit (X.690 §11.2.2).
    if unused > 7 or not 1 <= len(bits) <= 2 or (bits[-1] >> unused) & 1 == 0 or bits[-1] & ((1 << unused) - 1):
        raise CertificateMalformed(expected="key usage", found=value[:8].hex())
    number = int.from_bytes(bits.ljust(2, b"\0"), "big")
    return frozenset(name for place, name in enumerate(_USAGES) if number >> (15 - place) & 1)


@lru_cache(maxsize=256)
def basic_constraints(value: bytes) -> BasicConstraints:
    try:
        at, limit = scan.whole(value, der.SEQUENCE)
        ca = value[at : at + 3] == _TRUE
        at += 3 if ca else 0
        length: int | None = None
        if at < limit:
            length, at = scan.integer(value, at, limit)
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    if at != limit or (length is not None and (length < 0 or not ca)):
        raise CertificateMalformed(expected="basic constraints", found=value[:8].hex())
    return BasicConstraints(ca, length)


def oids(value: bytes) -> tuple[str, ...]:
    try:
        found = tuple(one.oid() for one in der.whole(value).sequence())
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    if not found:
        raise CertificateMalformed(expected="a purpose", found="none")
    return found


def octets(value: bytes) -> bytes:
    try:
        body, end = scan.whole(value, der.OCTET_STRING)
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    return value[body:end]


@lru_cache(maxsize=256)
def authority_key(value: bytes) -> AuthorityKey:
    try:
        found = {tag: (body, end) for tag, _, body, end in scan.sequence(value)}
        if not found.keys() <= {0x80, 0xA1, 0x82}:
            raise CertificateMalformed(expected="an authority key identifier", found="more")
        key_id, issuer, serial = found.get(0x80), found.get(0xA1), found.get(0x82)
        return AuthorityKey(
            None if key_id is None else value[slice(*key_id)],
            None if issuer is None else _directory_name(value, *issuer),
            None if serial is None else int.from_bytes(value[slice(*serial)], "big", signed=True),
        )
    except (NotDer, subject.NameMalformed) as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None


def _directory_name(data: bytes, at: int, limit: int) -> Name | None:
    for tag, _, body, end in scan.parts(data, at, limit):
        if tag == 0xA4:
            return subject.parse_issuer(data[body:end])
    return None


@lru_cache(maxsize=256)
def policies(value: bytes) -> tuple[str, ...]:
    found = []
    try:
        for tag, _, at, limit in scan.sequence(value):
            if tag != der.SEQUENCE:
                raise CertificateMalformed(expected="a policy", found=f"{tag:02x}")
            body, end = scan.inside(value, at, limit, der.OID)
            found.append(der.decode_oid(value[body:end]))
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    if not found or len(set(found)) != len(found):
        raise CertificateMalformed(expected="each policy once", found=len(found))
    return tuple(found)


def distribution_points(value: bytes) -> tuple[str, ...]:
    found: list[str] = []
    try:
        for point in der.whole(value).sequence():
            for name in (one for one in point.sequence() if one.tag == 0xA0):
                for full in (one for one in name.children() if one.tag == 0xA0):
                    found += [_address(one.content) for one in full.children() if one.tag == 0x86]
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    return tuple(found)


def ocsp_urls(value: bytes) -> tuple[str, ...]:
    found = []
    try:
        for description in der.whole(value).sequence():
            method, location = description.sequence()
            if method.oid() == "1.3.6.1.5.5.7.48.1" and location.tag == 0x86:
                found.append(_address(location.content))
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    except ValueError:
        raise CertificateMalformed(expected="an access description", found="something else") from None
    return tuple(found)


def _address(content: bytes) -> str:
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise CertificateMalformed(expected="an address", found="other bytes") from None


def other_names(value: bytes) -> tuple[tuple[str, bytes], ...]:
    found = []
    try:
        for tag, _, at, limit in scan.sequence(value):
            if tag == 0xA0:
                body, end = scan.inside(value, at, limit, der.OID)
                inner, stop = scan.inside(value, end, limit, 0xA0)
                _, last = scan.inside(value, inner, stop, der.SEQUENCE)
                if stop != limit or last != stop:
                    raise CertificateMalformed(expected="one value", found="more")
                found.append((der.decode_oid(value[body:end]), value[inner:stop]))
    except NotDer as wrong:
        raise CertificateMalformed(None, **wrong.facts) from None
    return tuple(found)
