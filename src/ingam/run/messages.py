"""What goes over the wire of the exchange: a question as it was read, and an answer made once and sent many times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Final, TypeAlias

_STARTS: Final = {int(one): f"HTTP/1.1 {int(one)} {one.phrase}\r\n".encode("ascii") for one in HTTPStatus}


class Request:
    """One question. `method`: as sent; `target`: path and query as sent; `fields`: by lower-case name, repeated ones
    joined by a comma; `peer`: address of the client, no port. `plain`: HTTP/1.1, kept alive, and not HEAD.

    `answer`: what the application wants to be asked in its place when the same bytes come again.
    """

    __slots__ = ("answer", "body", "fields", "keep", "method", "old", "peer", "plain", "target")

    def __init__(
        self, method: bytes, target: bytes, fields: dict[bytes, bytes], body: bytes, peer: str, keep: bool, old: bool
    ) -> None:
        self.method, self.target, self.fields, self.body, self.peer = method, target, fields, body, peer
        self.keep, self.old = keep, old
        self.plain = keep and not old and method != b"HEAD"
        self.answer: Application | None = None


class Reply:
    """A whole answer but for its Date, made once and sent any number of times.

    `start`: the status line; `rest`: fields, empty line, body; `head`: length of the fields in it. `lives`: seconds;
    where it is not 0 an `Expires` follows the Date (for caches of HTTP/1.0).
    """

    __slots__ = ("head", "lives", "rest", "start")

    def __init__(self, status: int, fields: bytes, body: bytes, lives: int = 0) -> None:
        if status >= 200 and status not in (204, 304):
            fields += b"Content-Length: %d\r\n" % len(body)
        self.start, self.head, self.lives = _STARTS[status], len(fields), lives
        self.rest = fields + b"\r\n" + body

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.start[9:12])

    @property
    def body(self) -> bytes:
        """The body."""
        return self.rest[self.head + 2 :]


class Streamed(Reply):
    """An answer whose body is taken piece by piece as the client reads; `chunks` yields `size` bytes in all."""

    __slots__ = ("chunks",)

    def __init__(self, status: int, fields: bytes, size: int, chunks: Iterator[bytes], lives: int = 0) -> None:
        super().__init__(status, fields, b"", lives)
        fields += b"Content-Length: %d\r\n" % size
        self.head, self.rest, self.chunks = len(fields), fields + b"\r\n", chunks


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
