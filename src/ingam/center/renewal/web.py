"""The routes of /issuance/renewal: one address, the screen follows from the state; JSON for the vault's frame."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.carrying import octets
from ingam.center.doorway import logged_in, to_login
from ingam.center.renewal.flow import Refused, Renewed
from ingam.center.renewal.service import Renewing, word
from ingam.center.task.forms import turn_of
from ingam.center.task.web import scripted, visit_of
from ingam.center.walks import NotLoggedIn, TrueStep, Turn, Visit
from ingam.customer.consent import ticked
from ingam.kernel.words import has, say
from ingam.page import render, see_other

HERE: Final = "/issuance/renewal"

Handler = Callable[[Request], Awaitable[Response]]
Asked = Callable[[Visit, Turn, Mapping[str, str]], Awaitable[Mapping[str, Any]]]


class RenewalWeb:
    """Handlers over the service."""

    def __init__(self, renewing: Renewing, vault_origin: str) -> None:
        self._renewing, self._vault_origin = renewing, vault_origin

    def routes(self) -> list[Route]:
        """Everything below /issuance/renewal."""
        answers: dict[str, Asked] = {"key": self._key, "product": self._product, "carry": self._carry}
        return [
            Route(HERE, self.show, methods=["GET"]),
            Route(f"{HERE}/issue", self.issue, methods=["GET"]),
            Route(f"{HERE}/cancel", self.cancel, methods=["POST"]),
            *(Route(f"{HERE}/{name}", self._answer(one), methods=["POST"]) for name, one in answers.items()),
        ]

    async def show(self, request: Request) -> Response:
        """The screen of the true step; `?new=1` leaves a finished run for another one."""
        if logged_in(request) is None:
            return to_login(request)
        visit = visit_of(request)
        here = await self._renewing.here(visit, anew="new" in request.query_params)
        customer = await self._renewing.customer(visit)
        facts: dict[str, Any] = {
            "place": "renewal", "here": here, "state": here.state, "base": HERE, "word": word(here.state),
            "customer": customer, "vault_origin": self._vault_origin, "errors": {}, "typed": {},
            "documents": self._renewing.documents(), "products": self._renewing.products,
            "allowed": await self._renewing.allowed(customer, here),
        }  # fmt: skip
        if here.elsewhere:
            return render(request, "renewal/elsewhere.html", **facts)
        match here.state:
            case Renewed():
                # Said by the page that the vault ended in: the center is not told which record had a 간편비밀번호.
                return render(request, "renewal/renewed.html", simple="simple" in request.query_params, **facts)
            case Refused(cause):
                keys = (f"renewal.why-{cause}", f"refusal.{cause}", "refusal.outage")
                reason = say(next(key for key in keys if has(key)), request.state.lang)
                return render(request, "renewal/refused.html", reason=reason, **facts)
        return render(request, "renewal/renewal.html", **facts)

    async def issue(self, request: Request) -> Response:
        """What the vault is told when its frame opens."""
        if logged_in(request) is None:
            raise NotLoggedIn
        return await scripted(request, lambda: self._renewing.told(visit_of(request)))

    async def cancel(self, request: Request) -> Response:
        """취소."""
        fields = await posted(request)
        with contextlib.suppress(TrueStep):
            await self._renewing.cancel(visit_of(request), turn_of(fields).run)
        return see_other("/issuance")

    async def _key(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> Mapping[str, Any]:
        spki, renews = fields.get("spki", ""), fields.get("renews", "")
        version, product = await self._renewing.key_made(visit, turn.run, spki, renews)
        return {"version": version, "product": product}

    async def _product(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> Mapping[str, Any]:
        if fields.get("again") == "yes":
            return await self._renewing.again(visit, turn.run)
        return await self._renewing.agree(visit, turn, ticked(fields))

    async def _carry(self, visit: Visit, turn: Turn, fields: Mapping[str, str]) -> Mapping[str, Any]:
        carried = await self._renewing.carry(visit, turn.run, octets(fields.get("message", "")))
        told = {"message": base64.b64encode(carried.message).decode()}
        return told if carried.idn is None else {**told, "idn": carried.idn.reveal()}

    def _answer(self, asked: Asked) -> Handler:
        async def post(request: Request) -> Response:
            fields = await posted(request)
            return await scripted(request, lambda: asked(visit_of(request), turn_of(fields), fields))

        return post
