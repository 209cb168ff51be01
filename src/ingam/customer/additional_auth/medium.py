"""What is asked beside the additional authentication: a 보안매체's code, or without one 미소지고객 인증 (E9).

A person holds one medium, and wrong codes of a token and wrong numbers of a card are one counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from ingam.customer.additional_auth.no_medium import NoMedium
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.cards import Asked, SecurityCards
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.otp import OtpTokens
from ingam.ports.store import Change, Count, Store

DAY_S: Final = 86_400


class MediumLimits(Protocol):
    """How many wrong codes of a token a day."""

    @property
    def otp_tries(self) -> int: ...


class OtpWrong(Refusal):
    """The token's code is wrong or was used; fact `n`, tries left today."""

    code = "otp-wrong"


class OtpLocked(Refusal):
    """Wrong too often today; the branch helps. Fact `max`."""

    code = "otp-locked"


class OtpMissing(Refusal):
    """Who holds a token is asked for its code, and 미소지고객 인증 does not take its place."""

    code = "otp-missing"


class CardWrong(Refusal):
    """The card's digits are wrong; the same two numbers are asked for again. Fact `n`, tries left today."""

    code = "card-wrong"


class CardLocked(Refusal):
    """Wrong too often today; the branch helps. Fact `max`."""

    code = "card-locked"


class CardMissing(Refusal):
    """Who holds a card is asked for its digits, and 미소지고객 인증 does not take its place."""

    code = "card-missing"


class CardAskedAnew(Refusal):
    """The page asked for other numbers than are asked for now; nothing was compared, and nothing counted."""

    code = "card-asked-anew"


@dataclass(frozen=True, slots=True)
class NoMediumTyped:
    """Both fields of 보안매체 미소지고객 인증."""

    number_back: Secret[str]
    phone_back: Secret[str]


@dataclass(frozen=True, slots=True)
class OtpTyped:
    """What the token showed."""

    code: Secret[str]


@dataclass(frozen=True, slots=True)
class CardTyped:
    """Four digits of the card, two of each number that the page asked for."""

    asked: Asked
    answer: Secret[str]


MediumTyped: TypeAlias = NoMediumTyped | OtpTyped | CardTyped


@dataclass(frozen=True, slots=True)
class Held:
    """The medium of a person: a token, or a card of which this is asked; neither is 미소지."""

    token: bool = False
    card: Asked | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """It was right: `resets` and `rows` go into the transaction of what it proves."""

    resets: Sequence[str]
    rows: Sequence[Change] = ()


class Media:
    """The check of whichever of the three a customer is asked for."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        no_medium: NoMedium,
        limits: MediumLimits,
        tokens: OtpTokens | None = None,
        cards: SecurityCards | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._no_medium = no_medium
        self._limits = limits
        self._tokens = tokens
        self._cards = cards

    async def held(self, customer: Customer) -> Held:
        """What is asked for. Raises CardOutage."""
        if customer.slot != 1:  # it was given to whom the account is of; a further head of a union holds none
            return Held()
        if self._tokens is not None and await self._tokens.holds(customer.customer_id):
            return Held(token=True)
        return Held(card=None if self._cards is None else await self._cards.asked(customer.customer_id))

    async def check(self, customer: Customer, typed: MediumTyped) -> Accepted:
        """Counted before it is compared. Raises NoMediumMismatch, NoMediumLocked, OtpWrong {n}, OtpLocked {max},
        OtpMissing, OtpOutage, CardWrong {n}, CardLocked {max}, CardMissing, CardAskedAnew, CardOutage."""
        held = await self.held(customer)
        if held.token and self._tokens is not None:
            if not isinstance(typed, OtpTyped):
                raise OtpMissing
            return await self._token(customer, self._tokens, typed.code)
        if held.card is not None and self._cards is not None:
            if not isinstance(typed, CardTyped):
                raise CardMissing
            return await self._card(customer, self._cards, held.card, typed)
        if not isinstance(typed, NoMediumTyped):
            raise OtpWrong(n=0)
        return Accepted([await self._no_medium.check(customer, typed.number_back, typed.phone_back)])

    async def _card(self, customer: Customer, cards: SecurityCards, asked: Asked, typed: CardTyped) -> Accepted:
        if typed.asked != asked:
            raise CardAskedAnew
        most, key = self._limits.otp_tries, counter(customer)
        hits = await self._store.count(Count(key, DAY_S, most, self._clock.now()))
        if hits > most:
            raise CardLocked(max=most)
        accepted = await cards.verify(customer.customer_id, asked, typed.answer)
        if accepted is not None:
            return Accepted([key], accepted.rows)
        if hits == most:
            raise CardLocked(max=most)
        raise CardWrong(n=most - hits)

    async def _token(self, customer: Customer, tokens: OtpTokens, code: Secret[str]) -> Accepted:
        most, key = self._limits.otp_tries, counter(customer)
        hits = await self._store.count(Count(key, DAY_S, most, self._clock.now()))
        if hits > most:
            raise OtpLocked(max=most)
        accepted = await tokens.verify(customer.customer_id, code)
        if accepted is not None:
            return Accepted([key], accepted.rows)
        if hits == most:
            raise OtpLocked(max=most)
        raise OtpWrong(n=most - hits)


def counter(customer: Customer) -> str:
    """The one counter of wrong answers of a medium, whichever kind it is."""
    return f"otp-wrong:{customer.customer_id}"
