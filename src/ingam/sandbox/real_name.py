"""The register of names in the shape of apick: POST /rest/name_rrn_auth, a form of name, rrn1 and rrn2."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.sandbox.asked import form_texts, text
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.switches import Switches

PARTY = "real-name"


class RealNames:
    """Knows the demo people and nobody else."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    async def check(self, request: Request) -> Response:
        """`data.result`: 1 for a name and number that belong together, else 0."""
        position = await self._switches.hold(PARTY)
        if not request.headers.get("cl_auth_key"):
            return JSONResponse({"data": {}, "api": {"success": False}}, 401)
        given = await form_texts(request)
        number = text(given, "rrn1") + text(given, "rrn2")
        known = any(one.natural and (one.name, one.idn) == (given.get("name"), number) for one in PEOPLE)
        result = 1 if known and position != "wrong-holder" else 0
        return JSONResponse({"data": {"result": result, "success": 1}, "api": {"success": True, "cost": 40, "ms": 20}})
