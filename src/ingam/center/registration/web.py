"""The routes of /registration: one address, the screen follows from the state; every POST ends in a 303 or an error."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import FactorWeb, screen
from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.keypad import unsealed
from ingam.center.registration import forms
from ingam.center.registration.checks import RegistrationLocked
from ingam.center.registration.flow import (
    AwaitingCertificate,
    AwaitingFactor,
    ChoosingFactor,
    Identifying,
    Locked,
    Registered,
)
from ingam.center.registration.service import Registration
from ingam.center.registration.walks import Here
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.account.accounts import LoginLocked
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.no_medium import masked_number
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, Typed
from ingam.customer.binding import accepted
from ingam.customer.heads import several, undecided
from ingam.customer.person import number_named
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import say
from ingam.page import check_post, failure_response, render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone

TEMPLATES: Final = "ingam.center.registration"
HERE: Final = "/registration"
CENTER: Final = "/cert-center"
LOCKS: Final = (LoginLocked, RegistrationLocked, *STOPS)
_SCREENS: Final[Mapping[type[Any], tuple[str, int]]] = {
    Identifying: ("registration/identifying.html", 1),
    ChoosingFactor: ("registration/factor.html", 2),
    AwaitingFactor: ("registration/factor.html", 2),
    AwaitingCertificate: ("registration/certificate.html", 3),
    Registered: ("registration/registered.html", 4),
    Locked: ("registration/locked.html", 0),
}


class RegistrationWeb:
    """Handlers over the service."""

    def __init__(self, registration: Registration, auth: AdditionalAuth, clock: Clock) -> None:
        self._registration = registration
        self._auth = auth
        self._clock = clock

    def routes(self) -> list[Route]:
        """Everything below /registration."""
        return [
            Route(HERE, self.show, methods=["GET"]),
            Route(f"{HERE}/identify", self.identify, methods=["POST"]),
            Route(f"{HERE}/again", self.again, methods=["POST"]),
            *FactorWeb(self, self._auth, self.purpose).routes(),
            Route(f"{HERE}/challenge", self.challenge, methods=["POST"]),
            Route(f"{HERE}/certificate", self.certificate, methods=["POST"]),
            Route(f"{HERE}/back", self.back, methods=["POST"]),
            Route(f"{HERE}/cancel", self.cancel, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The screen of the true step; `?new=1` leaves a finished registration for another one."""
        if logged_in(request) is None:
            return to_login(request)
        here = await self._registration.here(_visit(request), anew="new" in request.query_params)
        return await self._page(request, here)

    async def identify(self, request: Request) -> Response:
        """①."""
        fields = await _posted(request)
        typed = {"banking_id": fields.get("banking_id", "").strip()[:20]}
        try:
            command = forms.identify(
                await unsealed(request, "registration", fields), self._clock.now().astimezone(KST).date()
            )
            await self._registration.identify(_visit(request), _turn(fields), command)
        except forms.FormRefused as refused:
            return await self._again(request, fields, _texts(request, refused), typed)
        except Failure as failure:
            return await self._failed(request, fields, failure, {"form": failure}, typed)
        return see_other(HERE)

    async def again(self, request: Request) -> Response:
        """① is behind the person (A17)."""
        fields = await _posted(request)
        try:
            await self._registration.again(_visit(request), _turn(fields))
        except Failure as failure:
            return await self._failed(request, fields, failure, {"form": failure}, {})
        return see_other(HERE)

    # ── ② as the host of 본인확인 추가인증 ──

    @property
    def prefix(self) -> str:
        """See FactorHost."""
        return HERE

    @property
    def beside(self) -> bool:
        """보안매체 미소지고객 인증 is asked for here, always."""
        return True

    async def customer(self, request: Request) -> Customer:
        """See FactorHost."""
        return await self._registration.customer(_visit(request))

    async def purpose(self, request: Request) -> Purpose:
        """For which a designated device takes the place of the choice."""
        return await self._registration.purpose(await self.customer(request))

    async def call(self, request: Request) -> Calling | None:
        """See FactorHost."""
        return await self._registration.look(_visit(request))

    async def ask(self, request: Request, fields: Mapping[str, str], method: Method, to: Phone) -> None:
        """인증번호 요청, 재전송, 전화 요청."""
        await self._registration.request_factor(_visit(request), _turn(fields), method, to)

    async def answer(self, request: Request, fields: Mapping[str, str], typed: Typed) -> str:
        """다음 at ②."""
        await self._registration.prove_factor(_visit(request), _turn(fields), typed)
        return HERE

    async def by_device(
        self, request: Request, fields: Mapping[str, str], answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """다음 at ② on a designated device."""
        assert medium is not None
        await self._registration.prove_by_device(_visit(request), _turn(fields), answer, medium)
        return HERE

    async def refused(
        self, request: Request, fields: Mapping[str, str], errors: Mapping[str, str], status: int
    ) -> Response:
        """See FactorHost."""
        return await self._again(request, fields, errors, {"method": fields.get("method", "")}, status)

    async def failed(self, request: Request, failure: Failure) -> Response | None:
        """See FactorHost."""
        return _elsewhere(request, failure)

    async def challenge(self, request: Request) -> Response:
        """What the certificate window is to sign, as JSON; refusals as JSON too."""
        fields = await _posted(request)
        try:
            replace = fields.get("replace") == "yes"
            told = await self._registration.challenge(_visit(request), _turn(fields).run, replace=replace)
        except Failure as failure:
            request.state.failure = failure.code
            answer = {"code": failure.code, "message": message_of(failure, request.state.lang)}
            return JSONResponse(answer, status_of(failure))
        return JSONResponse(told)

    async def certificate(self, request: Request) -> Response:
        """③: what the certificate window filled in."""
        fields = await _posted(request)
        try:
            await self._registration.present(_visit(request), _turn(fields).run, forms.presented(fields))
        except forms.FormRefused as refused:
            return await self._again(request, fields, _texts(request, refused), {})
        except Failure as failure:
            return await self._failed(request, fields, failure, {"certificate": failure}, {})
        return see_other(HERE)

    async def back(self, request: Request) -> Response:
        """이전."""
        fields = await _posted(request)
        with contextlib.suppress(TrueStep):
            await self._registration.go_back(_visit(request), _turn(fields))
        return see_other(HERE)

    async def cancel(self, request: Request) -> Response:
        """나가기."""
        fields = await _posted(request)
        with contextlib.suppress(TrueStep):
            await self._registration.cancel(_visit(request), _turn(fields).run)
        return see_other(CENTER)

    async def _failed(
        self,
        request: Request,
        fields: Mapping[str, str],
        failure: Failure,
        errors: Mapping[str, Failure],
        typed: Mapping[str, str],
    ) -> Response:
        """A failure as the person meets it: the true step, the lock, the login, or the same screen with errors."""
        request.state.failure = failure.code
        elsewhere = _elsewhere(request, failure)
        if elsewhere is not None:
            return elsewhere
        lang = request.state.lang
        texts = {name: message_of(one, lang) for name, one in errors.items()}
        if failure.code in accepted.WRONG and "certificate" in texts:
            rows = self._registration.accepted(await self._registration.customer(_visit(request)))
            texts["certificate"] = accepted.instead(texts["certificate"], rows, lang)
        return await self._again(request, fields, texts, typed, status_of(failure))

    async def _again(
        self,
        request: Request,
        fields: Mapping[str, str],
        errors: Mapping[str, str],
        typed: Mapping[str, str],
        status: int = 422,
    ) -> Response:
        """The screen that was answered, with what is wrong and what was typed, unless it is no longer the true one."""
        here = await self._registration.here(_visit(request), anew=True)
        if here.run != _turn(fields).run:
            return see_other(HERE)
        return await self._page(request, here, status, errors=dict(errors), typed=dict(typed))

    async def _page(self, request: Request, here: Here, status: int = 200, **facts: Any) -> Response:
        template, number = _SCREENS[type(here.state)]
        visit = _visit(request)
        customer = await self._registration.customer(visit)
        told: dict[str, Any] = {"errors": {}, "typed": {}, "old": None}
        if isinstance(here.state, Identifying):
            told["known"] = await self._registration.known(visit)
        if isinstance(here.state, AwaitingCertificate):
            told["old"] = await self._registration.old(visit)
            told["accepted"] = accepted.lines(self._registration.accepted(customer), request.state.lang)
        if isinstance(here.state, ChoosingFactor | AwaitingFactor):
            chosen = str(facts.get("typed", {}).get("method", ""))
            state, now, purpose = here.state.factor, self._clock.now(), await self.purpose(request)
            told["factor"] = await screen(self._auth, self, request, state, now, chosen=chosen, purpose=purpose)
        if isinstance(here.state, Locked):
            told["reason"] = _lock_text(here.state, request.state.lang)
        told |= {
            "place": "registration",
            "number": number,
            "here": here,
            "state": here.state,
            "banking_id": customer.banking_id,
            "customer_name": customer.name,
            "customer_number": masked_number(customer),
            "corporate": len(customer.idn) != 13,
            "several_heads": several(customer),
            "which_head": undecided(customer, visit.session),
        }
        if told["corporate"]:
            texts = facts.get("errors", {}).items()
            facts["errors"] = {name: number_named(text, visit.lang, corporate=True) for name, text in texts}
        return render(request, template, status=status, **(told | facts))


def _elsewhere(request: Request, failure: Failure) -> Response | None:
    """Where a failure leads that is not shown beside a field."""
    if isinstance(failure, (TrueStep, *LOCKS)):
        return see_other(HERE)
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


def _turn(fields: Mapping[str, str]) -> Turn:
    """Which screen was answered; a form without it answers none."""
    run, version = fields.get("run", ""), fields.get("version", "")
    return Turn(_small(run), _small(version))


def _small(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _texts(request: Request, refused: forms.FormRefused) -> dict[str, str]:
    request.state.failure = refused.code
    return {name: say(key, request.state.lang) for name, key in refused.errors.items()}


def _lock_text(state: Locked, lang: str) -> str:
    """Why it is locked; the counts of the refusal are not kept, so the text goes without them."""
    return say(f"registration.lock-{state.cause}", lang)
