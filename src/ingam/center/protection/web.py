"""The routes of /protection: one address; the overview, or the true step of the task that is under way."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.copying.devices import described, headers_of
from ingam.center.doorway import logged_in
from ingam.center.protection import forms
from ingam.center.protection.flow import Kind
from ingam.center.protection.service import ProtectionService
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor, Confirming
from ingam.center.task.forms import Fields, by, signature, signed, turn_of
from ingam.center.task.walks import Here
from ingam.center.task.web import Handler, TaskWeb, script_told, visit_of
from ingam.center.walks import TrueStep, Visit
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.device.acts import By
from ingam.kernel.errors import Failure
from ingam.kernel.instants import KST
from ingam.page import render, see_other
from ingam.ports.clock import Clock
from ingam.ports.customers import Phone

TEMPLATES: Final = "ingam.center.protection"
HERE: Final = "/protection"
PLACE: Final = "protection"
OTHER: Final = "other"


class ProtectionWeb(TaskWeb):
    """Handlers over the service."""

    def __init__(self, service: ProtectionService, auth: AdditionalAuth, clock: Clock, vault_origin: str) -> None:
        super().__init__(HERE, service, auth, clock)
        self._service = service
        self._vault = vault_origin

    def routes(self) -> list[Route]:
        """Everything below /protection."""
        posts: dict[str, Handler] = {
            "apply": self.apply,
            "begin": self.begin,
            "instead": self.instead,
            "offer": self.offer,
            "add": self.add,
            "number": self.number,
            "sign": self.sign,
            "change": self.change,
            "remove": self.remove,
        }
        return [Route(HERE, self.show, methods=["GET"]), *self._below(posts)]

    # ── pages ──

    async def show(self, request: Request) -> Response:
        """Who is not logged in reads what this is; everybody else meets the true step."""
        if logged_in(request) is None:
            return render(request, "protection/about.html", place=PLACE)
        done = request.query_params.get("done", "")
        return await self._page(request, done=done if done in (*Kind, "apply") else "")

    async def apply(self, request: Request) -> Response:
        """신청."""
        await posted(request)
        await self._service.apply(visit_of(request))
        return see_other(f"{HERE}?done=apply")

    async def begin(self, request: Request) -> Response:
        """A task."""
        fields = await posted(request)
        try:
            await self._service.begin(visit_of(request), forms.task(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(HERE)

    # ── a new device or passkey ──

    async def offer(self, request: Request) -> Response:
        """What the new key signs, as JSON."""
        fields = await posted(request)
        try:
            alias = forms.alias(fields, self._today())
            told = await self._service.offer(visit_of(request), turn_of(fields), alias, forms.key_kind(fields))
        except Failure as failure:
            return script_told(request, failure)
        return JSONResponse(told)

    async def add(self, request: Request) -> Response:
        """The new key."""
        fields = await posted(request)
        typed = {"alias": fields.get("alias", "")[:40]}
        try:
            alias = forms.alias(fields, self._today())
            answer = forms.answer(fields)
            done = await self._service.add(visit_of(request), turn_of(fields), alias, _browser(request), answer)
        except Failure as failure:
            return await self._failed(request, failure, typed)
        return see_other(f"{HERE}?done={done}")

    # ── acts that a key of the person signs ──

    async def number(self, request: Request) -> Response:
        """Another number was typed: the page that asks for the signature, with the very text that is signed."""
        fields = await posted(request)
        typed = {"number": fields.get("number", "")[:20]}
        try:
            number = forms.number(fields, await self._phone(request), self._today())
            text = await self._service.contact_text(visit_of(request), turn_of(fields), number)
        except Failure as failure:
            return await self._failed(request, failure, typed)
        return await self._page(request, number=number, text=text)

    async def sign(self, request: Request) -> Response:
        """What a key signs, as JSON; the certificate window asks here too."""
        fields = await posted(request)
        try:
            number = await self._number(request, fields)
            told = await self._service.challenge(visit_of(request), turn_of(fields), number, by(fields))
        except Failure as failure:
            return script_told(request, failure)
        return JSONResponse(told)

    async def change(self, request: Request) -> Response:
        """Another number, signed."""
        fields = await posted(request)
        try:
            number, made = await self._number(request, fields), signature(fields)
            done = await self._service.change_number(visit_of(request), turn_of(fields), number, made)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{HERE}?done={done}")

    async def remove(self, request: Request) -> Response:
        """해지, signed or with the proof that is held."""
        fields = await posted(request)
        try:
            done = await self._service.remove(visit_of(request), turn_of(fields), signed(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{HERE}?done={done}")

    # ── parts ──

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = visit_of(request)
        here = await self._service.here(visit)
        told: dict[str, Any] = {"errors": {}, "typed": {}, "done": "", "number": None, "text": "", "place": PLACE}
        told |= {"here": here, "state": here.state, "vault_origin": self._vault}
        told |= await self._facts(request, visit, here, chosen)
        return render(request, _template(here), status=status, **(told | facts))

    async def _facts(self, request: Request, visit: Visit, here: Here, chosen: str) -> dict[str, Any]:
        state = here.state
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            return await self._factor(request, state, chosen)
        if isinstance(state, Confirming):
            ways, key = await self._service.ways(visit), await self._service.target(visit, state.task)
            return {"task": state.task, "ways": ways, "key": key, "By": By, "software": self._service.software}
        return {"shown": await self._service.overview(visit), "browser": _browser(request)}

    async def _phone(self, request: Request) -> Phone:
        task = (await self._service.here(visit_of(request))).task
        if task is None or task.kind != Kind.CONTACT:
            raise TrueStep
        return Phone(task.target)

    async def _number(self, request: Request, fields: Fields) -> str:
        """The number that the hidden field carries; only a task of contact has one."""
        task = (await self._service.here(visit_of(request))).task
        if task is None or task.kind != Kind.CONTACT:
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
    return "protection/contact.html" if here.state.task.kind == Kind.CONTACT else "protection/remove.html"


def _browser(request: Request) -> str:
    """`Windows · Chrome`, out of closed lists; "" for what is not known."""
    _, system, browser = described(headers_of(request.headers))
    return " · ".join(word for word in (system, browser) if word != OTHER)
