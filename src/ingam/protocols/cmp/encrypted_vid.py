"""EncryptedVID and EncryptContent (KCAC.TS.CMP, npki.md §3): how R reaches the authority inside a CMP request.

All tags are EXPLICIT. The plaintext is read at fixed offsets, and the outcome of every comparison is one bit that is
looked at in the end: padding, form, VID and R errors look alike and take alike (security D6). R and what was
decrypted live in one function (D7).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from ingam.kernel.secret import Secret
from ingam.npki import der, scan
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading
from ingam.protocols.cmp.header import MOST_NAME
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import MOST_SERIAL_OCTETS

MOST_CIPHERTEXT: Final = 512
RANDOM_OCTETS: Final = 20
"""Octets of R that NPKI clients make: 160 bits."""

DUMMY_IDN: Final = "1234561234567"
"""The number that clients put in place of the real one, which the authority has by registration (npki.md §6)."""

_HASH: Final = der.algorithm("2.16.840.1.101.3.4.2.1")
_MGF1: Final = der.algorithm("1.2.840.113549.1.1.8", _HASH)
RSAES_PKCS1: Final = der.algorithm("1.2.840.113549.1.1.1")
RSAES_OAEP_SHA256: Final = der.algorithm(
    "1.2.840.113549.1.1.7", der.seq(der.explicit(0, _HASH), der.explicit(1, _MGF1))
)
_ALGORITHMS: Final = {RSAES_PKCS1: False, RSAES_OAEP_SHA256: True}
_VERSION_0: Final = der.explicit(0, der.integer(0))


class EncryptedVid(NamedTuple):
    """EncryptedVID. `oaep`: RSAES-OAEP with SHA-256, else RSAES-PKCS1-v1_5; `hash_alg`: DER or None.

    `issuer` (DER Name) and `serial_number` name the encryption certificate; `ciphertext`: content of the OCTET STRING.
    """

    oaep: bool
    issuer: bytes
    serial_number: int
    ciphertext: bytes
    hash_alg: bytes | None = None

    def __repr__(self) -> str:
        return "<EncryptedVid>"


class Opened(NamedTuple):
    """What was decrypted. Where `well_formed` is False, `random` is a decoy of the same length that fits nothing.

    `random`: DER BIT STRING of R; `vid`: 32 octets as the client computed it.
    """

    well_formed: bool
    random: Secret[bytes]
    vid: bytes

    def __repr__(self) -> str:
        return "<Opened>"


def refused() -> CmpRefused:
    """The one refusal for everything that can be wrong with an EncryptedVID (security D6)."""
    return CmpRefused("cmp-request", FailInfo.BAD_REQUEST)


def read(value: bytes) -> EncryptedVid:
    """EncryptedVID from its DER. Raises CmpRefused (cmp-request, badRequest), whatever is wrong."""
    try:
        return _read(value)
    except NotDer:
        raise refused() from None


def _read(value: bytes) -> EncryptedVid:
    at, limit = scan.whole(value, der.SEQUENCE)
    if value[at : at + len(_VERSION_0)] == _VERSION_0:  # DEFAULT 0: DER leaves it out, and the field writes it
        at += len(_VERSION_0)
    hash_alg = None
    if at < limit and value[at] == 0xA1:
        body, at = scan.inside(value, at, limit, 0xA1)
        reading.only(value, body, at, der.SEQUENCE)
        hash_alg = value[body:at]
    body, at = scan.inside(value, at, limit, 0xA2)
    oaep = _ALGORITHMS.get(value[body:at])
    if oaep is None:
        raise NotDer(expected="RSAES-PKCS1-v1_5 or RSAES-OAEP", found="another")
    body, at = scan.inside(value, at, limit, 0xA3)
    issuer, serial = _issuer_and_serial(value, body, at)
    body, end = reading.only(value, at, limit, 0xA4)
    body, end = reading.only(value, body, end, der.OCTET_STRING)
    if not 0 < end - body <= MOST_CIPHERTEXT:
        raise NotDer(expected=f"at most {MOST_CIPHERTEXT} octets", found=end - body)
    return EncryptedVid(oaep, issuer, serial, value[body:end], hash_alg)


def _issuer_and_serial(value: bytes, at: int, limit: int) -> tuple[bytes, int]:
    body, end = reading.only(value, at, limit, der.SEQUENCE)
    _, issuer_end = scan.inside(value, body, end, der.SEQUENCE)
    serial, last = scan.integer(value, issuer_end, end)
    if last != end or end - issuer_end > MOST_SERIAL_OCTETS + 2 or issuer_end - body > MOST_NAME:
        raise NotDer(expected="issuer and serial number", found="something else")
    return value[body:issuer_end], serial


def write(given: EncryptedVid) -> bytes:
    """DER of an EncryptedVID."""
    return der.seq(
        b"" if given.hash_alg is None else der.explicit(1, given.hash_alg),
        der.explicit(2, RSAES_OAEP_SHA256 if given.oaep else RSAES_PKCS1),
        der.explicit(3, der.seq(given.issuer, der.integer(given.serial_number))),
        der.explicit(4, der.octets(given.ciphertext)),
    )


def write_content(vid: bytes, random_der: Secret[bytes]) -> Secret[bytes]:
    """EncryptContent: `vid` 32 octets under SHA-256, `random_der` the DER BIT STRING of R."""
    encoded = der.seq(_HASH, der.explicit(0, der.octets(vid)))  # here the hash carries NULL, unlike in certificates
    return Secret(der.seq(encoded, random_der.reveal()))


def encrypt(
    key: RSAPublicKey, content: Secret[bytes], *, issuer: bytes, serial_number: int, oaep: bool
) -> EncryptedVid:
    """What a client sends: the content under the authority's encryption certificate."""
    padding = OAEP(MGF1(SHA256()), SHA256(), None) if oaep else PKCS1v15()
    return EncryptedVid(oaep, issuer, serial_number, key.encrypt(content.reveal(), padding), _HASH)


def open_content(plain: Secret[bytes] | None, decoy: bytes, octets: int = RANDOM_OCTETS) -> Opened:
    """EncryptContent of exactly the form with SHA-256 and an R of `octets`; anything else gives the decoy.

    `plain`: what the decryptor gave, or None where nothing opened; `decoy`: random octets, as many as R has. The same
    steps are walked whatever came.
    """
    head, middle, size = _layout(octets)
    given = b"" if plain is None else plain.reveal()
    fitted = given[:size].ljust(size, b"\0")
    vid_at = len(head)
    random_at = vid_at + 32 + len(middle)
    same = hmac.compare_digest(fitted[:vid_at] + fitted[vid_at + 32 : random_at], head + middle)
    well_formed = same & (len(given) == size)
    random = (decoy, fitted[random_at:])[well_formed]
    return Opened(well_formed, Secret(der.bits(random)), fitted[vid_at : vid_at + 32])


@lru_cache(maxsize=8)
def _layout(octets: int) -> tuple[bytes, bytes, int]:
    """What stands before the VID and between VID and R, and the whole length."""
    whole = write_content(bytes(32), Secret(der.bits(bytes(octets)))).reveal()
    at = whole.index(bytes(32))
    random_at = len(whole) - octets
    return whole[:at], whole[at + 32 : random_at], len(whole)


def agrees(opened: Opened, idns: Iterable[str]) -> bool:
    """Whether the client's VID is that of its R and one of these numbers (the dummy one, or the person's own)."""
    found = False
    for idn in idns:
        inner = der.seq(der.tlv(der.PRINTABLE_STRING, idn.encode("ascii")), opened.random.reveal())
        vid = hashlib.sha256(hashlib.sha256(inner).digest()).digest()
        found |= hmac.compare_digest(vid, opened.vid)
    return found & opened.well_formed
