"""The way from a mirror to its origin over HTTP: questions as they came, and the change feed.

The way is loopback, TLS or a tunnel: answers are signed, but one of an hour ago is too (the feed tells which are true).
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final
from urllib.parse import urlsplit

import httpx2

from ingam.ca.status import feed
from ingam.kernel.errors import Outage, Refusal
from ingam.protocols import ocsp

ASK_S: Final = 3.0
FOLLOW_S: Final = 1.5
CONNECTIONS: Final = 64


class OriginSilent(Outage):
    """The origin did not answer in time or in form."""

    code = "ocsp-origin-silent"


class OriginRefused(Refusal):
    """The origin's address is plain HTTP to another machine."""

    code = "ocsp-origin-refused"


class HttpOrigin:
    """`ca.status.mirror.Origin`. `address`: of the authority there, such as `https://va.example/ocsp/ingam`."""

    def __init__(self, address: str, *, tunnel: bool = False) -> None:
        """`tunnel`: plain HTTP to another machine is protected otherwise. Raises OriginRefused."""
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and (tunnel or _loopback(parts.hostname or ""))):
            raise OriginRefused
        self._address = address.rstrip("/")
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._client = httpx2.AsyncClient(follow_redirects=False, timeout=ASK_S, trust_env=False, limits=limits)

    async def ask(self, raw: bytes) -> bytes:
        """The origin's answer. Raises OriginSilent."""
        head = {"content-type": "application/ocsp-request"}
        return await self._bounded("POST", self._address, raw, head, ocsp.MAX_ANSWER, ASK_S)

    async def follow(self, after: int, nonce: bytes, mac: str) -> bytes:
        """The next batch. Raises OriginSilent."""
        address = f"{self._address}/feed?after={after}&nonce={nonce.hex()}"
        head = {"authorization": f"Ingam-Feed {mac}"}
        return await self._bounded("GET", address, None, head, feed.MAX_BATCH, FOLLOW_S)

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def _bounded(
        self, method: str, address: str, body: bytes | None, head: dict[str, str], most: int, seconds: float
    ) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                async with self._client.stream(method, address, content=body, headers=head) as answer:
                    if answer.status_code != 200:
                        raise OriginSilent(http=answer.status_code)
                    found = bytearray()
                    async for part in answer.aiter_raw():
                        found += part
                        if len(found) > most:
                            raise OriginSilent(found="too large")
                    return bytes(found)
        except (TimeoutError, httpx2.HTTPError):
            raise OriginSilent from None


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
