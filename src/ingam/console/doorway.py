"""What every request of the console passes inside the shell: its session, and the operator as they stand now (G1).

Roles are read anew at every request: whoever loses one loses it on the next click.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingam.console.operators import Operator
from ingam.console.operators.register import Operators
from ingam.console.sessions import Ended, Opened, OperatorSession, OperatorSessions
from ingam.kernel.errors import Refusal
from ingam.page import Viewer, see_other
from ingam.page.viewer import Lang
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral

NO_SESSION: Final = ("/static/", "/healthz")


class SessionOver(Refusal):
    """The form belongs to a session that is over; nothing was stored."""

    code = "session-over"


class VisitsCrowded(Refusal):
    """Too many new visitors from one address."""

    code = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Cookie:
    """The console's cookie: `__Host-` and Secure over TLS; cookies ignore ports, so its name is its own (F3)."""

    secure: bool

    @property
    def name(self) -> str:
        """Names the session."""
        return "__Host-ingam-console" if self.secure else "ingam-console"

    def set(self, value: str, max_age: int | None = None) -> str:
        """A Set-Cookie value."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return f"{self.name}={value}; Path=/; HttpOnly; SameSite=Lax{age}" + ("; Secure" if self.secure else "")


class Doorway:
    """ASGI middleware: sets `request.state.session`, `.operator` (None before the passkey), `.viewer` and `.ended`."""

    def __init__(
        self, app: ASGIApp, sessions: OperatorSessions, operators: Operators, ephemeral: Ephemeral, clock: Clock,
        cookie: Cookie, visits_an_hour: int,
    ) -> None:  # fmt: skip
        self.app = app
        self._sessions = sessions
        self._operators = operators
        self._ephemeral = ephemeral
        self._clock = clock
        self._cookie = cookie
        self._visits_an_hour = visits_an_hour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(NO_SESSION):
            await self.app(scope, receive, send)
            return
        jar = cookie_parser(Headers(scope=scope).get("cookie", ""))
        state: dict[str, Any] = scope["state"]
        state["ended"] = None
        session, operator = await self._live(jar.get(self._cookie.name), state)
        fresh: Opened | None = None
        if session is None:
            if scope["method"] not in ("GET", "HEAD"):
                await self._over(scope, receive, send, state["ended"])
                return
            fresh = await self._visitor(scope)
            session = fresh.session
        state["session"], state["operator"] = session, operator
        state["viewer"] = self._viewer(session, operator, state["lang"])
        await self.app(scope, receive, send if fresh is None else _with_cookie(send, self._cookie.set(fresh.cookie)))

    async def _live(self, cookie: str | None, state: dict[str, Any]) -> tuple[OperatorSession | None, Operator | None]:
        """The cookie's session and whose it is; one whose operator is none any more is over."""
        if not cookie:
            return None, None
        try:
            session = await self._sessions.touch(await self._sessions.find(cookie))
        except Ended as ended:
            state["ended"] = ended.why
            return None, None
        except (KeyError, Refusal):
            return None, None
        if session.employee is None:
            return session, None
        operator = await self._operators.find(session.employee)
        if operator is None:
            state["ended"] = "operator"
            return None, None
        return session, operator

    async def _visitor(self, scope: Scope) -> Opened:
        address = network((scope.get("client") or ("", 0))[0])
        if not await self._ephemeral.hit(f"console-visit:{address}", 3600, self._visits_an_hour):
            raise VisitsCrowded
        return await self._sessions.open_pre()

    async def _over(self, scope: Scope, receive: Receive, send: Send, why: str | None) -> None:
        """A POST without a live session changes nothing: a page is led to the login, a script is told."""
        if "application/json" in Headers(scope=scope).get("accept", ""):
            raise SessionOver
        await see_other(f"/login?ended={why if why in ('idle', 'absolute') else 'over'}")(scope, receive, send)

    def _viewer(self, session: OperatorSession, operator: Operator | None, lang: Lang) -> Viewer:
        if operator is None:
            return Viewer(lang=lang, csrf=session.csrf)
        left = int((self._sessions.idle_until(session) - self._clock.now()).total_seconds())
        return Viewer(lang=lang, csrf=session.csrf, name=operator.name, level="operator", idle_left_s=max(0, left))


def network(host: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one; only counters and keyed digests are made of it (F9)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))


def address_of(request: Request) -> str:
    """The network of the request."""
    return network(request.client.host) if request.client else ""


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # A login in the same answer has set its own session cookie; the newer one wins.
            if not any(value.startswith(cookie.split("=", 1)[0] + "=") for value in headers.getlist("set-cookie")):
                headers.append("set-cookie", cookie)
        await send(message)

    return sending
