"""The key that R is sealed to: in memory, replaced daily, the one before kept while a challenge can live (A15)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.protocols.challenge import Challenge, SealKey, SealUnreadable, key_id_of

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Held:
    key: SealKey
    made_at: datetime


def _make() -> SealKey:
    return SealKey(ec.generate_private_key(ec.SECP256R1()))


class SealKeys:
    """Today's key and, for `nonce_ttl_s` seconds after a change, the one before. Nothing outlives the process."""

    def __init__(self, clock: Clock, nonce_ttl_s: int, make: Callable[[], SealKey] = _make) -> None:
        self._clock = clock
        self._ttl = timedelta(seconds=nonce_ttl_s)
        self._make = make
        self._current = _Held(make(), clock.now())
        self._previous: _Held | None = None

    @property
    def current(self) -> SealKey:
        """The key to seal to now."""
        now = self._clock.now()
        if now >= self._current.made_at + DAY:
            self._previous, self._current = self._current, _Held(self._make(), now)
        if self._previous is not None and now >= self._current.made_at + self._ttl:
            self._previous = None
        return self._current.key

    def open(self, blob: bytes, challenge: Challenge, certificate: bytes) -> Secret[bytes]:
        """R, in the request that brought the blob. Raises SealUnreadable, also for a key that is gone."""
        named = key_id_of(blob)
        for key in (self.current, self._previous.key if self._previous is not None else None):
            if key is not None and key.key_id == named:
                return key.open(blob, challenge, certificate)
        raise SealUnreadable


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
