"""The keys of a process that opens none: public halves stand in certificates, and whoever asks for more is refused."""

from __future__ import annotations

from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ingam.ca.ceremony import Holdings
from ingam.kernel.secret import Secret
from ingam.npki.signature import known_key
from ingam.ports.signing import Intent, KeyKind, KeyMissing, PublicHalf, SigningOutage


class AwayKey:
    """`ports.signing.Signer` and `Decryptor`: known, and not at hand."""

    waits = False

    def __init__(self, name: str, spki: bytes) -> None:
        kind = _kind(spki)
        self.public = PublicHalf(name, kind, spki, kind.algorithm)

    def sign(self, _intent: Intent) -> NoReturn:
        """Raises SigningOutage."""
        raise SigningOutage(reason="not-opened")

    def decrypt(self, _ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        """Raises SigningOutage."""
        del oaep
        raise SigningOutage(reason="not-opened")


class KeysAway:
    """`ports.signing.SigningKeys` by the certificates alone."""

    def __init__(self, holdings: Holdings) -> None:
        self._known = {f"root-{number}": one.spki for number, one in holdings.roots.items()}
        self._known |= {f"issuing-{number}": one.spki for number, one in holdings.issuing.items()}
        self._known |= {one.name: one.certificate.spki for one in holdings.services}

    def make(self, _name: str, _kind: KeyKind) -> NoReturn:
        """Raises SigningOutage."""
        raise SigningOutage(reason="not-opened")

    def signer(self, name: str) -> AwayKey:
        """The public half. Raises KeyMissing."""
        if name not in self._known:
            raise KeyMissing(name=name)
        return AwayKey(name, self._known[name])

    decryptor = signer

    def names(self) -> tuple[str, ...]:
        """None is at hand."""
        return ()

    def close(self) -> None:
        """Nothing is open."""


def _kind(spki: bytes) -> KeyKind:
    key = known_key(spki)
    if isinstance(key, RSAPublicKey):
        return KeyKind(f"rsa-{key.key_size}")
    if isinstance(key, EllipticCurvePublicKey):
        return KeyKind.P_256 if key.curve.name == "secp256r1" else KeyKind.P_384
    return KeyKind.ML_DSA_65
