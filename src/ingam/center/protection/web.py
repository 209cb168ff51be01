"""The routes of /protection: one address; the overview, or the true step of the task that is under way."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import FactorWeb, screen
from ingam.center.copying.devices import described, headers_of
from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.protection import forms
from ingam.center.protection.flow import AwaitingFactor, ChoosingFactor, Confirming, Kind
from ingam.center.protection.forms import FormRefused
from ingam.center.protection.service import ProtectionService
from ingam.center.protection.walks import Here
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, DeviceNotExempt, Typed
from ingam.customer.device.acts import By
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import say
from ingam.page import check_post, failure_response, render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone

TEMPLATES: Final = "ingam.center.protection"
HERE: Final = "/protection"
PLACE: Final = "protection"
OTHER: Final = "other"

Fields = Mapping[str, str]


class ProtectionWeb:
    """Handlers over the service, and the host of 본인확인 추가인증 for its tasks."""

    def __init__(self, service: ProtectionService, auth: AdditionalAuth, clock: Clock, vault_origin: str) -> None:
        self._service = service
        self._auth = auth
        self._clock = clock
        self._vault = vault_origin

    def routes(self) -> list[Route]:
        """Everything below /protection."""
        posts = {
            "apply": self.apply,
            "begin": self.begin,
            "instead": self.instead,
            "leave": self.leave,
            "offer": self.offer,
            "add": self.add,
            "number": self.number,
            "sign": self.sign,
            "change": self.change,
            "remove": self.remove,
        }
        made = [Route(f"{HERE}/{name}", handler, methods=["POST"]) for name, handler in posts.items()]
        return [Route(HERE, self.show, methods=["GET"]), *made, *FactorWeb(self, self._auth).routes()]

    # ── pages ──

    async def show(self, request: Request) -> Response:
        """Who is not logged in reads what this is; everybody else meets the true step."""
        if logged_in(request) is None:
            return render(request, "protection/about.html", place=PLACE)
        done = request.query_params.get("done", "")
        return await self._page(request, done=done if done in (*Kind, "apply") else "")

    async def apply(self, request: Request) -> Response:
        """신청."""
        await _posted(request)
        await self._service.apply(_visit(request))
        return see_other(f"{HERE}?done=apply")

    async def begin(self, request: Request) -> Response:
        """A task."""
        fields = await _posted(request)
        try:
            await self._service.begin(_visit(request), forms.task(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(HERE)

    async def instead(self, request: Request) -> Response:
        """추가 인증으로 하기."""
        fields = await _posted(request)
        with contextlib.suppress(TrueStep):
            await self._service.instead(_visit(request), _turn(fields))
        return see_other(HERE)

    async def leave(self, request: Request) -> Response:
        """취소."""
        fields = await _posted(request)
        with contextlib.suppress(TrueStep):
            await self._service.cancel(_visit(request), _turn(fields))
        return see_other(HERE)

    # ── a new device or passkey ──

    async def offer(self, request: Request) -> Response:
        """What the new key signs, as JSON."""
        fields = await _posted(request)
        try:
            alias = forms.alias(fields, self._today())
            told = await self._service.offer(_visit(request), _turn(fields), alias, forms.key_kind(fields))
        except Failure as failure:
            return _told(request, failure)
        return JSONResponse(told)

    async def add(self, request: Request) -> Response:
        """The new key."""
        fields = await _posted(request)
        typed = {"alias": fields.get("alias", "")[:40]}
        try:
            alias = forms.alias(fields, self._today())
            answer = forms.answer(fields)
            done = await self._service.add(_visit(request), _turn(fields), alias, _browser(request), answer)
        except Failure as failure:
            return await self._failed(request, failure, typed)
        return see_other(f"{HERE}?done={done}")

    # ── acts that a key of the person signs ──

    async def number(self, request: Request) -> Response:
        """Another number was typed: the page that asks for the signature, with the very text that is signed."""
        fields = await _posted(request)
        typed = {"number": fields.get("number", "")[:20]}
        try:
            number = forms.number(fields, await self._phone(request), self._today())
            text = await self._service.contact_text(_visit(request), _turn(fields), number)
        except Failure as failure:
            return await self._failed(request, failure, typed)
        return await self._page(request, number=number, text=text)

    async def sign(self, request: Request) -> Response:
        """What a key signs, as JSON; the certificate window asks here too."""
        fields = await _posted(request)
        try:
            number = await self._number(request, fields)
            told = await self._service.challenge(_visit(request), _turn(fields), number, forms.by(fields))
        except Failure as failure:
            return _told(request, failure)
        return JSONResponse(told)

    async def change(self, request: Request) -> Response:
        """Another number, signed."""
        fields = await _posted(request)
        try:
            number, signed = await self._number(request, fields), forms.signed(fields)
            done = await self._service.change_number(_visit(request), _turn(fields), number, signed)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{HERE}?done={done}")

    async def remove(self, request: Request) -> Response:
        """해지, signed or with the proof that is held."""
        fields = await _posted(request)
        try:
            signed = forms.signed(fields) if fields.get("by") else None
            done = await self._service.remove(_visit(request), _turn(fields), signed)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{HERE}?done={done}")

    # ── the host of 본인확인 추가인증 ──

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
        return await self._service.customer(_visit(request))

    async def call(self, request: Request) -> Calling | None:
        """See FactorHost."""
        return await self._service.look(_visit(request))

    async def ask(self, request: Request, fields: Fields, method: Method, to: Phone) -> None:
        """인증번호 요청, 재전송, 전화 요청."""
        await self._service.request_factor(_visit(request), _turn(fields), method, to)

    async def answer(self, request: Request, fields: Fields, typed: Typed) -> str:
        """다음."""
        await self._service.prove_factor(_visit(request), _turn(fields), typed)
        return HERE

    async def by_device(
        self, request: Request, fields: Fields, answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """Never here: no designation authorises another one, nor its own end (E8)."""
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
        here = await self._service.here(visit)
        told: dict[str, Any] = {"errors": {}, "typed": {}, "done": "", "number": None, "text": "", "place": PLACE}
        told |= {"here": here, "state": here.state, "vault_origin": self._vault}
        told |= await self._facts(request, visit, here, chosen)
        return render(request, _template(here), status=status, **(told | facts))

    async def _facts(self, request: Request, visit: Visit, here: Here, chosen: str) -> dict[str, Any]:
        state, now = here.state, self._clock.now()
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            customer = await self._service.customer(visit)
            shown = await screen(self._auth, self, request, state.factor, now, chosen=chosen)
            return {"factor": shown, "task": state.task, "corporate": len(customer.idn) != 13}
        if isinstance(state, Confirming):
            ways, key = await self._service.ways(visit), await self._service.target(visit, state.task)
            return {"task": state.task, "ways": ways, "key": key, "By": By, "software": self._service.software}
        return {"shown": await self._service.overview(visit), "browser": _browser(request)}

    async def _failed(self, request: Request, failure: Failure, typed: Mapping[str, str] | None = None) -> Response:
        """A failure as the person meets it: the true step, the login, or the same screen with what is wrong."""
        request.state.failure = failure.code
        elsewhere = _elsewhere(request, failure)
        if elsewhere is not None:
            return elsewhere
        lang = request.state.lang
        errors = {"form": message_of(failure, lang)}
        if isinstance(failure, FormRefused):
            errors = {name: say(key, lang) for name, key in failure.errors.items()}
        return await self._page(request, status_of(failure), errors=errors, typed=dict(typed or {}))

    async def _phone(self, request: Request) -> Phone:
        task = (await self._service.here(_visit(request))).task
        if task is None or task.kind is not Kind.CONTACT:
            raise TrueStep
        return Phone(task.target)

    async def _number(self, request: Request, fields: Fields) -> str:
        """The number that the hidden field carries; only a task of contact has one."""
        task = (await self._service.here(_visit(request))).task
        if task is None or task.kind is not Kind.CONTACT:
            return ""
        return forms.number(fields, Phone(task.target), self._today())

    def _today(self) -> Any:
        return self._clock.now().astimezone(KST).date()


def _template(here: Here) -> str:
    if isinstance(here.state, ChoosingFactor | AwaitingFactor):
        return "protection/factor.html"
    if not isinstance(here.state, Confirming):
        return "protection/overview.html"
    if here.state.task.kind in (Kind.DEVICE, Kind.PASSKEY):
        return "protection/add.html"
    return "protection/contact.html" if here.state.task.kind is Kind.CONTACT else "protection/remove.html"


def _browser(request: Request) -> str:
    """`Windows · Chrome`, out of closed lists; "" for what is not known."""
    _, system, browser = described(headers_of(request.headers))
    return " · ".join(word for word in (system, browser) if word != OTHER)


def _elsewhere(request: Request, failure: Failure) -> Response | None:
    """Where a failure leads that is not shown on the page."""
    if isinstance(failure, (TrueStep, *STOPS)):
        return see_other(HERE)
    if isinstance(failure, NotLoggedIn):
        return to_login(request)
    return None if isinstance(failure, Refusal | Outage) else failure_response(request, failure)


def _told(request: Request, failure: Failure) -> Response:
    """A failure as a script is told."""
    request.state.failure = failure.code
    message = message_of(failure, request.state.lang)
    if isinstance(failure, FormRefused):
        message = say(next(iter(failure.errors.values())), request.state.lang)
    return JSONResponse({"code": failure.code, "message": message}, status_of(failure))


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
