"""The routes of /issuance/new and /issuance/reissue: the screen follows from the state; POSTs end in a 303, an error,
or JSON, which is for what a page does while it stays: the photograph, the addresses, the certificate window, the frame.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.carrying import octets
from ingam.center.doorway import logged_in, to_login
from ingam.center.issuance import forms
from ingam.center.issuance.account import OneWonBudgetSpent
from ingam.center.issuance.identity import PersonLocked
from ingam.center.issuance.service import Issuance
from ingam.center.issuance.states import (
    AwaitingKey,
    AwaitingOneWon,
    ChoosingProduct,
    Consenting,
    Delivered,
    Describing,
    IdCardAccepted,
    Issued,
    Kind,
    NameConfirmed,
    PhoneProved,
    Refused,
    Requested,
)
from ingam.center.issuance.walks import Here
from ingam.center.keypad import unsealed
from ingam.center.task.forms import FormRefused, turn_of
from ingam.center.task.web import errors_of, scripted, visit_of
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.additional_auth.no_medium import masked_mobile, masked_number
from ingam.customer.fields import said
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import has, say
from ingam.page import check_post, failure_response, render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.card_reader import MOST_BYTES, CardKind
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer

TEMPLATES: Final = "ingam.center.issuance"
BASES: Final[Mapping[Kind, str]] = {Kind.NEW: "/issuance/new", Kind.REISSUE: "/issuance/reissue"}
CENTER: Final = "/cert-center"
_ENDED: Final = (PersonLocked, OneWonBudgetSpent)
_SCREENS: Final[Mapping[type[Any], tuple[str, int]]] = {
    Consenting: ("issuance/consents.html", 1),
    NameConfirmed: ("issuance/identity.html", 1),
    PhoneProved: ("issuance/card.html", 2),
    IdCardAccepted: ("issuance/account.html", 3),
    AwaitingOneWon: ("issuance/onewon.html", 3),
    Describing: ("issuance/details.html", 4),
    AwaitingKey: ("issuance/issue.html", 5),
    ChoosingProduct: ("issuance/issue.html", 5),
    Requested: ("issuance/issue.html", 6),
    Delivered: ("issuance/issue.html", 6),
    Issued: ("issuance/issued.html", 0),
    Refused: ("issuance/refused.html", 0),
}
_CARD_FIELDS: Final = {"idn": "number_front", "number": "licence_number", "serial": "licence_serial"}
"""How the form of ② calls what the reader read, where they differ."""
_SEALED: Final = {"password": "issuance", "name": "issuance-name"}
"""Steps whose secret fields may come sealed, and what center.keypad calls their forms."""
_WORDS: Final = {AwaitingKey: "key", ChoosingProduct: "product", Requested: "requested", Delivered: "delivered"}

Handler = Callable[[Request], Awaitable[Response]]
Doing = Callable[[Visit, Turn, Mapping[str, str]], Awaitable[None]]


class IssuanceWeb:
    """Handlers over the service, at the address of one kind of run; a run of the other kind is shown at its own."""

    def __init__(self, issuance: Issuance, clock: Clock, vault_origin: str, kind: Kind = Kind.NEW) -> None:
        self._issuance, self._clock, self._vault_origin = issuance, clock, vault_origin
        self._kind, self._base = kind, BASES[kind]
        self._photographing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """Everything below the address."""
        one = self._issuance
        steps: dict[str, tuple[Doing, str]] = {
            "password": (self._enter, "password"),
            "name": (lambda v, t, f: one.identification.name(v, t, forms.name(f, self._today())), "form"),
            "phone": (lambda v, t, f: one.identification.ask_phone(v, t, forms.phone(f, self._today())), "form"),
            "phone-again": (lambda v, t, _: one.identification.ask_again(v, t), "otp"),
            "phone-proof": (lambda v, t, f: one.identification.prove_phone(v, t, forms.otp(f, self._today())), "otp"),
            "certificate-proof": (self._prove_certificate, "certificate"),
            "card-fields": (lambda v, t, f: one.card.accept(v, t, forms.card(f, self._today())), "form"),
            "onewon": (lambda v, t, f: one.accounting.send(v, t, forms.account(f, self._today())), "form"),
            "onewon-proof": (lambda v, t, f: one.accounting.prove(v, t, forms.onewon(f, self._today())), "code"),
            "details": (lambda v, t, f: one.accounting.describe(v, t, forms.details(f, self._today())), "form"),
        }
        answers: dict[str, Callable[[Visit, Turn, Mapping[str, str]], Awaitable[dict[str, Any]]]] = {
            "challenge": lambda v, t, _: one.identification.challenge(v, t.run),
            "address": self._addresses,
            "key": self._key,
            "product": self._product,
            "carry": self._carry,
        }
        return [
            Route(self._base, self.show, methods=["GET"]),
            Route(f"{self._base}/issue", self.issue, methods=["GET"]),
            Route(f"{self._base}/card", self.card, methods=["POST"]),
            Route(f"{self._base}/back", self.back, methods=["POST"]),
            Route(f"{self._base}/cancel", self.cancel, methods=["POST"]),
            *(Route(f"{self._base}/{name}", self._step(name, *step), methods=["POST"]) for name, step in steps.items()),
            *(
                Route(f"{self._base}/{name}", self._answer(answer), methods=["POST"])
                for name, answer in answers.items()
            ),
        ]

    async def show(self, request: Request) -> Response:
        """The screen of the true step; `?new=1` leaves a finished run for another one."""
        if logged_in(request) is None:
            return to_login(request)
        visit = visit_of(request)
        here = await self._issuance.here(visit, anew="new" in request.query_params)
        if here.kind is not None and here.kind is not self._kind:
            if here.open or here.resumable:
                return see_other(BASES[here.kind])
            if here.ended:
                here = await self._issuance.here(visit, anew=True)
        return await self._page(request, here)

    # what a step does

    async def _enter(self, visit: Visit, _turn: Turn, fields: Mapping[str, str]) -> None:
        await self._issuance.enter(visit, forms.password(fields), self._kind)

    async def _prove_certificate(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> None:
        given = forms.presented(fields)
        await self._issuance.identification.prove_certificate(visit, turn.run, given.nonce, given.signed, given.sealed)

    async def _addresses(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
        keyword, page = forms.keyword(fields, self._today())
        found = await self._issuance.accounting.addresses(visit, turn.run, keyword, page)
        rows = [{"road": one.road, "jibun": one.jibun, "zip5": one.zip5} for one in found.addresses]
        return {"total": found.total, "page": page, "addresses": rows}

    async def _key(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
        return {"version": await self._issuance.issuing.key_made(visit, turn, fields.get("spki", ""))}

    async def _product(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
        issuing = self._issuance.issuing
        if fields.get("again") == "yes":
            return dict(await issuing.again(visit, turn.run))
        agreed = fields.get("revoke") == "yes"
        return dict(await issuing.choose(visit, turn, fields.get("product", ""), agreed=agreed))

    async def _carry(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
        message = octets(fields.get("message", ""))
        answer = await self._issuance.delivery.carry(visit, turn.run, message)
        return {"message": base64.b64encode(answer).decode()}

    # how it is answered

    def _step(self, name: str, doing: Doing, where: str) -> Handler:
        """A form: 303 to the true step, or the same screen with what is wrong beside the field `where`."""

        async def post(request: Request) -> Response:
            fields = await posted(request)
            try:
                if name in _SEALED:
                    fields = await unsealed(request, _SEALED[name], fields)
                await doing(visit_of(request), turn_of(fields), fields)
            except FormRefused as refused:
                return await self._again(request, fields, errors_of(request, refused))
            except Failure as failure:
                return await self._failed(request, fields, failure, where)
            return see_other(self._base)

        return post

    def _answer(self, asked: Callable[[Visit, Turn, Mapping[str, str]], Awaitable[dict[str, Any]]]) -> Handler:
        """JSON, refusals as well."""

        async def post(request: Request) -> Response:
            fields = await posted(request)
            return await scripted(request, lambda: asked(visit_of(request), turn_of(fields), fields))

        return post

    async def issue(self, request: Request) -> Response:
        """What the vault is told when its frame opens."""
        if logged_in(request) is None:
            raise NotLoggedIn
        return await scripted(request, lambda: self._issuance.issuing.told(visit_of(request)))

    async def card(self, request: Request) -> Response:
        """A photograph as the body; its fields for the person to correct."""
        check_post(request, {})
        session = logged_in(request)
        if session is None or session.customer_id is None:
            raise NotLoggedIn
        async with self._photographing.setdefault(session.customer_id, asyncio.Lock()):
            return await self._read(request)  # until then nothing of its six megabytes is received

    async def _read(self, request: Request) -> Response:
        query = request.query_params
        kind = CardKind.LICENCE if query.get("kind") == "licence" else CardKind.RESIDENT
        run = turn_of(query).run
        image = await request.body()

        async def read() -> dict[str, Any]:
            found = await self._issuance.card.read(visit_of(request), run, kind, image[: MOST_BYTES + 1])
            fields = {_CARD_FIELDS.get(name, name): text for name, text in found.fields.items()}
            if "number_front" in fields:  # the back half is asked of nobody again, and no page shows it
                fields["number_front"] = fields["number_front"][:7]
            unsure = [_CARD_FIELDS.get(name, name) for name, sure in found.sure.items() if sure < forms.SURE]
            return {"fields": fields, "unsure": unsure}

        return await scripted(request, read)

    async def back(self, request: Request) -> Response:
        """이전."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._issuance.back(visit_of(request), turn_of(fields))
        return see_other(self._base)

    async def cancel(self, request: Request) -> Response:
        """취소."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._issuance.cancel(visit_of(request), turn_of(fields).run)
        return see_other(CENTER)

    async def _failed(self, request: Request, fields: Mapping[str, str], failure: Failure, where: str) -> Response:
        request.state.failure = failure.code
        if isinstance(failure, TrueStep) or await self._ended(request, failure):
            return see_other(self._base)
        if isinstance(failure, NotLoggedIn):
            return to_login(request)
        if not isinstance(failure, Refusal | Outage):
            return failure_response(request, failure)
        named = str(failure.facts.get("field") or _first_consent(failure) or where)
        return await self._again(request, fields, {named: message_of(failure, request.state.lang)}, status_of(failure))

    async def _ended(self, request: Request, failure: Failure) -> bool:
        """Whether the run stopped with this refusal, so that its own screen says why."""
        return isinstance(failure, _ENDED) and (await self._issuance.here(visit_of(request))).ended

    async def _again(
        self, request: Request, fields: Mapping[str, str], errors: Mapping[str, str], status: int = 422
    ) -> Response:
        """The screen that was answered, with what is wrong and what was typed, unless it is no longer the true one."""
        here = await self._issuance.here(visit_of(request), anew=True)
        if here.run != turn_of(fields).run and here.state is not None:
            return see_other(self._base)
        return await self._page(request, here, status, errors=dict(errors), typed=forms.echoed(fields))

    async def _page(self, request: Request, here: Here, status: int = 200, **facts: Any) -> Response:
        visit, lang = visit_of(request), request.state.lang
        customer = await self._issuance.customer(visit)
        told: dict[str, Any] = {
            "place": "issuance_new", "here": here, "state": here.state, "errors": {}, "typed": {}, "number": 0,
            "customer": customer, "customer_number": masked_number(customer),
            "customer_mobile": masked_mobile(customer), "vault_origin": self._vault_origin, "now": self._clock.now(),
            "said": said, "base": self._base, "run_kind": str(self._kind),
        }  # fmt: skip
        if self._kind is Kind.REISSUE:
            told["place"] = "issuance_reissue"
        if here.state is None or here.away:
            if self._kind is Kind.REISSUE and not here.resumable:
                told |= await self._standing(customer)
            template = "issuance/reissue.html" if "ending" in told else "issuance/password.html"
            return render(request, template, status=status, **(told | facts))
        template, told["number"] = _SCREENS[type(here.state)]
        told |= await self._beside(here, customer, lang)
        return render(request, template, status=status, **(told | facts))

    async def _standing(self, customer: Customer) -> dict[str, Any]:
        """What could be issued again, before a run begins."""
        ending = await self._issuance.offer.ending(customer)
        return {"ending": ending, "products": self._issuance.offer.offered(Kind.REISSUE, ending)}

    async def _beside(self, here: Here, customer: Customer, lang: str) -> dict[str, Any]:
        """What one screen shows besides."""
        one, state = self._issuance, here.state
        match state:
            case Consenting() | NameConfirmed() | PhoneProved():
                return {"documents": one.identification.documents(state)}
            case IdCardAccepted() | AwaitingOneWon():
                return {"documents": one.identification.documents(state), "banks": one.accounting.banks()}
            case Describing():
                return {"contact": await one.accounting.contact(customer)}
            case AwaitingKey() | ChoosingProduct():
                ending = await one.offer.ending(customer)
                offered = one.offer.offered(self._kind, ending)
                allowed = await one.issuing.allowed(customer, here.run) if self._kind is Kind.NEW else None
                return {"word": _WORDS[type(state)], "products": offered, "ending": ending, "allowed": allowed}
            case Requested() | Delivered():
                return {"word": _WORDS[type(state)], "products": one.offer.products, "ending": None}
            case Refused(cause):
                # What a refusal says with its facts, the screen of its end says without them.
                keys = (f"issuance.why-{cause}", f"refusal.{cause}", "refusal.outage")
                return {"reason": say(next(key for key in keys if has(key)), lang)}
        return {}

    def _today(self) -> Any:
        return self._clock.now().astimezone(KST).date()


def _first_consent(failure: Failure) -> str:
    """The box of the first document that a refusal names; "" where it names none."""
    code = str(failure.facts.get("documents", "")).partition(",")[0]
    return f"consent_{code}" if code else ""
