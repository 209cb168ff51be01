"""A lean WebSocket client for both relays: the sans-IO protocol of `websockets` on a transport, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import os
from collections import deque
from itertools import cycle
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

ORIGIN: Final = "http://localhost:8701"
_SOURCES: Final = cycle(f"127.0.{group}.{host}" for group in range(1, 5) for host in range(1, 201))
"""Clients come from many addresses, as they do in the field: a ceiling of one network is not what is measured."""


class Client(asyncio.Protocol):
    """One connection. `next()` gives what came, text as str, binary as bytes; pings are answered."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._frames: Protocol | None = None
        self._head = b""
        self._came: deque[str | bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._frames is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(RuntimeError(head.decode("latin-1")))
                return
            self._frames = Protocol(CLIENT, state=OPEN, max_size=2**20)
            self.open.set_result(None)
        self._frames.receive_data(data)
        for event in self._frames.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                data = bytes(event.data)
                self._came.append(data.decode() if event.opcode is Opcode.TEXT else data)
        self._flush()
        self._wake()

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def next(self) -> str | bytes:
        """What came next. Raises ConnectionError at the end."""
        while not self._came:
            if self.lost:
                raise ConnectionError
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._came.popleft()

    def send(self, data: str | bytes) -> None:
        """A message."""
        assert self._frames is not None
        if isinstance(data, str):
            self._frames.send_text(data.encode())
        else:
            self._frames.send_binary(data)
        self._flush()

    def _flush(self) -> None:
        assert self._frames is not None
        writes = b"".join(self._frames.data_to_send())
        if writes and not self.lost:
            self.transport.write(writes)

    def close(self) -> None:
        """Away without a word more."""
        self.transport.abort()


async def connect(port: int, path: str, subprotocol: str = "") -> Client:
    """A WebSocket to a port of this machine."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Origin: {ORIGIN}",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
    ]  # fmt: skip
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: Client(request), "127.0.0.1", port, local_addr=(next(_SOURCES), 0)
    )  # fmt: skip
    await client.open
    return client
