"""Other people's banks: whose an account is, and the 1원 whose remitter text carries four digits (1원 인증)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret


class BankOutage(Outage):
    """The bank, or whoever speaks to it, did not answer or could not serve; no money has moved."""

    code = "bank-outage"


class BankUnclear(BankOutage):
    """Whether 1원 was sent cannot be told now. The same Transfer may be given again that day: it moves money once."""

    code = "bank-unclear"


class BankAccountUnknown(Refusal):
    """There is no such account at this bank, or no such bank."""

    code = "bank-account-unknown"


class BankAccountRefused(Refusal):
    """The account takes no deposit: ended, reported, or stopped."""

    code = "bank-account-refused"


class BankHolderMismatch(Refusal):
    """The account is somebody else's: another birth date, or another name than that of the Transfer."""

    code = "bank-holder-mismatch"


class BankClosed(Refusal):
    """The bank is under maintenance or has closed for the night."""

    code = "bank-closed"


@dataclass(frozen=True, slots=True)
class BankName:
    """`code`: the 3 digits that banks are addressed by."""

    code: str
    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Holder:
    """`name`: as the bank writes it."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """1원. `reference`: 20 unguessable characters, one for each transfer; `account`: up to 16 digits.

    `print_content`: what the holder reads as the remitter, up to 20 bytes in EUC-KR; `holder`: who it has to be.
    """

    reference: str
    bank_code: str
    account: Secret[str]
    print_content: str = field(repr=False)
    holder: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """1원 arrived, once. `reference`: the Transfer's."""

    reference: str


class Bank(Protocol):
    """The way to all banks."""

    def banks(self) -> tuple[BankName, ...]:
        """The banks that are reached, in the order of a list to choose from."""

    async def holder(self, bank_code: str, account: Secret[str], birth6: Secret[str]) -> Holder:
        """Whose account it is. `birth6`: YYMMDD, which the bank compares.

        Raises BankAccountUnknown, BankHolderMismatch, BankAccountRefused, BankClosed, BankOutage.
        """

    async def send_one_won(self, transfer: Transfer) -> Sent:
        """Sends 1원, once: an unclear answer is followed by asking what became of it.

        Raises BankAccountUnknown, BankHolderMismatch, BankAccountRefused, BankClosed, BankOutage, BankUnclear.
        """


BANKS: Final = (
    BankName("004", "KB국민은행", "KB Kookmin Bank"),
    BankName("088", "신한은행", "Shinhan Bank"),
    BankName("020", "우리은행", "Woori Bank"),
    BankName("081", "하나은행", "Hana Bank"),
    BankName("011", "NH농협은행", "NH NongHyup Bank"),
    BankName("003", "IBK기업은행", "Industrial Bank of Korea"),
    BankName("090", "카카오뱅크", "KakaoBank"),
    BankName("092", "토스뱅크", "Toss Bank"),
    BankName("023", "SC제일은행", "SC First Bank Korea"),
    BankName("027", "한국씨티은행", "Citibank Korea"),
    BankName("007", "수협은행", "Suhyup Bank"),
    BankName("031", "iM뱅크(대구은행)", "iM Bank (Daegu)"),
    BankName("032", "부산은행", "Busan Bank"),
    BankName("039", "경남은행", "Kyongnam Bank"),
    BankName("034", "광주은행", "Kwangju Bank"),
    BankName("037", "전북은행", "Jeonbuk Bank"),
    BankName("035", "제주은행", "Jeju Bank"),
    BankName("045", "새마을금고", "MG Community Credit Cooperatives"),
    BankName("048", "신협", "Credit Unions"),
    BankName("050", "저축은행", "Savings Banks"),
)
"""Codes as facts.md §7 has them; the commonest first, as banks' own lists do."""
