"""`ports.cards.SecurityCards` at the institution's core system: JSON over HTTPS, as docs/reference/cards.md says.

The core keeps the cards, chooses what is asked for, and moves on by itself when an answer was right; an answer is sent
once, because a second sending would be an answer to the next question.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import httpx2
import msgspec

from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.cards import NUMBERS, Asked, CardAccepted, CardOutage

LONGEST_ANSWER = 4_096

T = TypeVar("T")
Place = Annotated[int, msgspec.Meta(ge=1, le=NUMBERS)]


class _Card(msgspec.Struct, frozen=True):
    first: Place
    second: Place


class _Question(msgspec.Struct, frozen=True):
    card: _Card | None


class _Verdict(msgspec.Struct, frozen=True):
    right: bool


class CoreCards:
    """At one configured address."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._caller = Caller(
            base_url, outage=CardOutage, headers={"Authorization": f"Bearer {key.reveal()}"}, transport=transport,
            answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip

    async def asked(self, customer_id: str) -> Asked | None:
        """What is asked for now; None: they hold none."""
        body = {"customer_id": customer_id}
        answer = await self._caller.json("POST", "/cards/asked", body=body, idempotent=True)
        card = _read(answer, _Question).card
        if card is not None and card.first == card.second:
            raise CardOutage(cause="answer-malformed")
        return None if card is None else Asked(card.first, card.second)

    async def verify(self, customer_id: str, asked: Asked, answer: Secret[str]) -> CardAccepted | None:
        """None for a wrong answer; a right one is used up."""
        body = {"customer_id": customer_id, "first": asked.first, "second": asked.second, "answer": answer.reveal()}
        told = await self._caller.json("POST", "/cards/verify", body=body, idempotent=False)
        return CardAccepted() if _read(told, _Verdict).right else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()


def _read(answer: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        raise CardOutage(cause="answer-malformed") from None
