"""A payment provider: its calls for merchants, and the window in which a demo person allows a sum, or does not.

Keys are the merchant's: whatever is said of one twice is done once. Nothing is charged before `capture`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.sandbox.asked import json_object, text
from ingam.sandbox.browser import check_browser
from ingam.sandbox.switches import SwitchedOff, Switches

PARTY: Final = "payment"
CARD: Final = "시험카드 ****-4321"
KEPT: Final = 1_000
_KEY: Final = 32


class UnknownPayment(Refusal):
    """No merchant opened this payment."""

    code = "sandbox-unknown-payment"


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment. `charges`: how often money was taken for it, which must never be more than once."""

    key: str
    amount: int
    title: str
    return_to: str
    stage: str
    at: datetime
    approval: str = ""
    charges: int = 0


@dataclass
class PaymentBook:
    """All of them, oldest first; the oldest are forgotten."""

    rows: dict[str, Paid] = field(default_factory=dict)

    def put(self, one: Paid) -> Paid:
        """Keeps it as it stands now."""
        self.rows[one.key] = one
        while len(self.rows) > KEPT:
            del self.rows[next(iter(self.rows))]
        return one


class PaymentProvider:
    """Answers merchants, and draws the window."""

    def __init__(self, book: PaymentBook, switches: Switches, clock: Clock, origin: str) -> None:
        self._book, self._switches, self._clock, self._origin = book, switches, clock, origin

    def api(self, at: str) -> list[tuple[str, str, Any]]:
        """Address, method and endpoint of what merchants call."""
        one = f"{at}/payments/{{key}}"
        return [
            (one, "PUT", self.open), (one, "GET", self.look), (f"{one}/capture", "POST", self.capture),
            (f"{one}/cancel", "POST", self.cancel),
        ]  # fmt: skip

    def windows(self) -> list[Route]:
        """The window, and what programs see of all payments."""
        return [
            Route("/pay/{key}", self.window, methods=["GET"]),
            Route("/pay/{key}", self.decide, methods=["POST"]),
            Route("/payments.json", self.listed, methods=["GET"]),
        ]

    async def open(self, request: Request) -> Response:
        """PUT {amount, title, return_to}: opens it; another amount under the same key is refused."""
        position, key = await self._admitted(request), request.path_params["key"]
        given = await json_object(request)
        amount, found = given.get("amount"), self._book.rows.get(key)
        if type(amount) is not int or amount <= 0 or len(key) != _KEY or not text(given, "return_to"):
            return JSONResponse({"error": "malformed"}, 400)
        if found is not None and found.amount != amount:
            return JSONResponse({"stage": found.stage}, 409)
        if found is None:
            made = Paid(key, amount, text(given, "title"), text(given, "return_to"), "opened", self._clock.now())
            found = self._book.put(made)
        return self._told(found, position)

    async def look(self, request: Request) -> Response:
        """GET."""
        position, found = await self._admitted(request), self._book.rows.get(request.path_params["key"])
        return JSONResponse({"error": "unknown"}, 404) if found is None else self._told(found, position)

    async def capture(self, request: Request) -> Response:
        """POST {amount}: takes the money that was allowed, once."""
        position, found = await self._admitted(request), self._book.rows.get(request.path_params["key"])
        if found is None:
            return JSONResponse({"error": "unknown"}, 404)
        wanted = (await json_object(request)).get("amount")
        if found.stage not in ("authorised", "captured") or wanted != found.amount or position == "refusing":
            return JSONResponse({"stage": found.stage}, 409)
        if found.stage == "authorised":
            found = self._book.put(
                replace(found, stage="captured", charges=found.charges + 1, at=self._clock.now())
            )  # fmt: skip
        return self._told(found, position)

    async def cancel(self, request: Request) -> Response:
        """POST: releases, or gives back."""
        position, found = await self._admitted(request), self._book.rows.get(request.path_params["key"])
        if found is None:
            return JSONResponse({"error": "unknown"}, 404)
        if found.stage in ("opened", "authorised", "captured"):
            found = self._book.put(replace(found, stage="cancelled", at=self._clock.now()))
        return self._told(found, position)

    async def window(self, request: Request) -> Response:
        """What a person sees."""
        found = self._book.rows.get(request.path_params["key"])
        if found is None:
            raise UnknownPayment
        return page.render(request, "sandbox/pay.html", payment=found, card=CARD)

    async def decide(self, request: Request) -> Response:
        """A form of `how`: allow or refuse; then the window says what came of it and leads back."""
        check_browser(request)
        key, how = request.path_params["key"], str((await request.form()).get("how", ""))
        self.decided(key, allowed=how == "allow")
        return page.see_other(f"/pay/{key}")

    def decided(self, key: str, *, allowed: bool) -> None:
        """The person's word. Raises UnknownPayment."""
        found = self._book.rows.get(key)
        if found is None:
            raise UnknownPayment
        if found.stage != "opened":
            return
        if not allowed or self._switches.party(PARTY) == "refusing":
            self._book.put(replace(found, stage="refused", at=self._clock.now()))
        else:
            approval = f"{int(key[:8], 16) % 10**8:08d}"
            self._book.put(replace(found, stage="authorised", approval=approval, at=self._clock.now()))

    async def listed(self, _request: Request) -> Response:
        """Newest first: {key, amount, title, stage, charges}."""
        rows = reversed(self._book.rows.values())
        return JSONResponse(
            [
                {"key": one.key, "amount": one.amount, "title": one.title, "stage": one.stage, "charges": one.charges}
                for one in rows
            ]
        )

    async def _admitted(self, request: Request) -> str:
        position = await self._switches.hold(PARTY)
        if not request.headers.get("authorization", "").removeprefix("Bearer "):
            raise SwitchedOff
        return position

    def _told(self, one: Paid, position: str) -> Response:
        if position == "unclear":  # it was done, and nobody hears of it
            raise SwitchedOff
        means = CARD if one.approval else ""
        return JSONResponse(
            {
                "key": one.key, "stage": one.stage, "amount": one.amount, "window": f"{self._origin}/pay/{one.key}",
                "means": means, "approval": one.approval, "at": one.at.isoformat(),
            }
        )  # fmt: skip
