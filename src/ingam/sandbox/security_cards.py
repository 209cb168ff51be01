"""An institution's core system that keeps 보안카드: one demo person holds one (docs/reference/cards.md)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.sandbox.switches import Switches

PARTY: Final = "cards"
HOLDERS: Final = ("core-han",)
NUMBERS: Final = 35


def numbers_of(customer_id: str) -> list[str]:
    """The 35 numbers that are printed on somebody's card; the same in every sandbox."""
    digests = (hashlib.sha256(f"card {customer_id} {place}".encode()).digest() for place in range(1, NUMBERS + 1))
    return [f"{int.from_bytes(digest[:4], 'big') % 10_000:04d}" for digest in digests]


class CoreCardBook:
    """What is asked for moves on with a right answer, and with nothing else."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._turns = dict.fromkeys(HOLDERS, 0)

    async def asked(self, request: Request) -> Response:
        """POST /cards/asked."""
        asked = await self._read(request, ("customer_id",))
        if asked is None:
            return _refused(request)
        customer_id = asked["customer_id"]
        if customer_id not in self._turns:
            return JSONResponse({"card": None})
        first, second = self._question(customer_id)
        return JSONResponse({"card": {"first": first, "second": second}})

    async def verify(self, request: Request) -> Response:
        """POST /cards/verify."""
        asked = await self._read(request, ("customer_id", "first", "second", "answer"))
        if asked is None:
            return _refused(request)
        customer_id, wanted = asked["customer_id"], (asked["first"], asked["second"])
        right = customer_id in self._turns and wanted == self._question(customer_id)
        if right:
            numbers = numbers_of(customer_id)
            said = numbers[wanted[0] - 1][:2] + numbers[wanted[1] - 1][-2:]
            right = hmac.compare_digest(said.encode(), str(asked["answer"]).encode())
        if right:
            self._turns[customer_id] += 1
        return JSONResponse({"right": right})

    def _question(self, customer_id: str) -> tuple[int, int]:
        digest = hashlib.sha256(f"asked {customer_id} {self._turns[customer_id]}".encode()).digest()
        first = digest[0] % NUMBERS
        return first + 1, (first + 1 + digest[1] % (NUMBERS - 1)) % NUMBERS + 1

    async def _read(self, request: Request, needed: tuple[str, ...]) -> dict[str, Any] | None:
        """The fields of a question; None for one without the key, or that is none. Raises SwitchedOff."""
        await self._switches.hold(PARTY)
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return None
        try:
            asked = msgspec.json.decode(await request.body(), type=dict[str, str | int])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return asked if all(name in asked for name in needed) else None


def _refused(request: Request) -> Response:
    known = request.headers.get("authorization", "").startswith("Bearer ")
    return JSONResponse({"error": "malformed" if known else "unauthorized"}, 400 if known else 401)
