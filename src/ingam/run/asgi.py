"""An ASGI application behind the exchange: the service page and its files on the port of an authority."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from ingam.kernel.errors import Defect
from ingam.run.messages import Reply, Request

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Asgi: TypeAlias = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

# The exchange writes these itself.
_OWN: Final = frozenset((b"content-length", b"date", b"connection", b"transfer-encoding"))


def bridged(app: Asgi, host: str, port: int) -> Callable[[Request], Awaitable[Reply]]:
    """Answers of `app` as replies, whole: for pages and small files. `host`, `port`: what the scope calls `server`."""

    async def answer(request: Request) -> Reply:
        said = _Said(request.body)
        await app(_scope(request, host, port), said.receive, said.send)
        return said.reply()

    return answer


def _scope(request: Request, host: str, port: int) -> Scope:
    raw, _, query = request.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.0" if request.old else "1.1",
        "method": request.method.decode("ascii"),
        "scheme": "http",
        "path": unquote(raw.decode("ascii", "replace")),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": list(request.fields.items()),
        "client": (request.peer, 0),
        "server": (host, port),
    }


class _Said:
    """One call of an application: the body goes in at once, the answer is gathered."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._fields = b""
        self._parts: list[bytes] = []

    async def receive(self) -> Message:
        if self._body is None:
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            lines = [name + b": " + value + b"\r\n" for name, value in message["headers"] if name.lower() not in _OWN]
            self._fields = b"".join(lines)
        elif message["type"] == "http.response.body":
            self._parts.append(bytes(message.get("body", b"")))

    def reply(self) -> Reply:
        if not self._status:
            raise Defect("defect")
        return Reply(self._status, self._fields, b"".join(self._parts))
