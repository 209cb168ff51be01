"""What every request of the center passes inside the shell: its session, and who looks at the page (security F2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingam.customer.heads import in_session, undecided
from ingam.customer.masking import mask_name
from ingam.customer.session import Level, Session
from ingam.customer.session.sessions import Ended, Opened, Sessions, digest
from ingam.kernel.errors import Refusal
from ingam.page import Viewer, see_other
from ingam.page.viewer import Lang
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.keys import Digests

A_YEAR_S: Final = 365 * 86_400
FOR_PROGRAMS: Final = (
    "/oidc/token", "/oidc/userinfo", "/oidc/jwks", "/oidc/logout", "/.well-known/openid-configuration",
)  # fmt: skip
NO_SESSION: Final = ("/static/", "/healthz", "/seal-key", *FOR_PROGRAMS)
SESSIONS_AN_HOUR: Final = 1200
_OURS: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits in base64url, as we make them


class SessionOver(Refusal):
    """The form belongs to a session that is over; nothing was stored."""

    code = "session-over"


class SessionsCrowded(Refusal):
    """Too many new visitors from one address (a secondary bound; high for carrier networks)."""

    code = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Cookies:
    """The center's cookies: `__Host-` and Secure over TLS; plain names on loopback, where the prefix is refused (F2).

    Cookies ignore ports, so the demo's names say which process they belong to (F3).
    """

    secure: bool

    @property
    def session(self) -> str:
        """Names the session."""
        return "__Host-ingam" if self.secure else "ingam-center"

    @property
    def device(self) -> str:
        """Recognises a browser that logged in before (F7); proves nothing by itself."""
        return "__Host-ingam-device" if self.secure else "ingam-center-device"

    def device_in(self, jar: Mapping[str, str]) -> str | None:
        """The device cookie of a request, if it has the form that we give out; else the login makes a new one."""
        value = jar.get(self.device, "")
        return value if _OURS.fullmatch(value) else None

    def set(self, name: str, value: str, max_age: int | None = None) -> str:
        """A Set-Cookie value."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}" + ("; Secure" if self.secure else "")


class Doorway:
    """ASGI middleware: sets `request.state.session`, `.viewer` and `.ended`; opens a pre-session for a visitor."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        customers: Customers,
        ephemeral: Ephemeral,
        clock: Clock,
        cookies: Cookies,
        digests: Digests,
    ) -> None:
        self.app = app
        self._digests = digests
        self._sessions = sessions
        self._customers = customers
        self._ephemeral = ephemeral
        self._clock = clock
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(NO_SESSION):
            await self.app(scope, receive, send)
            return
        jar = cookie_parser(Headers(scope=scope).get("cookie", ""))
        state: dict[str, Any] = scope["state"]
        state["ended"] = None
        session, customer = await self._live(jar.get(self._cookies.session), state)
        fresh: Opened | None = None
        if session is None:
            if scope["method"] not in ("GET", "HEAD"):
                await self._over(scope, receive, send, state["ended"])
                return
            fresh = await self._visitor(scope, self._cookies.device_in(jar))
            session = fresh.session
        state["session"] = session
        state["viewer"] = self._viewer(session, customer, state["lang"])
        cookie = None if fresh is None else self._cookies.set(self._cookies.session, fresh.cookie)
        await self.app(scope, receive, _with_cookie(send, cookie))

    async def _live(self, cookie: str | None, state: dict[str, Any]) -> tuple[Session | None, Customer | None]:
        """The cookie's session and whose it is; one whose customer is no longer served ends here."""
        if not cookie:
            return None, None
        try:
            session = await self._sessions.touch(await self._sessions.find(cookie))
            if session.customer_id is None:
                return session, None
            found = await self._customers.by_id(session.customer_id)
            customer = None if found is None else in_session(self._digests, found, session)
            if customer is not None and customer.status == "ACTIVE":
                return session, customer
            await self._sessions.end(session, "closed")
        except Ended as ended:
            state["ended"] = ended.why
        except (KeyError, Refusal):
            pass
        return None, None

    async def _visitor(self, scope: Scope, device: str | None) -> Opened:
        address = _network((scope.get("client") or ("", 0))[0])
        if not await self._ephemeral.hit(f"visit:{address}", 3600, SESSIONS_AN_HOUR):
            raise SessionsCrowded
        return await self._sessions.open_pre(digest(device) if device else None)

    async def _over(self, scope: Scope, receive: Receive, send: Send, why: str | None) -> None:
        """A POST without a live session changes nothing: a page is led to the login, a script is told."""
        if "application/json" in Headers(scope=scope).get("accept", ""):
            raise SessionOver
        await see_other(f"/login?ended={why if why in ('idle', 'absolute') else 'over'}")(scope, receive, send)

    def _viewer(self, session: Session, customer: Customer | None, lang: Lang) -> Viewer:
        if customer is None:
            return Viewer(lang=lang, csrf=session.csrf)
        left = int((self._sessions.idle_until(session) - self._clock.now()).total_seconds())
        # Of several heads it is not known yet who is here: the account is the union's, and the first one's until then.
        which = undecided(customer, session)
        return Viewer(
            lang=lang, csrf=session.csrf, name=(which and customer.union_name) or customer.name,
            level=str(session.level), idle_left_s=max(0, left), acts_for=mask_name(customer.name) if which else "",
        )  # fmt: skip


def _with_cookie(send: Send, cookie: str | None) -> Send:
    if cookie is None:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # A login in the same answer has set its own session cookie; the newer one wins.
            if not any(value.startswith(cookie.split("=", 1)[0] + "=") for value in headers.getlist("set-cookie")):
                headers.append("set-cookie", cookie)
        await send(message)

    return sending


def address_of(request: Request) -> str:
    """The network of the request; only counters and keyed digests are made of it."""
    return _network(request.client.host) if request.client else ""


def _network(host: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a single line has 2^64 of those, and counters for none (C12, F9)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))


def logged_in(request: Request) -> Session | None:
    """The session, if somebody is logged in."""
    session: Session = request.state.session
    return session if session.level is not Level.PRE and session.customer_id is not None else None


def to_login(request: Request, way: str = "id") -> Response:
    """303 to the login, which leads back here afterwards."""
    ended = f"&ended={request.state.ended}" if request.state.ended in ("idle", "absolute") else ""
    return see_other(f"/login?way={way}&then={request.url.path}{ended}")


def enter(response: Response, cookies: Cookies, opened: Opened, device: str | None) -> Response:
    """Put the new session's cookie (and a new device's) into an answer."""
    response.headers.append("set-cookie", cookies.set(cookies.session, opened.cookie))
    if device is not None:
        response.headers.append("set-cookie", cookies.set(cookies.device, device, A_YEAR_S))
    return response
