"""What the relay's port answers: the WebSocket, its fallback in HTTP, health, readiness, metrics.

Origin: the vault's, or none (the command line); anything else is refused. Tokens and tickets are in bodies and frames,
never in an address. Nothing here is logged but defects by their type (security H9).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Annotated, Final, TypeVar

import msgspec
import structlog

from ingam.kernel.errors import Failure
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.frames import MOST_BODY
from ingam.relay.service import Relay
from ingam.run.exchange import Bounds
from ingam.run.handing import Handed, HandingExchange
from ingam.run.messages import Reply, Request, fields, path, plain
from ingam.run.relay_metrics import metrics
from ingam.run.relay_socket import Socket, upgrade
from ingam.run.relay_stream import GRACE_S, Notes, Stream, head

POST_MOST: Final = 4 * ((MOST_BODY + 2) // 3) + 1024
"""Bytes of a body that carries a message: its base64, token and names."""

_STATUS: Final = {
    "relay-message": 400, "mailbox-unknown": 404, "resume-unknown": 404, "mailbox-taken": 409, "copy-too-many": 429,
    "copy-full": 503, "relay-outage": 503, "relay-stopping": 503,
}  # fmt: skip
T = TypeVar("T")
Answer = Callable[[Request, str], Reply | Awaitable[Reply]]


class _Events(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    got: int


class _Send(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    body: str


class _Close(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    why: str


class RelayWeb:
    """The application of one process. `vault`: the origin that may use it; `behind_tls`: a front on this machine says
    whose connection it is.
    """

    def __init__(self, relay: Relay, vault: str, *, behind_tls: bool, bounds: Bounds | None = None) -> None:
        self._relay, self._vault, self._behind_tls = relay, vault.encode("ascii"), behind_tls
        self._cors = [("Access-Control-Allow-Origin", vault), ("Vary", "Origin")]
        self._posts: dict[bytes, Answer] = {
            b"/copy/begin": self._begin, b"/copy/events": self._events, b"/copy/send": self._send,
            b"/copy/close": self._close,
        }  # fmt: skip
        self._gets: dict[bytes, Callable[[], Reply | Awaitable[Reply]]] = {
            b"/": lambda: plain(200, "ingam relay"),
            b"/healthz": lambda: plain(200, "ok"),
            b"/readyz": self._ready,
            b"/metrics": lambda: metrics(self._relay, self.exchange),
        }
        self.exchange = HandingExchange(self, self.limit, bounds, on_defect=tell_defect)

    def __call__(self, request: Request) -> Reply | Awaitable[Reply]:
        where = path(request.target)
        if where == wire.PATH.encode("ascii") or where in self._posts:
            return self._copy(request, where)
        if request.method not in (b"GET", b"HEAD"):
            return plain(405, more=[("Allow", "GET, HEAD")])
        answer = self._gets.get(where)
        return plain(404) if answer is None else answer()

    def limit(self, method: bytes, target: bytes) -> int:
        """Bytes of a body."""
        if method != b"POST" or path(target) not in self._posts:
            return 0
        return POST_MOST if path(target) == b"/copy/send" else wire.MOST_TEXT

    def _copy(self, request: Request, where: bytes) -> Reply | Awaitable[Reply]:
        if request.fields.get(b"origin", self._vault) != self._vault:
            return plain(403)
        network = self.network(request)
        post = self._posts.get(where)
        if post is None:
            return upgrade(request, lambda: Socket(self._relay, self.exchange, network))
        if request.method == b"OPTIONS":
            return plain(204, more=[
                *self._cors, ("Access-Control-Allow-Methods", "POST"), ("Access-Control-Allow-Headers", "content-type"),
                ("Access-Control-Max-Age", "600"),
            ])  # fmt: skip
        if request.method != b"POST":
            return plain(405, more=[("Allow", "POST, OPTIONS")])
        return post(request, network)

    def network(self, request: Request) -> str:
        """Whose connection it is, for ceilings only: an IPv4 address, or the first 64 bits of an IPv6 one."""
        told = request.fields.get(b"x-forwarded-for", b"") if self._behind_tls else b""
        text = told.rpartition(b",")[2].strip().decode("latin-1") or request.peer
        try:
            found = ip_address(text)
        except ValueError:
            return "unknown"
        if found.version == 6 and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return str(found) if found.version == 4 else str(ip_network((found, 64), strict=False))

    # The fallback

    async def _begin(self, request: Request, network: str) -> Reply:
        notes = Notes()
        try:
            first = wire.read_act(request.body.decode("utf-8", "replace"))
            if isinstance(first, wire.Close):
                raise wire.WireMalformed
            if isinstance(first, wire.Resume):
                return self._json(await self._relay.standing(first, network))
            place = await self._relay.begin(first, network, notes)
        except Failure as failure:
            return self._refused(failure)
        # One timer for a device whose network breaks WebSockets: it is away unless its stream comes.
        asyncio.get_running_loop().call_later(GRACE_S, lambda: self._relay.rooms.later(self._relay.lost(place, notes)))
        return self._json(notes.told[0])

    def _events(self, request: Request, network: str) -> Reply:
        try:
            found = _read(request.body, _Events)
            first = wire.read_act(wire.write(wire.Resume(found.token, found.got)))
            assert isinstance(first, wire.Resume)
        except wire.WireMalformed as failure:
            return self._refused(failure)
        return Handed(200, head(self._cors), lambda: Stream(self._relay, self.exchange, network, first))

    async def _send(self, request: Request, network: str) -> Reply:
        try:
            found = _read(request.body, _Send)
            sequence, body = wire.read_post(wire.write_post(found.seq, _octets(found.body)))
            await self._relay.sent(await self._relay.found(found.token, network), sequence, body)
        except Failure as failure:
            return self._refused(failure)
        return self._json("{}")

    async def _close(self, request: Request, network: str) -> Reply:
        try:
            found = _read(request.body, _Close)
            if found.why not in wire.WHYS:
                raise wire.WireMalformed
            await self._relay.close(await self._relay.found(found.token, network), found.why)
        except Failure as failure:
            return self._refused(failure)
        return self._json("{}")

    def _refused(self, failure: Failure) -> Reply:
        """In words as everything else, under a status that says as much to what stands between."""
        return self._json(self._relay.refusal(failure), _STATUS.get(failure.code, 403))

    def _json(self, text: str, status: int = 200) -> Reply:
        more = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *self._cors]
        return Reply(status, fields(more), text.encode("utf-8"))

    # Operations

    async def _ready(self) -> Reply:
        try:
            await self._relay.ready()
        except Failure as failure:
            return plain(503, failure.code)
        return plain(200, "ready")


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise wire.WireMalformed from None


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise wire.WireMalformed from None


def tell_defect(error: BaseException) -> None:
    """One line for what nobody expected: its type or code, never its message."""
    code = error.code if isinstance(error, Failure) else ""
    structlog.get_logger("relay").error("defect", kind=type(error).__name__, code=code)
