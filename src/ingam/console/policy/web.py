"""The screens of policy: what is in force, and a draft of what is to be (security G2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.changes.service import Changes
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.policy.kinds import APPROVED, OFF, ON, READERS, WAITS, LimitsKind, TermsKind, WithdrawalKind
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.policy.limits import BOUNDS
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other, status_of
from ingam.page.failures import message_of


class PolicyWeb(ConsoleWeb):
    """Handlers over the kinds of policy and the changes."""

    entries = (Entry("policy", "console-policy.menu", "/policy", READERS),)

    def __init__(
        self, trail: Trail, changes: Changes, limits: LimitsKind, oids: WithdrawalKind, anchors: WithdrawalKind,
        terms: TermsKind,
    ) -> None:  # fmt: skip
        super().__init__(trail)
        self._changes = changes
        self._limits = limits
        self._lists: dict[str, WithdrawalKind | TermsKind] = {one.name: one for one in (oids, anchors, terms)}

    def routes(self) -> list[Route]:
        """/policy."""
        return [
            self.get("/policy", self.show, *READERS),
            self.post("/policy/limits", self.limits, Role.SECURITY),
            self.post("/policy/{name}", self.ticked, Role.SECURITY, Role.ADMINISTRATOR),
        ]

    async def show(self, request: Request) -> Response:
        """What is in force."""
        return await self._page(request, {}, {})

    async def limits(self, request: Request) -> Response:
        """A draft of the limits that differ from those in force."""
        now = await self._limits.now()
        typed = {name: str(request.state.form.get(name, now[name])).strip() for name in BOUNDS}
        values = {name: text for name, text in typed.items() if text != str(now[name])}
        return await self._draft(request, self._limits.name, values, typed)

    async def ticked(self, request: Request) -> Response:
        """A draft of what is accepted or approved otherwise than now."""
        kind = self._lists.get(str(request.path_params["name"]))
        if kind is None:
            raise Refusal("not-found")
        now, kept = await kind.now(), set(request.state.form.getlist("accepted"))
        yes, no = (APPROVED, WAITS) if isinstance(kind, TermsKind) else (ON, OFF)
        wanted = {name: yes if name in kept else no for name in now}
        return await self._draft(request, kind.name, {n: w for n, w in wanted.items() if w != now[n]}, {})

    async def _draft(
        self, request: Request, kind: str, values: Mapping[str, str], typed: Mapping[str, str]
    ) -> Response:
        try:
            change = await self._changes.draft(visit(request), kind, values)
        except Refusal as refusal:
            request.state.failure = refusal.code
            field = str(refusal.facts.get("name", "form"))
            errors = {field: message_of(refusal, request.state.lang)}
            return await self._page(request, typed, errors, status_of(refusal))
        return see_other(f"/changes/{change}")

    async def _page(
        self, request: Request, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200
    ) -> Response:
        facts: dict[str, Any] = {
            "limits": await self._limits.now(),
            "bounds": BOUNDS,
            "lists": [(kind, await kind.now()) for kind in self._lists.values()],
            "typed": typed,
            "errors": errors,
        }
        return render(request, "policy/policy.html", status, place="policy", **facts)
