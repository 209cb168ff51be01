"""Requests to configured addresses only: no redirects, bounded time and size, no private address by surprise (A13)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit

import httpx2

from ingam.kernel.errors import Outage


class Unreachable(Outage):
    """No connection, a broken one, or an HTTP status that is no answer: a transport failure (A12)."""

    code = "status-unreachable"


class Slow(Unreachable):
    """No whole answer within the time bound: a transport failure (A12)."""

    code = "status-slow"


class AddressRefused(Outage):
    """The address is not configured, or its name resolves to a private or loopback address."""

    code = "status-address-refused"


class Outgoing:
    """Speaks HTTP to what `addresses` maps: {name in a configured URL: base URL to use}.

    A base URL that names `localhost` or an IP address literally is configured as such; any other name must resolve
    to public addresses only, and the request goes to the address that was checked.
    """

    def __init__(self, addresses: Mapping[str, str], *, seconds: float = 3.0) -> None:
        self._addresses = dict(addresses)
        self._seconds = seconds
        self._client = httpx2.AsyncClient(follow_redirects=False, timeout=seconds, trust_env=False)

    async def __aenter__(self) -> Outgoing:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        """The body of a 200 answer, at most `limit` bytes. Raises Unreachable, Slow, AddressRefused."""
        return await self._bounded("POST", url, limit, body, {"content-type": content_type})

    async def get(self, url: str, limit: int) -> bytes:
        """The body of a 200 answer, at most `limit` bytes. Raises Unreachable, Slow, AddressRefused."""
        return await self._bounded("GET", url, limit, None, {})

    async def _bounded(self, method: str, url: str, limit: int, body: bytes | None, headers: dict[str, str]) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(method, await self._target(url), limit, body, headers)
        except (TimeoutError, httpx2.TimeoutException):
            raise Slow from None
        except httpx2.HTTPError:
            raise Unreachable from None

    async def _exchange(
        self, method: str, target: tuple[str, str], limit: int, body: bytes | None, headers: dict[str, str]
    ) -> bytes:
        address, host = target
        sent = {**headers, "host": host}
        extensions = {"sni_hostname": host.partition(":")[0]}
        async with self._client.stream(method, address, content=body, headers=sent, extensions=extensions) as answer:
            if answer.status_code != 200:
                raise Unreachable(http=answer.status_code)
            found = bytearray()
            async for part in answer.aiter_raw():
                found += part
                if len(found) > limit:
                    raise Unreachable(found="too large")
            return bytes(found)

    async def _target(self, url: str) -> tuple[str, str]:
        """Where to connect, and the Host header to say."""
        asked = urlsplit(url)
        base = self._addresses.get(asked.hostname or "")
        if base is None:
            raise AddressRefused(host=asked.hostname or "")
        mapped = urlsplit(base.rstrip("/") + asked.path + (f"?{asked.query}" if asked.query else ""))
        host = mapped.hostname or ""
        if host == "localhost" or _literal(host):
            return mapped.geturl(), mapped.netloc
        checked = await _public(host, mapped.port or (443 if mapped.scheme == "https" else 80))
        at = f"[{checked}]" if ":" in checked else checked
        netloc = f"{at}:{mapped.port}" if mapped.port else at
        return mapped._replace(netloc=netloc).geturl(), mapped.netloc


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("2002::/16"))


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Global unicast, and no IPv6 form that carries an IPv4 address past this check (RFC 6052, RFC 3056)."""
    carries = isinstance(address, ipaddress.IPv6Address) and any(address in one for one in _CARRIERS)
    return address.is_global and not address.is_multicast and not carries


async def _public(host: str, port: int) -> str:
    """One address of a name, if all of its addresses are public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreachable(host=host) from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(_is_public(ipaddress.ip_address(one)) for one in addresses):
        raise AddressRefused(host=host)
    return addresses[0]
