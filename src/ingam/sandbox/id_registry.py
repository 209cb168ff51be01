"""The issuers of identity cards in the shape of CLOVA eKYC: POST /verify/ic and /verify/dl."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.ports.clock import Clock
from ingam.sandbox.asked import json_object, text
from ingam.sandbox.people import PEOPLE, Person
from ingam.sandbox.switches import Switches

PARTY = "id-card"
REUSE: Final = timedelta(minutes=10)
"""For which a requestId is used up."""

Matches: TypeAlias = Callable[[Person, object], bool]
"""Whether a card is somebody's."""

_SAID: Final = {"mismatch": "MISMATCH", "lost": "LOST"}


class IdRegistry:
    """Knows the demo people's cards and nobody else's."""

    def __init__(self, switches: Switches, clock: Clock) -> None:
        self._switches = switches
        self._clock = clock
        self._used: dict[str, datetime] = {}

    def of(self, kind: str) -> Callable[[Request], Awaitable[Response]]:
        """`ic` for 주민등록증, `dl` for 운전면허증."""

        async def verify(request: Request) -> Response:
            return await self._verify(request, _is_resident_card if kind == "ic" else _is_licence)

        return verify

    async def _verify(self, request: Request, matches: Matches) -> Response:
        """`result` SUCCESS where every printed field is as on record; else FAILURE and why."""
        position = await self._switches.hold(PARTY)
        if not request.headers.get("x-ekyc-secret"):
            return JSONResponse({"result": "FAILURE", "response": {"code": "UNAUTHORIZED"}}, 401)
        given = await json_object(request)
        number = text(given, "requestId")
        code = self._trouble(number) or _SAID.get(position) or _found(matches, given)
        return JSONResponse(
            {
                "requestId": number,
                "timestamp": int(self._clock.now().timestamp() * 1000),
                "result": "FAILURE" if code else "SUCCESS",
                "response": {"code": code or "OK"},
            }
        )

    def _trouble(self, number: str) -> str | None:
        now = self._clock.now()
        self._used = {one: at for one, at in self._used.items() if now - at < REUSE}
        if not number or number in self._used:
            return "REQUEST_ID"
        self._used[number] = now
        return None


def _found(matches: Matches, given: dict[str, Any]) -> str | None:
    """Why it is not as on record, None where it is."""
    data = given.get("data")
    card = data[0] if isinstance(data, list) and data else {}
    return None if any(matches(one, card) for one in PEOPLE) else "MISMATCH"


def _is_resident_card(one: Person, card: object) -> bool:
    printed = one.resident_card
    said = (text(card, "name"), text(card, "personalNum"), text(card, "issueDate"))
    return printed is not None and said == (one.name, one.idn, f"{printed.issued_on:%Y%m%d}")


def _is_licence(one: Person, card: object) -> bool:
    printed = one.licence
    if printed is None or text(card, "code") not in ("", printed.serial):
        return False
    said = (text(card, "name"), text(card, "birthDate"), text(card, "num"))
    return said == (one.name, f"{one.birth_date:%Y%m%d}", printed.number)
