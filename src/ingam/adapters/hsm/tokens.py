"""Keys of ID tokens in PEM files of one folder (0600): the last name signs, all of them are shown (rotation by a file).

JOSE is joserfc's. A key's `kid` is its RFC 7638 thumbprint, so that it says nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from ingam.adapters.hsm.key_files import KeyFileRefused, refuse_in_production

BITS: Final = 2048
FIRST: Final = "1.pem"
ALGORITHM: Final = "RS256"
"""The one that every provider has to have (OpenID Connect Core 15.1)."""
CURVED: Final = "ES256"
LONGEST: Final = 8192
"""Characters of a token that is read."""


class FileTokenSigner:
    """`ports.tokens.TokenSigner` over a folder; its first key is made where there is none. Raises KeyFileRefused."""

    def __init__(self, folder: Path, *, production: bool = False, allowed: bool = False) -> None:
        refuse_in_production(production, allowed)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.glob("*.pem")):
            _make(folder / FIRST)
        self._keys = [_read(path) for path in sorted(folder.glob("*.pem"))]

    def sign(self, claims: Mapping[str, Any]) -> str:
        key = self._keys[-1]
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": key.kid}
        return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])

    def public(self) -> dict[str, Any]:
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in self._keys]}

    def own(self, token: str) -> Mapping[str, Any] | None:
        return next((claims for key in self._keys if (claims := _opened(token, key, ALGORITHM)) is not None), None)

    def signed_by(self, keys: Sequence[str], token: str) -> Mapping[str, Any] | None:
        for pem in keys:
            key: RSAKey | ECKey = _public(pem)
            claims = _opened(token, key, ALGORITHM if isinstance(key, RSAKey) else CURVED)
            if claims is not None:
                return claims
        return None


def _public(pem: str) -> RSAKey | ECKey:
    """Raises ValueError for anything but a public key of RSA or P-256."""
    key = load_pem_public_key(pem.encode())
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey.import_key(pem)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECKey.import_key(pem)
    raise ValueError("key")


def _opened(token: str, key: RSAKey | ECKey, algorithm: str) -> Mapping[str, Any] | None:
    """The key decides on the algorithm, never the token."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError, TypeError):
        return None


def _make(path: Path) -> None:
    key = rsa.generate_private_key(65537, BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> RSAKey:
    if path.stat().st_mode & 0o077:
        raise KeyFileRefused(reason="open-to-others")
    try:
        key = RSAKey.import_key(path.read_bytes())
    except ValueError:
        raise KeyFileRefused(reason="malformed") from None
    if not key.is_private:
        raise KeyFileRefused(reason="malformed")
    key.ensure_kid()
    return key
