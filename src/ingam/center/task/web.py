"""The requests of every feature of tasks: one address that shows the true step, and the host of 본인확인 추가인증."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import FactorWeb, posted, screen
from ingam.center.doorway import address_of, to_login
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor
from ingam.center.task.forms import Fields, FormRefused, turn_of
from ingam.center.task.service import TaskService
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, DeviceNotExempt, Typed
from ingam.customer.heads import several
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.words import say
from ingam.page import failure_response, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone

Texts: TypeAlias = Mapping[str, str]
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Proving(Protocol):
    """A service whose flow asks for additional authentication."""

    async def asked(self, visit: Visit) -> Customer:
        """Of whom it is asked. Raises NotLoggedIn."""

    async def look(self, visit: Visit) -> Calling | None:
        """The call that is under way in this flow, or None."""

    async def request_factor(self, visit: Visit, turn: Turn, method: Method, to: Phone | None) -> None:
        """A code or a call."""

    async def prove_factor(self, visit: Visit, turn: Turn, typed: Typed) -> None:
        """다음."""


class ProvingWeb:
    """The host of 본인확인 추가인증 in a flow. `at`: its address; a GET of it shows the true step.

    `stops`: what ends the flow, so that its own screen says why.
    """

    stops: ClassVar[tuple[type[Failure], ...]] = STOPS

    def __init__(self, at: str, service: Proving, auth: AdditionalAuth, clock: Clock) -> None:
        self._at = at
        self._proving = service
        self._auth = auth
        self._clock = clock

    @property
    def prefix(self) -> str:
        """See FactorHost."""
        return self._at

    @property
    def beside(self) -> bool:
        """보안매체 미소지고객 인증 is asked for here, always."""
        return True

    async def customer(self, request: Request) -> Customer:
        """See FactorHost."""
        return await self._proving.asked(visit_of(request))

    async def call(self, request: Request) -> Calling | None:
        """See FactorHost."""
        return await self._proving.look(visit_of(request))

    async def ask(self, request: Request, fields: Fields, method: Method, to: Phone) -> None:
        """인증번호 요청, 재전송, 전화 요청."""
        await self._proving.request_factor(visit_of(request), turn_of(fields), method, to)

    async def answer(self, request: Request, fields: Fields, typed: Typed) -> str:
        """다음."""
        await self._proving.prove_factor(visit_of(request), turn_of(fields), typed)
        return self._at

    async def failed(self, request: Request, failure: Failure) -> Response | None:
        """See FactorHost."""
        return self._elsewhere(request, failure)

    def _elsewhere(self, request: Request, failure: Failure) -> Response | None:
        """Where a failure leads that is not shown on the page."""
        request.state.failure = failure.code
        if isinstance(failure, (TrueStep, *self.stops)):
            return see_other(self._at)
        if isinstance(failure, NotLoggedIn):
            return to_login(request)
        return None if isinstance(failure, Refusal | Outage) else failure_response(request, failure)


class TaskWeb(ProvingWeb, ABC):
    """The base of a feature's handlers."""

    def __init__(self, at: str, service: TaskService, auth: AdditionalAuth, clock: Clock) -> None:
        super().__init__(at, service, auth, clock)
        self._tasks = service

    @abstractmethod
    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        """The true step. `chosen`: the way of additional authentication that was posted last."""

    def _below(self, posts: Mapping[str, Handler]) -> list[Route]:
        """The feature's own posts, 취소 and the additional authentication."""
        every = {"leave": self.leave, **posts}
        made = [Route(f"{self._at}/{name}", handler, methods=["POST"]) for name, handler in every.items()]
        return [*made, *FactorWeb(self, self._auth).routes()]

    async def leave(self, request: Request) -> Response:
        """취소."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._tasks.cancel(visit_of(request), turn_of(fields))
        return see_other(self._at)

    async def instead(self, request: Request) -> Response:
        """추가 인증으로 하기."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._tasks.instead(visit_of(request), turn_of(fields))
        return see_other(self._at)

    # ── the host of 본인확인 추가인증 ──

    async def by_device(
        self, request: Request, fields: Fields, answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """Never: no designation authorises another one nor its own end, and what was lost may be the device (E8)."""
        del request, fields, answer, medium
        raise DeviceNotExempt

    async def refused(self, request: Request, fields: Fields, errors: Texts, status: int) -> Response:
        """See FactorHost."""
        return await self._page(request, status, errors=errors, chosen=fields.get("method", ""))

    # ── parts ──

    async def _factor(self, request: Request, state: ChoosingFactor | AwaitingFactor, chosen: str) -> dict[str, Any]:
        """What the page of the additional authentication needs."""
        customer = await self.customer(request)
        shown = await screen(self._auth, self, request, state.factor, self._clock.now(), chosen=chosen)
        whose = mask_name(customer.name) if several(customer) else ""
        told = {"at": self._at, "factor": shown, "task": state.task, "whose": whose}
        return {**told, "corporate": len(customer.idn) != 13}

    async def _failed(self, request: Request, failure: Failure, typed: Texts | None = None) -> Response:
        """A failure as the person meets it: the true step, the login, or the same screen with what is wrong."""
        elsewhere = self._elsewhere(request, failure)
        if elsewhere is not None:
            return elsewhere
        facts: dict[str, Any] = {"typed": dict(typed)} if typed else {}
        return await self._page(request, status_of(failure), errors=errors_of(request, failure), **facts)


def errors_of(request: Request, failure: Failure, field: str = "form") -> dict[str, str]:
    """What is wrong, by field, in the person's language."""
    request.state.failure = failure.code
    lang = request.state.lang
    if isinstance(failure, FormRefused):
        return {name: say(key, lang) for name, key in failure.errors.items()}
    return {field: message_of(failure, lang)}


def script_told(request: Request, failure: Failure) -> Response:
    """A failure as a script is told."""
    message = next(iter(errors_of(request, failure).values()))
    return JSONResponse({"code": failure.code, "message": message}, status_of(failure))


async def scripted(request: Request, asked: Callable[[], Awaitable[Mapping[str, Any]]]) -> Response:
    """JSON for a page while it stays, or for the vault's frame; a refusal as well: 409 where the true step is another.

    Of a form, `field` names the first of its fields that needs attention.
    """
    try:
        return JSONResponse(await asked())
    except Failure as failure:
        name, message = next(iter(errors_of(request, failure).items()))
        told = {"code": failure.code, "message": message}
        if isinstance(failure, FormRefused):
            told["field"] = name
        return JSONResponse(told, 409 if isinstance(failure, TrueStep) else status_of(failure))


def visit_of(request: Request) -> Visit:
    """Who asks."""
    return Visit(request.state.session, address_of(request), request.state.lang)
