"""Fees of certificates: allowed by the person before anything is issued, charged once a certificate stands, and else
released. The row is kept before the provider hears of it, and its key comes of the run: whatever is cut off is asked
again under the same key, so that nobody is charged twice.

A row is `opened`; `authorised` with the registration that it pays for; then `captured`, `cancelled`, `refused`,
`expired`, `unclear`, or `unpaid` and what comes of that (`owing`). Every row has a message in the outbox that settles
it, whatever becomes of its run.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.keys import Digests
from ingam.ports.payment import Order, Payment, Payments, Stage
from ingam.ports.store import Change, Conflict, Insert, Outgoing, Row, Save, Stale, Store, Update

SETTLE: Final = "payment"
"""The outbox kind; `settling.Settling` is its handler."""

NIGHT: Final = "night"

TAKING: Final = "taking"
"""A payment for a fee that is owed is being charged (`owing`)."""

MARGIN: Final = timedelta(minutes=10)
"""After the end of a run nothing of it is under way any more."""

PAYMENTS_MOST: Final = 20
"""Attempts at paying in one run."""

_OVER: Final = frozenset({Stage.REFUSED, Stage.EXPIRED, Stage.CANCELLED})


class PaymentDeclined(Refusal):
    """The person's bank or card said no, or the window's time was over. Nobody was charged, nothing was issued."""

    code = "payment-declined"


class PaymentTries(Refusal):
    """Too many attempts in one run."""

    code = "payment-tries"


@dataclass(frozen=True, slots=True)
class Fee:
    """A row of `payment`. `certificate`: SHA-256 of what came of it, hex, as soon as there is one."""

    key: str
    customer_id: str
    flow_id: str
    machine: str
    product: str
    amount: int
    stage: str
    certificate: str | None
    approval: str
    opened_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToPay:
    """What a run is to pay. `expires_at`: of the run; `return_to`: where the provider's window leads back to."""

    customer_id: str
    flow_id: str
    machine: str
    product: str
    amount: int
    title: str
    return_to: str
    at: datetime
    expires_at: datetime


class Fees:
    """Payments of runs."""

    def __init__(self, store: Store, payments: Payments, digests: Digests) -> None:
        self._store, self._payments, self._digests = store, payments, digests

    async def ask(self, asked: ToPay) -> Payment:
        """The payment of a run: OPENED has a window to send the person to, AUTHORISED (or CAPTURED) may be used.

        Raises PaymentDeclined (another one may be asked for then), PaymentTries, PaymentOutage, PaymentRefused.
        """
        rows = await fees_of(self._store, asked.flow_id)
        last = rows[-1] if rows else None
        if last is None or last.stage not in ("opened", "authorised", TAKING):
            key = await self._keep(asked, len(rows))
        else:
            key = last.key
        reach("payment.2")
        found = await self._payments.open(Order(key, asked.amount, asked.title, asked.return_to))
        reach("payment.3")
        if found.stage in _OVER:
            await self._end(key, found, asked.at)
            raise PaymentDeclined
        return found

    async def look(self, flow_id: str) -> Payment | None:
        """What became of the newest payment of a run that is not settled. Raises PaymentOutage."""
        rows = [one for one in await fees_of(self._store, flow_id) if one.stage in ("opened", "authorised")]
        return await self._payments.look(rows[-1].key) if rows else None

    async def _keep(self, asked: ToPay, number: int) -> str:
        if number >= PAYMENTS_MOST:
            raise PaymentTries
        key = self._digests.digest("payment", f"{asked.flow_id}:{number}")[:32]
        row: Row = {
            "key": key, "customer_id": asked.customer_id, "flow_id": asked.flow_id, "machine": asked.machine,
            "product": asked.product, "amount": asked.amount, "stage": "opened", "certificate": None, "approval": "",
            "opened_at": asked.at, "settled_at": None,
        }  # fmt: skip
        reach("payment.1")
        with suppress(Conflict):  # a twin of this request kept it
            await self._store.save(Save(rows=[Insert("payment", row)], outbox=[settle(key, asked.expires_at + MARGIN)]))
        return key

    async def _end(self, key: str, found: Payment, at: datetime) -> None:
        where: Row = {"key": key, "stage": "opened"}
        with suppress(Stale):  # it was settled meanwhile
            await self._store.save(Save(rows=[Update("payment", where, {"stage": str(found.stage), "settled_at": at})]))


def settle(key: str, due_at: datetime, why: str = "") -> Outgoing:
    """The message that settles a payment at its time. `why`: tells messages of one payment apart."""
    return Outgoing(SETTLE, key.encode(), f"payment:{key}:{why or int(due_at.timestamp())}", due_at)


def by_night(key: str, due_at: datetime) -> Outgoing:
    """The message of a night, for what is owed; one that a run left behind tries nothing of that."""
    return Outgoing(SETTLE, f"{key}:{NIGHT}".encode(), f"payment:{key}:{NIGHT}:{int(due_at.timestamp())}", due_at)


async def fees_of(store: Store, flow_id: str) -> list[Fee]:
    """Of a run, oldest first."""
    rows = await store.many("payment", {"flow_id": flow_id}, order="opened_at")
    return [fee_of(row) for row in rows]


async def receipts(store: Store, customer_id: str) -> list[Fee]:
    """Of a person, newest first."""
    rows = await store.many("payment", {"customer_id": customer_id}, order="opened_at", descending=True, limit=50)
    return [fee_of(row) for row in rows]


async def used(store: Store, flow_id: str, product: str) -> list[Change]:
    """The change that ties an allowed payment to the registration that it pays for; save it with that."""
    rows = [one for one in await fees_of(store, flow_id) if one.product == product and one.stage == "opened"]
    return [Update("payment", {"key": one.key, "stage": "opened"}, {"stage": "authorised"}) for one in rows[-1:]]


async def carried(store: Store, flow_id: str, fingerprint: str) -> list[Change]:
    """The change that says which certificate was paid for; save it with that certificate."""
    rows = [one for one in await fees_of(store, flow_id) if one.stage == "authorised"]
    return [Update("payment", {"key": one.key}, {"certificate": fingerprint}) for one in rows]


async def ended(store: Store, flow_id: str, at: datetime) -> list[Outgoing]:
    """What settles the payments of a run that ends; save it with that end."""
    rows: Sequence[Fee] = await fees_of(store, flow_id)
    return [settle(one.key, at, "ended") for one in rows if one.stage in ("opened", "authorised")]


def fee_of(row: Row) -> Fee:
    """A row, typed."""
    certificate, opened, settled = row["certificate"], row["opened_at"], row["settled_at"]
    assert isinstance(opened, datetime) and (settled is None or isinstance(settled, datetime))
    return Fee(
        str(row["key"]), str(row["customer_id"]), str(row["flow_id"]), str(row["machine"]), str(row["product"]),
        int(str(row["amount"])), str(row["stage"]), None if certificate is None else str(certificate),
        str(row["approval"]), opened, settled,
    )  # fmt: skip
