"""The routes of switches, hours and notices. Every operator sees them: a clerk is asked why something does not work.

A security officer or an administrator sets them, alone: a way that harms people is switched off at once, and what is
switched is told on every screen of the center within five seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.availability import forms
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.availability import Way
from ingam.customer.availability.hours import Hours, HoursRefused, clock
from ingam.customer.availability.reading import hours_of, judge, notice_of
from ingam.customer.availability.setting import AvailabilityRefused, announce, switch, withdraw
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.store import Conflict, Row, Save, Stale, Store

HERE: Final = "/availability"
MAY: Final = (Role.SECURITY, Role.ADMINISTRATOR)
_FIELDS: Final = ("state", "reason_ko", "reason_en", "until", "when", "opens", "closes")


class AvailabilityWeb(ConsoleWeb):
    """Handlers over the tables of customer.availability."""

    entries = (Entry("availability", "console-availability.menu", HERE),)

    def __init__(self, trail: Trail, store: Store, clock: Clock) -> None:
        super().__init__(trail)
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """Everything below /availability."""
        return [
            self.get(HERE, self.show),
            self.get(f"{HERE}/way/{{way}}", self.way, *MAY),
            self.post(f"{HERE}/way/{{way}}", self.set_way, *MAY),
            self.post(f"{HERE}/notice", self.announce, *MAY),
            self.post(f"{HERE}/notice/{{notice}}/withdraw", self.withdraw, *MAY),
        ]

    async def show(self, request: Request) -> Response:
        """All ways as they are now, and the notices that are shown or wait."""
        return await self._overview(request, {}, {})

    async def way(self, request: Request) -> Response:
        """One way, to be changed."""
        way = _way(request)
        row = await self._store.one("way", {"way": str(way)})
        return self._form(request, way, _typed(row), row, {})

    async def set_way(self, request: Request) -> Response:
        """One transaction: the way and the operator's line. A wrong form is shown again as it was typed."""
        way, form, asking = _way(request), request.state.form, visit(request)
        row = await self._store.one("way", {"way": str(way)})
        try:
            wanted = forms.switch(way, form)
            changes = await switch(self._store, wanted, asking.operator.employee, self._clock.now())
            facts: dict[str, str | int] = {"way": str(way), "hours": int(wanted.hours is not None)}
            line = self.trail.line(asking, "console.way-set", "off" if wanted.off else "on", facts=facts)
            await self._store.save(Save(rows=changes, audit=[line]))
        except (AvailabilityRefused, HoursRefused, Stale, Conflict) as refused:
            typed = {name: forms.text(form, name) for name in _FIELDS} | {
                "days": "".join(map(str, form.getlist("day")))
            }
            return self._form(request, way, typed, row, _errors(refused, request.state.lang))
        return see_other(f"{HERE}#way-{way}")

    async def announce(self, request: Request) -> Response:
        """A notice; it stands on every page from its beginning on."""
        form, asking, now = request.state.form, visit(request), self._clock.now()
        try:
            notice_id, changes = announce(forms.announcement(form, now), asking.operator.employee, now)
        except AvailabilityRefused as refused:
            typed = {name: forms.text(form, name) for name in ("kind", "text_ko", "text_en", "from_at", "until_at")}
            return await self._overview(request, typed, _errors(refused, request.state.lang))
        line = self.trail.line(asking, "console.notice-make", facts={"notice": notice_id[:8]})
        await self._store.save(Save(rows=changes, audit=[line]))
        return see_other(f"{HERE}#notices")

    async def withdraw(self, request: Request) -> Response:
        """A notice goes; one that is gone already is gone."""
        asking, notice_id = visit(request), str(request.path_params["notice"])
        changes = withdraw(notice_id, asking.operator.employee, self._clock.now())
        line = self.trail.line(asking, "console.notice-withdraw", facts={"notice": notice_id[:8]})
        with suppress(Stale):
            await self._store.save(Save(rows=changes, audit=[line]))
        return see_other(f"{HERE}#notices")

    async def _overview(self, request: Request, typed: Mapping[str, str], errors: dict[str, str]) -> Response:
        now = self._clock.now()
        rows = {str(row["way"]): row for row in await self._store.many("way", {})}
        stored = await self._store.many("service_notice", {"withdrawn_at": None}, order="until_at", descending=True)
        notices = [notice for notice in map(notice_of, stored) if notice.until_at > now]
        return render(
            request,
            "availability/overview.html",
            status=422 if errors else 200,
            place="availability",
            ways=[_line(way, rows.get(way), now, request.state.lang) for way in Way],
            notices=notices,
            may=visit(request).operator.may(*MAY),
            typed=typed,
            errors=errors,
        )

    def _form(
        self, request: Request, way: Way, typed: Mapping[str, str], row: Row | None, errors: dict[str, str]
    ) -> Response:
        status = 422 if errors else 200
        facts = {"way": way, "typed": typed, "row": row, "errors": errors}
        return render(request, "availability/way.html", status=status, place="availability", **facts)


def _way(request: Request) -> Way:
    """Raises Refusal `not-found`."""
    try:
        return Way(str(request.path_params["way"]))
    except ValueError:
        raise Refusal("not-found") from None


def _line(way: Way, row: Row | None, now: datetime, lang: str) -> dict[str, Any]:
    """A way as the overview shows it."""
    off = None if row is None else judge(row, now)
    hours: Hours | None = None if row is None else hours_of(row)
    return {
        "way": way,
        "off": off,
        "hours": None if hours is None else hours.text(lang),
        "changed_at": None if row is None else row["changed_at"],
        "changed_by": "" if row is None else row["changed_by"],
    }


def _typed(row: Row | None) -> dict[str, str]:
    """A row as the fields of its form."""
    if row is None:
        return {"state": "on", "when": "always", "days": "01234", "opens": "09:00", "closes": "18:00"}
    hours, until = hours_of(row), row["until"]
    assert until is None or isinstance(until, datetime)
    shown = hours or Hours("01234", 9 * 60, 18 * 60)
    return {
        "state": "off" if row["off"] else "on",
        "reason_ko": str(row["reason_ko"]),
        "reason_en": str(row["reason_en"]),
        "until": forms.local(until),
        "when": "always" if hours is None else "hours",
        "days": shown.days,
        "opens": clock(shown.opens),
        "closes": clock(shown.closes),
    }


def _errors(refused: Refusal, lang: str) -> dict[str, str]:
    """At the field that is wrong; another operator's change concerns the whole form."""
    part = str(refused.facts.get("part", "form"))
    return {{"days": "day", "time": "opens"}.get(part, part): message_of(refused, lang)}
