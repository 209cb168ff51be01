"""The routes of bulk export: asking for a period, and taking what was approved, once (security G2)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.changes.flow import Applied
from ingam.console.changes.service import Changes
from ingam.console.exports.kinds import KIND, ExportKind, holds, period
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, Forbidden, visit
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST, rfc3339
from ingam.page import render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.store import Row, Save, Store, Use

ASKERS: Final = (Role.AUDITOR, Role.SECURITY)
LINES_MOST: Final = 50_000
"""Of one file; longer periods of a large house are for `ingam audit export`."""

COLUMNS: Final = ("seq", "action", "result", "subject", "operator", "session", "address", "reason")


class ExportsWeb(ConsoleWeb):
    """Handlers over the changes and the audit."""

    entries = (Entry("exports", "console-exports.menu", "/exports", ASKERS),)

    def __init__(self, trail: Trail, store: Store, clock: Clock, changes: Changes) -> None:
        super().__init__(trail)
        self._store = store
        self._clock = clock
        self._changes = changes

    def routes(self) -> list[Route]:
        """/exports."""
        return [
            self.get("/exports", self.form, *ASKERS),
            self.post("/exports", self.ask, *ASKERS),
            self.post("/exports/{change}", self.take, *ASKERS),
        ]

    async def form(self, request: Request) -> Response:
        """Which days."""
        return render(request, "exports/exports.html", place="exports", typed={})

    async def ask(self, request: Request) -> Response:
        """A draft of the change that allows it."""
        typed = {name: str(request.state.form.get(name, "")).strip()[:10] for name in ("first", "last")}
        try:
            change = await self._changes.draft(visit(request), ExportKind.name, typed)
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"first": message_of(refusal, request.state.lang)}
            status = status_of(refusal)
            return render(request, "exports/exports.html", status, place="exports", typed=typed, errors=errors)
        return see_other(f"/changes/{change}")

    async def take(self, request: Request) -> Response:
        """The file: JSON, a line each, newest first, the last one where older ones are missing; once, for who asked."""
        asking, now = visit(request), self._clock.now()
        stored = await self._changes.get(str(request.path_params["change"]))
        change = stored.change
        if change.kind != ExportKind.name or change.maker != asking.operator.employee:
            raise Forbidden
        if not isinstance(stored.state, Applied):
            raise Refusal("not-issued", kind=KIND)
        rows = await self._rows()
        lines = [_line(row) for row in rows if _within(change.values, row)]
        # What is older than the last row was not looked at; a file that may lack lines says so in its last one.
        cut = len(rows) == LINES_MOST and not _before(change.values, rows[-1])
        facts: dict[str, str | int] = {"change": change.change_id, "lines": len(lines), "cut": int(cut)}
        lines += [json.dumps({"cut": True, "before": rows[-1]["seq"]}) + "\n"] if cut else []
        line = self.trail.line(asking, "console.audit-export", facts=facts)
        await self._store.save(Save(ledger=[Use(KIND, change.change_id, now)], audit=[line]))
        name = f"audit-{change.values['first']}-{change.values['last']}.jsonl"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response("".join(lines), media_type="application/x-ndjson", headers=headers)

    async def _rows(self) -> list[Row]:
        return await self._store.many("audit", {}, order="seq", descending=True, limit=LINES_MOST)


def _within(values: Any, row: Row) -> bool:
    at = row["at"]
    return isinstance(at, datetime) and holds(values, at)


def _before(values: Any, row: Row) -> bool:
    """Whether a row is older than the period."""
    at = row["at"]
    return isinstance(at, datetime) and at.astimezone(KST).date() < period(values)[0]


def _line(row: Row) -> str:
    at = row["at"]
    assert isinstance(at, datetime)
    told: dict[str, Any] = {"at": rfc3339(at)} | {name: row.get(name) for name in COLUMNS}
    told["facts"] = json.loads(str(row["facts"]))
    return json.dumps(told, ensure_ascii=False) + "\n"
