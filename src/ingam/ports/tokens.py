"""Who signs ID tokens (security F12): keys of the provider's own, of which the public halves are shown to clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class TokenSigner(Protocol):
    """Signs claims as a JWS in compact form (RFC 7515), RS256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token, under the newest key; its header names the key (`kid`)."""

    def public(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of every key that a token may still be signed with."""
