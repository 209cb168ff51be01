"""보안카드 of a customer: 35 printed numbers of four digits, of which two are asked for, half of each.

Whoever keeps the card chooses which two and keeps to them until they were answered rightly, so that nobody who was
asked for what they do not have asks again until they have it. An adapter over our own tables gives the change that
uses an answer up, to save with what it proves; one that asks an outside party used it up by asking, and gives none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret
from ingam.ports.store import Change

NUMBERS: Final = 35
DIGITS: Final = 4
HALF: Final = 2
"""Digits of each number that are asked for."""


class CardOutage(Outage):
    """Whoever keeps the cards did not answer (facts: cause); nothing was stored, and the try was counted."""

    code = "card-outage"


@dataclass(frozen=True, slots=True)
class Asked:
    """The first two digits of number `first`, and the last two of number `second`; both 1 to NUMBERS, and two."""

    first: int
    second: int

    def answer(self, numbers: Sequence[str]) -> Secret[str]:
        """What is right, by a card's numbers: four digits."""
        return Secret(numbers[self.first - 1][:HALF] + numbers[self.second - 1][-HALF:])


@dataclass(frozen=True, slots=True)
class CardAccepted:
    """The answer was right; `rows` use it up."""

    rows: Sequence[Change] = ()


class SecurityCards(Protocol):
    """The cards that customers hold. Every method may raise CardOutage."""

    async def asked(self, customer_id: str) -> Asked | None:
        """What is asked for of this customer's card: the same until it was answered rightly; None: they hold none."""

    async def verify(self, customer_id: str, asked: Asked, answer: Secret[str]) -> CardAccepted | None:
        """None for a wrong answer, and for one to another question than the one that is asked now."""
