"""Signatures by their AlgorithmIdentifier: which algorithms there are, and whether a signature is a key's.

RSA is PKCS#1 v1.5 (npki.md section 5), ECDSA is over P-256 and P-384, ML-DSA-65 is FIPS 204 without a context. The
algorithm must fit the key, parameters included (RFC 5758, RFC 8017 appendix A.2.4, RFC 9881); SHA-1 verifies nothing.
RSASSA-PSS is verified only for who asks for it: CMP's own messages, never certificates, lists or signed texts (A4).
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ingam.kernel.errors import Refusal
from ingam.npki import der

RSA_SHA256: Final = der.algorithm("1.2.840.113549.1.1.11")
RSA_SHA384: Final = der.algorithm("1.2.840.113549.1.1.12")
RSA_SHA512: Final = der.algorithm("1.2.840.113549.1.1.13")
ECDSA_SHA256: Final = der.algorithm("1.2.840.10045.4.3.2", b"")
ECDSA_SHA384: Final = der.algorithm("1.2.840.10045.4.3.3", b"")
ECDSA_SHA512: Final = der.algorithm("1.2.840.10045.4.3.4", b"")
ML_DSA_65: Final = der.algorithm("2.16.840.1.101.3.4.3.18", b"")

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | MLDSA65PublicKey

_RSA: Final[dict[bytes, HashAlgorithm]] = {RSA_SHA256: SHA256(), RSA_SHA384: SHA384(), RSA_SHA512: SHA512()}
_ECDSA: Final[dict[bytes, HashAlgorithm]] = {ECDSA_SHA256: SHA256(), ECDSA_SHA384: SHA384(), ECDSA_SHA512: SHA512()}
_PKCS1: Final = PKCS1v15()


def rsassa_pss(digest: str, size: int, absent: tuple[bytes, bytes] = (der.null, der.null)) -> bytes:
    """AlgorithmIdentifier of RSASSA-PSS with explicit parameters (RFC 4055 section 3.1): MGF1 of the same hash.

    `digest`: dotted; `size`: octets of the hash and of the salt; `absent`: parameters of the hash and of MGF1's hash.
    """
    hash, mask = (der.algorithm(digest, parameters) for parameters in absent)
    mgf1 = der.algorithm("1.2.840.113549.1.1.8", mask)
    return der.algorithm(
        "1.2.840.113549.1.1.10",
        der.seq(der.explicit(0, hash), der.explicit(1, mgf1), der.explicit(2, der.integer(size))),
    )


# With NULL or without for each hash: senders do either, and readers take both (RFC 4055 section 2.1).
_PSS: Final[dict[bytes, HashAlgorithm]] = {
    rsassa_pss(f"2.16.840.1.101.3.4.2.{number}", hash.digest_size, (mine, masks)): hash
    for number, hash in ((1, SHA256()), (2, SHA384()), (3, SHA512()))
    for mine in (der.null, b"")
    for masks in (der.null, b"")
}


class KeyKind(StrEnum):
    """Kinds of keys that sign here."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    P_256 = "p-256"
    P_384 = "p-384"
    ML_DSA_65 = "ml-dsa-65"

    @property
    def algorithm(self) -> bytes:
        """DER AlgorithmIdentifier of the signatures that a key of this kind makes."""
        return _OF_KIND.get(self, RSA_SHA256)


_OF_KIND: Final = {KeyKind.P_256: ECDSA_SHA256, KeyKind.P_384: ECDSA_SHA384, KeyKind.ML_DSA_65: ML_DSA_65}


class SignatureInvalid(Refusal):
    """The signature is not this key's over these bytes."""

    code = "signature-invalid"


class SignatureAlgorithmRefused(Refusal):
    """The algorithm is unknown, too weak, or does not fit the key."""

    code = "signature-algorithm-refused"


class PublicKeyRefused(Refusal):
    """The SubjectPublicKeyInfo is malformed or of no kind that is used here, or an RSA key is out of bounds (A4)."""

    code = "public-key-refused"


def public_key(spki: bytes) -> PublicKey:
    """The key of a DER SubjectPublicKeyInfo: RSA 2048-4096 with odd e in [65537, 2³²), P-256, P-384, ML-DSA-65.

    Raises PublicKeyRefused.
    """
    key = loaded_key(spki)
    if not _usable(key):
        raise PublicKeyRefused
    return key  # type: ignore[return-value]  # _usable has just said so


@lru_cache(maxsize=64)
def loaded_key(spki: bytes) -> PublicKeyTypes:
    """Whatever key a DER SubjectPublicKeyInfo holds; several ask for that of one message. Raises PublicKeyRefused."""
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise PublicKeyRefused from None


def _usable(key: object) -> bool:
    if isinstance(key, RSAPublicKey):
        e = key.public_numbers().e
        return 2048 <= key.key_size <= 4096 and 65537 <= e < 1 << 32 and e & 1 == 1
    if isinstance(key, EllipticCurvePublicKey):
        return isinstance(key.curve, SECP256R1 | SECP384R1)
    return isinstance(key, MLDSA65PublicKey)


@lru_cache(maxsize=256)
def known_key(spki: bytes) -> PublicKey:
    """`public_key` for keys of authorities, which come with every message. Raises PublicKeyRefused."""
    return public_key(spki)


def known(algorithm: bytes, *, pss: bool = False) -> bool:
    """Whether `verify` knows a DER AlgorithmIdentifier, for whichever key."""
    return algorithm in _RSA or algorithm in _ECDSA or algorithm == ML_DSA_65 or (pss and algorithm in _PSS)


def verify(key: PublicKey, algorithm: bytes, signature: bytes, message: bytes, *, pss: bool = False) -> None:
    """Whether `signature` (content of the BIT STRING) over `message` is the key's under the DER AlgorithmIdentifier.

    `pss`: RSASSA-PSS is taken too, with SHA-256, -384 or -512, MGF1 of the same hash and a salt of its size.
    Raises SignatureInvalid, SignatureAlgorithmRefused.
    """
    try:
        if isinstance(key, RSAPublicKey) and algorithm in _RSA:
            key.verify(signature, message, _PKCS1, _RSA[algorithm])
        elif isinstance(key, RSAPublicKey) and pss and algorithm in _PSS:
            hash = _PSS[algorithm]
            key.verify(signature, message, PSS(MGF1(hash), hash.digest_size), hash)
        elif isinstance(key, EllipticCurvePublicKey) and algorithm in _ECDSA:
            key.verify(signature, message, ECDSA(_ECDSA[algorithm]))
        elif isinstance(key, MLDSA65PublicKey) and algorithm == ML_DSA_65:
            key.verify(signature, message)
        else:
            raise SignatureAlgorithmRefused
    except InvalidSignature:
        raise SignatureInvalid from None
