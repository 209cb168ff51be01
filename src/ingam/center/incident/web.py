"""The routes below /incident: the report, for everybody at any hour; 회복, for whoever is logged in (E11)."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.incident import forms
from ingam.center.incident.reporting import IncidentOver, Reports
from ingam.center.incident.service import Resuming
from ingam.center.keypad import unsealed
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor, Confirming, Locked
from ingam.center.task.forms import turn_of
from ingam.center.task.web import TaskWeb, errors_of, visit_of
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import KST
from ingam.page import check_post, render, see_other, status_of
from ingam.ports.clock import Clock
from ingam.ports.customers import MOST_HEADS

TEMPLATES: Final = "ingam.center.incident"
REPORT: Final = "/incident"
RESUME: Final = "/incident/resume"
PLACE: Final = "incident"
SLOTS: Final = tuple(str(slot) for slot in range(1, MOST_HEADS + 1))


class IncidentWeb(TaskWeb):
    """Handlers over both services. `finance`: whether this institution has 금융인증서, so that the form asks which."""

    def __init__(
        self, reports: Reports, resuming: Resuming, auth: AdditionalAuth, clock: Clock, *, finance: bool = False
    ) -> None:
        super().__init__(RESUME, resuming, auth, clock)
        self._finance = finance
        self._reports = reports
        self._resuming = resuming

    def routes(self) -> list[Route]:
        """Everything below /incident."""
        return [
            Route(REPORT, self.ask_report, methods=["GET"]),
            Route(REPORT, self.report, methods=["POST"]),
            Route(f"{REPORT}/received", self.received, methods=["GET"]),
            Route(f"{REPORT}/confirm", self.confirm, methods=["POST"]),
            Route(RESUME, self.show, methods=["GET"]),
            *self._below({"begin": self.begin, "resume": self.resume}),
        ]

    # ── 사고신고 ──

    async def ask_report(self, request: Request) -> Response:
        """The form."""
        return self._form(request)

    async def report(self, request: Request) -> Response:
        """A report: received, whoever it is of."""
        form = await request.form()
        check_post(request, form)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            told = forms.report(await unsealed(request, "incident", fields), self._today())
            report = await self._reports.receive(told, request.state.session, address_of(request), request.state.lang)
        except (Refusal, Outage) as failure:
            typed = {name: fields.get(name, "")[:20] for name in ("banking_id", "telephone", "which")}
            return self._form(request, status_of(failure), errors=errors_of(request, failure), typed=typed)
        return see_other(f"{REPORT}/received?report={report}")

    async def received(self, request: Request) -> Response:
        """What becomes of a report, in the same words for everybody."""
        return await self._received(request, request.query_params.get("report", ""))

    async def confirm(self, request: Request) -> Response:
        """The number that the registered telephone was sent."""
        form = await request.form()
        check_post(request, form)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        report = forms.report_id(fields.get("report", ""))
        try:
            code = forms.code(fields)
            await self._reports.confirm(report, code, request.state.session, address_of(request))
        except (Refusal, Outage) as failure:
            return await self._received(request, report, status_of(failure), errors=errors_of(request, failure, "code"))
        return see_other(f"{REPORT}/received?report={report}")

    async def _received(self, request: Request, report: str, status: int = 200, **facts: Any) -> Response:
        try:
            shown = await self._reports.shown(forms.report_id(report), request.state.session)
        except IncidentOver:
            return see_other(REPORT)
        told: dict[str, Any] = {"errors": {}, "place": PLACE, "shown": shown}
        return render(request, "incident/received.html", status=status, **(told | facts))

    # ── 회복 ──

    async def show(self, request: Request) -> Response:
        """The true step; whoever is not logged in logs in first."""
        if logged_in(request) is None:
            return to_login(request)
        return await self._page(request)

    async def begin(self, request: Request) -> Response:
        """회복하기."""
        slot = (await posted(request)).get("slot", "")
        try:
            await self._resuming.begin(visit_of(request), int(slot) if slot in SLOTS else None)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(RESUME)

    async def resume(self, request: Request) -> Response:
        """The last press."""
        fields = await posted(request)
        try:
            await self._resuming.resume(visit_of(request), turn_of(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{RESUME}?done=resume")

    # ── parts ──

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = visit_of(request)
        here = await self._resuming.here(visit)
        state, every = here.state, await self._resuming.suspended(visit)
        slot = None if here.task is None else here.task.slot
        mine = [one for one in every if slot in (None, one.slot)]
        suspended, others = (mine[0] if mine else None), [one for one in every if not mine or one != mine[0]]
        told: dict[str, Any] = {"errors": {}, "place": PLACE, "here": here, "state": state, "suspended": suspended}
        told["others"] = others if here.task is None else []
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            told |= await self._factor(request, state, chosen)
            return render(request, "incident/factor.html", status=status, **(told | facts))
        end = await self._resuming.last_end(visit)
        told["done"] = request.query_params.get("done") == "resume" and suspended is None
        told["locked"] = end.cause if isinstance(end, Locked) else ""
        told["confirming"] = isinstance(state, Confirming)
        return render(request, "incident/resume.html", status=status, **(told | facts))

    def _form(self, request: Request, status: int = 200, **facts: Any) -> Response:
        told: dict[str, Any] = {"errors": {}, "typed": {}, "place": PLACE, "asks_which": self._finance}
        return render(request, "incident/report.html", status=status, **(told | facts))

    def _today(self) -> Any:
        return self._clock.now().astimezone(KST).date()
