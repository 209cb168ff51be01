"""`Idempotency-Key` on a POST: carried out once, and its answer given again (security F4).

A key belongs to a session, a path and the hash of the body (draft-ietf-httpapi-idempotency-key-header): another
person's key is another thing, and a key that comes with another body is a fault of the program that sends it. The key
is issued in the ledger before the work, so that of two requests at one moment one is carried out. The answer is
remembered where it may vanish, and only a redirect or JSON is; without it a repeated request is told that it was done.
"""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from hashlib import sha256
from typing import Final

import msgspec
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingam.center.doorway import NO_SESSION
from ingam.customer.session.sessions import digest
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.store import Conflict, Issue, Save, Store

HEADER: Final = "idempotency-key"
KEPT_S: Final = 600
LONGEST_ANSWER: Final = 16_384
_KEY: Final = re.compile(r"[\x21-\x7e]{8,64}")
_TOLD: Final = (b"location", b"content-type")


class KeyMalformed(Refusal):
    """An Idempotency-Key has 8 to 64 visible ASCII characters."""

    code = "idempotency-key-malformed"


class KeyReused(Refusal):
    """This key came with another body before; nothing was done."""

    code = "idempotency-key-reused"


class DoneBefore(Refusal):
    """A request of this key was carried out, or is now; its answer is not at hand. Nothing was done again."""

    code = "idempotency-done"


class _Answer(msgspec.Struct, frozen=True):
    """What was answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Once:
    """ASGI middleware inside the doorway; requests without the header pass as they are."""

    def __init__(self, app: ASGIApp, store: Store, ephemeral: Ephemeral, clock: Clock) -> None:
        self.app = app
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else None
        if key is None or scope["path"].startswith(NO_SESSION):
            await self.app(scope, receive, send)
            return
        if not _KEY.fullmatch(key):
            raise KeyMalformed
        body = await _read(receive)
        session: str = scope["state"]["session"].session
        place = sha256(f"{scope['path']}\0{key}".encode()).hexdigest()
        mark = _mark(body, scope, session)
        if not await self._begin(session, place, mark):
            await self._again(session, place, mark, scope, receive, send)
            return
        answer = _Listening(send)
        await self.app(scope, _of(body, receive), answer.send)
        if (kept := answer.kept()) is not None:
            await self._ephemeral.put(f"once:{session}:{place}", msgspec.msgpack.encode(kept), KEPT_S)

    async def _begin(self, session: str, place: str, mark: str) -> bool:
        """Whether this request is the one that is carried out."""
        ends = self._clock.now() + timedelta(seconds=KEPT_S)
        facts = msgspec.json.encode({"body": mark}).decode()
        try:
            await self._store.save(Save(ledger=[Issue(f"once:{session}", place, ends, facts)]))
        except Conflict:
            return False
        return True

    async def _again(self, session: str, place: str, mark: str, scope: Scope, receive: Receive, send: Send) -> None:
        row = await self._store.issued(f"once:{session}", place)
        if row is None or msgspec.json.decode(row.facts)["body"] != mark:
            raise KeyReused
        kept = await self._ephemeral.get(f"once:{session}:{place}")
        if kept is None:
            raise DoneBefore
        told = msgspec.msgpack.decode(kept, type=_Answer)
        response = Response(told.body, told.status)
        response.raw_headers = [*told.headers, (b"idempotency-replayed", b"true")]
        await response(scope, receive, send)


class _Listening:
    """Passes an answer on, and remembers it if it is short, went well, and is a redirect or JSON."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status, self._headers, self._body = 0, list[tuple[bytes, bytes]](), b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(name, value) for name, value in message["headers"] if name.lower() in _TOLD]
        elif message["type"] == "http.response.body" and len(self._body) <= LONGEST_ANSWER:
            self._body += message.get("body", b"")
        await self._send(message)

    def kept(self) -> _Answer | None:
        """What may be given again."""
        kinds = dict(self._headers)
        told = self._status == 303 or kinds.get(b"content-type", b"").startswith(b"application/json")
        good = 200 <= self._status < 500 and len(self._body) <= LONGEST_ANSWER
        return _Answer(self._status, self._headers, self._body) if told and good else None


def _mark(body: bytes, scope: Scope, session: str) -> str:
    """What stands for a body in the ledger: keyed by the session's cookie, of which no store has more than its hash.

    A body may hold a password, and all else of it may be known to whoever reads the store.
    """
    jar = cookie_parser(Headers(scope=scope).get("cookie", ""))
    cookie = next(value for value in jar.values() if digest(value) == session)
    return hmac.digest(cookie.encode(), body, "sha256").hex()


async def _read(receive: Receive) -> bytes:
    """The whole body; the shell bounds it."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body", False))
    return body


def _of(body: bytes, receive: Receive) -> Receive:
    """A body that was read, once more; then what comes."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again
