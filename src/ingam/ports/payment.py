"""Who takes fees: a payment is opened, allowed by the person in the provider's own window, and charged when a
certificate stands; where none does, it is cancelled.

A payment is named by a key of ours, one for each run of a flow, and every call is idempotent by it: however often a
call is repeated after an unclear answer, the person is charged once at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ingam.kernel.errors import Outage, Refusal


class PaymentOutage(Outage):
    """The provider did not answer, or not in form. The same call may be given again: it charges nobody twice."""

    code = "payment-outage"


class PaymentRefused(Refusal):
    """The provider says no for good: what was asked for does not fit the stage, or it has ended. Fact `stage`."""

    code = "payment-refused"


class Stage(StrEnum):
    """OPENED: the person has allowed nothing yet. AUTHORISED: the sum is held, nobody was charged.

    CAPTURED: charged. CANCELLED: released, or given back where it had been charged. REFUSED: the person's bank or card
    said no. EXPIRED: the person did nothing in time, or what was held has lapsed.
    """

    OPENED = "opened"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid. `key`: 32 lower hex, unguessable; `amount`: won; `title`: what the person reads, ≤ 40.

    `return_to`: the address that the window leads back to; it carries no result, the center asks (E7).
    """

    key: str
    amount: int
    title: str
    return_to: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What the provider says. `means`: card or account as a receipt shows it (masked), "" while there is none.

    `approval`: 승인번호, "" where there is none; `window`: the address that the person pays at.
    """

    key: str
    stage: Stage
    amount: int
    window: str = field(repr=False)
    means: str = field(default="", repr=False)
    approval: str = ""
    at: datetime | None = None


class Payments(Protocol):
    """A payment provider, spoken to from server to server."""

    async def open(self, order: Order) -> Payment:
        """Opens a payment, or says what became of the one of this key. Raises PaymentOutage, PaymentRefused."""

    async def look(self, key: str) -> Payment | None:
        """What became of it; None where the provider knows no such payment. Raises PaymentOutage."""

    async def capture(self, key: str, amount: int) -> Payment:
        """Charges what was authorised; one that is charged already stays so. Raises PaymentOutage, PaymentRefused."""

    async def cancel(self, key: str) -> Payment | None:
        """Releases what is held, or gives back what was charged; None where there is no such payment.

        One that is cancelled already stays so. Raises PaymentOutage, PaymentRefused.
        """
