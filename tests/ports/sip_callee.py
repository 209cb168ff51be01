"""A telephone behind a SIP trunk, on loopback over UDP: it rings, is answered, hears, and presses keys."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from itertools import groupby
from typing import Any

from ingam.protocols.sip import dtmf, message, rtp
from ingam.protocols.sip.dtmf import KeyEvent
from ingam.protocols.sip.message import Headers, Request, Response
from ingam.protocols.sip.pcmu import SILENCE
from ingam.protocols.sip.rtp import Packet

KEPT = ("via", "from", "call-id", "cseq")
EVENTS = 96
"""Another payload type for telephone events than ours, as sipp has it."""


class Media(asyncio.DatagramProtocol):
    """Its RTP socket. `heard`: every payload; `on`: what is done with each."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.news = asyncio.Event()
        self.way: Any = None
        self.source: Any = None
        self._ssrc, self._sequence, self._time = secrets.randbits(32), 1, 1000

    def connection_made(self, transport: Any) -> None:
        self.way = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, int]) -> None:
        packet = rtp.read(data)
        assert packet is not None and packet.payload_type == 0
        self.heard.append(packet.payload)
        self.source = addr
        self.news.set()

    @property
    def port(self) -> int:
        """Its own."""
        port: int = self.way.get_extra_info("sockname")[1]
        return port

    def press(self, key: str, to: tuple[str, int], *, way: Any = None, **change: Any) -> None:
        """One key: three packets while it is held, three that it was let go (RFC 4733 section 2.5.1)."""
        self._time += 4000
        for number in range(6):
            self._sequence += 1
            event = KeyEvent(dtmf.KEYS.index(key), number > 2, 10, min(160 * (number + 1), 480))
            packet = Packet(EVENTS, number == 0, self._sequence, self._time, self._ssrc, dtmf.write(event))
            (way or self.way).sendto(rtp.write(packet._replace(**change)), to)


class Callee(asyncio.DatagramProtocol):
    """`before`: what it does with an INVITE, if something else than ringing."""

    def __init__(self) -> None:
        self.media = Media()
        self.invites: list[Request] = []
        self.gone = asyncio.Event()
        self.acknowledged = asyncio.Event()
        self.asked: list[str] = []
        self.before: Callable[[Request], Response | None] | None = None
        self.way: Any = None
        self.secured = False
        self._from: Any = None
        self._tag = secrets.token_hex(4)

    @property
    def port(self) -> int:
        """Of SIP."""
        port: int = self.way.get_extra_info("sockname")[1]
        return port

    @property
    def invite(self) -> Request:
        """The newest."""
        return self.invites[-1]

    @property
    def speech_at(self) -> tuple[str, int]:
        """Where the caller hears, by its offer."""
        line = next(one for one in self.invite.body.decode().splitlines() if one.startswith("m=audio"))
        return "127.0.0.1", int(line.split()[1])

    def connection_made(self, transport: Any) -> None:
        self.way = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, int]) -> None:
        one = message.read(data)
        if isinstance(one, Response):
            return
        self._from = addr
        self.asked.append(one.method)
        if one.method == "INVITE":
            self._invited(one)
        elif one.method == "ACK":
            self.acknowledged.set()
        else:
            self.reply(one, 200)
            if one.method == "CANCEL":
                self.reply(self.invite, 487)
            self.gone.set()

    def reply(self, request: Request, status: int, more: Headers = (), body: bytes = b"") -> None:
        """A response."""
        headers = tuple(one for one in request.headers if one[0].lower() in KEPT)
        to = f"{message.first(request, 'to')};tag={self._tag}"
        contact = f"<sip:callee@127.0.0.1:{self.port}>"
        told = Response(status, "Told", (*headers, ("To", to), ("Contact", contact), *more), body)
        self.way.sendto(message.write(told), self._from)

    def answer(self, sdp: bytes | None = None) -> None:
        """Takes the call."""
        self.reply(self.invite, 200, (("Content-Type", "application/sdp"),), self.sdp() if sdp is None else sdp)

    def sdp(self) -> bytes:
        """PCMU and events."""
        where, own = "IN IP4 127.0.0.1", self.media.port
        lines = ["v=0", f"o=- 1 1 {where}", "s=-", f"c={where}", "t=0 0",
                 f"m=audio {own} RTP/AVP 0 {EVENTS}", f"a=rtpmap:{EVENTS} telephone-event/8000"]  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n"

    def bye(self, **change: str) -> None:
        """Puts the telephone down; `change`: headers by their names, to say something wrong."""
        theirs, ours = message.first(self.invite, "from"), message.first(self.invite, "to")
        headers = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)}",
            "From": f"{ours};tag={self._tag}",
            "To": str(theirs),
            "Call-ID": str(message.first(self.invite, "call-id")),
            "CSeq": "1 BYE",
        } | change
        request = Request("BYE", f"sip:caller@127.0.0.1:{self._from[1]}", tuple(headers.items()))
        self.way.sendto(message.write(request), self._from)

    async def until(self, byte: int) -> None:
        """A sentence of this sound is heard."""
        while not any(payload[0] == byte for payload in self.media.heard):
            self.media.news.clear()
            await self.media.news.wait()

    def sounds(self) -> list[int]:
        """What was heard, each run of a sound once; silence is none."""
        return [byte for byte, _ in groupby(one[0] for one in self.media.heard) if byte != SILENCE]

    def press(self, digits: str) -> None:
        """Keys."""
        for key in digits:
            self.media.press(key, self.speech_at)

    def close(self) -> None:
        """Both sockets."""
        self.way.close()
        self.media.way.close()

    def _invited(self, request: Request) -> None:
        self.invites.append(request)
        told = self.before(request) if self.before is not None else None
        if told is not None:
            self.reply(request, told.status, told.headers)
            return
        self.reply(request, 100)
        self.reply(request, 180)


async def callee() -> Callee:
    """On free ports of loopback."""
    loop = asyncio.get_running_loop()
    one = Callee()
    await loop.create_datagram_endpoint(lambda: one, local_addr=("127.0.0.1", 0))
    await loop.create_datagram_endpoint(lambda: one.media, local_addr=("127.0.0.1", 0))
    return one


class Sounds:
    """`prompts.Voice`: each sentence is 60 ms of a byte of its own, so that who hears it knows which it was."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def clip(self, text: str, lang: str) -> bytes:
        if text not in self.texts:
            self.texts.append(text)
        return bytes([1 + self.texts.index(text)]) * 480

    def byte(self, number: int) -> int:
        """Of the sentence that was asked for as this one: the opening is 0, the question 1."""
        return 1 + number
