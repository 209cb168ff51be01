"""A cookie for each flow: whoever has a copied session cookie alone does not get into what another browser began (F10).

The first requests below a flow's address after a login get the flow's own cookie, which only our key can make. As soon
as a browser has shown it, the ledger says so, and a request of that session without it is led to the login: with the
password again there is another session, and an interrupted run is gone on with by its own rules. An answer that was
lost on its way costs nothing: the cookie is given until it is shown. The cookies last as long as their session.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingam.center.doorway import NO_SESSION, Cookies
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.page import see_other
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Conflict, Issue, Save, Store

FLOWS: Final = {
    "/registration": "registration",
    "/issuance/new": "issuance",
    "/issuance/reissue": "issuance",
    "/issuance/renewal": "renewal",
    "/copying": "copying",
    "/protection": "protection",
    "/incident/resume": "incident",
    "/finance-cert": "finance",
    "/management/task": "management",
    "/head": "head",
}
"""Address → the flow below it."""


class FlowElsewhere(Refusal):
    """This flow was begun in another browser with the same session; nothing was done."""

    code = "flow-elsewhere"


class FlowDoor:
    """ASGI middleware inside the doorway."""

    def __init__(self, app: ASGIApp, store: Store, clock: Clock, digests: Digests, cookies: Cookies) -> None:
        self.app = app
        self._store = store
        self._clock = clock
        self._digests = digests
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        at = _flow_of(scope["path"]) if scope["type"] == "http" and not scope["path"].startswith(NO_SESSION) else None
        session: Session | None = scope["state"]["session"] if at else None
        if at is None or session is None or session.customer_id is None:
            await self.app(scope, receive, send)
            return
        headers, flow = Headers(scope=scope), FLOWS[at]
        given = cookie_parser(headers.get("cookie", "")).get(self.cookie(flow), "")
        wanted = self._digests.digest("flow-cookie", f"{session.session}:{flow}")
        known = await self._store.issued(_kind(session), flow) is not None
        if hmac.compare_digest(given.encode(), wanted.encode()):
            if not known:
                await self._know(session, flow)
            await self.app(scope, receive, send)
        elif not known:
            await self.app(scope, receive, _with(send, self._cookies.set(self.cookie(flow), wanted)))
        else:
            await self._tell(session, flow)
            if _by_script(headers.get("accept", "")):
                raise FlowElsewhere
            await see_other(f"/login?way=id&then={at}&ended=over")(scope, receive, send)

    def cookie(self, flow: str) -> str:
        """The name of a flow's cookie."""
        return f"__Host-ingam-{flow}" if self._cookies.secure else f"ingam-center-{flow}"

    async def _know(self, session: Session, flow: str) -> None:
        """This browser has it: from here on nobody goes on without it."""
        with suppress(Conflict):  # another request of this moment said so
            await self._store.save(Save(ledger=[Issue(_kind(session), flow, session.expires_at)]))

    async def _tell(self, session: Session, flow: str) -> None:
        line = Audit(self._clock.now(), "flow.cookie", FlowElsewhere.code, None, session.session, None, {"flow": flow})
        await self._store.save(Save(audit=[line]))


def _flow_of(path: str) -> str | None:
    return next((at for at in FLOWS if path == at or path.startswith(f"{at}/")), None)


def _kind(session: Session) -> str:
    return f"flow-cookie:{session.session}"


def _by_script(accept: str) -> bool:
    return "application/json" in accept or "text/event-stream" in accept


def _with(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return sending
