"""VID (식별번호): what ties a certificate to a person's number without holding it (KCAC.TS.SIVID v1.21).

VID = h(h(HashContent)), HashContent = SEQUENCE { idn PrintableString, randomNum BIT STRING }. R and a certificate
together let anybody search for the number: both are secrets of one function (security A14, H2).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki import der
from ingam.npki.der import Element, NotDer
from ingam.npki.private_key import LEAST_RANDOM, MOST_RANDOM, BadRandom

IDENTIFY_DATA: Final = "1.2.410.200004.10.1.1"
_IDENTIFY_DATA: Final = der.oid(IDENTIFY_DATA)
_VID: Final = der.oid("1.2.410.200004.10.1.1.1")
_HASHES: Final = {
    der.oid("1.3.14.3.2.26"): "sha1",
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
_OIDS: Final = {name: oid for oid, name in _HASHES.items()}
_OTHER_NAME: Final = 0xA0
_IDN_SIZES: Final = (10, 13)


class VidMissing(Refusal):
    """The certificate carries no identifyData, or identifyData without a VID."""

    code = "vid-missing"


class VidMalformed(Refusal):
    """More than one identifyData or VID, or one that is not of the form."""

    code = "vid-malformed"


class VidHash(Refusal):
    """The VID was made with a hash that is not accepted here; `hash` names it."""

    code = "vid-hash"


class VidNumber(Refusal):
    """The number is not 10 or 13 digits."""

    code = "vid-number"


class VidMismatch(Refusal):
    """The number and R do not make this certificate's VID: it is somebody else's."""

    code = "vid-mismatch"


@dataclass(frozen=True, slots=True)
class Vid:
    """The VID of a certificate: the name of its hash and the octets."""

    hash: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class IdentifyData:
    """realName and VID of a certificate's subjectAltName."""

    real_name: str
    vid: Vid


def hash_content(idn: str, random_der: bytes) -> bytes:
    """DER of HashContent; `idn` 10 or 13 digits, `random_der` the BIT STRING of R, verbatim.

    Raises VidNumber or BadRandom.
    """
    if not (idn.isascii() and idn.isdigit() and len(idn) in _IDN_SIZES):
        raise VidNumber
    check_random(random_der)
    return der.seq(der.tlv(der.PRINTABLE_STRING, idn.encode("ascii")), random_der)


def check_random(random_der: bytes) -> None:
    """Raises BadRandom unless the bytes are one BIT STRING of 160 to 512 bits, 0 unused (security A14)."""
    try:
        size = len(der.whole(random_der).bits())
    except NotDer:
        raise BadRandom from None
    if not LEAST_RANDOM <= size <= MOST_RANDOM:
        raise BadRandom(bits=8 * size)


def compute_vid(idn: str, random_der: bytes, hash: str = "sha256") -> bytes:
    """The octets of virtualID. Raises VidNumber, BadRandom, VidHash."""
    if hash not in _OIDS:
        raise VidHash(hash=hash)
    inner = hashlib.new(hash, hash_content(idn, random_der), usedforsecurity=False).digest()
    return hashlib.new(hash, inner, usedforsecurity=False).digest()


def check_vid(vid: Vid, idn: str, random_der: bytes, accepted: Collection[str] = ("sha256",)) -> None:
    """Raises VidMismatch unless `idn` and R make this VID, compared in constant time.

    Also raises VidHash (a hash outside `accepted`; SHA-1 only by setting), VidNumber, BadRandom.
    """
    if vid.hash not in accepted:
        raise VidHash(hash=vid.hash)
    if not hmac.compare_digest(compute_vid(idn, random_der, vid.hash), vid.octets):
        raise VidMismatch


def in_alternative_name(extension_value: bytes) -> bytes:
    """The one IdentifyData of a subjectAltName extension value (GeneralNames). Raises VidMissing, VidMalformed."""
    try:
        values = [_other_name(name) for name in der.whole(extension_value).sequence() if name.tag == _OTHER_NAME]
    except NotDer:
        raise VidMalformed from None
    found = [value for value in values if value is not None]
    if not found:
        raise VidMissing
    if len(found) != 1:
        raise VidMalformed
    return found[0]


def parse_identify_data(value: bytes) -> IdentifyData:
    """IdentifyData with exactly one VID (security A14). Raises VidMissing (no userInfo, no VID) or VidMalformed."""
    try:
        real_name, *rest = der.whole(value).at_least(1)
        name = real_name.expect(der.UTF8_STRING).content.decode("utf-8")
        vids = [found for found in map(_vid, _user_info(rest)) if found is not None]
    except (NotDer, UnicodeDecodeError):
        raise VidMalformed from None
    if not vids:
        raise VidMissing
    if len(vids) != 1:
        raise VidMalformed
    return IdentifyData(name, vids[0])


def encode_identify_data(real_name: str, vid: Vid) -> bytes:
    """IdentifyData as certificates carry it: no NULL behind the hash, no SET around the VID (npki.md section 3)."""
    encoded = der.seq(der.seq(_OIDS[vid.hash]), der.explicit(0, der.octets(vid.octets)))
    return der.seq(der.tlv(der.UTF8_STRING, real_name.encode("utf-8")), der.seq(der.seq(_VID, encoded)))


def _other_name(name: Element) -> bytes | None:
    """The value of `[0] otherName`, if it is of the NPKI kind."""
    kind, value = name.exactly(2, _OTHER_NAME)
    return value.explicit(0).raw if kind.expect(der.OID).raw == _IDENTIFY_DATA else None


def _user_info(rest: list[Element]) -> list[Element]:
    if not rest:
        return []
    if len(rest) > 1:
        raise NotDer(expected="nothing behind userInfo")
    return rest[0].sequence()


def _vid(item: Element) -> Vid | None:
    kind, value = item.exactly(2)
    if kind.expect(der.OID).raw != _VID:
        return None
    algorithm, octets = value.exactly(2)
    identifier, *parameters = algorithm.at_least(1)
    name = _HASHES.get(identifier.expect(der.OID).raw)
    if name is None or [found.raw for found in parameters] not in ([], [der.null]):
        raise NotDer(expected="a hash")
    content = octets.explicit(0).expect(der.OCTET_STRING).content
    if len(content) != hashlib.new(name, usedforsecurity=False).digest_size:
        raise NotDer(expected="a digest", found=len(content))
    return Vid(name, content)
