"""The routes below /finance-cert: what it is, 등록 and 해제, and the way to the provider's window and back (W9, B5).

The window is a page of somebody else's origin that the person opens by a link: no script of it runs here, and no form
of ours leads there (`form-action 'self'`).
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.doorway import logged_in, to_login
from ingam.center.finance_cert.service import AT, FinanceCerts
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor, Confirming, Locked
from ingam.center.task.forms import turn_of
from ingam.center.task.web import TaskWeb, visit_of
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.heads import several
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Failure
from ingam.page import render, see_other
from ingam.ports.clock import Clock

TEMPLATES: Final = "ingam.center.finance_cert"
PLACE: Final = "finance_cert"
DONE: Final = ("register", "release")


class FinanceCertWeb(TaskWeb):
    """`origin`: of the provider's window, which the person is told to look for in the address bar."""

    def __init__(self, service: FinanceCerts, auth: AdditionalAuth, clock: Clock, origin: str) -> None:
        super().__init__(AT, service, auth, clock)
        self._service = service
        self._origin = origin

    def routes(self) -> list[Route]:
        """Everything below /finance-cert."""
        posts = {"begin": self.begin, "open": self.open, "release": self.release}
        return [
            Route(AT, self.show, methods=["GET"]),
            Route(f"{AT}/window/{{nonce}}", self.window, methods=["GET"]),
            Route(f"{AT}/back/{{nonce}}", self.back, methods=["GET"]),
            *self._below(posts),
        ]

    async def show(self, request: Request) -> Response:
        """What it is, for everybody; the true step, for whoever is logged in."""
        if logged_in(request) is None:
            return render(request, "finance_cert/about.html", place=PLACE, offered=self._service.offered)
        return await self._page(request)

    async def begin(self, request: Request) -> Response:
        """등록하기, 해제하기."""
        fields = await posted(request)
        try:
            await self._service.begin(visit_of(request), fields.get("kind", ""), _slot(fields.get("slot", "")))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(AT)

    async def open(self, request: Request) -> Response:
        """금융인증서 창 열기."""
        fields = await posted(request)
        try:
            nonce = await self._service.open(visit_of(request), turn_of(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{AT}/window/{nonce}")

    async def window(self, request: Request) -> Response:
        """The page before the window: which address opens, and for what."""
        if logged_in(request) is None:
            return to_login(request)
        try:
            address = await self._service.window(visit_of(request), request.path_params["nonce"])
        except Failure:
            return see_other(AT)
        return leading(request, address, self._origin, "register", AT)

    async def back(self, request: Request) -> Response:
        """From the window. What the address brings is a word for the provider, never a result (E7)."""
        if logged_in(request) is None:
            return see_other(f"/login?way=id&then={AT}")
        proof = request.query_params.get("proof", "")
        try:
            await self._service.returned(visit_of(request), request.path_params["nonce"], proof)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{AT}?done=register")

    async def release(self, request: Request) -> Response:
        """The last press of 해제."""
        fields = await posted(request)
        try:
            await self._service.release(visit_of(request), turn_of(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{AT}?done=release")

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = visit_of(request)
        here = await self._service.here(visit)
        state, bound = here.state, await self._service.bound(visit)
        told: dict[str, Any] = {"errors": {}, "place": PLACE, "here": here, "state": state, "bound": bound}
        told["heads"] = await self._service.heads(visit)
        told["of"] = mask_name(whose.name) if several(whose := await self._service.asked(visit)) else ""
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            told |= await self._factor(request, state, chosen)
            return render(request, "finance_cert/factor.html", status=status, **(told | facts))
        end, done = await self._service.last_end(visit), request.query_params.get("done", "")
        told["locked"] = end.cause if isinstance(end, Locked) else ""
        stands = bound is not None or any(one.bound for one in told["heads"])
        told["done"] = done if done in DONE and (bool(told["heads"]) or (done == "register") == stands) else ""
        told["confirming"] = state.task.kind if isinstance(state, Confirming) else ""
        told["offered"] = self._service.offered
        told["stale"] = bound is None and await self._service.stale(visit)
        return render(request, "finance_cert/overview.html", status=status, **(told | facts))


def _slot(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else None


def leading(request: Request, address: str, origin: str, purpose: str, back: str) -> Response:
    """The page with the link to the provider's window."""
    return render(
        request, "finance_cert/window.html", place=PLACE, address=address, origin=origin, purpose=purpose, leave=back
    )
