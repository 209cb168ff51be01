"""Keys that browsers seal to: in memory, replaced daily, the one before kept while it can be needed (A15, E12)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.protocols.challenge import Challenge, SealKey, SealUnreadable, key_id_of

DAY: Final = timedelta(days=1)


class Named(Protocol):
    """A key pair that blobs name."""

    @property
    def key_id(self) -> str: ...


K = TypeVar("K", bound=Named)


@dataclass(frozen=True, slots=True)
class _Held(Generic[K]):
    key: K
    made_at: datetime


class DailyKeys(Generic[K]):
    """Today's key and, for `ttl_s` seconds after a change, the one before. Nothing outlives the process."""

    def __init__(self, clock: Clock, ttl_s: int, make: Callable[[], K]) -> None:
        self._clock = clock
        self._ttl = timedelta(seconds=ttl_s)
        self._make = make
        self._current = _Held(make(), clock.now())
        self._previous: _Held[K] | None = None

    @property
    def current(self) -> K:
        """The key to seal to now."""
        now = self._clock.now()
        if now >= self._current.made_at + DAY:
            self._previous, self._current = self._current, _Held(self._make(), now)
        if self._previous is not None and now >= self._current.made_at + self._ttl:
            self._previous = None
        return self._current.key

    def named(self, key_id: str) -> K | None:
        """The key of this name, if it is still kept."""
        for key in (self.current, self._previous.key if self._previous is not None else None):
            if key is not None and key.key_id == key_id:
                return key
        return None


def make_seal_key() -> SealKey:
    """A fresh P-256 key for R."""
    return SealKey(ec.generate_private_key(ec.SECP256R1()))


class SealKeys(DailyKeys[SealKey]):
    """The keys that R is sealed to (A15)."""

    def __init__(self, clock: Clock, nonce_ttl_s: int, make: Callable[[], SealKey] = make_seal_key) -> None:
        super().__init__(clock, nonce_ttl_s, make)

    def open(self, blob: bytes, challenge: Challenge, certificate: bytes) -> Secret[bytes]:
        """R, in the request that brought the blob. Raises SealUnreadable, also for a key that is gone."""
        key = self.named(key_id_of(blob))
        if key is None:
            raise SealUnreadable
        return key.open(blob, challenge, certificate)


def routes(keys: SealKeys, vault_origin: str) -> list[Route]:
    """`GET /seal-key` for the vault's own origin: the vault fetches it itself, it never comes by message (A15)."""
    headers = {
        "Access-Control-Allow-Origin": vault_origin,
        "Cross-Origin-Resource-Policy": "same-site",
        "Vary": "Origin",
        "Cache-Control": "no-store",
    }

    async def seal_key(_: Request) -> Response:
        key = keys.current
        told = {"key_id": key.key_id, "public": base64.b64encode(key.public).decode("ascii")}
        return JSONResponse(told, headers=headers)

    return [Route("/seal-key", seal_key, methods=["GET"])]
