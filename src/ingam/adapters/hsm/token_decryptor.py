"""`ports.signing.Decryptor` on a token: which hash its RSAES-OAEP has, and whether RSAES-PKCS1-v1_5 may be used at all.

Both are tried out when the key is opened, and nothing is believed of the token's description (security D6).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from pkcs11 import MGF, Attribute, Mechanism, PKCS11Error

from ingam.kernel.secret import Secret
from ingam.ports.signing import KeyKindRefused, PublicHalf, SigningOutage

T = TypeVar("T")
Options = dict[str, Any]

_HASHES: Final[tuple[tuple[str, HashAlgorithm, Mechanism, MGF], ...]] = (
    ("sha256", SHA256(), Mechanism.SHA256, MGF.SHA256),
    ("sha1", SHA1(), Mechanism.SHA_1, MGF.SHA1),  # noqa: S303 - OAEP rests on no collision resistance (RFC 8017 § 7.1)
)
_V15: Final[Options] = {"mechanism": Mechanism.RSA_PKCS}
_SAMPLE: Final = b"ingam"
_ANY_BYTES: Final = 64


class WithKey(Protocol):
    """Gives what `act` gives for the key's object, in the token's thread. Raises SigningOutage."""

    def __call__(self, act: Callable[[Any], T]) -> T: ...


class TokenDecryptor:
    """`oaep_hash`: `sha256`, or `sha1` where the token has no other: the sender must use that one.

    `v15`: whether RSAES-PKCS1-v1_5 is on, which is asked for and found to reject implicitly. Raises KeyKindRefused
    where the token has no RSAES-OAEP of either hash, SigningOutage.
    """

    def __init__(self, with_key: WithKey, public: PublicHalf, key: RSAPublicKey, *, v15: bool) -> None:
        self.public = public
        self._with_key, self._key = with_key, key
        self.oaep_hash, self._sample, self._oaep = self._known_oaep()
        self.v15 = v15 and self._rejects_implicitly()

    def decrypt(self, ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        """RSAES-OAEP with the token's hash, or v1.5 where it is on. What does not open takes as long as what does."""
        if not oaep and not self.v15:
            raise KeyKindRefused(kind="rsaes-pkcs1-v1_5")
        if len(ciphertext) != self._size or int.from_bytes(ciphertext, "big") >= self._key.public_numbers().n:
            return None if oaep else Secret(secrets.token_bytes(_ANY_BYTES))  # everybody may know that
        found, known = self._with_key(lambda key: self._both(key, ciphertext, self._oaep if oaep else _V15))
        if known != _SAMPLE:
            raise SigningOutage(reason="wrong-key")
        return None if found is None else Secret(found)

    @property
    def _size(self) -> int:
        return (self._key.key_size + 7) // 8

    def _both(self, key: Any, ciphertext: bytes, options: Options) -> tuple[bytes | None, bytes]:
        """The sample is opened too, every time: it tells a broken ciphertext from a lost token, which raises here."""
        found = _opened(key, ciphertext, options)
        return found, bytes(key.decrypt(self._sample, **self._oaep))

    def _known_oaep(self) -> tuple[str, bytes, Options]:
        for name, hash_, mechanism, mgf in _HASHES:
            options = {"mechanism": Mechanism.RSA_PKCS_OAEP, "mechanism_param": (mechanism, mgf, None)}
            sample = self._key.encrypt(_SAMPLE, OAEP(MGF1(hash_), hash_, None))
            if self._tried(sample, options) == _SAMPLE:
                return name, sample, options
        raise KeyKindRefused(kind="rsaes-oaep")

    def _rejects_implicitly(self) -> bool:
        """Whether a ciphertext whose padding is broken gives bytes, and the same ones each time."""
        numbers = self._key.public_numbers()
        broken = pow(2, numbers.e, numbers.n).to_bytes(self._size, "big")
        found = self._tried(broken, _V15)
        return found is not None and found == self._tried(broken, _V15)

    def _tried(self, ciphertext: bytes, options: Options) -> bytes | None:
        def act(key: Any) -> bytes | None:
            found = _opened(key, ciphertext, options)
            return found if key[Attribute.DECRYPT] else None  # reading raises where the token is lost

        return self._with_key(act)


def _opened(key: Any, ciphertext: bytes, options: Options) -> bytes | None:
    try:
        return bytes(key.decrypt(ciphertext, **options))
    except PKCS11Error:
        return None
