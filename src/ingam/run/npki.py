"""The NPKI profile over raw TCP (npki.md section 6): frames in, frames out, on the loopback of this machine only.

A connection may carry several messages, one after another. A pkiConf of the client ends its exchange and is not
answered unless it is refused. Every size, count and waiting time is bounded; the endpoint bounds the rest.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from ingam.ca.endpoint.service import Endpoint
from ingam.protocols.cmp import message, tcp
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import CmpRefused
from ingam.protocols.cmp.tcp import Frame, FrameKind

CONNECTIONS: Final = 256
IDLE_S: Final = 30.0
LIFE_S: Final = 600.0
MOST_AT_ONCE: Final = 8
"""Messages that one connection may send before it has read an answer."""

READ: Final = 64 * 1024
DRAIN_S: Final = 5.0


class NpkiServer:
    """One of it in a worker. `on_defect` hears of whatever the endpoint raises; the client's connection ends."""

    def __init__(self, endpoint: Endpoint, on_defect: Callable[[BaseException], None]) -> None:
        self._endpoint = endpoint
        self._on_defect = on_defect
        self._waiting: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, sock: socket.socket) -> None:
        """Serve on a listening socket until `drain`."""
        self._server = await asyncio.start_server(self._accepted, sock=sock)

    async def drain(self) -> None:
        """Take no more connections, answer what was asked, end."""
        if self._server is not None:
            self._server.close()
        for one in self._waiting:
            one.cancel()
        left = [*self._waiting, *self._answering]
        if left:
            await asyncio.wait(left, timeout=DRAIN_S)
        for one in self._answering:
            one.cancel()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._waiting) + len(self._answering) < CONNECTIONS:
                async with asyncio.timeout(LIFE_S):
                    await self._converse(task, reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the client is gone or says nothing, or this process ends
        except Exception as error:
            self._on_defect(error)
        finally:
            self._waiting.discard(task)
            self._answering.discard(task)
            writer.close()

    async def _converse(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        frames, source, last = tcp.Frames(), str(writer.get_extra_info("peername")[0]), False
        while not last:
            self._waiting.add(task)
            data = await asyncio.wait_for(reader.read(READ), IDLE_S)
            self._waiting.discard(task)
            self._answering.add(task)
            answers, last = await self._answers(frames, data, source)
            writer.write(answers)
            await asyncio.wait_for(writer.drain(), IDLE_S)
            self._answering.discard(task)

    async def _answers(self, frames: tcp.Frames, data: bytes, source: str) -> tuple[bytes, bool]:
        """What is written for the bytes that came, and whether the connection ends behind it."""
        try:
            found = frames.feed(data)
        except CmpRefused as refused:
            return tcp.error(refused.code, Frame(FrameKind.PKI_REQ, b"")), True
        answers = [await self._answer(frame, source) for frame in found[:MOST_AT_ONCE]]
        last = not data or len(found) > MOST_AT_ONCE or any(frame.close for frame in found)
        draining = self._server is not None and not self._server.is_serving()
        return b"".join(answers), last or draining

    async def _answer(self, frame: Frame, source: str) -> bytes:
        if frame.kind is not FrameKind.PKI_REQ:
            return tcp.error("cmp-frame", frame)
        _, answer = await self._endpoint.answer(tcp.message_in(frame), source)
        if message.parse(answer).body.kind is BodyKind.PKICONF:
            return b""
        return tcp.answer(answer, frame)
