"""The routes of 수수료: charges by stage, those that hang, and the way to whose one is, with a reason."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.fees.service import ChargesOfFees
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.standing.entering import Entering
from ingam.console.standing.opening import REASONS, ReasonMissing
from ingam.console.standing.service import Standings
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other
from ingam.page.failures import message_of
from ingam.ports.customers import Customer

HERE: Final = "/fees"
SEE: Final = (Role.SECURITY, Role.ADMINISTRATOR, Role.AUDITOR)
OPEN: Final = (Role.SECURITY, Role.AUDITOR)
"""Who may open a customer from here: of those who see charges, those who may at the desk."""


class FeesWeb(ConsoleWeb):
    """Handlers over the service."""

    entries = (Entry("fees", "console-fees.menu", HERE, SEE),)

    def __init__(self, trail: Trail, charges: ChargesOfFees, standings: Standings, entering: Entering) -> None:
        super().__init__(trail)
        self._charges = charges
        self._standings = standings
        self._entering = entering

    def routes(self) -> list[Route]:
        """/fees, and /fees/{charge} to whose charge it is."""
        return [
            self.get(HERE, self.show, *SEE),
            self.get(f"{HERE}/{{charge}}", self.ask, *OPEN),
            self.post(f"{HERE}/{{charge}}", self.open, *OPEN),
        ]

    async def show(self, request: Request) -> Response:
        """The page: numbers, and charges without anybody's name."""
        minutes = int(self._charges.limit.total_seconds()) // 60
        facts: dict[str, Any] = {
            "charges": await self._charges.charges(),
            "may_open": visit(request).operator.may(*OPEN),
        }
        return render(request, "fees/fees.html", place="fees", minutes=minutes, **facts)

    async def ask(self, request: Request) -> Response:
        """Why the customer of a charge is opened."""
        return await self._ask(request, {})

    async def open(self, request: Request) -> Response:
        """The customer's page, as the desk opens it. Raises SearchesSpent."""
        fee = await self._charges.charge(str(request.path_params["charge"]))

        async def whose() -> Customer:
            return await self._standings.customer(fee.customer_id)

        try:
            reason = str(request.state.form.get("reason", ""))
            customer = await self._entering.enter(visit(request), reason, whose)
        except ReasonMissing as missing:
            return await self._ask(request, {"reason": missing})
        return see_other(f"/customers/{customer.customer_id}")

    async def _ask(self, request: Request, wrong: dict[str, Refusal]) -> Response:
        fee = await self._charges.charge(str(request.path_params["charge"]))
        errors = {name: message_of(refusal, request.state.lang) for name, refusal in wrong.items()}
        facts: dict[str, Any] = {"fee": fee, "reasons": REASONS, "errors": errors}
        return render(request, "fees/open.html", 422 if errors else 200, place="fees", **facts)
