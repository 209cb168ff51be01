"""The link of `ingam copy` to the relay: a WebSocket that comes back with the same bytes of the same run (security C8).

What was sent is kept, what has come is counted; after a lost connection the token resumes, the relay says what it has,
and the rest goes again. It tells the machine only what the machine's table knows.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from ingam.kernel.errors import Outage, Refusal
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.endpoint import Closed, Event, Heard, LinkLost, PeerCame
from ingam.run.cli.copy_center import agent

AWAY_S: Final = 30.0
ANSWER_S: Final = 10.0
PAUSES: Final = (0.0, 0.2, 0.5, 1.0, 2.0)
_AGAIN: Final = ("relay-outage", "relay-stopping", "copy-too-many")

Dial = Callable[[], Awaitable[ClientConnection]]
Notes = Callable[[str], None]


class RelayUnreachable(Outage):
    """The relay does not answer, or with something that is none of its words."""

    code = "copy-relay-away"


class RelayRefused(Refusal):
    """The relay's own refusal, by its code; `s`: seconds to wait, where it says so."""


def dialler(relay: str, roots: ssl.SSLContext | None = None) -> Dial:
    """How to reach the relay of this origin."""
    address = f"ws{relay.removeprefix('http')}{wire.PATH}"
    words: dict[str, Any] = {"ssl": roots} if roots is not None and relay.startswith("https://") else {}

    async def dial() -> ClientConnection:
        return await connect(
            address,
            subprotocols=[wire.SUBPROTOCOL],  # type: ignore[list-item]
            compression=None,
            max_size=wire.MOST_FRAME + 64,
            user_agent_header=agent(),
            open_timeout=ANSWER_S,
            close_timeout=1,
            proxy=None,
            **words,
        )

    return dial


class Link:
    """One device's side of one mailbox. `notes` hears `away`, `back`, `lost`, `resumed` for the screen."""

    def __init__(self, dial: Dial, notes: Notes = lambda _: None) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self._dial, self._notes = dial, notes
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._token = ""
        self._sent: list[bytes] = []
        self._got = 0
        self._met = False
        self._closing: str | None = None
        self.told_closed = asyncio.Event()

    async def begin(self, first: wire.Open | wire.Join) -> wire.Opened | wire.Joined:
        """Show the ticket. Raises RelayRefused, RelayUnreachable."""
        try:
            self._socket = await self._dial()
            told = await _asked(self._socket, first)
        except (OSError, TimeoutError, WebSocketException, wire.WireMalformed):
            raise RelayUnreachable from None
        if isinstance(told, wire.RefusedBy):
            await self._socket.close()
            raise RelayRefused(told.code, **({} if told.s is None else {"s": told.s}))
        if not isinstance(told, wire.Opened | wire.Joined):
            raise RelayUnreachable
        self._token = told.token
        self._reader = asyncio.create_task(self._read())
        return told

    async def send(self, body: bytes) -> None:
        """To the other device; kept, so that it goes again where the connection is lost now."""
        self._sent.append(body)
        await self._write(wire.write_post(len(self._sent) - 1, body))

    async def close(self, why: str) -> None:
        """Tell the relay that it is over."""
        self._closing = why
        await self._write(wire.write(wire.Close(why)))

    async def leave(self, patience_s: float = 0.0) -> None:
        """Give the connection back; wait so long for the relay's own end, that the last message is not cut off."""
        if self._reader is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.told_closed.wait()
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()

    async def _write(self, frame: str | bytes) -> None:
        """A lost connection loses nothing: the reader finds it and resumes."""
        if self._socket is not None:
            with suppress(OSError, WebSocketException):
                await self._socket.send(frame)

    async def _read(self) -> None:
        while True:
            assert self._socket is not None
            with suppress(OSError, WebSocketException):
                async for frame in self._socket:
                    if self._hear(frame):
                        self.told_closed.set()
                        return
            self._notes("lost")
            if not await self._resume():
                self.events.put_nowait(LinkLost())
                self.told_closed.set()
                return
            self._notes("resumed")

    def _hear(self, frame: str | bytes) -> bool:
        """One frame of the relay; True where it was the last."""
        try:
            return self._told(wire.read_told(frame)) if isinstance(frame, str) else self._carried(frame)
        except wire.WireMalformed:
            self.events.put_nowait(Closed("broken"))
            return True

    def _told(self, told: wire.Told) -> bool:
        match told:
            case wire.Peer() if not self._met:
                self._met = True
                self.events.put_nowait(PeerCame())
            case wire.Away():
                self._notes("away")
            case wire.Back():
                self._notes("back")
            case wire.Closed(why):
                self.events.put_nowait(Closed(why))
                return True
            case wire.RefusedBy():
                self.events.put_nowait(Closed("broken"))
                return True
        return False

    def _carried(self, frame: bytes) -> bool:
        sequence, body = wire.read_post(frame)
        if sequence > self._got:
            raise wire.WireMalformed
        if sequence == self._got:
            self._got += 1
            self.events.put_nowait(Heard(body))
        return False

    async def _resume(self) -> bool:
        """Come back within the time that the relay waits for this side."""
        end = asyncio.get_running_loop().time() + AWAY_S
        tries = 0
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            socket: ClientConnection | None = None
            try:
                socket = await self._dial()
                told = await _asked(socket, wire.Resume(self._token, self._got))
                if isinstance(told, wire.Resumed):
                    await self._again(socket, told.have)
                    return True
            except (OSError, TimeoutError, InvalidHandshake, InvalidURI, WebSocketException, wire.WireMalformed):
                continue
            finally:
                if socket is not None and socket is not self._socket:
                    await socket.close()
            if isinstance(told, wire.Closed):
                self.events.put_nowait(Closed(told.why))
            if not isinstance(told, wire.RefusedBy) or told.code not in _AGAIN:
                return False
        return False

    async def _again(self, socket: ClientConnection, have: int) -> None:
        """The same bytes that the relay has not, and the end if it was said; only then it is the connection.

        What is sent meanwhile is kept, and goes in its turn.
        """
        sequence = have
        while sequence < len(self._sent):
            await socket.send(wire.write_post(sequence, self._sent[sequence]))
            sequence += 1
        if self._closing is not None:
            await socket.send(wire.write(wire.Close(self._closing)))
        self._socket = socket


async def _asked(socket: ClientConnection, first: wire.First) -> wire.Told:
    await socket.send(wire.write(first))
    async with asyncio.timeout(ANSWER_S):
        told = await socket.recv()
    if not isinstance(told, str):
        raise wire.WireMalformed
    return wire.read_told(told)
