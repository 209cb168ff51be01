"""Which public keys are certified: every refusal by a key that only that check refuses (security D4)."""

from __future__ import annotations

import hashlib
import math
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.npki import certs

from ingam.ca.issuing import keys
from ingam.ca.issuing.keys import AcceptedKey, KeyRefused, KnownWeak, check_key, debian_list
from ingam.ca.profiles import KeyRules
from ingam.npki import der, shapes

RSA_ONLY = KeyRules(frozenset({"rsa"}))
ANY = KeyRules(frozenset({"rsa", "p-256", "p-384", "ml-dsa-65"}))
RSA_ENCRYPTION = der.algorithm("1.2.840.113549.1.1.1")
GOOD = shapes.public_key(certs.key("rsa2048-00"))


def rsa(n: int, e: int = 65537, algorithm: bytes = RSA_ENCRYPTION) -> bytes:
    """DER of an SPKI."""
    return der.seq(algorithm, der.bits(der.seq(der.integer(n), der.integer(e))))


def modulus(name: str) -> int:
    return certs.key(name).public_key().public_numbers().n


def prime_from(start: int, step: int = 2) -> int:
    """The first probable prime of start, start + step …"""
    found = start
    while any(found % small == 0 for small in (3, 5, 7, 11, 13)) or pow(2, found - 1, found) != 1:
        found += step
    return found


def refused(spki: bytes, rules: KeyRules = ANY, known: KnownWeak = keys.NONE_KNOWN) -> str:
    with pytest.raises(KeyRefused) as caught:
        check_key(spki, rules, known)
    return caught.value.code


def test_every_key_of_the_vectors_is_taken() -> None:
    for number in range(16):
        found = check_key(shapes.public_key(certs.key(f"rsa2048-{number:02}")), RSA_ONLY)
        assert found.key_id == shapes.key_identifier(found.spki)
    assert isinstance(check_key(shapes.public_key(certs.key("rsa3072-00")), RSA_ONLY), AcceptedKey)


def test_keys_of_other_kinds_are_taken_where_the_profile_takes_them() -> None:
    for curve in (ec.SECP256R1(), ec.SECP384R1()):
        spki = ec.generate_private_key(curve).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert check_key(spki, ANY).spki == spki
        assert refused(spki, RSA_ONLY) == "ca-key-kind"
    spki = mldsa.MLDSA65PrivateKey.generate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert check_key(spki, ANY).spki == spki
    assert refused(spki, RSA_ONLY) == "ca-key-kind"


def test_D4_a_kind_that_nobody_uses_here_is_refused() -> None:
    for public in (
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    ):
        assert refused(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) == "ca-key-kind"


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        b"\x30\x00",
        GOOD[:-1],
        GOOD + b"\0",
        rsa(modulus("rsa2048-00"), algorithm=der.algorithm("1.2.840.113549.1.1.1", b"")),
        bytes(5000),
    ],
    ids=["nothing", "empty", "cut", "longer", "no-null", "huge"],
)
def test_D4_an_spki_that_is_not_as_everybody_writes_it_is_refused(spki: bytes) -> None:
    assert refused(spki) == "ca-key-malformed"


def test_D4_a_point_is_on_its_curve_and_uncompressed() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = bytearray(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    head = bytes(spki[:-65])
    spki[-1] ^= 1
    assert refused(bytes(spki)) == "ca-key-malformed"
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = der.whole(bytes(spki)).sequence()[0].raw
    assert refused(der.seq(algorithm, der.bits(point))) == "ca-key-malformed"
    assert refused(der.seq(algorithm, der.bits(b"\0"))) == "ca-key-malformed"
    assert head[:2] == b"\x30\x59"


def test_D4_sizes_and_exponents_out_of_bounds_are_refused() -> None:
    n = modulus("rsa2048-00")
    assert refused(rsa(n >> 1 | 1)) == "ca-key-bounds"  # 2047 bits
    assert refused(rsa(n << 2049 | 1)) == "ca-key-bounds"  # 4097 bits
    assert refused(rsa(n + 1)) in ("ca-key-bounds", "ca-key-malformed")  # even
    for e in (3, 65535, 1 << 32 | 1):
        assert refused(rsa(n, e)) == "ca-key-bounds"
    assert refused(GOOD, KeyRules(frozenset({"rsa"}), (3072, 4096))) == "ca-key-bounds"
    assert check_key(rsa(n, (1 << 32) - 1), RSA_ONLY).spki


@pytest.mark.parametrize("factor", [3, 5, 167, 173, 743, 751])
def test_D4_a_small_factor_is_found(factor: int) -> None:
    n = factor * (modulus("rsa2048-00") // factor | 1)
    assert refused(rsa(n)) == "ca-key-small-factor"


def test_D4_a_modulus_of_the_roca_form_is_found() -> None:
    """p = k·M + 65537^a mod M, as the broken library made them; M the product of the first 39 primes and more."""
    primes = [one for one in range(2, 972) if all(one % other for other in range(2, math.isqrt(one) + 1))][:126]
    product = math.prod(primes)
    made = []
    for a in (12345, 67890):
        k = (7 << 1021) // product + a
        made.append(prime_from(k * product + pow(65537, a, product), product))
    n = made[0] * made[1]
    assert n.bit_length() == 2048
    assert refused(rsa(n)) == "ca-key-roca"


@given(bits=some.integers(1, (1 << 2048) - 1))
@settings(max_examples=50, deadline=None)
def test_the_marks_of_roca_do_not_meet_by_chance(bits: int) -> None:
    n = bits | 1 << 2047 | 1
    assert not all(marks >> n % prime & 1 for prime, marks in keys._MARKS)


def test_D4_close_primes_are_found_and_distant_ones_are_not() -> None:
    p = prime_from((1 << 1024) - (1 << 900) - 1, -2)
    q = prime_from(p - (1 << 400), -2)
    assert refused(rsa(p * q)) == "ca-key-close-primes"
    assert refused(rsa(p * p)) == "ca-key-close-primes"
    distant = prime_from(p - (1 << 700), -2)
    assert check_key(rsa(p * distant), RSA_ONLY).spki


@given(a=some.integers(1 << 1023, (1 << 1024) - 1), step=some.integers(0, 2 * keys.ROUNDS))
@settings(max_examples=200, deadline=None)
def test_every_step_of_fermats_method_is_taken_and_no_more(a: int, step: int) -> None:
    """n = a² - b² with a about `step` above √n."""
    b = math.isqrt(2 * a * step) + 1
    b += (a - b + 1) % 2  # of other parity, so that n is odd
    n = a * a - b * b
    taken = a - (math.isqrt(n - 1) + 1)
    assert keys._close_primes(n) == (taken < keys.ROUNDS)


def test_D4_known_keys_are_refused() -> None:
    digest = check_key(GOOD, RSA_ONLY).sha256
    assert refused(GOOD, RSA_ONLY, KnownWeak(spki={digest})) == "ca-key-known-weak"
    told = subprocess.run(
        ["openssl", "rsa", "-pubin", "-inform", "DER", "-noout", "-modulus"], input=GOOD, check=True,
        capture_output=True,
    ).stdout  # fmt: skip
    listed = debian_list(["# RSA-2048", hashlib.sha1(told).hexdigest()[20:], ""])
    assert refused(GOOD, RSA_ONLY, KnownWeak(debian=listed)) == "ca-key-known-weak"
    assert check_key(shapes.public_key(certs.key("rsa2048-01")), RSA_ONLY, KnownWeak({digest}, listed))


@given(noise=some.binary(max_size=40), at=some.integers(0, len(GOOD) - 1))
@settings(max_examples=300, deadline=None)
def test_damaged_keys_are_refused_or_are_other_keys(noise: bytes, at: int) -> None:
    spki = GOOD[:at] + noise + GOOD[at + len(noise) :]
    try:
        found = check_key(spki, ANY)
    except KeyRefused:
        return
    assert found.spki == spki
