"""The routes below /incident: the report, for everybody at any hour; 회복, for whoever is logged in (E11)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import FactorWeb, screen
from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.incident import forms
from ingam.center.incident.flow import AwaitingFactor, ChoosingFactor, Confirming, Locked
from ingam.center.incident.reporting import IncidentOver, Reports
from ingam.center.incident.service import Resuming
from ingam.center.keypad import unsealed
from ingam.center.registration.forms import FormRefused
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, DeviceNotExempt, Typed
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import say
from ingam.page import check_post, failure_response, render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone

TEMPLATES: Final = "ingam.center.incident"
REPORT: Final = "/incident"
RESUME: Final = "/incident/resume"
PLACE: Final = "incident"

Fields = Mapping[str, str]


class IncidentWeb:
    """Handlers over both services, and the host of 본인확인 추가인증 for 회복."""

    def __init__(self, reports: Reports, resuming: Resuming, auth: AdditionalAuth, clock: Clock) -> None:
        self._reports = reports
        self._resuming = resuming
        self._auth = auth
        self._clock = clock

    def routes(self) -> list[Route]:
        """Everything below /incident."""
        return [
            Route(REPORT, self.ask_report, methods=["GET"]),
            Route(REPORT, self.report, methods=["POST"]),
            Route(f"{REPORT}/received", self.received, methods=["GET"]),
            Route(f"{REPORT}/confirm", self.confirm, methods=["POST"]),
            Route(RESUME, self.show, methods=["GET"]),
            Route(f"{RESUME}/begin", self.begin, methods=["POST"]),
            Route(f"{RESUME}/leave", self.leave, methods=["POST"]),
            Route(f"{RESUME}/resume", self.resume, methods=["POST"]),
            *FactorWeb(self, self._auth).routes(),
        ]

    # ── 사고신고 ──

    async def ask_report(self, request: Request) -> Response:
        """The form."""
        return _form(request)

    async def report(self, request: Request) -> Response:
        """A report: received, whoever it is of."""
        form = await request.form()
        check_post(request, form)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            told = forms.report(await unsealed(request, "incident", fields), self._today())
            report = await self._reports.receive(told, request.state.session, address_of(request), request.state.lang)
        except (Refusal, Outage) as failure:
            typed = {"banking_id": fields.get("banking_id", "")[:20], "telephone": fields.get("telephone", "")}
            return _form(request, status_of(failure), errors=_errors(request, failure), typed=typed)
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
            return await self._received(request, report, status_of(failure), errors=_errors(request, failure, "code"))
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
        await _posted(request)
        try:
            await self._resuming.begin(_visit(request))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(RESUME)

    async def leave(self, request: Request) -> Response:
        """취소."""
        fields = await _posted(request)
        with contextlib.suppress(TrueStep):
            await self._resuming.cancel(_visit(request), _turn(fields))
        return see_other(RESUME)

    async def resume(self, request: Request) -> Response:
        """The last press."""
        fields = await _posted(request)
        try:
            await self._resuming.resume(_visit(request), _turn(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{RESUME}?done=resume")

    # ── the host of 본인확인 추가인증 ──

    @property
    def prefix(self) -> str:
        """See FactorHost."""
        return RESUME

    @property
    def beside(self) -> bool:
        """보안매체 미소지고객 인증 is asked for here, always."""
        return True

    async def customer(self, request: Request) -> Customer:
        """See FactorHost."""
        return await self._resuming.customer(_visit(request))

    async def call(self, request: Request) -> Calling | None:
        """See FactorHost."""
        return await self._resuming.look(_visit(request))

    async def ask(self, request: Request, fields: Fields, method: Method, to: Phone) -> None:
        """인증번호 요청, 재전송, 전화 요청."""
        await self._resuming.request_factor(_visit(request), _turn(fields), method, to)

    async def answer(self, request: Request, fields: Fields, typed: Typed) -> str:
        """다음."""
        await self._resuming.prove_factor(_visit(request), _turn(fields), typed)
        return RESUME

    async def by_device(
        self, request: Request, fields: Fields, answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """Never here: what was lost may be the designated device itself."""
        del request, fields, answer, medium
        raise DeviceNotExempt

    async def refused(self, request: Request, fields: Fields, errors: Mapping[str, str], status: int) -> Response:
        """See FactorHost."""
        return await self._page(request, status, errors=dict(errors), chosen=fields.get("method", ""))

    async def failed(self, request: Request, failure: Failure) -> Response | None:
        """See FactorHost."""
        return _elsewhere(request, failure)

    # ── parts ──

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = _visit(request)
        here = await self._resuming.here(visit)
        state, suspended = here.state, await self._resuming.suspended(visit)
        told: dict[str, Any] = {"errors": {}, "place": PLACE, "here": here, "state": state, "suspended": suspended}
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            customer = await self._resuming.customer(visit)
            told["factor"] = await screen(self._auth, self, request, state.factor, self._clock.now(), chosen=chosen)
            told["corporate"] = len(customer.idn) != 13
            return render(request, "incident/factor.html", status=status, **(told | facts))
        end = await self._resuming.last_end(visit)
        told["done"] = request.query_params.get("done") == "resume" and suspended is None
        told["locked"] = end.cause if isinstance(end, Locked) else ""
        told["confirming"] = isinstance(state, Confirming)
        return render(request, "incident/resume.html", status=status, **(told | facts))

    async def _failed(self, request: Request, failure: Failure) -> Response:
        """A failure as the person meets it: the true step, the login, or the same screen with what is wrong."""
        elsewhere = _elsewhere(request, failure)
        if elsewhere is not None:
            return elsewhere
        return await self._page(request, status_of(failure), errors=_errors(request, failure))

    def _today(self) -> Any:
        return self._clock.now().astimezone(KST).date()


def _form(request: Request, status: int = 200, **facts: Any) -> Response:
    told: dict[str, Any] = {"errors": {}, "typed": {}, "place": PLACE}
    return render(request, "incident/report.html", status=status, **(told | facts))


def _errors(request: Request, failure: Failure, field: str = "form") -> dict[str, str]:
    """What is wrong, by field, in the person's language."""
    request.state.failure = failure.code
    lang = request.state.lang
    if isinstance(failure, FormRefused):
        return {name: say(key, lang) for name, key in failure.errors.items()}
    return {field: message_of(failure, lang)}


def _elsewhere(request: Request, failure: Failure) -> Response | None:
    """Where a failure leads that is not shown on the page."""
    request.state.failure = failure.code
    if isinstance(failure, (TrueStep, *STOPS)):
        return see_other(RESUME)
    if isinstance(failure, NotLoggedIn):
        return to_login(request)
    return None if isinstance(failure, Refusal | Outage) else failure_response(request, failure)


async def _posted(request: Request) -> dict[str, str]:
    """The text fields of a POST that comes from a page of ours (F3) and from somebody who is logged in."""
    form = await request.form()
    check_post(request, form)
    if logged_in(request) is None:
        raise NotLoggedIn
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _visit(request: Request) -> Visit:
    return Visit(request.state.session, address_of(request), request.state.lang)


def _turn(fields: Fields) -> Turn:
    """Which screen was answered; a form without it answers none."""
    return Turn(_small(fields.get("run", "")), _small(fields.get("version", "")))


def _small(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
