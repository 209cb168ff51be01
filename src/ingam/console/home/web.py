"""The console's first page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.menu import Entry
from ingam.console.operators.register import Operators
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.page import render


class HomeWeb(ConsoleWeb):
    """Who is here, with which roles, and by which passkeys."""

    entries = (Entry("home", "console.menu_home", "/"),)

    def __init__(self, trail: Trail, operators: Operators) -> None:
        super().__init__(trail)
        self._operators = operators

    def routes(self) -> list[Route]:
        """GET /."""
        return [self.get("/", self.show)]

    async def show(self, request: Request) -> Response:
        """The page."""
        keys = await self._operators.keys(visit(request).operator.employee)
        return render(request, "home/home.html", place="home", keys=keys)
