"""One client of the exchange: bytes become questions, and answers leave in the order of their questions.

Nothing is held without a bound: of a head (HEAD_MOST, FIELDS_MOST), of a body (what the route allows), of answers that
the client does not read (the transport's high-water mark stops the work for it), of time (ticks of one second).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from ingam.run.messages import Reply, Request, Streamed, plain

if TYPE_CHECKING:
    from ingam.run.exchange import Exchange

HEAD_MOST: Final = 32 * 1024
"""Bytes of request line and fields."""

FIELDS_MOST: Final = 100
SLICE: Final = 16 * 1024
"""What the parser gets at once: between two slices the connection looks whether it may go on."""

_HOLD_ANSWER: Final = 1  # an answer is being made
_HOLD_WRITE: Final = 2  # the client does not read
_ONCE: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect", b"content-type"))
_KEPT: Final = b"Connection: keep-alive\r\n"
_CLOSED: Final = b"Connection: close\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Refused(Exception):  # noqa: N818 - never leaves this file
    """A callback of the parser has refused the question; what to say is kept on the connection."""


class Connection(asyncio.Protocol):
    """One client. The parser calls the `on_…` methods while it is fed."""

    __slots__ = (
        "_body", "_body_most", "_clean", "_ended", "_eof", "_fields", "_hold", "_in_body", "_keep", "_latest",
        "_lingered", "_many", "_moved", "_old", "_over", "_parser", "_peer", "_queue", "_raw", "_raw_most", "_refusal",
        "_server", "_since", "_streaming", "_target", "_transport", "_unread", "_write",
    )  # fmt: skip

    def __init__(self, server: Exchange) -> None:
        self._server = server
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._fields: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._keep, self._old, self._in_body = True, False, False
        self._over, self._eof, self._clean = False, False, True
        self._latest: Request | None = None
        self._hold = self._many = self._ended = self._raw = self._since = self._lingered = self._refusal = (
            self._body_most
        ) = 0
        self._raw_most, self._moved = HEAD_MOST, server.tick
        self._queue: deque[Request | Reply] = deque()
        self._unread: deque[bytes] = deque()
        self._streaming: tuple[Iterator[bytes], bool] | None = None

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._write: Callable[[bytes | bytearray], None] = self._transport.write
        peer = transport.get_extra_info("peername")
        self._peer: str = peer[0] if isinstance(peer, tuple) else ""
        found = transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        full = self._server.full()
        self._server.connections.add(self)
        self._server.accepted += 1
        if full or self._server.draining:
            self._over = True
            self._refuse_with(plain(503, more=[("Retry-After", "1")]))

    def connection_lost(self, _error: Exception | None) -> None:
        self._over = True
        self._queue.clear()
        self._unread.clear()
        self._streaming = None
        self._server.left(self)

    def data_received(self, data: bytes) -> None:
        if self._over:
            self._discard(len(data))
        elif self._clean and not self._hold and (known := self._server.known.get(data)) is not None:
            self._serve(known)
        elif self._hold or len(data) > SLICE:
            self._unread.append(data)
            self._transport.pause_reading()
            self._go_on()
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """A client may close its side once it has asked; it still gets what it asked for."""
        self._eof = True
        if self._over or not (self._hold or self._unread):
            self._transport.close()
        return True

    def pause_writing(self) -> None:
        self._hold |= _HOLD_WRITE
        self._moved = self._server.tick
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._hold &= ~_HOLD_WRITE
        self._moved = self._server.tick
        self._go_on()

    # The parser's side

    def on_message_begin(self) -> None:
        self._clean = False

    def on_url(self, url: bytes) -> None:
        self._target = self._target + url if self._target else url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._many += 1
        if self._many > FIELDS_MOST:
            self._refuse(431)
        if self._in_body:
            return  # trailers say nothing to anybody here
        name = name.lower()
        if name in self._fields:
            if name in _ONCE:
                self._refuse(400)
            value = self._fields[name] + b", " + value
        self._fields[name] = value

    def on_headers_complete(self) -> None:
        found = self._fields
        if b"connection" in found or not self._parser.should_keep_alive():
            self._unusual()
        if b"host" not in found and not self._old:
            self._refuse(400)
        if b"content-length" in found or b"transfer-encoding" in found:
            self._expect_body()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > self._body_most:
            self._refuse(413)
        if not self._body:
            self._body = body
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += body

    def on_message_complete(self) -> None:
        if self._over:
            return  # what follows the last question of a connection is nothing to us
        body = self._body if type(self._body) is bytes else bytes(self._body)
        request = Request(
            self._parser.get_method(), self._target, self._fields, body, self._peer, self._keep, self._old
        )
        self._target, self._fields, self._body, self._keep, self._old = b"", {}, b"", True, False
        self._in_body, self._clean, self._many, self._raw_most = False, True, 0, HEAD_MOST
        self._ended += 1
        self._latest = request
        if self._hold or self._queue:
            self._queue.append(request)
        else:
            self._serve(request)

    def _unusual(self) -> None:
        """HTTP/1.0, a Connection field, or what asks for another protocol (which is answered as if it had not)."""
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(505)
        self._old = version == "1.0"
        self._keep = bool(self._parser.should_keep_alive()) and not self._parser.should_upgrade()

    def _expect_body(self) -> None:
        """How long the body may be, before it is read (the parser itself refuses both lengths in one head)."""
        coding = self._fields.get(b"transfer-encoding")
        if coding is not None and (coding.lower() != b"chunked" or self._old or b"content-length" in self._fields):
            self._refuse(400 if self._old or b"content-length" in self._fields else 501)
        most = self._server.limit(self._parser.get_method(), self._target)
        length = 0 if coding is not None else int(self._fields[b"content-length"])
        if length > most:
            self._refuse(413)
        # Of a chunk of one byte five more are its frame; extensions of chunks say nothing to anybody here.
        self._body_most = most
        self._raw_most = HEAD_MOST + 2 * SLICE + (length if coding is None else 8 * most)
        expect = self._fields.get(b"expect")
        if expect is None or self._old:
            return
        if expect.lower() != b"100-continue":
            self._refuse(417)
        if not self._hold and not self._queue:  # else an earlier answer would stand behind it
            self._write(_CONTINUE)

    def _refuse(self, status: int) -> None:
        self._refusal = status
        raise _Refused

    # Between them

    def _feed(self, data: bytes) -> None:
        begun, self._ended = self._clean, 0
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # its answer is on the way, and ends the connection
        except HttpParserCallbackError as error:
            if not self._refusal:
                self._server.on_defect(error.__context__ or error)
            self._stop(self._refusal or 500)
        except HttpParserError:
            self._stop(400)
        if self._ended:
            self._raw = self._since = 0
            if begun and self._clean and self._ended == 1 and self._latest is not None and not self._over:
                self._server.remember(data, self._latest)
            self._latest = None
            return
        self._raw += len(data)
        self._since = self._since or self._server.tick
        if self._raw > self._raw_most and not self._over:
            self._stop(413 if self._in_body else 431)

    def _stop(self, status: int) -> None:
        """Say why and end, after what was asked before has been answered."""
        if self._over:
            return
        self._over = True
        self._unread.clear()
        reply = plain(status)
        if self._hold or self._queue:
            self._queue.append(reply)
        else:
            self._refuse_with(reply)

    def _refuse_with(self, reply: Reply) -> None:
        self._server.refused += 1
        self._write(self._headed(reply, _CLOSED) + reply.body)
        self._linger()

    def _linger(self) -> None:
        """A socket closed over unread bytes resets the connection, and the client would not read why (RFC 9112 9.6)."""
        self._lingered, self._moved = 1, self._server.tick
        if self._eof:
            self._transport.close()
            return
        self._transport.resume_reading()
        self._transport.write_eof()

    def _discard(self, count: int) -> None:
        if self._lingered:
            self._lingered += count
            if self._lingered > self._server.bounds.linger_most:
                self._transport.abort()

    def _serve(self, request: Request) -> None:
        try:
            found = (request.answer or self._server.application)(request)
        except Exception as error:
            found = self._defect(request, error)
        if isinstance(found, Reply):
            self._send(request, found)
        else:
            self._hold |= _HOLD_ANSWER
            self._moved = self._server.tick
            waiting = asyncio.ensure_future(found)
            waiting.add_done_callback(lambda done: self._answered(request, done))

    def _defect(self, request: Request, error: BaseException) -> Reply:
        self._server.on_defect(error)
        request.keep = request.plain = False
        return plain(500)

    def _answered(self, request: Request, done: asyncio.Future[Reply]) -> None:
        self._hold &= ~_HOLD_ANSWER
        if done.cancelled():
            self._transport.abort()
            return
        error = done.exception()
        reply = done.result() if error is None else self._defect(request, error)
        if self._transport.is_closing():
            return
        self._send(request, reply)
        self._go_on()

    def _send(self, request: Request, reply: Reply) -> None:
        server = self._server
        self._moved = server.tick
        if request.plain and not server.draining and not isinstance(reply, Streamed):
            date = server.dated(reply.lives) if reply.lives else server.date
            self._write(reply.whole if reply.date is date else reply.dated(date))
            return
        self._send_otherwise(request, reply)

    def _send_otherwise(self, request: Request, reply: Reply) -> None:
        """HTTP/1.0, HEAD, a stream, or the last answer of the connection."""
        keep = request.keep and not self._server.draining
        told = (_KEPT if request.old else b"") if keep else _CLOSED
        head = self._headed(reply, told)
        if request.method == b"HEAD":
            self._write(head)
        elif isinstance(reply, Streamed):
            self._write(head)
            self._streaming = (reply.chunks, keep)
            self._hold |= _HOLD_ANSWER
            self._stream()
            return
        else:
            self._write(head + reply.body)
        if not keep:
            self._end()

    def _headed(self, reply: Reply, connection: bytes = b"") -> bytes:
        """Its head alone, with a Connection field where one is told."""
        return reply.start + self._server.dated(reply.lives) + reply.rest[: reply.head] + connection + b"\r\n"

    def _stream(self) -> None:
        """Write while the client reads; `resume_writing` comes back here."""
        assert self._streaming is not None
        chunks, keep = self._streaming
        try:
            while not self._hold & _HOLD_WRITE:
                self._write(next(chunks))
        except StopIteration:
            self._streaming = None
            self._hold &= ~_HOLD_ANSWER
            if not keep:
                self._end()
        except Exception as error:  # the length was promised already: only cutting the connection tells the truth
            self._server.on_defect(error)
            self._transport.abort()

    def _end(self) -> None:
        self._over = True
        self._queue.clear()
        self._unread.clear()
        self._transport.close()

    def _go_on(self) -> None:
        """What waited while an answer was made or the client did not read."""
        if self._streaming is not None:
            self._stream()
        while self._queue and not self._hold:
            entry = self._queue.popleft()
            if isinstance(entry, Request):
                self._serve(entry)
            else:
                self._refuse_with(entry)
        while self._unread and not self._hold and not self._over:
            data = self._unread.popleft()
            if len(data) > SLICE:
                self._unread.appendleft(data[SLICE:])
            self._feed(data[:SLICE])
        if self._hold or self._over:
            return
        self._since = self._since and self._server.tick  # while we did not read, the client could not go on either
        if self._eof:
            self._transport.close()
        else:
            self._transport.resume_reading()

    # The clock's side

    def check(self, tick: int, idle: int) -> None:
        """Once a second: cut who waits for too long, or keeps us waiting."""
        bounds, waited = self._server.bounds, tick - self._moved
        if self._lingered:
            late = waited > bounds.linger_s
        elif self._hold & _HOLD_WRITE:
            late = waited > bounds.write_s
        elif self._hold:
            late = waited > bounds.answer_s
        elif self._since:
            if tick - self._since > bounds.request_s:
                self._server.cut += 1
                self._stop(408)
            return
        else:
            late = waited > idle
        if late:
            self._server.cut += not self._over
            self._over = True
            self._transport.abort()

    def retire(self) -> None:
        """The server stops: end where nothing was asked."""
        if not (self._hold or self._queue or self._since or self._over):
            self._end()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()
