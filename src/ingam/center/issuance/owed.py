"""미납 수수료 on 발급현황: what is owed of certificates that stand, and the press that begins another payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingam.customer.payment.owing import Asked, Debt, FeeNotOwed, Owing
from ingam.kernel.words import say
from ingam.ports.customers import Customer
from ingam.ports.payment import PaymentOutage


@dataclass(frozen=True, slots=True)
class Shown:
    """`away`: the provider does not answer, and nobody knows what became of what was begun."""

    debts: Sequence[Debt] = ()
    away: bool = False


class Owed:
    """`owing` None: nobody takes fees; `return_to`: the page's address, which the provider's window leads back to."""

    def __init__(self, owing: Owing | None, return_to: str) -> None:
        self._owing, self._return_to = owing, return_to

    async def of(self, customer: Customer, mine: Callable[[str], bool]) -> Shown:
        """As the page shows it; `mine`: whether a run is this person's."""
        if self._owing is None:
            return Shown()
        try:
            return Shown(await self._owing.of(customer.customer_id, mine))
        except PaymentOutage:
            return Shown(await self._owing.known(customer.customer_id, mine), away=True)

    async def begin(self, customer: Customer, mine: Callable[[str], bool], key: str, lang: str) -> None:
        """수수료 결제. Raises FeeNotOwed, FeeTries, PaymentDeclined, FeeOutage, FeeRefused."""
        if self._owing is None:
            raise FeeNotOwed
        asked = Asked(key, say("payment.title_owed", lang), self._return_to)
        await self._owing.ask(customer.customer_id, mine, asked)
