"""보안매체 미소지고객 인증: the back of the registered number and the last four digits of the mobile number (E9).

A match of what the institution knows, never the only factor. One message and one counter for both fields, and both
are always compared, so that nobody learns which one was wrong.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final, Protocol

from ingam.customer import heads
from ingam.customer.person import number_named
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Count, Store

DAY_S: Final = 86_400
PHONE_BACK: Final = 4
RRN_FRONT: Final = 6
BUSINESS_FRONT: Final = 5


class NoMediumLimits(Protocol):
    """How many wrong answers a day."""

    @property
    def no_medium_max_fail(self) -> int: ...


class NoMediumMismatch(Refusal):
    """One of the two fields differs from the record, and it is not said which; facts n, max and named."""

    code = "no-medium-mismatch"


class NoMediumLocked(Refusal):
    """Wrong too often; the branch helps. Fact max."""

    code = "no-medium-locked"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen shows before the two fields: `751005`, 7 missing digits; `010-8513`, 4 missing digits."""

    number_front: str = field(repr=False)
    number_missing: int
    phone_front: str = field(repr=False)
    phone_missing: int = PHONE_BACK


def shown(customer: Customer) -> Shown:
    """The parts of both numbers that are not asked for."""
    front, back = split_number(customer)
    head = customer.mobile[:-PHONE_BACK]
    return Shown(front, len(back.reveal()), f"{head[:3]}-{head[3:]}")


def masked_number(customer: Customer) -> str:
    """`751005-2******` for a 주민등록번호, `12345-*****` for a 사업자등록번호."""
    front, back = split_number(customer)
    kept = 1 if len(back.reveal()) == 7 else 0
    return f"{front}-{back.reveal()[:kept]}{'*' * (len(back.reveal()) - kept)}"


def masked_mobile(customer: Customer) -> str:
    """`010-8513-****`."""
    return f"{shown(customer).phone_front}-****"


def split_number(customer: Customer) -> tuple[str, Secret[str]]:
    """Front and back of the registered number: 6 + 7 digits, or 5 + 5 of a business number."""
    number = customer.idn.reveal()
    cut = RRN_FRONT if len(number) == 13 else BUSINESS_FRONT
    return number[:cut], Secret(number[cut:])


def counter(customer: Customer) -> str:
    """Its key; save it among `resets` when both fields were right."""
    return heads.counter("no-medium", customer)


class NoMedium:
    """The check with its counter."""

    def __init__(self, store: Store, clock: Clock, limits: NoMediumLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    async def check(self, customer: Customer, number_back: Secret[str], phone_back: Secret[str]) -> str:
        """The counter to reset, if both fields are right. The hit is counted before the comparison (F9).

        Raises NoMediumMismatch {n, max}, NoMediumLocked {max}.
        """
        most = self._limits.no_medium_max_fail
        hits = await self._store.count(Count(counter(customer), DAY_S, most, self._clock.now()))
        if hits > most:
            raise NoMediumLocked(max=most)
        if _same(split_number(customer)[1], number_back) & _same(Secret(customer.mobile[-PHONE_BACK:]), phone_back):
            return counter(customer)
        if hits == most:
            raise NoMediumLocked(max=most)
        raise NoMediumMismatch(n=hits, max=most, named=number_named(customer.idn))


def _same(ours: Secret[str], typed: Secret[str]) -> bool:
    """Constant-time; `&` above evaluates both sides whatever the first one says."""
    return hmac.compare_digest(ours.reveal().encode(), typed.reveal().encode())
