"""The way to the trunk: one connected UDP socket, or one TCP or TLS connection; whole SIP messages go in and out.

A connected socket takes datagrams from the trunk's address only; of TLS the trunk's certificate is checked against its
host name. What is no SIP message is dropped over UDP and ends a stream.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ingam.kernel.secret import Secret
from ingam.protocols.sip import message
from ingam.protocols.sip.message import Framing, Message, SipMalformed

OPENING_S: Final = 4.0
"""Within which a connection is there."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """An institution's SIP trunk. `transport`: udp, tcp or tls; `domain`: of addresses there; `user`: "" is no Digest.

    `secured`: SRTP and nothing else. `bind`: the address that speech is received on; `address`: ours as the trunk sees
    it, "" for the one that leads there.
    """

    host: str
    port: int
    transport: str
    domain: str
    caller_id: str
    user: str = ""
    password: Secret[str] = field(repr=False, default_factory=lambda: Secret(""))
    secured: bool = True
    bind: str = "0.0.0.0"  # noqa: S104 - what arrives is judged by E6
    address: str = ""
    context: ssl.SSLContext | None = None

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats by itself."""
        return self.transport != "udp"


class Line:
    """`receive`: each message that arrives; `lost`: once, when nothing more can be sent."""

    def __init__(self, receive: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._receive = receive
        self._lost = lost
        self._framing: Framing | None = None
        self._way: Any = None
        self.local: tuple[str, int] = ("", 0)

    @property
    def open(self) -> bool:
        """Whether something can be sent."""
        return self._way is not None and self._way.is_closing() is False

    def send(self, data: bytes) -> None:
        """One message; nothing where the line is lost."""
        if self._way is None or self._way.is_closing():
            return
        if self._framing is None:
            self._way.sendto(data)
        else:
            self._way.write(data)

    def close(self) -> None:
        """Ends it; `lost` is not called."""
        self._lost = _nothing
        if self._way is not None:
            self._way.close()

    def arrived(self, data: bytes) -> None:
        """Bytes from the trunk."""
        try:
            for one in [data] if self._framing is None else self._framing.feed(data):
                if one.strip():
                    self._receive(message.read(one))
        except SipMalformed:
            if self._framing is not None and self._way is not None:
                self._way.close()

    def made(self, way: Any, *, stream: bool) -> None:
        """The transport is there."""
        self._way, self._framing = way, Framing() if stream else None
        self.local = way.get_extra_info("sockname")[:2]
        if stream:  # a trunk that is gone without a word is noticed before somebody waits for it
            way.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def broken(self) -> None:
        """The transport is gone, or says that nobody is there."""
        lost, self._lost = self._lost, _nothing
        if self._way is not None:
            self._way.close()
        lost()


def _nothing() -> None:
    return


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, line: Line) -> None:
        self._line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line.made(transport, stream=False)

    def datagram_received(self, data: bytes, _addr: tuple[str | Any, int]) -> None:
        self._line.arrived(data)

    def error_received(self, _exc: Exception) -> None:
        self._line.broken()


class _Stream(asyncio.Protocol):
    def __init__(self, line: Line) -> None:
        self._line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line.made(transport, stream=True)

    def data_received(self, data: bytes) -> None:
        self._line.arrived(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._line.broken()


async def open_line(trunk: Trunk, receive: Callable[[Message], None], lost: Callable[[], None]) -> Line:
    """Raises OSError (and its TimeoutError, ssl.SSLError)."""
    loop, line = asyncio.get_running_loop(), Line(receive, lost)
    async with asyncio.timeout(OPENING_S):
        if trunk.transport == "udp":
            await loop.create_datagram_endpoint(lambda: _Datagrams(line), remote_addr=(trunk.host, trunk.port))
        else:
            secured = trunk.transport == "tls"
            context = (trunk.context or ssl.create_default_context()) if secured else None
            await loop.create_connection(
                lambda: _Stream(line), trunk.host, trunk.port, ssl=context,
                server_hostname=trunk.host if secured else None,
            )  # fmt: skip
    return line
