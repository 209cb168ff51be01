"""One connection of a device at the relay: what it says is handled one after the other, and its failures are told.

`relay_socket` (WebSocket) and `relay_stream` (event stream) are the two kinds. Nothing here has a timer: the exchange
calls `check` once a second.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from typing import Final

from ingam.kernel.errors import Failure
from ingam.ports.mailboxes import RelayOutage
from ingam.protocols.mailbox import wire
from ingam.relay.room import Place
from ingam.relay.service import Relay
from ingam.run.handing import HandingExchange, Taker

WAITING_MOST: Final = 16
"""What waits to be handled: all messages of a side, a close, and as much again."""

UNREAD_S: Final = 10
CLOSING_S: Final = 3
_GONE: Final = None

Said = wire.Act | bytes | None
"""A word, a message (sequence and body), or that the connection is gone."""


class Device(Taker):
    """`place`: its seat, once its first frame is taken. `closing`: the tick since which it is to go, or 0. `known`:
    that it resumes has been told otherwise.
    """

    known = False

    __slots__ = ("_task", "_unread", "_waiting", "closing", "exchange", "network", "place", "relay", "transport")

    def __init__(self, relay: Relay, exchange: HandingExchange, network: str) -> None:
        self.relay, self.exchange, self.network = relay, exchange, network
        self.place: Place | None = None
        self.closing = self._unread = 0
        self._waiting: deque[Said] | None = None
        self._task: asyncio.Task[None] | None = None

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.exchange.left(self)
        self.closing = self.closing or self.exchange.tick
        if self.place is not None or self._task is not None:
            self.put(_GONE)

    def pause_writing(self) -> None:
        self._unread = self.exchange.tick

    def resume_writing(self) -> None:
        self._unread = 0

    # What waits

    def put(self, said: Said) -> None:
        """Handle it after what came before."""
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= WAITING_MOST and said is not _GONE:
            self.abort()
            return
        self._waiting.append(said)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            try:
                await self._handle(self._waiting.popleft())
            except Exception as error:
                await self._failed(error)
        self._task = self._waiting = None

    async def _handle(self, said: Said) -> None:
        if said is _GONE:
            if self.place is not None:
                await self.relay.lost(self.place, self)
        elif isinstance(said, bytes):
            if self.place is None:
                raise wire.WireMalformed
            await self.relay.sent(self.place, *wire.read_post(said))
        elif isinstance(said, wire.Close):
            if self.place is None:
                raise wire.WireMalformed
            await self.relay.close(self.place, said.why)
        elif self.place is not None:
            raise wire.WireMalformed
        else:
            self.place = await self.relay.begin(said, self.network, self, known=self.known)

    async def _failed(self, error: Exception) -> None:
        """A refused first frame is told; a device that leaves the protocol burns its mailbox; an outage only cuts."""
        if not isinstance(error, Failure):
            self.exchange.on_defect(error)
            self.abort()
        elif self.place is None:
            self.tell(self.relay.refusal(error))
            self.end()
        elif isinstance(error, RelayOutage):
            self.relay.refusal(error)
            self.abort()  # it comes back and is told what the relay has
        else:
            await self.burn(error)

    async def burn(self, failure: Failure) -> None:
        """A device has left the protocol."""
        self.tell(self.relay.refusal(failure))
        if self.place is not None:
            await self.relay.rooms.guarded(self.relay.close(self.place, "broken"))
        self.end()

    # `relay.room.Link`

    @abstractmethod
    def tell(self, text: str) -> None:
        """A word of the relay."""

    @abstractmethod
    def carry(self, sequence: int, body: bytes) -> None:
        """A message of the other device."""

    @abstractmethod
    def end(self) -> None:
        """Nothing more will be told."""

    # The clock's side

    def check(self, tick: int, idle: int) -> None:
        """Cut who does not go, who does not read, and who keeps silent."""
        del idle
        if self.closing:
            if tick - self.closing > CLOSING_S:
                self.abort()
        elif self._unread and tick - self._unread > UNREAD_S:
            self.cut()
        else:
            self.look(tick)

    @abstractmethod
    def look(self, tick: int) -> None:
        """What a connection of this kind is asked once a second."""

    @property
    def busy(self) -> bool:
        """Whether something is being handled."""
        return self._task is not None

    def cut(self) -> None:
        """End a client that keeps us waiting."""
        self.exchange.cut += 1
        self.abort()

    def retire(self) -> None:
        """The exchange stops."""
        self.end()

    def abort(self) -> None:
        """End at once."""
        self.closing = self.closing or self.exchange.tick
        self.transport.abort()
