"""The routes below /head: who can be chosen, the additional authentication of whoever was, and the session after it."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.doorway import Cookies, enter, logged_in, to_login
from ingam.center.heads.flow import BACK
from ingam.center.heads.service import CENTER, Heads
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor, Confirming, Locked
from ingam.center.task.forms import FormRefused, turn_of
from ingam.center.task.web import TaskWeb, errors_of, visit_of
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Failure
from ingam.page import render, see_other, status_of
from ingam.ports.clock import Clock
from ingam.ports.customers import MOST_HEADS

TEMPLATES: Final = "ingam.center.heads"
AT: Final = "/head"
PLACE: Final = "cert_center"
SLOTS: Final = tuple(str(slot) for slot in range(1, MOST_HEADS + 1))


class HeadsWeb(TaskWeb):
    """Handlers over the service."""

    def __init__(self, service: Heads, auth: AdditionalAuth, clock: Clock, cookies: Cookies) -> None:
        super().__init__(AT, service, auth, clock)
        self._service = service
        self._cookies = cookies

    def routes(self) -> list[Route]:
        """Everything below /head."""
        return [
            Route(AT, self.show, methods=["GET"]),
            *self._below({"begin": self.begin, "enter": self.enter}),
        ]

    async def show(self, request: Request) -> Response:
        """The true step; nothing is asked of whoever is known, and whoever is not logged in logs in first."""
        if logged_in(request) is None:
            return to_login(request)
        return await self._page(request)

    async def begin(self, request: Request) -> Response:
        """다음, with a head chosen."""
        fields = await posted(request)
        slot, back = fields.get("slot", ""), fields.get("back", "")
        if slot not in SLOTS:
            refused = FormRefused({"slot": "heads.need_slot"})
            errors = errors_of(request, refused)
            return await self._page(request, status_of(refused), errors=errors, back=back if back in BACK else "")
        try:
            await self._service.begin(visit_of(request), int(slot), back)
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(AT)

    async def enter(self, request: Request) -> Response:
        """계속: the new session's cookie, and back to where the person came from."""
        fields = await posted(request)
        try:
            opened, back = await self._service.enter(visit_of(request), turn_of(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return enter(see_other(back), self._cookies, opened, None)

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = visit_of(request)
        choices = await self._service.choices(visit)
        if not choices:
            return see_other(CENTER)
        here = await self._service.here(visit)
        state, back = here.state, request.query_params.get("back", "")
        told: dict[str, Any] = {"errors": {}, "place": PLACE, "here": here, "state": state, "choices": choices}
        told |= {"back": back if back in BACK else "", "of": mask_name((await self._service.asked(visit)).name)}
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            told |= await self._factor(request, state, chosen)
            return render(request, "heads/factor.html", status=status, **(told | facts))
        end = await self._service.last_end(visit)
        told["locked"] = end.cause if isinstance(end, Locked) else ""
        told["confirming"] = isinstance(state, Confirming)
        return render(request, "heads/choose.html", status=status, **(told | facts))
