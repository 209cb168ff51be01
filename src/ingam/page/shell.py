"""The shell around every request, outermost and in pure ASGI: host, size, id, language, nonce, headers, log.

It also catches what nobody caught, so that a session middleware inside it may raise failures, and so that an
exception's message (which may quote a value) reaches neither the log nor the page (security H1, H9).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingam.kernel.errors import Defect, Failure, Refusal
from ingam.page import log
from ingam.page.failures import failure_response, of_http
from ingam.page.headers import Camera, content_policy, fixed_headers
from ingam.page.language import language_of
from ingam.page.pages import PageSettings
from ingam.page.viewer import Viewer

BODY_MAX: Final = 64 * 1024
PHOTOGRAPH: Final = ("image/", 6 * 1024 * 1024)
LARGE_BODIES: Final = {"/issuance/new/card": PHOTOGRAPH, "/issuance/reissue/card": PHOTOGRAPH}
"""Route → the media type of which it takes a larger body, and how large: the photograph of an ID card."""
CAMERAS: Final = {
    "/issuance/new": Camera.PAGE,
    "/issuance/reissue": Camera.PAGE,
    "/copying/receive": Camera.FRAME,
    "/copying/send": Camera.FRAME,
}
"""These pages and those below them have the camera; no other has. A QR code is read in the vault's frame."""
QUIET: Final = "/static/{name}"  # thirty lines a page would hide the one that matters
LOOPBACK: Final = ("127.0.0.1", "[::1]")


class TooLarge(Refusal):
    """The request's body is larger than any form of ours."""

    code = "too-large"


class Shell:
    """ASGI middleware. `origin`: this process's own, e.g. `http://localhost:8700`; `body_max` in bytes."""

    def __init__(
        self, app: ASGIApp, settings: PageSettings, origin: str | None = None, body_max: int = BODY_MAX
    ) -> None:
        self.app = app
        self.origin = origin or settings.center_origin
        self.vault_origin = settings.vault_origin
        self.host = self.origin.partition("://")[2]
        self.port = self.host.rpartition(":")[2] if ":" in self.host else ""
        self.body_max = body_max
        secure = self.origin.startswith("https://")
        self.headers = {camera: fixed_headers(settings.vault_origin, secure, camera=camera) for camera in Camera}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        state = self._introduce(scope)
        policy = content_policy(state["nonce"], self.vault_origin)
        answer = _Answer(send, self._headers_for(scope["path"]), policy, state["request_id"])
        try:
            response = self._misdirected(scope) or self._unreadable(scope)
            if response is None:
                await self.app(scope, _bounded(receive, self._most(scope)), answer.send)
            else:
                await response(scope, receive, answer.send)
        except Exception as exception:
            await self._caught(exception, scope, receive, answer)
        finally:
            ms = (time.perf_counter() - started) * 1000
            code = state.get("failure")
            route = _route_of(scope)
            if route != QUIET or answer.status >= 400:
                log.tell_request(state["request_id"], scope["method"], route, answer.status, ms, code)

    def _introduce(self, scope: Scope) -> dict[str, Any]:
        """What every page may read from `request.state`."""
        lang = language_of(Headers(scope=scope).get("cookie", ""))
        state: dict[str, Any] = scope.setdefault("state", {})
        state.update(request_id=secrets.token_hex(8), lang=lang, nonce=secrets.token_urlsafe(18), viewer=Viewer(lang))
        return state

    def _headers_for(self, path: str) -> tuple[tuple[bytes, bytes], ...]:
        who = next((who for page, who in CAMERAS.items() if path == page or path.startswith(f"{page}/")), Camera.NOBODY)
        return self.headers[who]

    def _most(self, scope: Scope) -> int:
        """Bytes of a body that this route takes of this media type."""
        kind, most = LARGE_BODIES.get(scope["path"], ("", 0))
        if not most or scope["method"] != "POST":
            return self.body_max
        told = Headers(scope=scope).get("content-type", "").lstrip().lower()
        return most if told.startswith(kind) else self.body_max

    def _misdirected(self, scope: Scope) -> Response | None:
        """127.0.0.1 is sent to localhost (a passkey's and the vault's origin); any other host is none of ours."""
        host = Headers(scope=scope).get("host", "")
        if host == self.host or scope["path"] == "/healthz":
            return None
        name, _, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
        if name in LOOPBACK and port == self.port and scope["method"] in ("GET", "HEAD"):
            query = scope["query_string"].decode("latin-1")
            path = scope.get("raw_path", b"/").decode("latin-1").partition("?")[0]
            return RedirectResponse(self.origin + path + (f"?{query}" if query else ""), status_code=308)
        return PlainTextResponse("misdirected\n", status_code=421)

    def _unreadable(self, scope: Scope) -> Response | None:
        """A body that announces itself as too large, or in parts, is refused before a byte of it is read.

        No form of ours has parts, and their sender would choose the codec of our fields: `punycode` takes quadratic
        time, `unicode_escape` makes letters that no other encoding can write.
        """
        headers = Headers(scope=scope)
        if headers.get("content-type", "").lstrip().lower().startswith("multipart/"):
            raise Refusal("bad-request")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= self._most(scope):
            return None
        raise TooLarge

    async def _caught(self, exception: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        request = Request(scope, receive)
        if not isinstance(exception, Failure | HTTPException):
            log.tell_defect(request.state.request_id, exception)
        if answer.status:
            # Half an answer is out; the connection is closed by the server when this returns without the rest.
            raise Defect("answer-broken") from None
        failure = _failure_of(exception)
        try:
            response = failure_response(request, failure)
        except Exception as broken:
            log.tell_defect(request.state.request_id, broken)
            response = PlainTextResponse("defect\n", status_code=500)
        await response(scope, receive, answer.send)


class _Answer:
    """Passes the answer on, adding the headers that no route may forget."""

    def __init__(self, send: Send, fixed: tuple[tuple[bytes, bytes], ...], policy: str, request_id: str) -> None:
        self.status = 0
        self._send = send
        self._fixed = fixed
        self._policy = policy
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.raw.extend(self._fixed)
            headers["X-Request-Id"] = self._request_id
            headers.setdefault("Content-Security-Policy", self._policy)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def middleware(settings: PageSettings, origin: str | None = None) -> Middleware:
    """For `Starlette(middleware=[middleware(settings), …])`: the first of the list, so outermost."""
    return Middleware(Shell, settings=settings, origin=origin)


def _failure_of(exception: Exception) -> Failure:
    if isinstance(exception, Failure):
        return exception
    return of_http(exception) if isinstance(exception, HTTPException) else Defect()


def _bounded(receive: Receive, most: int) -> Callable[[], Any]:
    """`receive` that raises TooLarge once more than `most` bytes came, whatever Content-Length said."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise TooLarge
        return message

    return bounded


def _route_of(scope: Scope) -> str:
    """The template of the matched route (`/static/{name}`), never the path itself: it may hold what was typed."""
    endpoint = scope.get("endpoint")
    routes = getattr(scope.get("app"), "routes", ())
    return next((r.path for r in routes if getattr(r, "endpoint", None) == endpoint and endpoint is not None), "-")
