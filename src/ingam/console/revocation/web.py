"""The routes of 폐지 대행: which certificate and why, then the change that two officers sign; and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.changes.service import Changes
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.operators.register import Operators
from ingam.console.revocation.kinds import BASES, NAME, OUTCOME, REASONS, RevocationKind, RevocationRefused
from ingam.console.standing.opening import Openings
from ingam.console.standing.service import Standings
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.masking import mask_name
from ingam.page import render, see_other
from ingam.page.failures import message_of
from ingam.ports.customers import Customer
from ingam.ports.store import Row, Store
from ingam.protocols.webauthn.as_key import pack

HERE: Final = "/customers/{customer}/revocation"
LIST: Final = "/revocations"
SHOWN: Final = 50


class RevocationWeb(ConsoleWeb):
    """Handlers over the kind of change."""

    entries = (Entry("revocations", "console-revocation.menu", LIST, (Role.SECURITY, Role.AUDITOR)),)

    def __init__(
        self, trail: Trail, store: Store, kind: RevocationKind, changes: Changes, operators: Operators,
        standings: Standings, openings: Openings,
    ) -> None:  # fmt: skip
        super().__init__(trail)
        self._store = store
        self._kind = kind
        self._changes = changes
        self._operators = operators
        self._standings = standings
        self._openings = openings

    def routes(self) -> list[Route]:
        """/revocations, and a customer's /revocation."""
        return [
            self.get(LIST, self.list, Role.SECURITY, Role.AUDITOR),
            self.get(HERE, self.ask, Role.SECURITY),
            self.post(HERE, self.draft, Role.SECURITY),
        ]

    async def list(self, request: Request) -> Response:
        """What the authority said of each, and the key that it has to know of this officer."""
        rows = await self._store.many("audit", {"action": OUTCOME}, order="seq", descending=True, limit=SHOWN)
        keys = await self._operators.keys(visit(request).operator.employee)
        facts: dict[str, Any] = {
            "outcomes": [_outcome(row) for row in rows],
            "keys": [pack(key.credential).hex() for key in keys],
        }
        return render(request, "revocation/list.html", place="revocations", **facts)

    async def ask(self, request: Request) -> Response:
        """Which certificate, for which reason, on which basis."""
        return await self._form(request, await self._opened(request), {}, {})

    async def draft(self, request: Request) -> Response:
        """The change, to be read and signed. A wrong form is shown again."""
        asking, form, customer = visit(request), request.state.form, await self._opened(request)
        typed = {name: str(form.get(name, "")) for name in ("certificate", "reason", "basis")}
        try:
            change = await self._changes.draft(asking, NAME, {**typed, "customer": customer.customer_id})
        except RevocationRefused as refused:
            errors = {str(refused.facts["part"]): message_of(refused, request.state.lang)}
            return await self._form(request, customer, typed, errors)
        return see_other(f"/changes/{change}")

    async def _opened(self, request: Request) -> Customer:
        customer_id = str(request.path_params["customer"])
        await self._openings.reason(visit(request), customer_id)
        return await self._standings.customer(customer_id)

    async def _form(
        self, request: Request, customer: Customer, typed: Mapping[str, str], errors: dict[str, str]
    ) -> Response:
        facts: dict[str, Any] = {
            "name": mask_name(customer.name),
            "customer_id": customer.customer_id,
            "certificates": await self._kind.certificates(customer.customer_id),
            "reasons": REASONS,
            "bases": BASES,
            "typed": typed,
            "errors": errors,
        }
        return render(request, "revocation/ask.html", 422 if errors else 200, place="revocations", **facts)


def _outcome(row: Row) -> dict[str, Any]:
    facts = msgspec.json.decode(str(row["facts"] or "{}"))
    return {"at": row["at"], "result": row["result"], **{n: facts.get(n, "") for n in ("serial", "reason", "change")}}
