"""A connection of the exchange that leaves HTTP: after one head its transport belongs to another protocol.

WebSockets (101) and event streams without an end leave this way. The exchange goes on counting them, bounds their
number with the others', and calls their `check` once a second, so that none of them needs a timer.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

from ingam.run.connection import Connection
from ingam.run.exchange import Exchange
from ingam.run.messages import Reply, Request, Streamed


class Taker(asyncio.Protocol, ABC):
    """What takes a connection over. `connection_made` is called once the head is written."""

    @abstractmethod
    def check(self, tick: int, idle: int) -> None:
        """Once a second; `tick` counts them."""

    @abstractmethod
    def retire(self) -> None:
        """The exchange stops: end soon."""

    @abstractmethod
    def abort(self) -> None:
        """End at once."""


class Handed(Streamed):
    """A head, after which `take()` makes the protocol of the connection. `fields` hold a Connection field."""

    __slots__ = ("take",)

    def __init__(self, status: int, fields: bytes, take: Callable[[], Taker]) -> None:
        self._lay(status, fields, b"", 0)
        self.take = take


class HandingConnection(Connection):
    """A client of a HandingExchange."""

    __slots__ = ()

    def _send_otherwise(self, request: Request, reply: Reply) -> None:
        if not isinstance(reply, Handed):
            super()._send_otherwise(request, reply)
            return
        self._over = True
        self._queue.clear()
        self._unread.clear()
        self._write(self._headed(reply))
        taker = reply.take()
        held: set[Any] = self._server.connections
        held.discard(self)
        held.add(taker)
        self._transport.set_protocol(taker)
        taker.connection_made(self._transport)
        self._transport.resume_reading()


class HandingExchange(Exchange):
    """An exchange whose application may answer `Handed`."""

    connection = HandingConnection

    def left(self, connection: Connection | Taker) -> None:
        """A connection is gone, its taker said so."""
        super().left(cast("Connection", connection))
