"""The console's first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.operators.register import Operators
from ingam.console.trail import ALARM, Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.binding.silence import silences
from ingam.page import render
from ingam.ports.clock import Clock
from ingam.ports.store import Store

WATCH: Final = (Role.SECURITY, Role.AUDITOR)
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that officers look into. `why`: a code, whose sentence the operator read."""

    at: datetime
    why: str


class HomeWeb(ConsoleWeb):
    """Who is here, with which roles, and by which passkeys."""

    entries = (Entry("home", "console.menu_home", "/"),)

    def __init__(self, trail: Trail, operators: Operators, store: Store, clock: Clock) -> None:
        super().__init__(trail)
        self._operators = operators
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """GET /."""
        return [self.get("/", self.show)]

    async def show(self, request: Request) -> Response:
        """The page."""
        operator = visit(request).operator
        keys = await self._operators.keys(operator.employee)
        alarms, silent = None, []
        if operator.may(*WATCH):
            alarms = await self._alarms()
            silent = [one for one in await silences(self._store) if one.alarm]
        return render(request, "home/home.html", place="home", keys=keys, alarms=alarms, silent=silent)

    async def _alarms(self) -> list[Alarm]:
        """Today's alarms, newest first (G4)."""
        since = self._clock.now() - timedelta(days=1)
        rows = await self._store.many("audit", {"action": ALARM}, order="seq", descending=True, limit=SHOWN)
        return [Alarm(at, str(row["result"])) for row in rows if isinstance(at := row["at"], datetime) and at > since]
