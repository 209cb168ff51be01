"""Devices at a relay's port: over a WebSocket, and over plain requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from tests.relay.world import Device
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ingam.protocols.mailbox import wire

VAULT = "http://localhost:8701"
PATIENCE_S = 10


async def dialled(port: int, **words: Any) -> ClientConnection:
    """A WebSocket as the browser opens it."""
    asked: dict[str, Any] = {"origin": VAULT, "subprotocols": [wire.SUBPROTOCOL], "compression": None, "proxy": None}
    return await connect(f"ws://127.0.0.1:{port}/copy", **(asked | words))


class Line:
    """A WebSocket of one device."""

    opened: ClassVar[list[Line]] = []

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.opened.append(self)

    @classmethod
    async def close_all(cls) -> None:
        """At the end of a scene, in its loop."""
        while cls.opened:
            socket = cls.opened.pop().socket
            socket.transport.abort()
            await socket.wait_closed()

    @staticmethod
    async def to(port: int, first: wire.Act | None = None, **words: Any) -> Line:
        line = Line(await dialled(port, **words))
        if first is not None:
            await line.say(first)
        return line

    async def say(self, act: wire.Act) -> None:
        await self.socket.send(wire.write(act))

    async def send(self, sequence: int, body: bytes) -> None:
        await self.socket.send(wire.write_post(sequence, body))

    async def told(self) -> wire.Told:
        found = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(found, str), "a message came where a word was awaited"
        return wire.read_told(found)

    async def got(self) -> tuple[int, bytes]:
        found = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(found, bytes), f"told where a message was awaited: {found!r}"
        return wire.read_post(found)

    async def closed(self) -> int | None:
        """Read to the end; the code of the close, None without one."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.socket.recv()
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd is not None else None


def first_of(device: Device, act: str, **words: Any) -> wire.Act:
    """A first frame with a new ticket of the device's person, which the device remembers."""
    device.ticket = device.world.ticket(act, words.pop("role"), device.who, **words)
    text = device.world.signed(device.ticket)
    return wire.Open(text) if act == "open" else wire.Join(text)


async def pair(world: Any, port: int, other: int | None = None, who: str = "a" * 64) -> tuple[Line, Line, Any, Any]:
    """A receiver and a sender that have met: their lines, and what each was told first."""
    device = Device(world, None, who)  # type: ignore[arg-type]
    receiver = await Line.to(port, first_of(device, "open", role="receiver"))
    opened = await receiver.told()
    assert isinstance(opened, wire.Opened)
    assert device.ticket is not None
    joins = first_of(device, "join", role="sender", mailbox=opened.mailbox, peer=device.ticket.id)
    sender = await Line.to(other or port, joins)
    joined = await sender.told()
    assert isinstance(joined, wire.Joined)
    assert isinstance(await receiver.told(), wire.Peer)
    return receiver, sender, opened, joined


class Answer:
    """One answer of plain HTTP."""

    def __init__(self, status: int, fields: dict[str, str], body: bytes) -> None:
        self.status, self.fields, self.body = status, fields, body

    @property
    def told(self) -> wire.Told:
        return wire.read_told(self.body.decode())


async def asked(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    fields: dict[str, str] | None = None,
    origin: str | None = VAULT,
) -> Answer:  # fmt: skip
    """A request on a connection of its own."""
    reader, writer = await request(port, method, path, body, fields, origin)
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await head(reader)
            if "content-length" in answer.fields and method != "HEAD":
                answer.body = await reader.readexactly(int(answer.fields["content-length"]))
        return answer
    finally:
        writer.close()


async def request(
    port: int, method: str, path: str, body: Any, fields: dict[str, str] | None, origin: str | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Write it, read nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Host": f"localhost:{port}", "Content-Length": str(len(raw)), **(fields or {})}
    if origin is not None:
        lines["Origin"] = origin
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode() + raw)
    return reader, writer


async def head(reader: asyncio.StreamReader) -> Answer:
    """Status and fields of an answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines[1:] if line]
    return Answer(int(lines[0].split()[1]), {name.lower(): value for name, value in pairs}, b"")


class Events:
    """A stream of events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @staticmethod
    async def of(port: int, token: str, got: int = 0) -> Events:
        reader, writer = await request(port, "POST", "/copy/events", {"token": token, "got": got}, None, VAULT)
        answer = await head(reader)
        assert answer.status == 200
        assert answer.fields["content-type"].startswith("text/event-stream")
        assert answer.fields["access-control-allow-origin"] == VAULT
        return Events(reader, writer)

    async def next(self) -> tuple[str, str]:
        """Kind and data of the next event; ("", "") for a comment."""
        block = (await asyncio.wait_for(self._reader.readuntil(b"\n\n"), PATIENCE_S)).decode()
        found = dict(line.split(": ", 1) for line in block.strip("\n").split("\n") if not line.startswith(":"))
        return found.get("event", ""), found.get("data", "")

    async def ended(self) -> bool:
        rest = await asyncio.wait_for(self._reader.read(), PATIENCE_S)
        self.close()
        return rest == b""

    def close(self) -> None:
        self._writer.close()
