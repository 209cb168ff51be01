"""`ports.cards.SecurityCards` over our own tables: a card's numbers are sealed under its customer's data key (H6).

The question is a row of its own, made when the card is issued and moved on by a right answer alone.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from ingam.kernel.secret import Secret
from ingam.ports.cards import DIGITS, NUMBERS, Asked, CardAccepted
from ingam.ports.clock import Clock
from ingam.ports.store import Delete, Insert, Row, Save, Store, Update

TABLE: Final = "security_card"
PRINTED: Final = "security_card_numbers"
MEDIUM: Final = "customer_medium"
"""What kind of medium a customer holds, and no number: the console's screens read it."""

KIND: Final = "card"


class Fields(Protocol):
    """`adapters.customers.fields.CustomerFields`."""

    async def seal(self, customer_id: str, table: str, column: str, row_id: str, clear: bytes) -> bytes: ...
    async def open(self, customer_id: str, table: str, column: str, row_id: str, sealed: bytes) -> bytes: ...


class TableCards:
    """Cards on the store; one a customer, in place of any other medium. `below`: a random number below another."""

    def __init__(
        self, store: Store, clock: Clock, fields: Fields, below: Callable[[int], int] = secrets.randbelow
    ) -> None:
        self._store = store
        self._clock = clock
        self._fields = fields
        self._below = below

    async def asked(self, customer_id: str) -> Asked | None:
        """What is asked for now; None: they hold none."""
        row = await self._row(customer_id)
        return None if row is None else _asked(row)

    async def verify(self, customer_id: str, asked: Asked, answer: Secret[str]) -> CardAccepted | None:
        """None for a wrong answer. `rows` move the question on, and are saved with what it proves."""
        row = await self._row(customer_id)
        if row is None or _asked(row) != asked:
            return None
        right = asked.answer(await self._numbers(customer_id))
        if not hmac.compare_digest(right.reveal().encode(), answer.reveal().encode()):
            return None
        turn = row["turn"]
        assert isinstance(turn, int)
        # Of this card: another that was issued meanwhile counts its turns from none as well.
        where: Row = {"customer_id": customer_id, "issued_at": row["issued_at"], "turn": turn}
        return CardAccepted([Update(TABLE, where, {**self._question(asked), "turn": turn + 1})])

    async def issue(self, customer_id: str) -> Sequence[Secret[str]]:
        """A fresh card, whose numbers are told here and nowhere again; an earlier medium is worth nothing."""
        numbers = [f"{self._below(10**DIGITS):0{DIGITS}d}" for _ in range(NUMBERS)]
        sealed = await self._fields.seal(
            customer_id, PRINTED, "numbers", customer_id, msgspec.json.encode(numbers)
        )  # fmt: skip
        now, who = self._clock.now(), {"customer_id": customer_id}
        card: Row = {**who, **self._question(None), "turn": 0, "issued_at": now}
        await self._store.save(
            Save(
                rows=[
                    *(Delete(table, {**who}) for table in (TABLE, PRINTED, "otp_token", MEDIUM)),
                    Insert(TABLE, card),
                    Insert(PRINTED, {**who, "numbers": sealed}),
                    Insert(MEDIUM, {**who, "kind": KIND, "since_at": now}),
                ]
            )
        )
        return [Secret(one) for one in numbers]

    async def _numbers(self, customer_id: str) -> list[str]:
        row = await self._store.one(PRINTED, {"customer_id": customer_id})
        assert row is not None and isinstance(row["numbers"], bytes)
        clear = await self._fields.open(customer_id, PRINTED, "numbers", customer_id, row["numbers"])
        return msgspec.json.decode(clear, type=list[str])

    def _question(self, before: Asked | None) -> Row:
        """Two numbers of the card, another pair than before."""
        while True:
            first, second = (self._below(NUMBERS) + 1 for _ in range(2))
            if first != second and Asked(first, second) != before:
                return {"first": first, "second": second}

    async def _row(self, customer_id: str) -> Row | None:
        return await self._store.one(TABLE, {"customer_id": customer_id})


def _asked(row: Row) -> Asked:
    first, second = row["first"], row["second"]
    assert isinstance(first, int) and isinstance(second, int)
    return Asked(first, second)
