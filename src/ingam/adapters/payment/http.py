"""A payment provider over JSON: PUT /payments/{key}, GET it, POST /payments/{key}/capture and /cancel, Bearer secret.

Every call may be repeated: the key is ours and names one payment. 409 is a definite no with the stage, 404 is none.
"""

from __future__ import annotations

import re
from datetime import datetime
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from ingam.adapters.outgoing import Answer, Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.payment import Order, Payment, PaymentOutage, PaymentRefused, Stage

LONGEST_ANSWER: Final = 16_384
SHOWN_MOST: Final = 40
LONGEST_WINDOW: Final = 2_048
MOST_WON: Final = 10**9
_ADDRESS: Final = re.compile(r"https?://[!-?A-~]+")
"""Printable ASCII without spaces, and without @: nobody's name stands before the host."""
_LOCAL: Final = ("localhost", "127.0.0.1")


class HttpPayments:
    """`ports.payment.Payments` at one configured address."""

    def __init__(
        self,
        base_url: str,
        *,
        secret: Secret[str],
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._caller = Caller(
            base_url, outage=PaymentOutage, headers={"Authorization": f"Bearer {secret.reveal()}"},
            transport=transport, answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def open(self, order: Order) -> Payment:
        """Opens it, or says what became of it."""
        body = {"amount": order.amount, "currency": "KRW", "title": order.title, "return_to": order.return_to}
        found = _read(await self._call("PUT", f"/payments/{order.key}", body), order.key)
        if found is None or found.amount != order.amount:
            raise PaymentOutage(cause="answer-malformed")
        return found

    async def look(self, key: str) -> Payment | None:
        """What became of it."""
        return _read(await self._call("GET", f"/payments/{key}", None), key)

    async def capture(self, key: str, amount: int) -> Payment:
        """Charges it, once."""
        found = _read(await self._call("POST", f"/payments/{key}/capture", {"amount": amount}), key)
        if found is None:
            raise PaymentRefused(stage="unknown")
        if found.stage is not Stage.CAPTURED or found.amount != amount:
            raise PaymentOutage(cause="answer-malformed")
        return found

    async def cancel(self, key: str) -> Payment | None:
        """Releases or gives back."""
        found = _read(await self._call("POST", f"/payments/{key}/cancel", {}), key)
        if found is not None and found.stage in (Stage.OPENED, Stage.AUTHORISED, Stage.CAPTURED):
            raise PaymentOutage(cause="answer-malformed")
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> HttpPayments:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        return await self._caller.answer(method, path, body=body, idempotent=True, also=(404, 409))


def _read(answer: Answer, key: str) -> Payment | None:
    """The payment of this key; None for 404. Raises PaymentRefused, PaymentOutage."""
    if answer.status == 404:
        return None
    told = answer.body
    if answer.status == 409:
        raise PaymentRefused(stage=_word(told.get("stage")))
    try:
        if told.get("key") != key:
            raise ValueError
        amount, window, at = _sum(told.get("amount")), _window(told.get("window")), _moment(told.get("at"))
        stage = Stage(_word(told.get("stage")))
    except ValueError:
        raise PaymentOutage(cause="answer-malformed") from None
    return Payment(key, stage, amount, window, _shown(told.get("means")), _shown(told.get("approval")), at)


def _sum(value: object) -> int:
    """Won. Raises ValueError."""
    if type(value) is not int or not 0 < value <= MOST_WON:
        raise ValueError
    return value


def _window(value: object) -> str:
    """An address that a person is sent to: over TLS, or on this machine, nothing but an address. Raises ValueError."""
    if not isinstance(value, str) or len(value) > LONGEST_WINDOW or not _ADDRESS.fullmatch(value):
        raise ValueError
    found = urlsplit(value)
    if found.port == 0 or not found.hostname or (found.scheme != "https" and found.hostname not in _LOCAL):
        raise ValueError
    return value


def _moment(value: object) -> datetime | None:
    """None where nothing is said; a time without its offset is none. Raises ValueError."""
    found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    if found is not None and found.tzinfo is None:
        raise ValueError
    return found


def _word(value: object) -> str:
    return value if isinstance(value, str) and value.isascii() and value.isalpha() and len(value) < 20 else "unknown"


def _shown(value: object) -> str:
    return value[:SHOWN_MOST] if isinstance(value, str) and value.isprintable() else ""
