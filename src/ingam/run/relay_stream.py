"""A device whose network breaks WebSockets: what it is told comes as server-sent events, what it says in small POSTs.

The events are those of the WebSocket: `event: told` with a word of the relay, `event: peer` with base64 of sequence and
body; a comment now and then keeps proxies from ending the stream.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from typing import Final

from ingam.protocols.mailbox import wire
from ingam.relay.service import Relay
from ingam.run.handing import HandingExchange
from ingam.run.messages import fields
from ingam.run.relay_device import Device

HEARTBEAT_S: Final = 10
UNACKNOWLEDGED_MS: Final = 30_000
"""How long what was sent may stay unacknowledged before the connection counts as lost: nobody answers heartbeats."""

GRACE_S: Final = 10
"""How long after `begin` the stream may come before its device counts as away."""

_SAID_MOST: Final = 1024


def head(more: list[tuple[str, str]]) -> bytes:
    """The fields before a stream; it ends with its connection."""
    return fields([
        ("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-store, no-transform"),
        ("X-Accel-Buffering", "no"), ("Connection", "close"), *more,
    ])  # fmt: skip


class Stream(Device):
    """A connection that only tells. That it has resumed was told by the answer to `begin`."""

    __slots__ = ("_first", "_left", "_told")

    known = True

    def __init__(self, relay: Relay, exchange: HandingExchange, network: str, first: wire.Resume) -> None:
        super().__init__(relay, exchange, network)
        self._first, self._left, self._told = first, _SAID_MOST, exchange.tick

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        found = transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        self.put(self._first)

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.abort()

    def tell(self, text: str) -> None:
        self._write("told", text)

    def carry(self, sequence: int, body: bytes) -> None:
        self._write("peer", base64.b64encode(wire.write_post(sequence, body)).decode("ascii"))

    def _write(self, event: str, data: str) -> None:
        if not self.closing:
            self._told = self.exchange.tick
            self.transport.write(f"event: {event}\ndata: {data}\n\n".encode())

    def end(self) -> None:
        self.closing = self.closing or self.exchange.tick
        self.transport.close()

    def look(self, tick: int) -> None:
        if tick - self._told >= HEARTBEAT_S:
            self._told = tick
            self.transport.write(b":\n\n")


class Notes:
    """What a device is told before its stream is there (`relay.room.Link`)."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, text: str) -> None:
        """Kept for the answer."""
        self.told.append(text)

    def carry(self, sequence: int, body: bytes) -> None:
        """It resumes with what it has got, and is told then."""

    def end(self) -> None:
        """It hears so when it resumes."""
