"""The routes of 1회용 인증번호: one customer, one purpose, after an ID card was seen; shown once; own branch; never for
the operator's own record. The digits stand in one answer and nowhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.standing.opening import Openings
from ingam.console.standing.service import Standings
from ingam.console.trail import Trail, Visit
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.branch import BranchNumber, BranchNumberOver, BranchNumberOwn, BranchNumbers
from ingam.customer.availability import Way
from ingam.customer.availability.reading import Availability
from ingam.customer.heads import every_head
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import BlindIndex
from ingam.ports.store import AlreadyUsed, Issue, NotIssued, Save, Store, Use

HERE: Final = "/numbers"
CUSTOMER: Final = "/customers/{customer}/number"
CARDS: Final = ("resident", "licence", "passport")
FORM: Final = "console-number-form"
FORM_S: Final = 900
TOKEN_BYTES: Final = 16


class IdCardUnseen(Refusal):
    """Nobody said which identity card was seen, or for what the number is."""

    code = "id-card-unseen"


class NumberShown(Refusal):
    """This form has issued its number already; it is not shown again."""

    code = "branch-number-shown"


class OtherBranch(Refusal):
    """The number is another branch's."""

    code = "branch-number-elsewhere"


class Seen(NamedTuple):
    """A head of a union, with the masked name, whose identity card it may be."""

    slot: int
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the list of a day, with the customer's masked name."""

    number: BranchNumber
    name: str


class NumbersWeb(ConsoleWeb):
    """Handlers over BranchNumbers."""

    entries = (Entry("numbers", "console-numbers.menu", HERE, (Role.CLERK,)),)

    def __init__(
        self, trail: Trail, store: Store, clock: Clock, customers: Customers, blind_index: BlindIndex,
        numbers: BranchNumbers, standings: Standings, openings: Openings, availability: Availability,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:  # fmt: skip
        super().__init__(trail)
        self._store = store
        self._clock = clock
        self._customers = customers
        self._blind_index = blind_index
        self._numbers = numbers
        self._standings = standings
        self._openings = openings
        self._availability = availability
        self._token = token

    def routes(self) -> list[Route]:
        """/numbers, and a customer's /number."""
        return [
            self.get(HERE, self.day, Role.CLERK),
            self.post(f"{HERE}/{{number}}/void", self.void, Role.CLERK),
            self.get(CUSTOMER, self.ask, Role.CLERK),
            self.post(CUSTOMER, self.issue, Role.CLERK),
        ]

    async def day(self, request: Request) -> Response:
        """What the operator's own branch issued today."""
        branch = visit(request).operator.branch
        lines = [Line(one, await self._name_of(one)) for one in await self._numbers.of_day(branch)]
        off = await self._availability.way(Way.BRANCH_OTP)
        return render(request, "numbers/day.html", place="numbers", lines=lines, branch=branch, off_now=off)

    async def ask(self, request: Request) -> Response:
        """The form: purpose and identity card. Its one-time token makes a repeated sending show nothing twice."""
        asking, customer = visit(request), await self._opened(request)
        await self._refuse_own(asking, customer)
        return await self._form(request, customer, {})

    async def issue(self, request: Request) -> Response:
        """The number, in this answer only."""
        asking, form, customer = visit(request), request.state.form, await self._opened(request)
        await self._refuse_own(asking, customer)
        await self._availability.require(Way.BRANCH_OTP, request.state.lang)
        card, purpose = str(form.get("card", "")), _purpose(str(form.get("purpose", "")))
        seen = _seen(customer, str(form.get("head", "")))
        if card not in CARDS or purpose is None or seen is None:
            return await self._form(request, customer, {"card": message_of(IdCardUnseen(), request.state.lang)})
        await self._once(str(form.get("once", "")))
        reason = await self._openings.reason(asking, customer.customer_id)
        facts: dict[str, str | int] = {"reason": reason, "card": card, "purpose": str(purpose)}
        if seen.heads:
            facts["head"] = seen.slot
        line = self.trail.line(asking, "console.number-issue", banking_id=customer.banking_id, facts=facts)
        operator = asking.operator
        issued = await self._numbers.issue(seen, purpose, operator.employee, operator.branch, audit=[line])
        shown: dict[str, Any] = {
            "code": issued.code.reveal(),
            "expires_at": issued.expires_at,
            "purpose": purpose,
            "name": mask_name(seen.name),
            "customer_id": customer.customer_id,
        }
        return render(request, "numbers/issued.html", place="numbers", **shown)

    async def void(self, request: Request) -> Response:
        """Takes a number of the own branch back; one that is over is over."""
        asking, number_id = visit(request), str(request.path_params["number"])
        number = await self._numbers.one(number_id)
        if number is None:
            raise Refusal("not-found")
        if number.branch != asking.operator.branch:
            raise OtherBranch
        customer = await self._standings.customer(number.customer_id)
        facts: dict[str, str | int] = {"purpose": str(number.purpose)}
        line = self.trail.line(asking, "console.number-void", banking_id=customer.banking_id, facts=facts)
        with suppress(BranchNumberOver):
            await self._numbers.void(number_id, audit=[line])
        return see_other(HERE)

    async def _opened(self, request: Request) -> Customer:
        """The customer, opened with a reason before. Raises ReasonMissing, CustomerUnknown."""
        customer_id = str(request.path_params["customer"])
        await self._openings.reason(visit(request), customer_id)
        return await self._standings.customer(customer_id)

    async def _refuse_own(self, asking: Visit, customer: Customer) -> None:
        """Nobody issues for their own record (E10): by the number of the person, not by a name. Written down."""
        numbers = [await self._blind_index.index("idn", one.idn) for one in every_head(customer)]
        if any(asking.operator.is_person(number) for number in numbers):
            own = BranchNumberOwn()
            await self.trail.write(asking, "console.number-issue", own.code, banking_id=customer.banking_id)
            raise own

    async def _form(self, request: Request, customer: Customer, errors: dict[str, str]) -> Response:
        once = self._token(TOKEN_BYTES).hex()
        until = self._clock.now() + timedelta(seconds=FORM_S)
        await self._store.save(Save(ledger=[Issue(FORM, once, until)]))
        facts: dict[str, Any] = {
            "name": mask_name(customer.name),
            "customer_id": customer.customer_id,
            "purposes": tuple(Purpose),
            "cards": CARDS,
            "heads": [Seen(one.slot, mask_name(one.name)) for one in _heads(customer)],
            "once": once,
            "errors": errors,
            "off_now": await self._availability.way(Way.BRANCH_OTP),
        }
        return render(request, "numbers/ask.html", 422 if errors else 200, place="numbers", **facts)

    async def _once(self, token: str) -> None:
        """Raises NumberShown for a form that was sent before."""
        try:
            await self._store.save(Save(ledger=[Use(FORM, token, self._clock.now())]))
        except (AlreadyUsed, NotIssued):
            raise NumberShown from None

    async def _name_of(self, number: BranchNumber) -> str:
        customer = await self._customers.by_id(number.customer_id)
        head = None if customer is None else customer.as_head(number.slot)
        return "–" if head is None else mask_name(head.name)


def _heads(customer: Customer) -> list[Customer]:
    """Of a union with several, the first one first; else none: there is nothing to choose."""
    found = every_head(customer)
    return found if len(found) > 1 else []


def _seen(customer: Customer, chosen: str) -> Customer | None:
    """Whose identity card it was; None where several could be and nobody said."""
    heads = _heads(customer)
    return next((one for one in heads if str(one.slot) == chosen), None) if heads else customer


def _purpose(text: str) -> Purpose | None:
    return Purpose(text) if text in set(Purpose) else None
