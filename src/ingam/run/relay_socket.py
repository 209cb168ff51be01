"""A device over a WebSocket (RFC 6455): the sans-IO protocol of `websockets` on the exchange's transport.

Bounded: the first frame comes within FIRST_SECONDS, a connection sends BYTES_MOST in all, a silent one is asked for a
sign of life and cut.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from ingam.protocols.mailbox import wire
from ingam.relay.service import Relay
from ingam.run.handing import Handed, HandingExchange, Taker
from ingam.run.messages import Reply, Request, fields, plain
from ingam.run.relay_device import Device

PING_S: Final = 20
SILENT_S: Final = 45
PARTS_MOST: Final = 64
"""Fragments of a message: what stands between may cut it up."""

BYTES_MOST: Final = 256 * 1024
"""Of one connection in all: eight messages are 131 KiB, the rest is room for signs of life and repetitions."""

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LOG: Final = logging.getLogger("ingam.relay.frames")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # the library's words may hold what clients sent (H9)


def upgrade(request: Request, take: Callable[[], Taker]) -> Reply:
    """The answer to a request for a WebSocket: 101 and what `take` makes, or why not (RFC 6455 section 4.2)."""
    found = request.fields
    if request.method != b"GET":
        return plain(405, more=[("Allow", "GET")])
    if found.get(b"upgrade", b"").lower() != b"websocket" or b"upgrade" not in _words(found.get(b"connection", b"")):
        return plain(426, more=[("Upgrade", "websocket")])
    if found.get(b"sec-websocket-version") != b"13":
        return plain(426, more=[("Sec-WebSocket-Version", "13")])
    key = found.get(b"sec-websocket-key", b"")
    offered = _words(found.get(b"sec-websocket-protocol", b""))
    if request.old or not _is_key(key) or wire.SUBPROTOCOL.encode("ascii") not in offered:
        return plain(400)
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest()).decode("ascii")
    head = (
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept),
        ("Sec-WebSocket-Protocol", wire.SUBPROTOCOL),
    )  # fmt: skip
    return Handed(101, fields(head), take)


def _words(value: bytes) -> list[bytes]:
    return [one.strip().lower() for one in value.split(b",")]


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False


class Socket(Device):
    """A connection and its frames."""

    __slots__ = ("_frames", "_heard", "_left", "_parts", "_pinged", "_since", "_text")

    def __init__(self, relay: Relay, exchange: HandingExchange, network: str) -> None:
        super().__init__(relay, exchange, network)
        self._frames = Protocol(SERVER, state=OPEN, max_size=wire.MOST_FRAME, logger=_LOG)
        self._parts: list[bytes] | None = None
        self._text = False
        self._left = BYTES_MOST
        self._since = self._heard = self._pinged = exchange.tick

    def data_received(self, data: bytes) -> None:
        self._heard = self.exchange.tick
        self._left -= len(data)
        if self._left < 0:
            self.abort()
            return
        self._frames.receive_data(data)
        for frame in self._frames.events_received():
            if isinstance(frame, Frame) and not self.closing:
                self._take(frame)
        self._flush()
        if self._frames.parser_exc is not None:
            self._put_broken()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._frames.parser.close()  # a generator that holds its protocol: else only the collector would free both

    def _take(self, frame: Frame) -> None:
        """Pings and closes are answered by the protocol."""
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            self._text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        data = bytes(frame.data)
        if self._parts is not None:
            self._parts.append(data)
            data = b"".join(self._parts) if frame.fin else b""
        elif not frame.fin:
            self._parts = [data]
        if frame.fin:
            self._parts = None
            self._said(data)
        elif self._parts is not None and len(self._parts) > PARTS_MOST:
            self.abort()

    def _said(self, data: bytes) -> None:
        if not self._text:
            self.put(data)
            return
        try:
            self.put(wire.read_act(data.decode("utf-8")))
        except (wire.WireMalformed, UnicodeDecodeError):
            self._put_broken()

    def _put_broken(self) -> None:
        """What is no word of the protocol is handled in its turn, as an empty message: it burns."""
        if not self.closing or self.place is not None:
            self.put(b"")

    def _flush(self) -> None:
        writes = self._frames.data_to_send()
        if not writes or self.transport.is_closing():
            return
        self.transport.write(writes[0] if len(writes) == 1 else b"".join(writes))
        if not writes[-1]:  # the protocol's sign for the end
            self.closing = self.closing or self.exchange.tick
            self.transport.close()

    def tell(self, text: str) -> None:
        if self._frames.state is OPEN:
            self._frames.send_text(text.encode("utf-8"))
            self._flush()

    def carry(self, sequence: int, body: bytes) -> None:
        if self._frames.state is OPEN:
            self._frames.send_binary(wire.write_post(sequence, body))
            self._flush()

    def end(self) -> None:
        self.closing = self.closing or self.exchange.tick
        if self._frames.state is OPEN:
            self._frames.send_close(wire.CLOSED)
            self._flush()

    def look(self, tick: int) -> None:
        silent = tick - self._heard
        if self.place is None:
            if tick - self._since > wire.FIRST_SECONDS and not self.busy:
                self.cut()
        elif silent > SILENT_S:
            self.cut()
        elif silent > PING_S and tick - self._pinged > PING_S:
            self._pinged = tick
            self._frames.send_ping(b"")
            self._flush()
