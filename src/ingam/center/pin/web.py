"""POST /management/pin/…: what the page around the vault's frame carries between vault and center (B2, B8).

The page hands on what the vault says; neither it nor the center can make anything of it. Everything is base64 or hex;
answers are JSON and stored nowhere. `/set` alone asks for a login: a certificate opens before there is one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.doorway import address_of
from ingam.center.pin.service import HANDLE, Asked, PinMalformed, Pins, Visit
from ingam.kernel.errors import Failure
from ingam.page import check_post, status_of
from ingam.page.failures import message_of
from ingam.protocols import device, oprf, pin

BASE: Final = "/management/pin"
NUMBER_MOST: Final = 2**31 - 1
NOBODYS: Final = "0" * 32
"""A handle that none has."""

Fields = Mapping[str, str]


class PinWeb:
    """Handlers over the service."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def routes(self) -> list[Route]:
        """One for each act."""
        acts = {
            "challenge": self._challenge, "set": self._set, "ask": self._ask, "proved": self._proved,
            "remove": self._remove,
        }  # fmt: skip
        return [Route(f"{BASE}/{name}", _answering(act), methods=["POST"]) for name, act in acts.items()]

    async def _challenge(self, visit: Visit, _: Fields) -> dict[str, Any]:
        return {"nonce": await self._pins.challenge(visit)}

    async def _set(self, visit: Visit, form: Fields) -> dict[str, Any]:
        asked = _asked(form, of_record=False)
        point, proves = _bytes(form, "device", device.POINT_BYTES), _bytes(form, "proves", pin.PROOF_KEY)
        handle, evaluated = await self._pins.set(visit, asked, point, proves)
        return {"handle": handle, "evaluated": base64.b64encode(evaluated).decode()}

    async def _ask(self, visit: Visit, form: Fields) -> dict[str, Any]:
        found = await self._pins.ask(visit, _asked(form))
        return {"evaluated": base64.b64encode(found.element).decode(), "number": found.number, "left": found.left}

    async def _proved(self, visit: Visit, form: Fields) -> dict[str, Any]:
        number = form.get("number", "")
        if not (number.isascii() and number.isdigit() and 0 < len(number) < 10 and int(number) <= NUMBER_MOST):
            raise PinMalformed
        signature = _bytes(form, "signature", pin.PROOF)
        return {"wrong": await self._pins.proved(visit, _handle(form), int(number), signature)}

    async def _remove(self, visit: Visit, form: Fields) -> dict[str, Any]:
        await self._pins.remove(visit, _asked(form, element=False))
        return {}


def _answering(act: Callable[[Visit, Fields], Awaitable[dict[str, Any]]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
            check_post(request, form)
            return _json(await act(Visit(request.state.session, address_of(request)), form))
        except Failure as failure:
            request.state.failure = failure.code
            told = {"code": failure.code, "message": message_of(failure, request.state.lang)}
            return _json(told, status_of(failure))

    return answer


def _asked(form: Fields, *, of_record: bool = True, element: bool = True) -> Asked:
    return Asked(
        nonce=form.get("nonce", ""),
        signature=_bytes(form, "signature", device.SIGNATURE_BYTES),
        handle=_handle(form) if of_record else "",
        element=_bytes(form, "element", oprf.ELEMENT) if element else b"",
    )


def _handle(form: Fields) -> str:
    """As it was sent; what is none is told like one that is unknown, and is in no text that is signed."""
    given = form.get("handle", "")
    return given if HANDLE.fullmatch(given) else NOBODYS


def _bytes(form: Fields, name: str, size: int) -> bytes:
    """Base64 of exactly so many bytes. Raises PinMalformed."""
    try:
        found = base64.b64decode(form.get(name, "")[: size * 2], validate=True)
    except (binascii.Error, ValueError):
        raise PinMalformed from None
    if len(found) != size:
        raise PinMalformed
    return found


def _json(told: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(told, status, {"Cache-Control": "no-store"})
