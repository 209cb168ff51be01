"""The screens of four eyes: what waits, one change with the text that both sign, and what became of it (G2, G3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.changes.flow import Applied, Approved, Signature, Submitted
from ingam.console.changes.service import Agreement, Changes, Stored
from ingam.console.login.web import answer_of
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.trail import Trail, Visit
from ingam.console.web import ConsoleWeb, visit
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other, status_of
from ingam.page.failures import message_of

HERE = "/changes/{change}"
READERS = (Role.SECURITY, Role.ADMINISTRATOR, Role.AUDITOR)
SIGNERS = READERS
"""Which of them may sign a change is up to its kind."""


class ChangesWeb(ConsoleWeb):
    """Handlers over the service."""

    entries = (Entry("changes", "console-changes.menu", "/changes", READERS),)

    def __init__(self, trail: Trail, changes: Changes) -> None:
        super().__init__(trail)
        self._changes = changes

    def routes(self) -> list[Route]:
        """/changes and one change."""
        return [
            self.get("/changes", self.list, *READERS),
            self.get(HERE, self.show, *READERS),
            self.post(f"{HERE}/submit", self.submit, *SIGNERS),
            self.post(f"{HERE}/approve", self.approve, *SIGNERS),
            self.post(f"{HERE}/decline", self.decline, *SIGNERS),
            self.post(f"{HERE}/withdraw", self.withdraw, *SIGNERS),
        ]

    async def list(self, request: Request) -> Response:
        """What waits first, then everything, newest first."""
        asking = visit(request)
        await self._changes.tidy(asking)
        waiting = [row for row in await self._changes.every("submitted", "drafted", "approved") if _sees(row, asking)]
        ended = await self._changes.every("applied", "declined", "expired", "voided")
        ended.sort(key=lambda row: str(row["at"]), reverse=True)
        return render(request, "changes/list.html", place="changes", waiting=waiting, ended=ended)

    async def show(self, request: Request) -> Response:
        """One change, with what this operator may do with it."""
        return await self._page(request, await self._changes.get(_named(request)))

    async def submit(self, request: Request) -> Response:
        """The maker's signature; what they are shown once stands on this answer alone."""
        return await self._signed(request, self._changes.submit)

    async def approve(self, request: Request) -> Response:
        """The second person's signature; what they are shown once stands on this answer alone."""
        return await self._signed(request, self._changes.approve)

    async def decline(self, request: Request) -> Response:
        """The second person says no."""
        await self._changes.decline(visit(request), _named(request))
        return see_other(f"/changes/{_named(request)}")

    async def withdraw(self, request: Request) -> Response:
        """The maker takes it back."""
        await self._changes.withdraw(visit(request), _named(request))
        return see_other(f"/changes/{_named(request)}")

    async def _signed(self, request: Request, sign: Any) -> Response:
        name = _named(request)
        try:
            given: Agreement = await sign(visit(request), name, answer_of(request.state.form))
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"form": message_of(refusal, request.state.lang)}
            return await self._page(request, await self._changes.get(name), status_of(refusal), errors)
        if given.shown:
            return await self._page(request, await self._changes.get(name), shown=given.shown)
        return see_other(f"/changes/{name}")

    async def _page(
        self, request: Request, stored: Stored, status: int = 200, errors: Mapping[str, str] | None = None,
        shown: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        asking = visit(request)
        mine = stored.change.maker == asking.operator.employee
        facts: dict[str, Any] = {
            "stored": stored,
            "change": stored.change,
            "state": stored.state,
            "lines": stored.state.text.lines,
            "challenge": stored.state.text.challenge.hex(),
            "mine": mine,
            "may_sign": mine and stored.status == "drafted" and asking.operator.may(*SIGNERS),
            "may_check": isinstance(stored.state, Submitted) and self._changes.may_check(asking, stored),
            "export": stored.change.kind == "export" and stored.status == "applied" and mine,
            "may_withdraw": mine and stored.status in ("drafted", "submitted"),
            "options": await self._changes.options(asking, stored),
            "signatures": _signatures(stored),
            "shown": shown or {},
            "errors": errors or {},
        }
        return render(request, "changes/change.html", status, place="changes", **facts)


def _named(request: Request) -> str:
    return str(request.path_params["change"])


def _sees(row: Mapping[str, Any], asking: Visit) -> bool:
    """A draft is its maker's own until it is signed."""
    return bool(row["status"] != "drafted" or row["maker"] == asking.operator.employee)


def _signatures(stored: Stored) -> list[Signature]:
    state = stored.state
    if isinstance(state, Approved | Applied):
        return [state.made, state.checked]
    return [state.made] if isinstance(state, Submitted) else []
