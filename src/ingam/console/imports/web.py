"""The route of 등록 가져오기: numbers and codes of each run; nothing of anybody, so no reason is asked for."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.imports.service import ImportRuns
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.standing.service import said
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb
from ingam.page import render

HERE: Final = "/imports"
SEE: Final = (Role.SECURITY, Role.ADMINISTRATOR, Role.AUDITOR)


class ImportsWeb(ConsoleWeb):
    """Handlers over the service."""

    entries = (Entry("imports", "console-imports.menu", HERE, SEE),)

    def __init__(self, trail: Trail, runs: ImportRuns) -> None:
        super().__init__(trail)
        self._runs = runs

    def routes(self) -> list[Route]:
        """GET /imports."""
        return [self.get(HERE, self.show, *SEE)]

    async def show(self, request: Request) -> Response:
        """The page."""
        facts: dict[str, Any] = {"runs": await self._runs.runs(), "awaited": await self._runs.awaited()}
        why = partial(said, facts={}, lang=request.state.lang)
        return render(request, "imports/imports.html", place="imports", said=why, **facts)
