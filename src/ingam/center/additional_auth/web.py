"""The routes of 본인확인 추가인증 below a parent's address: asking for a code or a call, following it, and the answer.

The parent (a FactorHost) owns the flow: it knows who, for what and at which step, and saves. The screen is the parent's
page with this folder's template in it; see `Screen` for what that needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ingam.center.additional_auth import forms
from ingam.center.additional_auth.forms import FactorFormRefused
from ingam.center.doorway import address_of, logged_in
from ingam.center.keypad import unsealed
from ingam.center.walks import NotLoggedIn
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Choosing, Requested
from ingam.customer.additional_auth.following import Followed
from ingam.customer.additional_auth.medium import Held, MediumTyped
from ingam.customer.additional_auth.no_medium import Shown, masked_mobile, shown
from ingam.customer.additional_auth.numbers import Number
from ingam.customer.additional_auth.service import AdditionalAuth, DeviceNotExempt, FactorsRefused, Typed
from ingam.kernel.errors import Failure
from ingam.kernel.words import say
from ingam.page import check_post, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.ars import CallState
from ingam.ports.customers import Customer, Phone

TEMPLATES: Final = "ingam.center.additional_auth"
"""Where `additional_auth/choice.html` lies."""

FORM: Final = "factor"
"""The name of the form among those whose fields are sealed (E12)."""

AGAIN_S: Final = 20
"""After so long without an end of a call its screen offers another one, in its place."""

_STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_HERE: Final = b": here\n\n"

Fields = Mapping[str, str]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Screen:
    """What the template needs, as `factor`. `ways`: by method the sentence of why it is closed, or "".

    `again_s`: seconds until another call may take the place of the one that is under way.
    """

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
    held: Held
    beside: bool
    device: bool = False
    again_s: int = 0

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


PurposeOf: TypeAlias = Callable[[Request], Awaitable[Purpose]]
"""What a host asks for, where a designated device may take the place of the choice."""


class FactorWeb:
    """The routes of one host. `purpose` None: a designated device exempts from nothing here."""

    def __init__(self, host: FactorHost, auth: AdditionalAuth, purpose: PurposeOf | None = None) -> None:
        self._host = host
        self._auth = auth
        self._purpose = purpose

    def routes(self) -> list[Route]:
        """Below the host's address."""
        at = f"{self._host.prefix}/factor"
        return [
            Route(f"{at}/request", self.request, methods=["POST"]),
            Route(f"{at}/call", self.call, methods=["GET"]),
            Route(f"{at}/call/events", self.events, methods=["GET"]),
            Route(f"{at}/device", self.device, methods=["POST"]),
            Route(f"{at}/device/challenge", self.challenge, methods=["POST"]),
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

    async def events(self, request: Request) -> Response:
        """The same as server-sent events: one at once, one at every change; closed when the call is over."""
        if logged_in(request) is None:
            raise NotLoggedIn
        session, lang = request.state.session.session, request.state.lang
        following = self._auth.follow(session, lambda: self._host.call(request))
        return await call_events(following, lambda call: told_call(call, lang))

    async def answer(self, request: Request) -> Response:
        """다음."""
        fields = await posted(request)
        try:
            opened = await unsealed(request, FORM, fields)
            held, missing = await self._beside(request)
            typed = forms.answered(opened, number_missing=missing, held=held, beside=self._host.beside)
            return see_other(await self._host.answer(request, fields, typed))
        except Failure as failure:
            return await self._failed(request, fields, failure, "form")

    async def challenge(self, request: Request) -> Response:
        """What this browser's designated device is to sign, as JSON; refusals as JSON too."""
        await posted(request)
        try:
            if self._purpose is None:
                raise DeviceNotExempt
            customer, purpose = await self._host.customer(request), await self._purpose(request)
            session, address = request.state.session, address_of(request)
            return JSONResponse(await self._auth.device_challenge(customer, session, address, purpose))
        except Failure as failure:
            request.state.failure = failure.code
            told = {"code": failure.code, "message": message_of(failure, request.state.lang)}
            return JSONResponse(told, status_of(failure))

    async def device(self, request: Request) -> Response:
        """다음 on a designated device: `device_answer` is what it signed."""
        fields = await posted(request)
        try:
            medium = None
            if self._host.beside:
                held, missing = await self._beside(request)
                medium = forms.medium(await unsealed(request, FORM, fields), number_missing=missing, held=held)
            return see_other(await self._host.by_device(request, fields, fields, medium))
        except Failure as failure:
            return await self._failed(request, fields, failure, "form")

    async def _beside(self, request: Request) -> tuple[Held, int]:
        """The medium whose code is asked for, and how many digits of the registered number are without one."""
        customer = await self._host.customer(request)
        held = await self._auth.held(customer) if self._host.beside else Held()
        return held, shown(customer).number_missing

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
    purpose: Purpose | None = None,
) -> Screen:
    """What the template of the host's page needs. `chosen`: the way that was posted last; `purpose`: as FactorWeb's.

    On a designated device the choice is skipped, unless the person asks for it by `?other`.
    """
    customer, lang = await host.customer(request), request.state.lang
    offered, call = await auth.offered(customer, lang), await host.call(request)
    requested = state if isinstance(state, Requested) else None
    waiting = requested is not None and requested.expires_at > now
    ways = {str(method): "" if why is None else message_of(why, lang) for method, why in offered.ways.items()}
    if waiting and call is not None and (not call.over or call.state == CallState.APPROVED):
        ways[Method.ARS] = ""  # the last call of the day leads on as well
    exempt = purpose is not None and await auth.exempt(customer, request.state.session, purpose)
    last = chosen or (requested.method if requested is not None else "")
    first = next((way for way, why in ways.items() if not why), "")
    since = 0 if requested is None else int((now - requested.sent_at).total_seconds())
    return Screen(
        prefix=host.prefix,
        ways=ways,
        chosen=last if ways.get(last) == "" else first,
        numbers=list(offered.numbers),
        requested=requested,
        waiting=waiting,
        call=call,
        lapsed=isinstance(state, Choosing) and state.lapsed,
        mobile=masked_mobile(customer),
        shown=shown(customer),
        held=await auth.held(customer) if host.beside else Held(),
        beside=host.beside,
        device=not chosen and requested is None and "other" not in request.query_params and exempt,
        again_s=max(0, AGAIN_S - since),
    )


def told_call(call: Calling | None, lang: str) -> dict[str, Any]:
    """A call as JSON has it: `state`, its words, and whether nothing more will happen."""
    if call is None:
        return {"state": "none", "over": True, "text": ""}
    return {"state": call.state, "over": call.over, "text": say(f"factor.call-{call.state}", lang)}


async def call_events(
    following: AsyncIterator[Followed[Calling] | None], told: Callable[[Calling | None], Mapping[str, Any]]
) -> Response:
    """A call's changes as an event stream. A refusal of the first look is an answer of its own."""
    first = await anext(following, None)

    async def events() -> AsyncIterator[bytes]:
        if first is not None:
            yield _event(told(first.call))
        async for seen in following:
            yield _HERE if seen is None else _event(told(seen.call))

    return StreamingResponse(events(), media_type="text/event-stream", headers=_STREAM)


def _event(told: Mapping[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(told) + b"\n\n"


async def posted(request: Request) -> dict[str, str]:
    """The text fields of a POST of a page of ours (F3), from who is logged in; sealed ones are sealed still (E12)."""
    form = await request.form()
    check_post(request, form)
    if logged_in(request) is None:
        raise NotLoggedIn
    return {name: value for name, value in form.items() if isinstance(value, str)}
