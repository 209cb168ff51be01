"""The clients that may ask for a login, from a TOML file: names, exact addresses, a secret's hash.

`[[client]]` with `client_id`, `name_ko`, `name_en`, `redirect_uris`, and one of three: `secret_sha256` (hex; of a
secret of 32 random bytes, so that no slow hash is needed), `public_keys` (PEM, RSA or P-256: it signs what it asks
with), or `public = true` for a program on a device. `post_logout_redirect_uris`: where whom it logged out goes.
`sector`: what pairwise subjects are made for (default: the host of its addresses, which then is one). `acr`: the least
login. `trusted = true`: the institution's own, which may ask with `prompt=none`.
"""

from __future__ import annotations

import hmac
import re
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.protocols.oidc import ACRS, ID, SCOPES

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class ClientsRefused(Refusal):
    """The file of clients cannot be used and the process does not start; facts `client` and `cause`."""

    code = "oidc-clients-refused"


@dataclass(frozen=True, slots=True)
class Client:
    """One client under contract."""

    client_id: str
    name_ko: str
    name_en: str
    redirect_uris: tuple[str, ...]
    sector: str
    scopes: tuple[str, ...]
    acr: str
    trusted: bool
    secret_sha256: str | None = field(repr=False)
    keys: tuple[str, ...] = field(repr=False, default=())
    post_logout_redirect_uris: tuple[str, ...] = ()

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret: PKCE alone binds its codes to it."""
        return self.secret_sha256 is None and not self.keys

    def name(self, lang: str) -> str:
        """As the person reads it."""
        return self.name_en if lang == "en" else self.name_ko

    def knows(self, secret: Secret[str]) -> bool:
        """Whether it is this client's secret, in constant time."""
        kept = self.secret_sha256 or "-"
        return hmac.compare_digest(sha256(secret.reveal().encode()).hexdigest(), kept)


def read(path: Path, *, production: bool = False) -> dict[str, Client]:
    """The clients by their ids. Raises ClientsRefused."""
    try:
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ClientsRefused(client="", cause="unreadable") from None
    if set(kept) - {"client"}:
        raise ClientsRefused(client="", cause="unknown-key")
    found = [_client(one, production=production) for one in kept.get("client", [])]
    if len({one.client_id for one in found}) != len(found):
        raise ClientsRefused(client="", cause="twice")
    return {one.client_id: one for one in found}


def _client(told: dict[str, Any], *, production: bool) -> Client:
    name = str(told.get("client_id", ""))
    known = {
        "client_id", "name_ko", "name_en", "redirect_uris", "secret_sha256", "public", "sector", "scopes", "acr",
        "trusted", "public_keys", "post_logout_redirect_uris",
    }  # fmt: skip

    def refuse(true: object, cause: str) -> None:
        if true:
            raise ClientsRefused(client=name, cause=cause)

    refuse(set(told) - known, "unknown-key")
    refuse(not _ID.fullmatch(name), "client-id")
    refuse(not (told.get("name_ko") and told.get("name_en")), "name")
    public, secret = bool(told.get("public", False)), told.get("secret_sha256")
    keys = tuple(str(one) for one in told.get("public_keys", ()))
    refuse([public, secret is not None, bool(keys)].count(True) != 1, "secret")
    refuse(not all(_readable(one) for one in keys), "public-keys")
    refuse(secret is not None and not (isinstance(secret, str) and _HASH.fullmatch(secret)), "secret")
    addresses = tuple(str(one) for one in told.get("redirect_uris", ()))
    refuse(not addresses or not all(_allowed(one, public, production) for one in addresses), "redirect-uri")
    left = tuple(str(one) for one in told.get("post_logout_redirect_uris", ()))
    refuse(not all(_allowed(one, public, production) for one in left), "post-logout-redirect-uri")
    hosts = {urlsplit(one).hostname or "" for one in addresses}
    sector = str(told.get("sector", "")) or (hosts.pop() if len(hosts) == 1 else "")
    refuse(not sector, "sector")
    scopes, acr = tuple(told.get("scopes", ())), told.get("acr", ID)
    refuse(not set(scopes) <= set(SCOPES), "scopes")
    refuse(acr not in ACRS, "acr")
    return Client(
        name, str(told["name_ko"]), str(told["name_en"]), addresses, sector, scopes, str(acr),
        bool(told.get("trusted", False)), secret, keys, left,
    )  # fmt: skip


def _readable(pem: str) -> bool:
    """A public key of RSA with 2048 bits or more, or of P-256."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return 2048 <= key.key_size <= 8192
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _allowed(address: str, public: bool, production: bool) -> bool:
    """https, or plain HTTP on loopback for a program on the device (RFC 8252 7.3) and in demos; never a fragment."""
    found = urlsplit(address)
    if not address.isascii() or len(address) > 2000 or found.fragment or found.username or not found.hostname:
        return False
    local = found.scheme == "http" and found.netloc.partition(":")[0] in _LOOPBACK and (public or not production)
    return found.scheme == "https" or local
