"""The telephone of an automatic call, as a person and a program meet it: it rings, is answered, keys are pressed."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.sandbox.ars import TelephoneCall
from ingam.sandbox.asked import json_object
from ingam.sandbox.box import Sandbox
from ingam.sandbox.browser import check_browser


def call_routes(box: Sandbox) -> list[Route]:
    """Beside the telephone's page."""
    telephone = _Telephone(box)
    return [
        Route("/phone/{number}/call.json", telephone.told, methods=["GET"]),
        Route("/phone/{number}/call", telephone.act, methods=["POST"]),
    ]


def pulse(box: Sandbox, number: str) -> str:
    """Changes whenever the telephone shows something else."""
    messages, one = box.phones.inbox(number), box.calls.last(number, box.clock.now())
    newest = messages[0].id if messages else 0
    call = f"{one.id[:8]}.{one.state}.{len(one.keyed)}.{len(one.said)}" if one else ""
    return f"{newest}-{call}-{len(box.identities.waiting(number, box.clock.now()))}"


class _Telephone:
    """Of one number each."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def told(self, request: Request) -> Response:
        """{pulse, call: null | {id, from, state, said, keyed}}."""
        number = request.path_params["number"]
        one = self._box.calls.last(number, self._box.clock.now())
        return JSONResponse({"pulse": pulse(self._box, number), "call": one and _told(one)})

    async def act(self, request: Request) -> Response:
        """`act`: answer, decline, hang-up, key (with `key`). A form (then back to the telephone) or JSON."""
        check_browser(request)
        number = request.path_params["number"]
        as_json = request.headers.get("content-type", "").startswith("application/json")
        given: dict[str, Any] | FormData = await json_object(request) if as_json else await request.form()
        act, key = (str(given.get(name, "")) for name in ("act", "key"))
        self._box.calls.act(number, act, key, self._box.clock.now())
        return await self.told(request) if as_json else page.see_other(f"/phone/{number}#call")


def _told(one: TelephoneCall) -> dict[str, object]:
    return {"id": one.id, "from": one.caller, "state": one.state, "said": one.said, "keyed": one.keyed}
