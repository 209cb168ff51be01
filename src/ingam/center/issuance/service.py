"""신규공동인증서신청 and 재발급, carried out: the banking password, then the steps of the other modules here.

Every public method takes a `Visit`; the screen always follows from the stored state (flows.md M1–M7).
"""

from __future__ import annotations

from dataclasses import dataclass

from ingam.center.issuance.account import Accounting
from ingam.center.issuance.card import CardChecking
from ingam.center.issuance.delivery import Delivery
from ingam.center.issuance.flow import Left, WentBack
from ingam.center.issuance.identity import Identification
from ingam.center.issuance.issuing import Issuing
from ingam.center.issuance.products import Offer
from ingam.center.issuance.states import (
    AwaitingKey,
    AwaitingOneWon,
    ChoosingProduct,
    Consenting,
    Describing,
    IdCardAccepted,
    Kind,
    NameConfirmed,
    PhoneProved,
)
from ingam.center.issuance.walks import Here, Walks
from ingam.center.walks import TrueStep, Turn, Visit, With
from ingam.customer.account.accounts import Accounts
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer

BACK = (NameConfirmed, IdCardAccepted, AwaitingOneWon, ChoosingProduct)
LEAVE = (
    Consenting, NameConfirmed, PhoneProved, IdCardAccepted, AwaitingOneWon, Describing, AwaitingKey, ChoosingProduct,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issuance:
    """The service behind /issuance/new and /issuance/reissue."""

    walks: Walks
    accounts: Accounts
    identification: Identification
    card: CardChecking
    accounting: Accounting
    offer: Offer
    issuing: Issuing
    delivery: Delivery

    async def here(self, visit: Visit, *, anew: bool = False) -> Here:
        """The true step. Time that ran out is recorded now; `anew` leaves a finished run for the next one."""
        try:
            return await self.walks.settled(visit, anew=anew)
        except TrueStep:
            return await self.walks.settled(visit, anew=anew)

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self.walks.customer(visit)

    async def enter(self, visit: Visit, password: Secret[str], kind: Kind = Kind.NEW) -> None:
        """인터넷뱅킹 비밀번호 확인: begins a run, or goes on with an interrupted one (F10).

        Raises LoginWrong, LoginLocked, LoginCrowded, PersonalOnly, NothingToReissue, CertificationOutage, TrueStep.
        """
        async with self.walks.turn_of(visit):
            customer = await self.walks.customer(visit)
            self.offer.admits(customer)
            await self.accounts.check_password(customer.banking_id, password, visit.session, visit.address)
            if kind is Kind.REISSUE and not (await self.walks.settled(visit)).resumable:
                await self.offer.refuse_nothing_to_reissue(customer)
            await self.walks.begin(visit, kind, resets=await self.accounts.forgive(customer.banking_id, visit.session))

    async def back(self, visit: Visit, turn: Turn) -> None:
        """이전. Raises TrueStep."""
        async with self.walks.turn_of(visit):
            walk = await self.walks.at(visit, turn, *BACK)
            await self.walks.save(walk, WentBack(), "back", With(ledger=self.accounting.voided(walk)))

    async def cancel(self, visit: Visit, run: int) -> None:
        """취소, for as long as the authority was asked nothing. Raises TrueStep."""
        async with self.walks.turn_of(visit):
            walk = await self.walks.at_run(visit, run, *LEAVE)
            await self.walks.save(walk, Left(), "cancel", With(ledger=self.accounting.voided(walk)))
