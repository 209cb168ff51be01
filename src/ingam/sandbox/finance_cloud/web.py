"""The window that a person opens, on the cloud's own origin, and the page on which the demo turns the cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.words import say
from ingam.npki.certificate import Certificate
from ingam.page.failures import message_of
from ingam.sandbox.behind import Counter
from ingam.sandbox.browser import check_browser
from ingam.sandbox.finance_cloud.cloud import POSITIONS, Cloud
from ingam.sandbox.finance_cloud.holders import PIN_TRIES
from ingam.sandbox.finance_cloud.windows import Window
from ingam.sandbox.people import PEOPLE

ACTS: Final = ("expire", "lock", "unlock", "revoke")
_PIN: Final = re.compile(r"[0-9]{6}")


class WindowGone(Refusal):
    """No window has this address (any more)."""

    code = "fincloud-window-gone"


class CloudWeb:
    """`counter`: of the house, for what the cloud's own page does to a certificate; `asking`: its client's name."""

    def __init__(self, cloud: Cloud, counter: Counter, phones: str, asking: Mapping[str, str]) -> None:
        self._cloud, self._counter, self._phones, self._asking = cloud, counter, phones, asking

    def routes(self) -> list[Route]:
        """For people."""
        at = "/window/{token}"
        return [
            Route("/", self.overview, methods=["GET"]),
            Route("/switches", self.turn, methods=["POST"]),
            Route(at, self.show, methods=["GET"]),
            Route(f"{at}/connect", self.connect, methods=["POST"]),
            Route(f"{at}/reply", self.reply, methods=["POST"]),
            Route(f"{at}/issue", self.issue, methods=["POST"]),
            Route(f"{at}/sign", self.sign, methods=["POST"]),
            Route(f"{at}/cancel", self.cancel, methods=["POST"]),
        ]

    # ── the window ──

    async def show(self, request: Request) -> Response:
        """Where the person is."""
        return self._page(request, self._window(request))

    async def connect(self, request: Request) -> Response:
        """Name, mobile and birth date."""
        one, given = await self._posted(request)
        name = given.get("name", "").strip()[:40]
        mobile, born = (re.sub(r"[^0-9]", "", given.get(part, ""))[:20] for part in ("mobile", "born"))
        errors = {
            field: say(f"fincloud.need_{field}", request.state.lang)
            for field, good in (("name", name), ("mobile", len(mobile) >= 10), ("born", len(born) == 8))
            if not good
        }
        if errors:
            return self._page(request, one, 422, errors=errors, typed={"name": name, "mobile": mobile, "born": born})
        await self._cloud.connect(one, name, mobile, born)
        return _to(one)

    async def reply(self, request: Request) -> Response:
        """The code of the SMS."""
        one, given = await self._posted(request)
        if one.asked and not self._cloud.reply(one, given.get("code", "").strip()[:10]):
            return self._page(request, one, 422, errors={"code": say("fincloud.wrong_code", request.state.lang)})
        return _to(one)

    async def issue(self, request: Request) -> Response:
        """A new certificate under a PIN that the person chooses; an older one is superseded."""
        one, given = await self._posted(request)
        if one.person is None:
            return _to(one)
        pin, again = given.get("pin", ""), given.get("again", "")
        if not _PIN.fullmatch(pin) or pin != again:
            key = "fincloud.need_pin" if not _PIN.fullmatch(pin) else "fincloud.pins_differ"
            return self._page(request, one, 422, issuing=True, errors={"pin": say(key, request.state.lang)})
        try:
            await self._cloud.issue(one.person, pin)
        except Failure as failure:
            return self._page(request, one, 503, issuing=True, errors={"form": message_of(failure, request.state.lang)})
        return _to(one)

    async def sign(self, request: Request) -> Response:
        """The PIN."""
        one, given = await self._posted(request)
        holder = None if one.person is None else self._cloud.holders.find(one.person.key)
        if holder is None or holder.locked or self._cloud.ended(holder):
            return _to(one)
        if not await self._cloud.sign(one, given.get("pin", "")[:20]):
            assert one.person is not None
            after = self._cloud.holders.find(one.person.key)
            left = PIN_TRIES - (after.wrong if after else PIN_TRIES)
            return self._page(request, one, 422, errors={"pin": say("fincloud.wrong_pin", request.state.lang, n=left)})
        return _to(one)

    async def cancel(self, request: Request) -> Response:
        """취소."""
        one, _ = await self._posted(request)
        one.stage = "cancelled"
        return _to(one)

    # ── the demo's ──

    async def overview(self, request: Request) -> Response:
        """Whose certificates are here, and how the cloud behaves."""
        held = [(one, self._cloud.holders.find(one.key)) for one in PEOPLE if one.natural]
        facts: dict[str, Any] = {"errors": {}, "held": held, "position": self._cloud.position, "positions": POSITIONS}
        return page.render(request, "finance_cloud/overview.html", **facts, cloud=self._cloud, phones=self._phones)

    async def turn(self, request: Request) -> Response:
        """A form (back to the page) or JSON: {position} or {person, act}."""
        check_browser(request)
        as_json = request.headers.get("content-type", "").startswith("application/json")
        given: Mapping[str, Any] = await request.json() if as_json else await request.form()
        position, person, act = (str(given.get(part, "")) for part in ("position", "person", "act"))
        holder = self._cloud.holders.find(person)
        if position in POSITIONS:
            self._cloud.position = position
        elif holder is not None and act in ACTS:
            await self._act(person, act, holder.parsed)
        return JSONResponse({"position": self._cloud.position}) if as_json else page.see_other("/")

    async def _act(self, person: str, act: str, found: Certificate) -> None:
        if act == "revoke":
            await self._counter.act("yessign", found, "revoke")
        else:
            self._cloud.holders.change(person, wrong=PIN_TRIES if act == "lock" else 0, ended=act == "expire")

    # ── parts ──

    def _window(self, request: Request) -> Window:
        found = self._cloud.windows.of_browser(request.path_params["token"])
        if found is None:
            raise WindowGone
        return found

    async def _posted(self, request: Request) -> tuple[Window, dict[str, str]]:
        check_browser(request)
        one, form = self._window(request), await request.form()
        if self._cloud.stage(one) != "open":
            return one, {}
        return one, {name: value for name, value in form.items() if isinstance(value, str)}

    def _page(self, request: Request, one: Window, status: int = 200, **facts: Any) -> Response:
        holder = None if one.person is None else self._cloud.holders.find(one.person.key)
        stage, client = self._cloud.stage(one), self._asking[request.state.lang]
        shown: dict[str, Any] = {
            "errors": {}, "typed": {}, "one": one, "stage": stage, "client": client, "holder": holder,
            "phones": self._phones, "ended": holder is not None and self._cloud.ended(holder),
            "back": _back(one, stage),
            "issuing": request.query_params.get("issue") == "1" or holder is None,
        }  # fmt: skip
        return page.render(request, "finance_cloud/window.html", status=status, **(shown | facts))


def _back(one: Window, stage: str) -> str:
    mark = "&" if "?" in one.return_to else "?"
    return f"{one.return_to}{mark}proof={one.proof}" if stage == "signed" else f"{one.return_to}{mark}proof="


def _to(one: Window) -> Response:
    return page.see_other(f"/window/{one.token}")
