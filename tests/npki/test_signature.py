"""Signatures by their AlgorithmIdentifier: which are taken where, and with which parameters."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from tests.npki import certs

from ingam.npki import der
from ingam.npki.signature import (
    ECDSA_SHA256,
    RSA_SHA256,
    SignatureAlgorithmRefused,
    SignatureInvalid,
    known,
    rsassa_pss,
    verify,
)

TEXT = b"what is signed"
SHA = {"2.16.840.1.101.3.4.2.1": SHA256(), "2.16.840.1.101.3.4.2.2": SHA384(), "2.16.840.1.101.3.4.2.3": SHA512()}
KEY = certs.key("rsa2048-03")


def signed(hash: HashAlgorithm, salt: int, mask: HashAlgorithm | None = None) -> bytes:
    return KEY.sign(TEXT, PSS(MGF1(mask or hash), salt), hash)


@pytest.mark.parametrize(("oid", "hash"), SHA.items())
@pytest.mark.parametrize("absent", [(a, b) for a in (der.null, b"") for b in (der.null, b"")])
def test_pss_is_taken_with_each_hash_and_either_spelling_of_its_parameters(
    oid: str, hash: HashAlgorithm, absent: tuple[bytes, bytes]
) -> None:
    algorithm = rsassa_pss(oid, hash.digest_size, absent)
    assert known(algorithm, pss=True)
    verify(KEY.public_key(), algorithm, signed(hash, hash.digest_size), TEXT, pss=True)
    with pytest.raises(SignatureInvalid):
        verify(KEY.public_key(), algorithm, signed(hash, hash.digest_size), TEXT + b"!", pss=True)


def test_A4_pss_is_refused_where_nobody_asked_for_it() -> None:
    algorithm = rsassa_pss("2.16.840.1.101.3.4.2.1", 32)
    assert not known(algorithm)
    with pytest.raises(SignatureAlgorithmRefused):
        verify(KEY.public_key(), algorithm, signed(SHA256(), 32), TEXT)


@pytest.mark.parametrize(
    "algorithm",
    [
        rsassa_pss("2.16.840.1.101.3.4.2.1", 20),  # another salt
        rsassa_pss("1.3.14.3.2.26", 20),  # SHA-1
        der.algorithm("1.2.840.113549.1.1.10", b""),  # no parameters: SHA-1 by default
        der.algorithm("1.2.840.113549.1.1.10", der.seq()),
    ],
)
def test_pss_with_other_parameters_is_refused_before_anything_is_computed(algorithm: bytes) -> None:
    with pytest.raises(SignatureAlgorithmRefused):
        verify(KEY.public_key(), algorithm, b"", TEXT, pss=True)


def test_a_salt_that_is_not_as_long_as_the_hash_does_not_verify() -> None:
    with pytest.raises(SignatureInvalid):
        verify(KEY.public_key(), rsassa_pss("2.16.840.1.101.3.4.2.1", 32), signed(SHA256(), 16), TEXT, pss=True)


def test_a_mask_of_another_hash_does_not_verify() -> None:
    made = signed(SHA256(), 32, SHA512())
    with pytest.raises(SignatureInvalid):
        verify(KEY.public_key(), rsassa_pss("2.16.840.1.101.3.4.2.1", 32), made, TEXT, pss=True)


def test_an_algorithm_that_does_not_fit_the_key_is_refused() -> None:
    curve = generate_private_key(SECP256R1())
    verify(curve.public_key(), ECDSA_SHA256, curve.sign(TEXT, ECDSA(SHA256())), TEXT)
    for key, algorithm in ((curve.public_key(), RSA_SHA256), (KEY.public_key(), ECDSA_SHA256)):
        with pytest.raises(SignatureAlgorithmRefused):
            verify(key, algorithm, b"", TEXT, pss=True)
    with pytest.raises(SignatureAlgorithmRefused):
        verify(curve.public_key(), rsassa_pss("2.16.840.1.101.3.4.2.1", 32), b"", TEXT, pss=True)
