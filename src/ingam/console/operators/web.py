"""The screens of the operators' register; what they ask for is a change that two others sign (security G2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.changes.service import Changes
from ingam.console.menu import Entry
from ingam.console.operators import Role, roles_text
from ingam.console.operators.kinds import OperatorForm
from ingam.console.operators.register import Operators
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.page import render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.keys import BlindIndex

_IDN: Final = re.compile(r"[0-9]{13}")
READERS = (Role.ADMINISTRATOR, Role.SECURITY, Role.AUDITOR)
KINDS = {"new": "operator-new", "roles": "operator-roles", "end": "operator-end", "key": "operator-key"}


class OperatorsWeb(ConsoleWeb):
    """Handlers over the register and the changes."""

    entries = (Entry("operators", "console-operators.menu", "/operators", READERS),)

    def __init__(self, trail: Trail, operators: Operators, changes: Changes, blind_index: BlindIndex) -> None:
        super().__init__(trail)
        self._blind_index = blind_index
        self._operators = operators
        self._changes = changes

    def routes(self) -> list[Route]:
        """/operators."""
        return [
            self.get("/operators", self.list, *READERS),
            self.get("/operators/{employee}", self.show, *READERS),
            self.post("/operators", self.propose, Role.ADMINISTRATOR),
        ]

    async def list(self, request: Request) -> Response:
        """Who is an operator, and the form for a new one."""
        return await self._list(request, {}, {})

    async def show(self, request: Request) -> Response:
        """One operator, and what may be asked for."""
        return await self._one(request, str(request.path_params["employee"]), {})

    async def propose(self, request: Request) -> Response:
        """A draft of the change that a form asks for."""
        form = request.state.form
        ask = str(form.get("ask", ""))
        values = {name: str(form.get(name, "")).strip() for name in ("employee", "name", "branch") if name in form}
        if ask in ("new", "roles"):
            values["roles"] = roles_text(Role(one) for one in form.getlist("role") if one in set(Role))
        try:
            if ask not in KINDS:
                raise Refusal("change-unknown")
            if ask in ("new", "roles"):
                values |= await self._person(str(form.get("idn", "")))
            change = await self._changes.draft(visit(request), KINDS[ask], values)
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"form": message_of(refusal, request.state.lang)}
            if ask == "new":
                return await self._list(request, values, errors, status_of(refusal))
            return await self._one(request, values.get("employee", ""), errors, status_of(refusal))
        return see_other(f"/changes/{change}")

    async def _person(self, typed: str) -> dict[str, str]:
        """Whose number it is, as its blind index: the number itself is kept nowhere (E10, H7). Raises OperatorForm."""
        idn = "".join(typed.replace("-", " ").split())
        if not idn:
            return {}
        if not _IDN.fullmatch(idn):
            raise OperatorForm
        return {"person": (await self._blind_index.index("idn", Secret(idn))).hex()}

    async def _list(
        self, request: Request, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200
    ) -> Response:
        facts: dict[str, Any] = {"every": await self._operators.all(), "typed": typed, "errors": errors}
        return render(request, "operators/list.html", status, place="operators", **facts)

    async def _one(self, request: Request, employee: str, errors: Mapping[str, str], status: int = 200) -> Response:
        one = await self._operators.get(employee)
        keys = await self._operators.keys(employee)
        himself = one.employee == visit(request).operator.employee
        facts: dict[str, Any] = {"one": one, "keys": keys, "himself": himself, "errors": errors}
        return render(request, "operators/one.html", status, place="operators", **facts)
