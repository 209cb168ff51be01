"""A small HTTP/1.1 server for short questions: the authority's CMP, and the answers about status, share it.

An application is one function from a Request to a Reply, or to something that will become one. Answers leave in the
order of their questions, each in one write; a ready answer leaves before the next question is read. Every size, count
and waiting time is bounded (`Bounds`); what could be read in two ways (RFC 9112 section 6.3) is refused and the
connection ended. Time is counted in ticks of one second, so that no question costs a timer.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Final

from ingam.run.connection import FIELDS_MOST as FIELDS_MOST
from ingam.run.connection import HEAD_MOST as HEAD_MOST
from ingam.run.connection import Connection
from ingam.run.messages import Application as Application
from ingam.run.messages import Reply as Reply
from ingam.run.messages import Request as Request
from ingam.run.messages import Streamed as Streamed
from ingam.run.messages import fields as fields
from ingam.run.messages import path as path
from ingam.run.messages import plain as plain

_OTHER_FILES: Final = 128
"""Files of a process that are no connections: books, published lists, tokens, its own way out."""


LONGEST_KNOWN: Final = 1024
"""Bytes of a request that is remembered."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds and counts for one process. `request_s`: from the first byte of a question to its last."""

    connections: int = 4096
    idle_s: int = 60
    crowded_idle_s: int = 2
    """Idle connections end this soon once three quarters of `connections` are taken."""
    request_s: int = 10
    answer_s: int = 60
    write_s: int = 20
    linger_s: int = 2
    linger_most: int = 1024 * 1024
    drain_s: int = 5
    backlog: int = 1024


class Exchange:
    """The server of one process: its connections, its clock of ticks, and what it counts.

    `limit`: bytes of body allowed for (method, target); asked before the body is read. `on_defect` hears of whatever
    an application raises; the client reads 500. `remembers`: how many whole requests are remembered by their bytes, so
    that the same bytes from anybody are not parsed again; such a Request is shared, and its `peer` is empty.
    """

    connection: type[Connection] = Connection

    def __init__(
        self,
        application: Application,
        limit: Callable[[bytes, bytes], int],
        bounds: Bounds | None = None,
        on_defect: Callable[[BaseException], None] = lambda _error: None,
        remembers: int = 0,
    ) -> None:
        self.known: dict[bytes, Request] = {}
        self._remembers = remembers
        self.application, self.limit, self.bounds, self.on_defect = application, limit, bounds or Bounds(), on_defect
        self.connections: set[Connection] = set()
        self.accepted = self.refused = self.cut = 0
        self.draining = False
        self._most = self.bounds.connections
        self.tick = 1
        self.date = b""
        self._expires: dict[int, bytes] = {}
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    async def start(self, *sockets: socket.socket) -> None:
        """Serve on listening sockets until `drain`."""
        loop = asyncio.get_running_loop()
        self._most = min(self.bounds.connections, _descriptors(self.bounds.connections) - _OTHER_FILES)
        self._beat()
        for one in sockets:
            server = await loop.create_server(lambda: self.connection(self), sock=one, backlog=self.bounds.backlog)
            self._servers.append(server)

    async def drain(self) -> None:
        """Take no more connections, answer what was asked, end; after `drain_s` end what is left without an answer."""
        self.draining, self._empty = True, asyncio.Event()
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.retire()
        if self.connections:
            try:
                await asyncio.wait_for(self._empty.wait(), self.bounds.drain_s)
            except TimeoutError:
                for connection in list(self.connections):
                    connection.abort()
        if self._timer is not None:
            self._timer.cancel()

    def dated(self, lives: int) -> bytes:
        """The Date line, and Expires behind it where there is a life."""
        if not lives:
            return self.date
        found = self._expires.get(lives)
        if found is None:
            found = self.date + f"Expires: {formatdate(time() + lives, usegmt=True)}\r\n".encode("ascii")
            self._expires[lives] = found
        return found

    def remember(self, data: bytes, request: Request) -> None:
        """These bytes, where a question begins, are this whole question and nothing else."""
        if not self._remembers or not request.plain or len(data) > LONGEST_KNOWN or b"expect" in request.fields:
            return
        if len(self.known) >= self._remembers:
            self.known.clear()
        known = Request(request.method, request.target, request.fields, request.body, "", True, False)
        known.answer = request.answer
        self.known[data] = known

    def full(self) -> bool:
        """Whether there is no place for one more connection."""
        return len(self.connections) >= self._most

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections:
            self._empty.set()

    def _beat(self) -> None:
        """Once a second: the date, and who has been waiting for too long."""
        now = time()
        self._timer = asyncio.get_running_loop().call_later(1.001 - now % 1, self._beat)
        self.date = f"Date: {formatdate(now, usegmt=True)}\r\n".encode("ascii")
        self._expires.clear()
        self.tick += 1
        crowded = 4 * len(self.connections) >= 3 * self._most
        idle = self.bounds.crowded_idle_s if crowded else self.bounds.idle_s
        for connection in list(self.connections):
            connection.check(self.tick, idle)


def _descriptors(wanted: int) -> int:
    """How many files this process may have open, raised as far as it may be where that is too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised


def listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound TCP socket, `shared` among workers (SO_REUSEPORT); port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    made.listen(1024)
    made.setblocking(False)
    return made
