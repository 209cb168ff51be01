"""The routes of /loan: the form, the page with the text that is signed, and the receipt."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.doorway import logged_in, to_login
from ingam.center.loan import forms
from ingam.center.loan.application import KINDS, MONTHS, Application
from ingam.center.loan.service import Loans
from ingam.center.task.forms import Fields
from ingam.center.task.web import errors_of, script_told, visit_of
from ingam.center.walks import NotLoggedIn
from ingam.customer.session import Level
from ingam.kernel.errors import Defect, Failure
from ingam.kernel.instants import KST
from ingam.kernel.words import LANGUAGES
from ingam.page import check_post, failure_response, render, see_other, status_of
from ingam.ports.clock import Clock

TEMPLATES: Final = "ingam.center.loan"
HERE: Final = "/loan"


class LoanWeb:
    """Handlers over the service. Everything here is for who is logged in by certificate; others log in first."""

    def __init__(self, loans: Loans, clock: Clock, vault_origin: str) -> None:
        self._loans = loans
        self._clock = clock
        self._vault = vault_origin

    def routes(self) -> list[Route]:
        """Everything below /loan."""
        posts = {"edit": self.edit, "review": self.review, "challenge": self.challenge, "sign": self.sign}
        return [
            Route(HERE, self.show, methods=["GET"]),
            *(Route(f"{HERE}/{name}", handler, methods=["POST"]) for name, handler in posts.items()),
            Route(HERE + "/{number}", self.receipt, methods=["GET"]),
            Route(HERE + "/{number}/evidence.json", self.file, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form, and the person's applications."""
        if not _by_certificate(request):
            return to_login(request, "cert")
        return await self._form(request, {})

    async def edit(self, request: Request) -> Response:
        """수정: the form again, with what was typed."""
        fields = await _posted(request)
        return await self._form(request, forms.typed(fields))

    async def review(self, request: Request) -> Response:
        """The text as it will be signed."""
        fields = await _posted(request)
        try:
            one = forms.application(fields, self._today())
        except Failure as failure:
            return await self._form(request, forms.typed(fields), failure)
        return await self._review(request, one)

    async def challenge(self, request: Request) -> Response:
        """What the certificate window signs, as JSON."""
        fields = await _posted(request)
        try:
            one = forms.application(fields, self._today())
            told = await self._loans.challenge(
                visit_of(request), one, forms.number(fields), _language(fields, request)
            )  # fmt: skip
        except Failure as failure:
            return script_told(request, failure)
        return JSONResponse(told)

    async def sign(self, request: Request) -> Response:
        """신청: the signed text is received."""
        fields = await _posted(request)
        try:
            one = forms.application(fields, self._today())
        except Failure as failure:
            return await self._form(request, forms.typed(fields), failure)
        lang = _language(fields, request)
        try:
            nonce, signed = forms.signature(fields)
            number = await self._loans.apply(visit_of(request), one, forms.number(fields), lang, nonce, signed)
        except Defect as defect:
            return failure_response(request, defect)
        except Failure as failure:
            return await self._review(request, one, failure)
        return see_other(f"{HERE}/{number}")

    async def receipt(self, request: Request) -> Response:
        """접수증."""
        if not _by_certificate(request):
            return to_login(request, "cert")
        told = await self._loans.receipt(visit_of(request), request.path_params["number"], request.state.lang)
        return render(request, "loan/receipt.html", place="loan", told=told)

    async def file(self, request: Request) -> Response:
        """The evidence, to keep."""
        if not _by_certificate(request):
            return to_login(request, "cert")
        number = request.path_params["number"]
        data = await self._loans.file(visit_of(request), number)
        name = f'attachment; filename="evidence-{number}.json"'
        return Response(data, media_type="application/json", headers={"content-disposition": name})

    # ── parts ──

    async def _form(self, request: Request, typed: dict[str, str], failure: Failure | None = None) -> Response:
        facts: dict[str, Any] = {"kinds": KINDS, "months": MONTHS}
        facts |= {"typed": typed, "lines": await self._loans.lines(visit_of(request))}
        facts |= {"errors": {} if failure is None else errors_of(request, failure)}
        return render(
            request, "loan/form.html", status=200 if failure is None else status_of(failure), place="loan", **facts
        )

    async def _review(self, request: Request, one: Application, failure: Failure | None = None) -> Response:
        lang = request.state.lang
        visit = visit_of(request)
        number = self._loans.allot(visit)
        text = await self._loans.text(visit, one, number, lang)
        errors = {} if failure is None else errors_of(request, failure)
        status = 200 if failure is None else status_of(failure)
        facts: dict[str, Any] = {"one": one, "number": number, "text": text, "errors": errors}
        facts |= {"vault_origin": self._vault}
        return render(request, "loan/review.html", status=status, place="loan", **facts)

    def _today(self) -> Any:
        return self._clock.now().astimezone(KST).date()


def _by_certificate(request: Request) -> bool:
    session = logged_in(request)
    return session is not None and session.level is Level.CERT


def _language(fields: Fields, request: Request) -> str:
    """The language that the text was read in: the page may have been switched meanwhile."""
    lang = fields.get("text_lang", "")
    return lang if lang in LANGUAGES else str(request.state.lang)


async def _posted(request: Request) -> dict[str, str]:
    """The text fields of a POST from a page of ours (F3), of somebody who is logged in by certificate."""
    form = await request.form()
    check_post(request, form)
    if not _by_certificate(request):
        raise NotLoggedIn
    return {name: value for name, value in form.items() if isinstance(value, str)}
