"""The routes of 본인확인 추가인증 below a parent's address: asking for a code or a call, following it, and the answer.

The parent (a FactorHost) owns the flow: it knows who, for what and at which step, and saves. The screen is the parent's
page with this folder's template in it; see `Screen` for what that needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth import forms
from ingam.center.additional_auth.forms import FactorFormRefused
from ingam.center.doorway import logged_in
from ingam.center.keypad import unsealed
from ingam.center.walks import NotLoggedIn
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Choosing, Requested
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.no_medium import Shown, masked_mobile, shown
from ingam.customer.additional_auth.numbers import Number
from ingam.customer.additional_auth.service import AdditionalAuth, FactorsRefused, Typed
from ingam.kernel.errors import Failure
from ingam.kernel.words import say
from ingam.page import check_post, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.customers import Customer, Phone

TEMPLATES: Final = "ingam.center.additional_auth"
"""Where `additional_auth/choice.html` lies."""

FORM: Final = "factor"
"""The name of the form among those whose fields are sealed (E12)."""

Fields = Mapping[str, str]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Screen:
    """What the template needs, as `factor`. `ways`: by method the sentence of why it is closed, or ""."""

    prefix: str
    ways: Mapping[str, str]
    chosen: str
    numbers: list[Number]
    requested: Requested | None
    waiting: bool
    call: Calling | None
    lapsed: bool
    mobile: str
    shown: Shown
    token: bool
    beside: bool
    device: Mapping[str, str] | None = None

    @property
    def closed(self) -> bool:
        """Whether no way is open."""
        return all(self.ways.values())


class FactorHost(Protocol):
    """A page that asks for additional authentication. Everything raises what the parent refuses (TrueStep …)."""

    @property
    def prefix(self) -> str:
        """Its address, `/registration`; the routes lie below it, and a GET of it shows the true step."""

    @property
    def beside(self) -> bool:
        """Whether 미소지고객 인증 (or a token's code) is asked for too."""

    async def customer(self, request: Request) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""

    async def call(self, request: Request) -> Calling | None:
        """The call that is under way in this flow (AdditionalAuth.look), or None."""

    async def ask(self, request: Request, fields: Fields, method: Method, to: Phone) -> None:
        """AdditionalAuth.request, saved with the flow's next state."""

    async def answer(self, request: Request, fields: Fields, typed: Typed) -> str:
        """AdditionalAuth.prove, saved with the flow's next state; where to go on."""

    async def by_device(
        self, request: Request, fields: Fields, answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """AdditionalAuth.by_device, saved with the flow's next state; where to go on."""

    async def refused(self, request: Request, fields: Fields, errors: Texts, status: int) -> Response:
        """The page again, with what is wrong beside its fields; nothing typed comes back."""

    async def failed(self, request: Request, failure: Failure) -> Response | None:
        """What leads elsewhere (the true step, a lock, the login); None for what `refused` shows on the page."""


class FactorWeb:
    """The routes of one host."""

    def __init__(self, host: FactorHost, auth: AdditionalAuth) -> None:
        self._host = host
        self._auth = auth

    def routes(self) -> list[Route]:
        """Below the host's address."""
        at = f"{self._host.prefix}/factor"
        return [
            Route(f"{at}/request", self.request, methods=["POST"]),
            Route(f"{at}/call", self.call, methods=["GET"]),
            Route(f"{at}/device", self.device, methods=["POST"]),
            Route(at, self.answer, methods=["POST"]),
        ]

    async def request(self, request: Request) -> Response:
        """인증번호 요청, 재전송, 전화 요청."""
        fields = await posted(request)
        try:
            method, to = forms.requested(fields)
            await self._host.ask(request, fields, method, to)
        except Failure as failure:
            beside = "call" if fields.get("method") == Method.ARS else "code"
            return await self._failed(request, fields, failure, beside)
        return see_other(f"{self._host.prefix}#{'call' if method is Method.ARS else 'code'}")

    async def call(self, request: Request) -> Response:
        """The call as it stands, for the script that follows it."""
        if logged_in(request) is None:
            raise NotLoggedIn
        return JSONResponse(told_call(await self._host.call(request), request.state.lang))

    async def answer(self, request: Request) -> Response:
        """다음."""
        fields = await posted(request)
        try:
            customer = await self._host.customer(request)
            token = self._host.beside and await self._auth.holds_token(customer)
            missing = shown(customer).number_missing
            typed = forms.answered(fields, number_missing=missing, token=token, beside=self._host.beside)
            return see_other(await self._host.answer(request, fields, typed))
        except Failure as failure:
            return await self._failed(request, fields, failure, "form")

    async def device(self, request: Request) -> Response:
        """다음 on a designated device: `device_*` fields are what it signed."""
        fields = await posted(request)
        try:
            customer = await self._host.customer(request)
            medium = None
            if self._host.beside:
                token, missing = await self._auth.holds_token(customer), shown(customer).number_missing
                medium = forms.medium(fields, number_missing=missing, token=token)
            answer = {name: value for name, value in fields.items() if name.startswith("device_")}
            return see_other(await self._host.by_device(request, fields, answer, medium))
        except Failure as failure:
            return await self._failed(request, fields, failure, "form")

    async def _failed(self, request: Request, fields: Fields, failure: Failure, beside: str) -> Response:
        request.state.failure = failure.code
        lang = request.state.lang
        if isinstance(failure, FactorFormRefused):
            texts = {name: say(key, lang) for name, key in failure.errors.items()}
            return await self._host.refused(request, fields, texts, 422)
        elsewhere = await self._host.failed(request, failure)
        if elsewhere is not None:
            return elsewhere
        if isinstance(failure, FactorsRefused):
            texts = {name: message_of(one, lang) for name, one in failure.errors.items()}
            return await self._host.refused(request, fields, texts, status_of(failure))
        return await self._host.refused(request, fields, {beside: message_of(failure, lang)}, status_of(failure))


async def screen(
    auth: AdditionalAuth,
    host: FactorHost,
    request: Request,
    state: Choosing | Requested,
    now: datetime,
    *,
    chosen: str = "",
    device: Mapping[str, str] | None = None,
) -> Screen:
    """What the template of the host's page needs. `chosen`: the way that was posted last."""
    customer, lang = await host.customer(request), request.state.lang
    offered = await auth.offered(customer, lang)
    requested = state if isinstance(state, Requested) else None
    ways = {str(method): "" if why is None else message_of(why, lang) for method, why in offered.ways.items()}
    first = next((str(method) for method in offered.open), "")
    return Screen(
        prefix=host.prefix,
        ways=ways,
        chosen=chosen or (requested.method if requested is not None else first),
        numbers=list(offered.numbers),
        requested=requested,
        waiting=requested is not None and requested.expires_at > now,
        call=await host.call(request),
        lapsed=isinstance(state, Choosing) and state.lapsed,
        mobile=masked_mobile(customer),
        shown=shown(customer),
        token=offered.token,
        beside=host.beside,
        device=device,
    )


def told_call(call: Calling | None, lang: str) -> dict[str, Any]:
    """A call as JSON has it: `state`, its words, and whether nothing more will happen."""
    if call is None:
        return {"state": "none", "over": True, "text": ""}
    return {"state": call.state, "over": call.over, "text": say(f"factor.call-{call.state}", lang)}


async def posted(request: Request) -> dict[str, str]:
    """The text fields of a POST of a page of ours (F3), opened where they were sealed (E12), from who is logged in."""
    form = await request.form()
    check_post(request, form)
    if logged_in(request) is None:
        raise NotLoggedIn
    return await unsealed(request, FORM, form)
