"""The way to the houses (`sandbox.behind.Line`): over the socket of their process, or within this one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2

from ingam.run.messages import Reply, Request, Streamed
from ingam.sandbox.behind import HousesAway, Passed

if TYPE_CHECKING:
    from ingam.run.houses import Houses

HOUSES: Final = httpx2.URL("http://houses")
ANSWER_S: Final = 10.0
START_S: Final = 30.0


class Process:
    """The socket of `python -m ingam.run.houses`, on one loop. A path too long for one is reached by its folder."""

    def __init__(self, socket: Path) -> None:
        socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY)
        way = httpx2.AsyncHTTPTransport(uds=f"/proc/self/fd/{self._folder}/{socket.name}", trust_env=False)
        self._client = httpx2.AsyncClient(transport=way, timeout=ANSWER_S)

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        """Raises HousesAway."""
        sent = {"content-type": content_type} if content_type else {}
        try:
            where = HOUSES.copy_with(raw_path=target.encode("ascii"))
            found = await self._client.request(method, where, content=body or None, headers=sent)
        except httpx2.HTTPError:
            raise HousesAway from None
        return Passed(found.status_code, {name.lower(): value for name, value in found.headers.items()}, found.content)

    async def ready(self, child: subprocess.Popen[bytes] | None = None) -> None:
        """Until it answers. Raises HousesAway where it does not come, or where `child` ended."""
        for _ in range(int(START_S / 0.05)):
            try:
                await self.ask("GET", "/healthz")
                return
            except HousesAway:
                if child is not None and child.poll() is not None:
                    raise
            await asyncio.sleep(0.05)
        raise HousesAway

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()
        os.close(self._folder)


class Within:
    """Houses that were opened on this very loop."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        """As `Process`."""
        sent = {b"content-type": content_type.encode()} if content_type else {}
        asked = Request(method.encode(), target.encode(), sent, body, "", keep=True, old=False)
        if len(body) > self._houses.limit(asked.method, asked.target):
            return Passed(413, {}, b"")
        reply = self._houses(asked)
        found = reply if isinstance(reply, Reply) else await reply
        body = b"".join(found.chunks) if isinstance(found, Streamed) else found.body
        return Passed(found.status, _fields(found.rest[: found.head]), body)


def _fields(head: bytes) -> Mapping[str, str]:
    lines = (line.partition(": ") for line in head.decode("latin-1").splitlines())
    return {name.lower(): value for name, _, value in lines}


def beside(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The houses' process, which ends with this one."""
    command = [sys.executable, "-m", "ingam.run.houses", "--with-parent", str(os.getpid())]
    return subprocess.Popen(command, env=dict(environment))
