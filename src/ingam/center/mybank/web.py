"""GET /mybank."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.doorway import logged_in, to_login
from ingam.center.mybank.service import MyBank
from ingam.page import render

TEMPLATES: Final = "ingam.center.mybank"
HERE: Final = "/mybank"


class MyBankWeb:
    """The page over the service."""

    def __init__(self, mybank: MyBank) -> None:
        self._mybank = mybank

    def routes(self) -> list[Route]:
        """One."""
        return [Route(HERE, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """For whoever is logged in, in either way; others log in first."""
        session = logged_in(request)
        if session is None or session.customer_id is None:
            return to_login(request)
        shown = await self._mybank.shown(session.customer_id, request.state.lang, session.slot)
        code = None if shown.failure is None else shown.failure.code
        if code is not None:
            request.state.failure = code
        return render(request, "mybank/mybank.html", place="mybank", shown=shown, failed=code)
