"""What goes over the wire of the exchange: a question as it was read, and an answer made once and sent many times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final, TypeAlias

_STARTS: Final = {int(one): f"HTTP/1.1 {int(one)} {one.phrase}\r\n".encode("ascii") for one in HTTPStatus}


DATE_BYTES: Final = len("Date: Thu, 26 Nov 2026 07:46:28 GMT\r\n")
EXPIRES_BYTES: Final = len("Expires: Thu, 26 Nov 2026 07:46:28 GMT\r\n")


class Request:
    """One question. `method`: as sent; `target`: path and query as sent; `fields`: by lower-case name, repeated ones
    joined by a comma; `peer`: address of the client, no port. `plain`: HTTP/1.1, kept alive, and not HEAD.

    `answer`: what the application wants to be asked in its place when the same bytes come again; `memo`: what that
    remembers of them.
    """

    __slots__ = ("answer", "body", "fields", "keep", "memo", "method", "old", "peer", "plain", "target")

    def __init__(
        self, method: bytes, target: bytes, fields: dict[bytes, bytes], body: bytes, peer: str, keep: bool, old: bool
    ) -> None:
        self.method, self.target, self.fields, self.body, self.peer = method, target, fields, body, peer
        self.keep, self.old = keep, old
        self.plain = keep and not old and method != b"HEAD"
        self.answer: Application | None = None
        self.memo: Any = None


class Reply:
    """A whole answer, made once and sent any number of times; only its Date is written anew, in place.

    `fields`: lines as `fields()` makes them; Content-Length is added. `head`: length of all fields. `lives`: seconds;
    where it is not 0 an Expires stands behind the Date (for caches of HTTP/1.0).
    """

    __slots__ = ("_at", "date", "head", "lives", "whole")

    def __init__(self, status: int, fields: bytes, body: bytes, lives: int = 0) -> None:
        if status >= 200 and status not in (204, 304):
            fields += b"Content-Length: %d\r\n" % len(body)
        self._lay(status, fields, body, lives)

    def _lay(self, status: int, fields: bytes, body: bytes, lives: int) -> None:
        start = _STARTS[status]
        self.head, self.lives, self._at = len(fields), lives, len(start)
        self.date = b""
        self.whole = bytearray(start + bytes(self._slot) + fields + b"\r\n" + body)

    @property
    def _slot(self) -> int:
        return DATE_BYTES + (EXPIRES_BYTES if self.lives else 0)

    def dated(self, date: bytes) -> bytearray:
        """All of it, under a Date line (and an Expires line where it lives). What is on its way already may change too:
        its date, to the one that is true by now.
        """
        if self.date is not date:
            assert len(date) == self._slot
            self.whole[self._at : self._at + len(date)] = date
            self.date = date
        return self.whole

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.whole[9:12])

    @property
    def start(self) -> bytes:
        """The status line."""
        return bytes(self.whole[: self._at])

    @property
    def rest(self) -> bytes:
        """Fields (without the Date), empty line, body."""
        return bytes(self.whole[self._at + self._slot :])

    @property
    def body(self) -> bytes:
        """The body."""
        return self.rest[self.head + 2 :]


class Streamed(Reply):
    """An answer whose body is taken piece by piece as the client reads; `chunks` yields `size` bytes in all."""

    __slots__ = ("chunks",)

    def __init__(self, status: int, fields: bytes, size: int, chunks: Iterator[bytes], lives: int = 0) -> None:
        self._lay(status, fields + b"Content-Length: %d\r\n" % size, b"", lives)
        self.chunks = chunks


Application: TypeAlias = Callable[[Request], Reply | Awaitable[Reply]]


def fields(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Fields as they go over the wire. Raises ValueError for what would end a field."""
    lines = [f"{name}: {value}" for name, value in pairs]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a field is one line")
    return "".join(line + "\r\n" for line in lines).encode("latin-1")


def plain(status: int, text: str = "", more: Iterable[tuple[str, str]] = ()) -> Reply:
    """A short answer in text, kept by nobody."""
    told = text or HTTPStatus(status).phrase
    head = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *more]
    return Reply(status, fields(head), told.encode("utf-8") + b"\n")


def path(target: bytes) -> bytes:
    """The path of a request target, in origin or absolute form (RFC 9112 section 3.2), without its query."""
    if not target.startswith(b"/"):
        _, mark, rest = target.partition(b"://")
        target = rest[rest.find(b"/") :] if mark and b"/" in rest else b"/" if mark else target
    return target.partition(b"?")[0]
