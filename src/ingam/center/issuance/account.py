"""③1원 인증 and ④고객정보입력: an account of the person's own, and how they are reached."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import msgspec

from ingam.center import budgets
from ingam.center.budgets import Budget, TooOften
from ingam.center.issuance.flow import Described, OneWonProved, OneWonSent, WentBack
from ingam.center.issuance.forms import Account, Details
from ingam.center.issuance.identity import ACCOUNT_CONSENT, DAY_S, Parts
from ingam.center.issuance.states import AwaitingOneWon, Describing, IdCardAccepted
from ingam.center.issuance.walks import Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.heads import counter, person_key
from ingam.customer.person import same_name
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.ports.address import AddressBook, Found
from ingam.ports.bank import Bank, BankClosed, BankName, Transfer
from ingam.ports.customers import Customer
from ingam.ports.store import Count, Insert, Issue, LedgerMove, Row, Use, Void

MONTH_S: Final = 30 * DAY_S
LOOKING_S: Final = 600
LOOKUPS: Final = 60
"""Of one person, in the seconds before."""
DIGITS: Final = 4
REFERENCE_CHARS: Final = 20
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class HolderMismatch(Refusal):
    """The account is not the person's: match or no match is all that is said (E5, M-1W-02)."""

    code = "onewon-holder-mismatch"


class OneWonTooMany(Refusal):
    """The transfers of this day, to this account or of this person, are used up (M-1W-05)."""

    code = "onewon-too-many"


class OneWonWrong(Refusal):
    """Other digits were sent; fact `n`, tries left (M-1W-03)."""

    code = "onewon-wrong"


class OneWonExpired(Refusal):
    """The digits are over, were replaced, or were tried too often (M-1W-04)."""

    code = "onewon-expired"


class OneWonBudgetSpent(Refusal):
    """Too many wrong digits in thirty days, over all transfers (E3)."""

    code = "onewon-budget-spent"


class MobileNotProven(Refusal):
    """A telephone number that is neither the registered nor the proven one needs 본인인증 of its own."""

    code = "mobile-not-proven"


class Limits(Protocol):
    """Counts and seconds of ③."""

    @property
    def onewon_ttl_s(self) -> int: ...
    @property
    def onewon_tries(self) -> int: ...
    @property
    def onewon_account_a_day(self) -> int: ...
    @property
    def onewon_person_a_day(self) -> int: ...
    @property
    def onewon_wrong_a_month(self) -> int: ...


@dataclass(frozen=True, slots=True)
class AccountPorts:
    """The outside parties of ③ and ④."""

    bank: Bank
    addresses: AddressBook


class Contact(msgspec.Struct, frozen=True):
    """④ as it is kept, sealed under the customer's own key: newest row first. Telephones are digits, "" is 없음."""

    email: str
    home_phone: str
    mobile: str
    zip5: str
    road: str
    detail: str


class Accounting:
    """The steps of ③ and ④."""

    def __init__(
        self, walks: Walks, parts: Parts, ports: AccountPorts, limits: Limits,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:  # fmt: skip
        self._walks, self._parts, self._ports, self._limits, self._below = walks, parts, ports, limits, below

    def banks(self) -> tuple[BankName, ...]:
        """For the list at ③."""
        return self._ports.bank.banks()

    async def send(self, visit: Visit, turn: Turn, command: Account) -> None:
        """[인증요청]: the holder is compared, then 1원 leaves with four digits as the remitter's name.

        The digits of an earlier transfer are void before another is asked for (E5).

        Raises Consent…, OneWonTooMany, OneWonBudgetSpent, HolderMismatch, and what the bank refuses:
        BankAccountUnknown, BankHolderMismatch, BankClosed; BankOutage.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, IdCardAccepted, AwaitingOneWon)
            rows = self._parts.consents.given(
                walk.customer.customer_id, (ACCOUNT_CONSENT,), command.consents, walk.flow_id, walk.now
            )
            if isinstance(walk.here.state, AwaitingOneWon):
                await self._walks.save(walk, WentBack(), "back", With(ledger=self.voided(walk)))
                walk = await self._walks.at_run(visit, turn.run, IdCardAccepted)
            days = self._days(walk, command)
            await self._left(walk, days)
            reach("issuance.16")
            try:
                await self._own(walk, command, days)
                code, reference = self._fresh()
                reach("issuance.17")
                await self._ports.bank.send_one_won(
                    Transfer(reference, command.bank_code, command.account, code.reveal(), walk.customer.name)
                )
            except Refusal as refused:
                await self._walks.refuse(walk, "onewon", refused, With(rows=rows))
            reach("issuance.18")
            request_id, expires = reference, walk.now + timedelta(seconds=self._limits.onewon_ttl_s)
            spent = await self._parts.store.counted(_wrong_key(walk.customer), MONTH_S, walk.now)
            facts = msgspec.json.encode({"digest": self._digest(request_id, code), "spent": str(spent)}).decode()
            ledger: list[LedgerMove] = [Issue(_kind(walk.customer), request_id, expires, facts)]
            event = OneWonSent(request_id, command.bank_code, masked_account(command.account), walk.now, expires)
            await self._walks.save(walk, event, "onewon", With(rows=rows, ledger=ledger))
            reach("issuance.19")

    def _days(self, walk: Walk, command: Account) -> tuple[Budget, Budget]:
        """What a person, and what an account, may get of one day."""
        whose = self._parts.digests.digest("account", f"{command.bank_code}:{command.account.reveal()}")
        return (
            Budget(f"onewon-person:{walk.customer.customer_id}", DAY_S, self._limits.onewon_person_a_day),
            Budget(f"onewon-account:{whose}", DAY_S, self._limits.onewon_account_a_day),
        )

    async def _left(self, walk: Walk, days: tuple[Budget, Budget]) -> None:
        """Before the bank is asked anything: names could be guessed, and each 1원 costs (F9)."""
        await self._refuse_spent(walk, "onewon")
        for budget in days:
            if not await budgets.left(self._parts.store, budget, walk.now):
                await self._walks.refuse(walk, "onewon", OneWonTooMany())

    async def _refuse_spent(self, walk: Walk, action: str) -> None:
        """Wrong digits, over all transfers (E3): nothing goes on here, and the run ends."""
        wrong = await self._parts.store.counted(_wrong_key(walk.customer), MONTH_S, walk.now)
        if wrong >= self._limits.onewon_wrong_a_month:
            await self._walks.decline(walk, action, OneWonBudgetSpent())

    async def _own(self, walk: Walk, command: Account, days: tuple[Budget, Budget]) -> None:
        """The bank's answer is what is counted, match or no match; a closed bank has given none."""
        birth6 = Secret(walk.customer.idn.reveal()[:6])
        refused: Refusal | None = None
        try:
            holder = await self._ports.bank.holder(command.bank_code, command.account, birth6)
            if not same_name(holder.name, walk.customer.name):
                refused = HolderMismatch()
        except BankClosed:
            raise
        except Refusal as no_match:
            refused = no_match
        within = [await budgets.spent(self._parts.store, budget, walk.now) for budget in days]
        if refused is not None:
            raise refused
        if not all(within):
            raise OneWonTooMany

    def _fresh(self) -> tuple[Secret[str], str]:
        """Uniformly random digits, and a reference that the bank has never seen."""
        reference = "".join(_ALPHABET[self._below(len(_ALPHABET))] for _ in range(REFERENCE_CHARS))
        return Secret(f"{self._below(10**DIGITS):0{DIGITS}d}"), reference

    def voided(self, walk: Walk) -> list[LedgerMove]:
        """What makes digits worthless that are under way."""
        state = walk.here.state
        return [Void(_kind(walk.customer), state.request_id, walk.now)] if isinstance(state, AwaitingOneWon) else []

    async def prove(self, visit: Visit, turn: Turn, code: Secret[str]) -> None:
        """[확인]: the four digits. The try is counted before the comparison, which takes constant time.

        Raises OneWonExpired, OneWonWrong {n}, OneWonBudgetSpent, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, AwaitingOneWon)
            state = walk.here.state
            assert isinstance(state, AwaitingOneWon)
            await self._refuse_spent(walk, "onewon-proof")
            reach("issuance.20")
            row = await self._parts.store.issued(_kind(walk.customer), state.request_id)
            if row is None or row.used_at is not None or row.expires_at <= walk.now:
                await self._walks.refuse(walk, "onewon-proof", OneWonExpired())
            tries = await self._parts.store.count(
                Count(f"onewon-try:{state.request_id}", DAY_S, self._limits.onewon_tries, walk.now)
            )
            if tries > self._limits.onewon_tries:
                await self._walks.refuse(walk, "onewon-proof", OneWonExpired())
            facts = msgspec.json.decode(row.facts, type=dict[str, str])
            if int(facts.get("spent", "0")) + tries > self._limits.onewon_wrong_a_month:
                # Tries of this very moment, none of which is told yet that it was wrong (E3, F9).
                await self._walks.decline(walk, "onewon-proof", OneWonBudgetSpent())
            if not hmac.compare_digest(facts["digest"], self._digest(state.request_id, code)):
                await self._wrong(walk, tries)
            use = Use(_kind(walk.customer), state.request_id, walk.now)
            reach("issuance.21")
            await self._walks.save(walk, OneWonProved(walk.now), "onewon-proof", With(ledger=[use]))
            reach("issuance.22")

    async def _wrong(self, walk: Walk, tries: int) -> None:
        month = Count(_wrong_key(walk.customer), MONTH_S, self._limits.onewon_wrong_a_month, walk.now)
        if await self._parts.store.count(month) >= self._limits.onewon_wrong_a_month:
            await self._walks.decline(walk, "onewon-proof", OneWonBudgetSpent())
        left = self._limits.onewon_tries - tries
        if left > 0:
            await self._walks.refuse(walk, "onewon-proof", OneWonWrong(n=left))
        await self._walks.save(walk, WentBack(), "onewon-proof", With(ledger=self.voided(walk)))
        raise OneWonExpired

    def _digest(self, request_id: str, code: Secret[str]) -> str:
        return self._parts.digests.digest("onewon-code", f"{request_id}:{code.reveal()}")

    # ④

    async def addresses(self, visit: Visit, run: int, keyword: str, page: int) -> Found:
        """주소찾기. Raises TrueStep, TooOften, AddressKeyword, AddressOutage."""
        walk = await self._walks.at_run(visit, run, Describing)
        lookups = Budget(f"address:{walk.customer.customer_id}", LOOKING_S, LOOKUPS)
        if not await budgets.spent(self._parts.store, lookups, walk.now):
            raise TooOften
        return await self._ports.addresses.search(keyword, page)

    async def contact(self, customer: Customer) -> Contact:
        """What ④ is filled with: what was said last, else the customer's record."""
        rows = await self._parts.store.many(
            "contact", {"customer_id": person_key(self._parts.digests, customer)}, order="at", descending=True, limit=1
        )
        if not rows:
            return Contact(customer.email or "", customer.home_phone or "", customer.mobile, "", "", "")
        contact_id, sealed = str(rows[0]["contact_id"]), rows[0]["details"]
        assert isinstance(sealed, bytes)
        clear = await self._parts.fields.open(customer.customer_id, "contact", "details", contact_id, sealed)
        return msgspec.json.decode(clear, type=Contact)

    async def describe(self, visit: Visit, turn: Turn, command: Details) -> None:
        """[인증서신규발급] at ④: a row of history; numbers used for SMS and ARS are not touched by it.

        Raises MobileNotProven, TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Describing)
            state, customer = walk.here.state, walk.customer
            assert isinstance(state, Describing)
            proven = self._parts.digests.digest("mobile", command.mobile) == state.proved.mobile_key
            if not proven and command.mobile != customer.mobile:
                await self._walks.refuse(walk, "details", MobileNotProven())
            said = Contact(
                command.email, command.home_phone, command.mobile, command.zip5, command.road, command.detail
            )
            contact_id = self._parts.random(16).hex()
            sealed = await self._parts.fields.seal(
                customer.customer_id, "contact", "details", contact_id, msgspec.json.encode(said)
            )
            row: Row = {
                "contact_id": contact_id, "customer_id": person_key(self._parts.digests, customer), "details": sealed,
                "flow_id": walk.flow_id, "at": walk.now,
            }  # fmt: skip
            reach("issuance.23")
            await self._walks.save(walk, Described(walk.now), "details", With(rows=[Insert("contact", row)]))
            reach("issuance.24")


def masked_account(account: Secret[str]) -> str:
    """`******1234**`-like: of an account only four digits in its middle to the end are shown (facts.md §6)."""
    digits = account.reveal()
    return f"{'*' * (len(digits) - 6)}{digits[-6:-2]}**"


def _kind(customer: Customer) -> str:
    return f"onewon:{customer.customer_id}" + ("" if customer.slot == 1 else f".{customer.slot}")


def _wrong_key(customer: Customer) -> str:
    return counter("onewon-wrong", customer)
