"""What the cloud answers to the center: POST /v1/signatures, and POST /v1/signatures/{id}/result, once."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.sandbox.asked import json_object, text
from ingam.sandbox.finance_cloud.cloud import SLOW_S, Cloud, random_of
from ingam.sandbox.finance_cloud.windows import WINDOW_S, Window

TEXT_MOST: Final = 2048
_ID: Final = re.compile(r"[0-9a-f]{32}")
_STATUS: Final = {"open": 409, "cancelled": 410, "locked": 410, "expired": 410, "unknown": 404}


class Api:
    """`origin`: the cloud's own; `center`: where its windows may lead back to; `key`: what the center says."""

    def __init__(self, cloud: Cloud, origin: str, center: str, key: str) -> None:
        self._cloud, self._origin, self._center, self._key = cloud, origin, center, key

    def routes(self) -> list[Route]:
        """For programs."""
        return [
            Route("/v1/signatures", self.ask, methods=["POST"]),
            Route("/v1/signatures/{id}/result", self.result, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """A new window."""
        if (refused := await self._held(request)) is not None:
            return refused
        given = await json_object(request)
        id, purpose, back = text(given, "id"), text(given, "purpose"), text(given, "returnTo")
        signed = _octets(text(given, "text"))
        good = _ID.fullmatch(id) and purpose in ("login", "register") and back.startswith(f"{self._center}/")
        if not good or not 0 < len(signed) <= TEXT_MOST or not signed.isascii():
            return JSONResponse({"error": "bad-request"}, 400)
        lang = "en" if text(given, "lang") == "en" else "ko"
        made = self._cloud.ask(id, text(given, "client")[:60], purpose, signed, back, lang)
        if made is None:
            return JSONResponse({"error": "id-used"}, 400)
        return JSONResponse({"window": f"{self._origin}/window/{made.token}?lang={lang}", "expiresIn": WINDOW_S})

    async def result(self, request: Request) -> Response:
        """The signature, to whoever brings what the person's browser was given."""
        if (refused := await self._held(request)) is not None:
            return refused
        proof = text(await json_object(request), "proof")
        stage, found = self._cloud.take(request.path_params["id"], proof)
        return JSONResponse({"stage": stage}, _STATUS[stage]) if found is None else JSONResponse(self._told(found))

    def _told(self, one: Window) -> dict[str, str]:
        assert one.person is not None
        holder = self._cloud.holders.find(one.person.key)
        assert holder is not None
        return {
            "stage": "signed",
            "signed": base64.b64encode(one.signed).decode(),
            "name": one.person.name,
            "birthDate": one.person.birth_date.isoformat(),
            "random": base64.b64encode(random_of(holder)).decode(),
        }

    async def _held(self, request: Request) -> Response | None:
        if self._cloud.position == "slow":
            await self._cloud.sleep(SLOW_S)
        if self._cloud.position == "off":
            return JSONResponse({"error": "maintenance"}, 503)
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return JSONResponse({"error": "unauthorized"}, 401)
        return None


def _octets(found: str) -> bytes:
    try:
        return base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        return b""
