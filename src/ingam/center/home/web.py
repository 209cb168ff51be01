"""메인 and the first page of 인증센터 (flows.md W1, B0–B2): a card by state, one next step, and the ways from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.doorway import logged_in
from ingam.customer.binding.bindings import SUSPENDED, Bindings, Place
from ingam.kernel.instants import KST
from ingam.page import render, see_other
from ingam.ports.clock import Clock

EXPIRING: Final = timedelta(days=30)
_PHONE: Final = re.compile(r"\bMobi")
"""In the User-Agent of every phone's browser, and of no PC's."""


@dataclass(frozen=True, slots=True)
class Card:
    """The registered certificate as the home shows it. `state`: suspended, registered, expiring or expired."""

    state: str
    use: str
    not_after: datetime
    days: int


class Home:
    """The front, 메인, 인증센터, and two pages that the phone's tabs and list open."""

    def __init__(self, bindings: Bindings, clock: Clock) -> None:
        self._bindings = bindings
        self._clock = clock

    def routes(self) -> list[Route]:
        """GET /, /main, /cert-center, /cert-center/registration and /deposit."""
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/main", self.main, methods=["GET"]),
            Route("/cert-center", self.show, methods=["GET"]),
            Route("/cert-center/registration", self.registering, methods=["GET"]),
            Route("/deposit", self.deposit, methods=["GET"]),
        ]

    async def front(self, request: Request) -> Response:
        """The site's front: 메인 for a phone, the certificate center's home for a PC."""
        return see_other("/main" if _on_phone(request) else "/cert-center")

    async def main(self, request: Request) -> Response:
        """메인: who is here and what can be done next."""
        return render(request, "home/main.html", place="main", card=await self._card_of(request))

    async def show(self, request: Request) -> Response:
        """The card of whoever is logged in; for everybody the chooser, or the list on a phone."""
        return render(request, "home/home.html", place="cert_center", card=await self._card_of(request))

    async def registering(self, request: Request) -> Response:
        """타기관인증서등록 on a phone (B2)."""
        return render(request, "home/registering.html", place="registration")

    async def deposit(self, request: Request) -> Response:
        """예수금계좌신규개설: at the institution's own address, else how it is opened."""
        link = request.app.state.pages.deposit_link
        return see_other(link) if link else render(request, "home/deposit.html", place="deposit")

    async def _card_of(self, request: Request) -> Card | None:
        session = logged_in(request)
        if session is None or session.customer_id is None:
            return None
        return await self._card(Place(session.customer_id, session.slot or 1), request.state.lang)

    async def _card(self, person: Place, lang: str) -> Card | None:
        binding = await self._bindings.standing(person)
        if binding is None:
            return None
        details = await self._bindings.details(binding)
        now = self._clock.now()
        days = (binding.not_after.astimezone(KST).date() - now.astimezone(KST).date()).days
        state = (
            "expired" if now > binding.not_after else "expiring" if binding.not_after - now < EXPIRING else "registered"
        )
        state = "suspended" if binding.status == SUSPENDED else state
        use = details.use_en if lang == "en" else details.use_ko
        return Card(state, use, binding.not_after, days)


def _on_phone(request: Request) -> bool:
    told = request.headers.get("sec-ch-ua-mobile")
    return told == "?1" if told else bool(_PHONE.search(request.headers.get("user-agent", "")))
