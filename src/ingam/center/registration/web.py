"""The routes of /registration: one address, the screen follows from the state; every POST ends in a 303 or an error."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import FactorWeb, posted, screen
from ingam.center.doorway import logged_in, to_login
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
from ingam.center.task.forms import turn_of
from ingam.center.task.web import ProvingWeb, Texts, errors_of, script_told, visit_of
from ingam.center.walks import TrueStep
from ingam.customer.account.accounts import LoginLocked
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.no_medium import masked_number
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth
from ingam.customer.binding import accepted
from ingam.customer.heads import several, undecided
from ingam.customer.person import number_named
from ingam.kernel.errors import Failure
from ingam.kernel.instants import KST
from ingam.kernel.words import BUSINESS, say
from ingam.page import render, see_other, status_of
from ingam.ports.clock import Clock

TEMPLATES: Final = "ingam.center.registration"
HERE: Final = "/registration"
CENTER: Final = "/cert-center"
_SCREENS: Final[Mapping[type[Any], tuple[str, int]]] = {
    Identifying: ("registration/identifying.html", 1),
    ChoosingFactor: ("registration/factor.html", 2),
    AwaitingFactor: ("registration/factor.html", 2),
    AwaitingCertificate: ("registration/certificate.html", 3),
    Registered: ("registration/registered.html", 4),
    Locked: ("registration/locked.html", 0),
}


class RegistrationWeb(ProvingWeb):
    """Handlers over the service; ② is the host of 본인확인 추가인증."""

    stops = (LoginLocked, RegistrationLocked, *STOPS)

    def __init__(self, registration: Registration, auth: AdditionalAuth, clock: Clock) -> None:
        super().__init__(HERE, registration, auth, clock)
        self._registration = registration

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
        here = await self._registration.here(visit_of(request), anew="new" in request.query_params)
        return await self._page(request, here)

    async def identify(self, request: Request) -> Response:
        """①."""
        fields = await posted(request)
        typed = {"banking_id": fields.get("banking_id", "").strip()[:20]}
        try:
            given, today = await unsealed(request, "registration", fields), self._clock.now().astimezone(KST).date()
            corporate = number_named((await self.customer(request)).idn) == BUSINESS
            command = forms.identify(given, today, corporate=corporate)
            await self._registration.identification.identify(visit_of(request), turn_of(fields), command)
        except Failure as failure:
            return await self._failed(request, fields, failure, "form", typed)
        return see_other(HERE)

    async def again(self, request: Request) -> Response:
        """① is behind the person (A17)."""
        fields = await posted(request)
        try:
            await self._registration.identification.again(visit_of(request), turn_of(fields))
        except Failure as failure:
            return await self._failed(request, fields, failure, "form")
        return see_other(HERE)

    async def purpose(self, request: Request) -> Purpose:
        """For which a designated device takes the place of the choice."""
        return await self._registration.purpose(await self.customer(request))

    async def by_device(
        self, request: Request, fields: Mapping[str, str], answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """다음 at ② on a designated device."""
        assert medium is not None
        await self._registration.prove_by_device(visit_of(request), turn_of(fields), answer, medium)
        return HERE

    async def refused(
        self, request: Request, fields: Mapping[str, str], errors: Mapping[str, str], status: int
    ) -> Response:
        """See FactorHost."""
        return await self._again(request, fields, errors, {"method": fields.get("method", "")}, status)

    async def challenge(self, request: Request) -> Response:
        """What the certificate window is to sign, as JSON; refusals as JSON too."""
        fields = await posted(request)
        try:
            replace = fields.get("replace") == "yes"
            told = await self._registration.challenge(visit_of(request), turn_of(fields).run, replace=replace)
        except Failure as failure:
            return script_told(request, failure)
        return JSONResponse(told)

    async def certificate(self, request: Request) -> Response:
        """③: what the certificate window filled in."""
        fields = await posted(request)
        try:
            await self._registration.present(visit_of(request), turn_of(fields).run, forms.presented(fields))
        except Failure as failure:
            return await self._failed(request, fields, failure, "certificate")
        return see_other(HERE)

    async def back(self, request: Request) -> Response:
        """이전."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._registration.go_back(visit_of(request), turn_of(fields))
        return see_other(HERE)

    async def cancel(self, request: Request) -> Response:
        """나가기."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._registration.cancel(visit_of(request), turn_of(fields).run)
        return see_other(CENTER)

    async def _failed(
        self, request: Request, fields: Mapping[str, str], failure: Failure, field: str, typed: Texts | None = None
    ) -> Response:
        """A failure as the person meets it: the true step, the lock, the login, or the same screen with errors."""
        elsewhere = self._elsewhere(request, failure)
        if elsewhere is not None:
            return elsewhere
        texts = errors_of(request, failure, field)
        if failure.code in accepted.WRONG and "certificate" in texts:
            rows = self._registration.accepted(await self.customer(request))
            texts["certificate"] = accepted.instead(texts["certificate"], rows, request.state.lang)
        return await self._again(request, fields, texts, typed or {}, status_of(failure))

    async def _again(
        self,
        request: Request,
        fields: Mapping[str, str],
        errors: Texts,
        typed: Texts,
        status: int = 422,
    ) -> Response:
        """The screen that was answered, with what is wrong and what was typed, unless it is no longer the true one."""
        here = await self._registration.here(visit_of(request), anew=True)
        if here.run != turn_of(fields).run:
            return see_other(HERE)
        return await self._page(request, here, status, errors=dict(errors), typed=dict(typed))

    async def _page(self, request: Request, here: Here, status: int = 200, **facts: Any) -> Response:
        template, number = _SCREENS[type(here.state)]
        visit = visit_of(request)
        customer = await self.customer(request)
        told: dict[str, Any] = {"errors": {}, "typed": {}, "old": None}
        if isinstance(here.state, Identifying):
            told["known"] = await self._registration.identification.known(visit)
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
        return render(request, template, status=status, **(told | facts))


def _lock_text(state: Locked, lang: str) -> str:
    """Why it is locked; the counts of the refusal are not kept, so the text goes without them."""
    return say(f"registration.lock-{state.cause}", lang)
