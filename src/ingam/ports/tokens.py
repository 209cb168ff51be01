"""Who signs ID tokens (security F12): keys of the provider's own, of which the public halves are shown to clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class TokenSigner(Protocol):
    """Signs claims as a JWS in compact form (RFC 7515), RS256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token, under the newest key; its header names the key (`kid`)."""

    def public(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of every key that a token may still be signed with."""

    def own(self, token: str) -> Mapping[str, Any] | None:
        """The claims of a token that one of these keys signed, however old it is; None for any other."""

    def signed_by(self, keys: Sequence[str], token: str) -> Mapping[str, Any] | None:
        """The claims of a JWS of somebody else's, under one of these public keys (PEM); RS256 of RSA keys, ES256 of
        P-256 ones. None for any other; what the claims say is not looked at."""
