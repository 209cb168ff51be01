"""The first page of 인증센터 (flows.md W1): a card by state, one next step, and the chooser of the two routes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.doorway import logged_in
from ingam.customer.binding.bindings import Bindings
from ingam.kernel.instants import KST
from ingam.page import render, see_other
from ingam.ports.clock import Clock

EXPIRING: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Card:
    """The registered certificate as the home shows it. `state`: registered, expiring or expired."""

    state: str
    use: str
    not_after: datetime
    days: int


class Home:
    """GET / and /cert-center."""

    def __init__(self, bindings: Bindings, clock: Clock) -> None:
        self._bindings = bindings
        self._clock = clock

    def routes(self) -> list[Route]:
        """The home and the way to it."""
        return [Route("/", self.front, methods=["GET"]), Route("/cert-center", self.show, methods=["GET"])]

    async def front(self, _: Request) -> Response:
        """The site's front is the certificate center's home."""
        return see_other("/cert-center")

    async def show(self, request: Request) -> Response:
        """The card of whoever is logged in; the chooser for everybody."""
        session = logged_in(request)
        card = await self._card(session.customer_id, request.state.lang) if session and session.customer_id else None
        return render(request, "home/home.html", place="cert_center", card=card)

    async def _card(self, customer_id: str, lang: str) -> Card | None:
        binding = await self._bindings.active(customer_id)
        if binding is None:
            return None
        details = await self._bindings.details(binding)
        now = self._clock.now()
        days = (binding.not_after.astimezone(KST).date() - now.astimezone(KST).date()).days
        state = (
            "expired" if now > binding.not_after else "expiring" if binding.not_after - now < EXPIRING else "registered"
        )
        use = details.use_en if lang == "en" else details.use_ko
        return Card(state, use, binding.not_after, days)
