"""The routes of 감사 로그 조회: asking with a reason, and what was found, in the answer to that very POST."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.audit.service import REASONS, Asked, AuditLooks
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.kernel.errors import Refusal
from ingam.page import render, status_of
from ingam.page.failures import message_of

SEE: Final = (Role.AUDITOR, Role.SECURITY)
_FIELDS: Final = {"banking_id": 32, "employee": 20, "action": 100, "reason": 20, "note": 200}


class AuditWeb(ConsoleWeb):
    """Handlers over the service."""

    entries = (Entry("audit", "console-audit.menu", "/audit", SEE),)

    def __init__(self, trail: Trail, looks: AuditLooks) -> None:
        super().__init__(trail)
        self._looks = looks

    def routes(self) -> list[Route]:
        """/audit."""
        return [self.get("/audit", self.form, *SEE), self.post("/audit", self.look, *SEE)]

    async def form(self, request: Request) -> Response:
        """What is looked for, and why."""
        return _page(request)

    async def look(self, request: Request) -> Response:
        """The lines; the address holds nothing of what was asked."""
        typed = {name: str(request.state.form.get(name, "")).strip()[:most] for name, most in _FIELDS.items()}
        try:
            found = await self._looks.look(visit(request), Asked(**typed))
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"form": message_of(refusal, request.state.lang)}
            return _page(request, status_of(refusal), typed=typed, errors=errors)
        return _page(request, typed=typed, found=found)


def _page(request: Request, status: int = 200, **facts: Any) -> Response:
    told: dict[str, Any] = {"place": "audit", "errors": {}, "found": None, "reasons": REASONS}
    told["typed"] = dict.fromkeys(_FIELDS, "")
    return render(request, "audit/audit.html", status, **(told | facts))
