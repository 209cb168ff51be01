"""The registered numbers for codes and calls: 휴대폰, 자택, 직장, 제3연락처; a new one is used only after 72 h (E9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.ports.customers import Customer, Phone

HIDDEN: Final = 4
SEOUL: Final = "02"
DIALLED: Final = re.compile(r"0[0-9]{7,11}", re.ASCII)


class NumberTooNew(Refusal):
    """The registered number changed a short time ago and is not used for codes yet (E9); fact `h`, hours."""

    code = "number-too-new"


class NumberMissing(Refusal):
    """No such number is registered."""

    code = "number-missing"


@dataclass(frozen=True, slots=True)
class Number:
    """A registered number. `digits`: digits only; `changed_at`: when it was last changed, if it ever was."""

    phone: Phone
    digits: str = field(repr=False)
    changed_at: datetime | None = None

    @property
    def masked(self) -> str:
        """`010-8513-****`, `02-780-****`: the last four are what 미소지고객 인증 asks for."""
        area = len(SEOUL) if self.digits.startswith(SEOUL) else 3
        return f"{self.digits[:area]}-{self.digits[area:-HIDDEN]}-{'*' * HIDDEN}"

    @property
    def korean(self) -> bool:
        """Whether it can be called: a number of Korea, with its area code."""
        return DIALLED.fullmatch(self.digits) is not None

    def quarantined(self, quarantine_s: int, now: datetime) -> bool:
        """Whether it changed so short a time ago that nothing goes to it (E9)."""
        return self.changed_at is not None and now < self.changed_at + timedelta(seconds=quarantine_s)


def numbers_of(customer: Customer) -> list[Number]:
    """The customer's registered numbers, the mobile one first."""
    found = [(phone, phone.of(customer)) for phone in Phone]
    return [Number(phone, digits, phone.changed_at(customer)) for phone, digits in found if digits]
