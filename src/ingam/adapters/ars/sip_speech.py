"""The speech of one call: a UDP socket on a random port, a packet every 20 ms, and the keys that are pressed (E6).

Packets count from the moment the call is answered, and only those that `protocols.sip.gate` lets through; with SRTP
they are authenticated before. Between sentences silence is sent, so that whatever stands between keeps the way open.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from ingam.protocols.sip import rtp
from ingam.protocols.sip.dtmf import Keys
from ingam.protocols.sip.gate import Gate
from ingam.protocols.sip.pcmu import SILENCE
from ingam.protocols.sip.rtp import Packet
from ingam.protocols.sip.sdp import PCMU, Answer

FRAME: Final = 160
"""Samples, and bytes, of a packet."""

FRAME_S: Final = 0.02
FIRST_PORT, LAST_PORT = 16384, 32766
TRIES: Final = 64
EARLY_MOST: Final = 4096
"""Packets of before the answer that are thrown away."""

_SILENCE: Final = bytes([SILENCE]) * FRAME


class Guard(Protocol):
    """SRTP of one call: what is sent is sealed, what arrives is opened, None where it is not authentic."""

    def seal(self, packet: bytes) -> bytes:
        """Of an RTP packet."""

    def open(self, packet: bytes) -> bytes | None:
        """Of an SRTP packet."""


class Speech(asyncio.DatagramProtocol):
    """Opened by `open_speech`; `begin` when the call is answered."""

    def __init__(self, socket: socket.socket) -> None:
        self._socket = socket
        self._way: asyncio.DatagramTransport | None = None
        self._gate: Gate | None = None
        self._guard: Guard | None = None
        self._keys = Keys()
        self._keyed: Callable[[str], None] = _nobody
        self._to: tuple[str, int] = ("", 0)
        self._sending: asyncio.Task[None] | None = None
        self._clip, self._at = b"", 0
        self._said: asyncio.Future[None] | None = None

    @property
    def port(self) -> int:
        """Ours."""
        port: int = self._socket.getsockname()[1]
        return port

    async def begin(self, answer: Answer, guard: Guard | None, keyed: Callable[[str], None]) -> None:
        """Speaks to where the answer says, and hears from there only; what came before is thrown away unread."""
        self._gate, self._guard, self._keyed = Gate(answer), guard, keyed
        self._to = (answer.address, answer.port)
        with suppress(OSError):
            for _ in range(EARLY_MOST):
                self._socket.recv(1)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=self._socket)
        self._sending = asyncio.create_task(self._send())

    async def say(self, clip: bytes) -> None:
        """PCMU; returns when it was said or hushed."""
        said = asyncio.get_running_loop().create_future()
        self.hush()
        self._clip, self._at, self._said = clip, 0, said
        await said

    def hush(self) -> None:
        """Says nothing more of the present clip."""
        self._clip, said, self._said = b"", self._said, None
        if said is not None and not said.done():
            said.set_result(None)

    def close(self) -> None:
        """No packet goes or comes any more."""
        self.hush()
        if self._sending is not None:
            self._sending.cancel()
        if self._way is not None:
            self._way.close()
        else:
            self._socket.close()

    def connection_made(self, transport: Any) -> None:
        self._way = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        source = addr[:2]
        if self._gate is None or not self._gate.from_there(source):
            return
        opened = data if self._guard is None else self._guard.open(data)
        packet = None if opened is None else self._gate.let(opened, source)
        if packet is None or packet.payload_type == PCMU:
            return
        key = self._keys.feed(packet)
        if key is not None:
            self._keyed(key)

    async def _send(self) -> None:
        """Frame after frame by the loop's clock, so that one that came late makes the next no later."""
        loop = asyncio.get_running_loop()
        sequence, timestamp, ssrc = secrets.randbits(15), secrets.randbits(31), secrets.randbits(32)
        due, marker = loop.time(), True
        while True:
            packet = rtp.write(Packet(PCMU, marker, sequence, timestamp, ssrc, self._frame()))
            if self._way is not None:
                self._way.sendto(packet if self._guard is None else self._guard.seal(packet), self._to)
            sequence, timestamp, marker = (sequence + 1) & 0xFFFF, (timestamp + FRAME) & 0xFFFFFFFF, False
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _frame(self) -> bytes:
        if not self._clip:
            return _SILENCE
        frame = self._clip[self._at : self._at + FRAME]
        self._at += FRAME
        if self._at >= len(self._clip):
            self.hush()
        return frame + _SILENCE[len(frame) :]


def _nobody(_key: str) -> None:
    return


def open_speech(bind: str) -> Speech:
    """On a random even port (RFC 3550 section 11). Raises OSError where none is free."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    for _ in range(TRIES):
        port = FIRST_PORT + 2 * secrets.randbelow((LAST_PORT - FIRST_PORT) // 2)
        one = socket.socket(family, socket.SOCK_DGRAM)
        try:
            one.setblocking(False)
            one.bind((bind, port))
        except OSError:
            one.close()
            continue
        return Speech(one)
    raise OSError("no port is free")
