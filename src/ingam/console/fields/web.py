"""The routes of unmasking: behind a customer's page that was opened with a reason (security G4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.fields.service import FIELDS, REASONS, Shown, Unmasking
from ingam.console.operators import Role
from ingam.console.standing.opening import Openings
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.masking import mask_email, mask_idn, mask_name, mask_phone
from ingam.kernel.errors import Refusal
from ingam.page import render, status_of
from ingam.page.failures import message_of
from ingam.ports.customers import Customer, Customers

HERE: Final = "/customers/{customer}/fields"
SEE: Final = (Role.CLERK, Role.SECURITY)


class FieldsWeb(ConsoleWeb):
    """Handlers over the service."""

    def __init__(self, trail: Trail, customers: Customers, openings: Openings, unmasking: Unmasking) -> None:
        super().__init__(trail)
        self._customers = customers
        self._openings = openings
        self._unmasking = unmasking

    def routes(self) -> list[Route]:
        """/customers/{customer}/fields."""
        return [self.get(HERE, self.form, *SEE), self.post(HERE, self.show, *SEE)]

    async def form(self, request: Request) -> Response:
        """Which field, and why."""
        return _page(request, await self._opened(request), {})

    async def show(self, request: Request) -> Response:
        """The field in clear, on this answer alone."""
        customer, form = await self._opened(request), request.state.form
        typed = {name: str(form.get(name, ""))[:400] for name in ("field", "reason", "note")}
        try:
            shown = await self._unmasking.show(visit(request), customer, *typed.values())
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"note": message_of(refusal, request.state.lang)}
            return _page(request, customer, typed, errors, status=status_of(refusal))
        return _page(request, customer, {}, shown=shown)

    async def _opened(self, request: Request) -> Customer:
        """The customer whom this operator opened with a reason. Raises ReasonMissing, Refusal `not-found`."""
        customer_id = str(request.path_params["customer"])
        await self._openings.reason(visit(request), customer_id)
        customer = await self._customers.by_id(customer_id)
        if customer is None:
            raise Refusal("not-found")
        return customer


def _page(
    request: Request, customer: Customer, typed: Mapping[str, str], errors: Mapping[str, str] | None = None, *,
    shown: Shown | None = None, status: int = 200,
) -> Response:  # fmt: skip
    facts: dict[str, Any] = {
        "customer_id": customer.customer_id,
        "masked": _masked(customer),
        "reasons": REASONS,
        "typed": {"field": "", "reason": "", "note": ""} | dict(typed),
        "shown": shown,
        "errors": errors or {},
    }
    return render(request, "fields/fields.html", status, place="desk", **facts)


def _masked(customer: Customer) -> dict[str, str]:
    """Every field that the customer has, masked."""
    told = {
        "name": mask_name(customer.name),
        "idn": mask_idn(customer.idn.reveal()),
        "mobile": mask_phone(customer.mobile),
        "home_phone": customer.home_phone and mask_phone(customer.home_phone),
        "work_phone": customer.work_phone and mask_phone(customer.work_phone),
        "third_phone": customer.third_phone and mask_phone(customer.third_phone),
        "email": customer.email and mask_email(customer.email),
    }
    return {name: value for name in FIELDS if (value := told[name])}
