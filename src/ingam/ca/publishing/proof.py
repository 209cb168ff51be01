"""Whether a signature over bytes too many for memory is a key's: the bytes pass once, the signature is checked last."""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey, MLDSAMuHasher
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

from ingam.npki.signature import ECDSA_SHA384, SignatureInvalid, known_key
from ingam.ports.signing import PublicHalf


class Proof(Protocol):
    """A check in the making."""

    def update(self, data: bytes | memoryview) -> object:
        """The next bytes."""

    def check(self, signature: bytes) -> None:
        """Raises SignatureInvalid unless the signature is the key's over all of them."""


def proof_of(public: PublicHalf) -> Proof:
    """For the signatures that a key's `algorithm` makes (ports/signing.py). Raises PublicKeyRefused."""
    key = known_key(public.spki)
    return _Mu(key) if isinstance(key, MLDSA65PublicKey) else _Hashed(key, public.algorithm == ECDSA_SHA384)


class _Hashed:
    """RSASSA-PKCS1-v1_5 and ECDSA sign a hash."""

    def __init__(self, key: RSAPublicKey | EllipticCurvePublicKey, long: bool) -> None:
        self._key = key
        self._algorithm: HashAlgorithm = SHA384() if long else SHA256()
        self._hash = hashlib.new(self._algorithm.name)
        self.update = self._hash.update

    def check(self, signature: bytes) -> None:
        digest, hashed = self._hash.digest(), Prehashed(self._algorithm)
        try:
            if isinstance(self._key, RSAPublicKey):
                self._key.verify(signature, digest, PKCS1v15(), hashed)
            else:
                self._key.verify(signature, digest, ECDSA(hashed))
        except InvalidSignature:
            raise SignatureInvalid from None


class _Mu:
    """ML-DSA signs a hash of key and message, mu (FIPS 204 section 6.2)."""

    def __init__(self, key: MLDSA65PublicKey) -> None:
        self._key, self._hash = key, MLDSAMuHasher(key)
        self.update = self._hash.update

    def check(self, signature: bytes) -> None:
        try:
            self._key.verify_mu(signature, self._hash.finalize())
        except InvalidSignature:
            raise SignatureInvalid from None
