"""Which public keys are certified (security D4): of the profile's kinds, within bounds, and not of a known weakness.

    1 DER to the last byte, as everybody would write it       ca-key-malformed
    2 a kind that the profile takes                           ca-key-kind
    3 RSA: size, odd e in [65537, 2³²), odd modulus           ca-key-bounds
    4 RSA: no prime below 752 divides it                      ca-key-small-factor
    5 RSA: not of the form of CVE-2017-15361 (ROCA)           ca-key-roca
    6 RSA: its primes are not close together (Fermat)         ca-key-close-primes
    7 not on a list of known keys                             ca-key-known-weak

A point of a curve is on it: loading proves that. Whether somebody else has the key already, the books say.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingam.ca.profiles import KeyRules
from ingam.kernel.errors import Refusal
from ingam.npki import shapes
from ingam.npki.signature import PublicKey, PublicKeyRefused, loaded_key

MOST_SPKI: Final = 4096
"""Octets of a SubjectPublicKeyInfo; ML-DSA-65 has 1,974, RSA-4096 550."""

ROUNDS: Final = 512
"""Steps of Fermat's method that a modulus must withstand."""


class KeyRefused(Refusal):
    """This public key is not certified; `code` names the check that it failed."""

    code = "ca-key-malformed"


class AcceptedKey(NamedTuple):
    """A key that may be certified. `sha256`: of the SPKI; `key_id`: 20 octets, the subject key identifier."""

    key: PublicKey
    spki: bytes
    sha256: bytes
    key_id: bytes


class KnownWeak(NamedTuple):
    """Lists of known keys. `spki`: SHA-256 of the SPKI; `debian`: as in Debian's openssl-blacklist, ten octets."""

    spki: Collection[bytes] = frozenset()
    debian: Collection[bytes] = frozenset()


NONE_KNOWN: Final = KnownWeak()


def debian_list(lines: Iterable[str]) -> frozenset[bytes]:
    """The fingerprints in a file of openssl-blacklist (CVE-2008-0166): twenty hexadecimal digits a line."""
    return frozenset(bytes.fromhex(one) for line in lines if (one := line.strip()) and not one.startswith("#"))


def check_key(spki: bytes, rules: KeyRules, known_weak: KnownWeak = NONE_KNOWN) -> AcceptedKey:
    """The key of a DER SubjectPublicKeyInfo, if a certificate may be issued for it. Raises KeyRefused."""
    key = _loaded(spki)
    if _kind(key) not in rules.kinds:
        raise KeyRefused("ca-key-kind")
    if isinstance(key, RSAPublicKey):
        _check_rsa(key, rules, known_weak)
    digest = hashlib.sha256(spki).digest()
    if known_weak.spki and digest in known_weak.spki:
        raise KeyRefused("ca-key-known-weak")
    return AcceptedKey(key, spki, digest, shapes.key_identifier(spki))


def _loaded(spki: bytes) -> PublicKey:
    if len(spki) > MOST_SPKI:
        raise KeyRefused
    try:
        key = loaded_key(spki)
    except PublicKeyRefused:
        raise KeyRefused from None
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | MLDSA65PublicKey):
        raise KeyRefused("ca-key-kind")
    # Other encodings of the same key (no NULL, a compressed point) would pass for another key in the books.
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise KeyRefused
    return key


def _kind(key: PublicKey) -> str:
    if isinstance(key, RSAPublicKey):
        return "rsa"
    if isinstance(key, EllipticCurvePublicKey):
        return {"secp256r1": "p-256", "secp384r1": "p-384"}.get(key.curve.name, "")
    return "ml-dsa-65"


def _check_rsa(key: RSAPublicKey, rules: KeyRules, known_weak: KnownWeak) -> None:
    numbers = key.public_numbers()
    n, e = numbers.n, numbers.e
    least, most = rules.rsa_bits
    if not (least <= n.bit_length() <= most and 65537 <= e < 1 << 32 and n & e & 1):
        raise KeyRefused("ca-key-bounds")
    rest = n % _PRODUCT
    if any(math.gcd(rest % part, part) != 1 for part in _PARTS):
        raise KeyRefused("ca-key-small-factor")
    if all(marks >> rest % prime & 1 for prime, marks in _MARKS):
        raise KeyRefused("ca-key-roca")
    if _close_primes(n):
        raise KeyRefused("ca-key-close-primes")
    if known_weak.debian and _debian_fingerprint(n) in known_weak.debian:
        raise KeyRefused("ca-key-known-weak")


def _debian_fingerprint(n: int) -> bytes:
    """The last ten octets of SHA-1 over what `openssl rsa -noout -modulus` prints."""
    return hashlib.sha1(b"Modulus=%X\n" % n, usedforsecurity=False).digest()[10:]


# Small primes and the marks of ROCA.


def _primes(below: int) -> list[int]:
    return [one for one in range(3, below, 2) if all(one % other for other in range(3, math.isqrt(one) + 1, 2))]


def _parts(primes: Iterable[int], bits: int) -> tuple[int, ...]:
    """Products of primes of at most so many bits: gcd of several small numbers is cheaper than that of a large one."""
    found = [1]
    for one in primes:
        if (found[-1] * one).bit_length() > bits:
            found.append(1)
        found[-1] *= one
    return tuple(found)


def _marks(primes: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Each prime with the set, as bits, of powers of 65537: ROCA's moduli are powers of it modulo every small prime.

    Where all residues are powers nothing is learnt, and the prime is left out (Nemec and others, "The Return of
    Coppersmith's Attack", 2017, section 3).
    """
    found = []
    for prime in primes:
        powers = {pow(65537, exponent, prime) for exponent in range(prime - 1)}
        if len(powers) < prime - 1:
            found.append((prime, sum(1 << one for one in powers)))
    return tuple(found)


_SMALL: Final = _primes(752)
_PRODUCT: Final = math.prod(_SMALL)
_PARTS: Final = _parts(_SMALL, 220)
_MARKS: Final = _marks(_primes(168))


# Fermat: n = a² - b² with a just above √n. For all steps at once: a² - n must be a square modulo small numbers, and for
# each of them the steps where it is one are a pattern of bits that repeats; what is left of all patterns is computed.

_MODULI: Final = (64, 9, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_PERIOD: Final = math.prod(_MODULI)
_ALL_STEPS: Final = (1 << ROUNDS) - 1


def _pattern(modulus: int, residue: int) -> int:
    """Bit a is set where a² - residue is a square modulo the modulus; repeated over ROUNDS and one period more."""
    squares = {one * one % modulus for one in range(modulus)}
    once = sum(1 << a for a in range(modulus) if (a * a - residue) % modulus in squares)
    times = ROUNDS // modulus + 2
    return once * (((1 << modulus * times) - 1) // ((1 << modulus) - 1))


_PATTERNS: Final = tuple((one, tuple(_pattern(one, residue) for residue in range(one))) for one in _MODULI)


def _close_primes(n: int) -> bool:
    first = math.isqrt(n - 1) + 1
    n_rest, a_rest = n % _PERIOD, first % _PERIOD
    steps = _ALL_STEPS
    for modulus, patterns in _PATTERNS:
        steps &= patterns[n_rest % modulus] >> a_rest % modulus
    while steps:
        a = first + (steps & -steps).bit_length() - 1
        rest = a * a - n
        if math.isqrt(rest) ** 2 == rest:
            return True
        steps &= steps - 1
    return False
