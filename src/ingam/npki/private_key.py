"""The opened private key: the plain PKCS#8 bytes, kept verbatim because R and every attribute live in them.

`cryptography` and OpenSSL drop the attributes when they write a key, so nothing here ever writes one: whatever is
stored again is these bytes (npki.md section 0.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.secret import Secret
from ingam.npki import der, scan
from ingam.npki.der import Element, NotDer

RSA_ENCRYPTION: Final = der.oid("1.2.840.113549.1.1.1")
RANDOM_NUMBER: Final = der.oid("1.2.410.200004.10.1.1.3")
"""kisa-randomNum: the attribute that holds R (npki.md section 1.1)."""

LEAST_BITS, MOST_BITS = 2048, 4096
LEAST_RANDOM, MOST_RANDOM = 160 // 8, 512 // 8
_LEAST_EXPONENT, _MOST_EXPONENT = 65537, 1 << 32
_ATTRIBUTES: Final = 0xA0


class DamagedKeyFile(Refusal):
    """The file is cut, altered or no key file; `where` says which part. No password opens it."""

    code = "key-damaged"


class UnsuitableKey(Refusal):
    """A whole key that this house does not use: not RSA, or its size or exponent is out of bounds (security A4)."""

    code = "key-unsuitable"


class KeyMismatch(Refusal):
    """The key opened, but the certificate holds another public key."""

    code = "key-mismatch"


class BadRandom(Refusal):
    """The attribute of R is there, but is not one BIT STRING of 160 to 512 bits, 0 unused (security A14)."""

    code = "vid-random"


@dataclass(frozen=True, slots=True, repr=False)
class RsaNumbers:
    """The eight numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2)."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dp: int
    dq: int
    qinv: int

    def consistent(self) -> bool:
        """Whether p·q = n, dP and dQ are d reduced and invert e, and qInv inverts q (RFC 8017 section 3.2).

        This proves what signing needs in microseconds; a primality test of p and q would take 42 ms.
        """
        p, q = self.p, self.q
        if min(p, q) < 3 or p == q or p * q != self.n:
            return False
        halves = self.dp == self.d % (p - 1) and self.dq == self.d % (q - 1)
        inverts = self.e * self.dp % (p - 1) == 1 and self.e * self.dq % (q - 1) == 1
        return halves and inverts and self.qinv < p and self.qinv * q % p == 1

    def __repr__(self) -> str:
        return "<secret>"


class PrivateKey:
    """An opened key whose numbers were proven consistent. It does not print and does not pickle.

    `pkcs8`: the PrivateKeyInfo, byte for byte as it lay in the file. `attributes`: its `[0]` part as encoded, or b"".
    """

    __slots__ = ("_numbers", "attributes", "bits", "exponent", "modulus", "pkcs8")

    def __init__(self, pkcs8: Secret[bytearray], numbers: RsaNumbers, attributes: Secret[bytes]) -> None:
        self.pkcs8 = pkcs8
        self.attributes = attributes
        self.modulus = numbers.n
        self.exponent = numbers.e
        self.bits = numbers.n.bit_length()
        self._numbers: RsaNumbers | None = numbers

    @property
    def has_random(self) -> bool:
        """Whether an attribute of R is there, well formed or not."""
        return any(attribute[0].raw == RANDOM_NUMBER for attribute in self._attributes())

    @property
    def random(self) -> Secret[bytes] | None:
        """R: the DER of its BIT STRING, verbatim as VID hashes it; None where there is none. Raises BadRandom."""
        found = [attribute for attribute in self._attributes() if attribute[0].raw == RANDOM_NUMBER]
        if not found:
            return None
        if len(found) != 1:
            raise BadRandom
        try:
            (value,) = found[0][1].sequence(der.SET)
            size = len(value.bits())
        except (NotDer, ValueError):
            raise BadRandom from None
        if not LEAST_RANDOM <= size <= MOST_RANDOM:
            raise BadRandom(bits=8 * size)
        return Secret(value.raw)

    def matches(self, n: int, e: int) -> bool:
        """Whether this is the private half of the public key (n, e)."""
        return self.modulus == n and self.exponent == e

    def require_match(self, n: int, e: int) -> None:
        """Raises KeyMismatch where it is not."""
        if not self.matches(n, e):
            raise KeyMismatch

    def signing_key(self) -> RSAPrivateKey:
        """The key for signing, without the 42 ms of validation: `open_pkcs8` proved the numbers already."""
        if self._numbers is None:
            raise Defect("key-wiped")
        key = load_der_private_key(bytes(self.pkcs8.reveal()), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            raise Defect("key-not-rsa")
        return key

    def wipe(self) -> None:
        """Overwrites the kept bytes and forgets the numbers. Copies that Python made are left to the collector."""
        self.pkcs8.wipe()
        self.attributes = Secret(b"")
        self._numbers = None

    def _attributes(self) -> list[list[Element]]:
        """The attributes as pairs (type, values); whatever is no such pair has no meaning here."""
        raw = self.attributes.reveal()
        if not raw:
            return []
        try:
            pairs = [attribute.sequence() for attribute in der.whole(raw).children()]
        except NotDer:
            return []
        return [pair for pair in pairs if len(pair) == 2]

    def __repr__(self) -> str:
        return f"<private key of {self.bits} bits>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key does not pickle")


def open_pkcs8(pkcs8: bytes) -> PrivateKey:
    """Parses and proves a plain PrivateKeyInfo (RFC 5958 section 2, version 0, RSA).

    Raises DamagedKeyFile (not this shape, or numbers that contradict each other) or UnsuitableKey.
    """
    try:
        algorithm, octets, attributes = _parts(pkcs8)
        if algorithm.raw != RSA_ENCRYPTION:
            raise UnsuitableKey(algorithm=algorithm.oid())
        numbers = _numbers(octets)
    except NotDer:
        raise DamagedKeyFile(where="private-key") from None
    bits = numbers.n.bit_length()
    if not LEAST_BITS <= bits <= MOST_BITS:
        raise UnsuitableKey(bits=bits)
    if not (_LEAST_EXPONENT <= numbers.e < _MOST_EXPONENT and numbers.e & 1):
        raise UnsuitableKey(bits=bits, exponent_bits=numbers.e.bit_length())
    if not numbers.consistent():
        raise DamagedKeyFile(where="numbers")
    return PrivateKey(Secret(bytearray(pkcs8)), numbers, Secret(attributes))


def _parts(pkcs8: bytes) -> tuple[Element, bytes, bytes]:
    """The algorithm's OID, the content of the OCTET STRING, and the encoded attributes."""
    version, algorithm, key, *rest = der.whole(pkcs8).at_least(3)
    if version.integer() != 0 or len(rest) > 1:
        raise NotDer(expected="PrivateKeyInfo version 0")
    if rest:
        rest[0].expect(_ATTRIBUTES)
    identifier, *_ = algorithm.at_least(1)
    return identifier.expect(der.OID), key.expect(der.OCTET_STRING).content, rest[0].raw if rest else b""


def _numbers(rsa_private_key: bytes) -> RsaNumbers:
    """RSAPrivateKey (RFC 8017 appendix A.1.2), version 0."""
    at, end = scan.whole(rsa_private_key, der.SEQUENCE)
    version, at = scan.integer(rsa_private_key, at, end)
    numbers = []
    for _ in range(8):
        value, at = scan.integer(rsa_private_key, at, end)
        numbers.append(value)
    if at != end or version != 0 or min(numbers) <= 0:
        raise NotDer(expected="nine numbers")
    return RsaNumbers(*numbers)
