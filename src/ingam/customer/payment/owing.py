"""Fees of certificates that stand and were not paid: the nights ask again for so long, and the person may pay anew.

A fee that the provider would not charge is `unpaid`. The very same payment is tried again once a night; after so many
days it is `overdue`, nobody tries any more, and people see to it. Before and after that the person may open another
payment: a row of machine `owed` of the same run. Before the new one is charged the former is freed at the provider, so
that it can never be charged as well, and becomes `replaced`; what a night takes of one in the same moment is given
back. The certificate stands whatever becomes of its fee.

Two pages and the worker may come to such a payment at once. Whoever is to charge it makes it `taking` first, whoever is
to free it `ending`: for a minute nobody else touches it, and then the worker goes on where they stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ingam.customer.heads import whose_run
from ingam.customer.notice import Notices
from ingam.customer.payment import TAKING, Fee, Fees, PaymentTries, ToPay, by_night, fee_of, fees_of, settle
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import to_micros
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.payment import Payment, PaymentOutage, PaymentRefused, Payments, Stage
from ingam.ports.store import Audit, Change, Outgoing, Row, Save, Stale, Store, Update

UNPAID: Final = "unpaid"
OVERDUE: Final = "overdue"
REPLACED: Final = "replaced"
OWED: Final = "owed"
"""The machine of a payment that is made for an older one."""

ENDING: Final = "ending"
"""Of such a payment: it is being freed."""

HELD: Final = timedelta(minutes=1)
"""For how long whoever is at one has it alone."""

STANDS: Final = (UNPAID, OVERDUE)
"""Stages of a fee that is owed."""
WINDOW: Final = timedelta(minutes=30)
"""To allow it in; then it is released."""
MEANWHILE: Final = 4
_OVER: Final = (Stage.REFUSED, Stage.EXPIRED, Stage.CANCELLED)


class FeeNotOwed(Refusal):
    """There is no such fee of this person, or it was paid meanwhile. Nobody was charged."""

    code = "fee-not-owed"


class FeeTries(Refusal):
    """The person opened a payment for it too often. Nobody was charged, and the certificate stands."""

    code = "fee-tries"


class FeeOutage(PaymentOutage):
    """The provider did not answer a person who was about to pay it. The certificate stands."""

    code = "fee-outage"


class FeeRefused(Refusal):
    """The provider would not open a payment for it. The certificate stands."""

    code = "fee-refused"


@dataclass(frozen=True, slots=True)
class Ports:
    """What it works on."""

    store: Store
    clock: Clock
    payments: Payments
    customers: Customers
    digests: Digests


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be paid: the key of a fee, what the person reads, and where the window leads back to."""

    key: str
    title: str
    return_to: str


@dataclass(frozen=True, slots=True)
class Debt:
    """A fee that is owed, as a page shows it. `open`: the payment that was begun for it, or None."""

    fee: Fee
    open: Payment | None


class Owing:
    """`days`: for how long the nights try; `night`: the coming one of a payment's key, after an instant."""

    def __init__(
        self, ports: Ports, fees: Fees, notices: Notices, days: int, night: Callable[[str, datetime], datetime]
    ) -> None:
        self._store, self._clock, self._payments = ports.store, ports.clock, ports.payments
        self._customers, self._digests = ports.customers, ports.digests
        self._fees, self._notices, self._night = fees, notices, night
        self._days = timedelta(days=days)

    # ── the person ──────────────────────────────────────────────────────────────────────────────────────────────

    async def of(self, customer_id: str, mine: Callable[[str], bool]) -> list[Debt]:
        """What a person owes, newest first; whatever was allowed of it meanwhile is charged first (E7).

        `mine`: whether a run is this person's. Raises PaymentOutage.
        """
        found = []
        for fee in await fees_owed(self._store, customer_id, mine):
            begun = await self._begun(fee)
            payment = None if begun is None else await self.settled(begun)
            if begun is not None and (await self._row(begun.key)).stage == TAKING:
                continue  # somebody charges it at this moment
            if (now := await self._row(fee.key)).stage in STANDS:
                found.append(Debt(now, payment))
        return found

    async def known(self, customer_id: str, mine: Callable[[str], bool]) -> list[Debt]:
        """The same by our own books alone, where the provider does not answer."""
        return [Debt(fee, None) for fee in await fees_owed(self._store, customer_id, mine)]

    async def ask(self, customer_id: str, mine: Callable[[str], bool], asked: Asked) -> Payment:
        """A payment for one of them, whose window the person is sent to; the same one until it is over.

        Raises FeeNotOwed, FeeTries, PaymentDeclined, FeeOutage, FeeRefused.
        """
        owed = await fees_owed(self._store, customer_id, mine)
        fee = next((one for one in owed if one.key == asked.key), None)
        if fee is None:
            raise FeeNotOwed
        now = self._clock.now()
        try:
            return await self._fees.ask(
                ToPay(
                    customer_id, fee.flow_id, OWED, fee.product, fee.amount, asked.title, asked.return_to, now,
                    now + WINDOW,
                )
            )  # fmt: skip
        except PaymentTries:
            raise FeeTries from None
        # What is said of these where somebody applies, that nothing was issued, is not true here.
        except PaymentOutage as outage:
            raise FeeOutage from outage
        except PaymentRefused as refused:
            raise FeeRefused from refused

    async def _begun(self, owed: Fee) -> Fee | None:
        """The payment that is under way for it."""
        rows = await fees_of(self._store, owed.flow_id)
        return next((one for one in rows if one.machine == OWED and one.stage in ("opened", TAKING)), None)

    # ── the worker ──────────────────────────────────────────────────────────────────────────────────────────────

    async def unpaid(self, fee: Fee, code: str) -> None:
        """The provider would not charge it: the person hears of it, and the night will try again."""
        now = self._clock.now()
        change = Update("payment", {"key": fee.key, "stage": fee.stage}, {"stage": UNPAID, "settled_at": now})
        told = await self._told(fee, "fee-unpaid", now)
        outbox = [*told, by_night(fee.key, self._night(fee.key, now))]
        await self._saved([change], outbox, [_line(fee, "payment.captured", code, now)])

    async def again(self, fee: Fee) -> None:
        """A night's try; the next one is put down before it, so that nothing that breaks it off ends them.

        Raises PaymentOutage.
        """
        now = self._clock.now()
        over = fee.settled_at is not None and now >= fee.settled_at + self._days
        begun = await self._begun(fee)
        if begun is not None or not over:
            await self._saved([], [by_night(fee.key, self._night(fee.key, now))])
        if begun is not None:  # the person is about to pay it
            return
        reach("payment.8")
        try:
            found = await self._payments.capture(fee.key, fee.amount)
        except PaymentRefused as refused:
            await self._refused(fee, refused.code, now, over=over)
            return
        reach("payment.9")
        if not await self._captured(fee.key, found):
            await self.freed(fee.key)

    async def _refused(self, fee: Fee, code: str, now: datetime, *, over: bool) -> None:
        action = "payment.overdue" if over else "payment.again"
        rows = [Update("payment", {"key": fee.key, "stage": UNPAID}, {"stage": OVERDUE})] if over else []
        await self._saved(rows, [], [_line(fee, action, code, now)])

    async def settled(self, fee: Fee) -> Payment | None:
        """A payment of machine `owed`, by what the provider says of it; what it says where it waits for the person.

        Raises PaymentOutage.
        """
        now = self._clock.now()
        if fee.stage in (TAKING, ENDING) and fee.settled_at is not None and now < fee.settled_at + HELD:
            return None
        found = await self._payments.look(fee.key)
        if fee.stage == ENDING:
            await self._ended(fee, found.stage if found is not None and found.stage in _OVER else Stage.CANCELLED)
        elif found is None or found.stage is Stage.OPENED:
            if now < fee.opened_at + WINDOW:  # the provider may not have heard of it yet
                return found
            await self._ended(fee, Stage.EXPIRED)
        elif found.stage in (Stage.AUTHORISED, Stage.CAPTURED):
            await self._take(fee)
        else:
            await self._ended(fee, found.stage)
        return None

    async def _take(self, fee: Fee) -> None:
        """Charges what the person allowed, unless the former payment was charged after all: the provider says that."""
        mine = await self._held(fee, TAKING)
        if mine is None:
            return
        owed = await self._behind(mine)
        reach("payment.10")
        before = await self._payments.look(owed.key)
        if owed.stage == REPLACED or (before is not None and before.stage is Stage.CAPTURED):
            if before is not None and before.stage is Stage.CAPTURED:
                await self._captured(owed.key, before)
            await self._ended(mine, Stage.CANCELLED)
            return
        await self.freed(owed.key)
        reach("payment.11")
        try:
            found = await self._payments.capture(mine.key, mine.amount)
        except PaymentRefused:
            await self._ended(mine, Stage.REFUSED)
            return
        reach("payment.12")
        await self._replaced(mine, found)

    async def _held(self, fee: Fee, stage: str) -> Fee | None:
        """The payment as ours alone for a minute, then the worker asks what became of it; None: another has it."""
        now = self._clock.now()
        where: Row = {"key": fee.key, "stage": fee.stage, "settled_at": fee.settled_at}
        change = Update("payment", where, {"stage": stage, "settled_at": now})
        after = settle(fee.key, now + HELD, f"{stage}:{to_micros(now)}")
        try:
            await self._store.save(Save(rows=[change], outbox=[after]))
        except Stale:
            return None
        return replace(fee, stage=stage, settled_at=now)

    async def _replaced(self, fee: Fee, found: Payment) -> None:
        """Both rows at once, whatever a night made of the former in the same moment: its charge was given back."""
        now = self._clock.now()
        for _ in range(MEANWHILE):
            owed, mine = await self._behind(fee), await self._row(fee.key)
            if mine.stage != TAKING:  # whoever went on with it after our minute brought it to its end
                return
            rows = [
                Update("payment", {"key": mine.key, "stage": mine.stage}, _paid(found, now)),
                Update("payment", {"key": owed.key, "stage": owed.stage}, {"stage": REPLACED}),
            ]
            with suppress(Stale):
                told = await self._told(owed, "fee-paid", now)
                await self._store.save(
                    Save(rows=rows, outbox=told, audit=[_line(mine, "payment.captured", "ok", now)])
                )  # fmt: skip
                return
        raise Stale

    async def freed(self, key: str) -> None:
        """A payment can never be charged any more; what was is given back. Raises PaymentOutage."""
        with suppress(PaymentRefused):  # it has ended: there is nothing to free
            await self._payments.cancel(key)

    async def _captured(self, key: str, found: Payment) -> bool:
        """Whether the charge stands in our books; False: the fee was paid anew meanwhile."""
        now = self._clock.now()
        for _ in range(MEANWHILE):
            fee = await self._row(key)
            if fee.stage not in STANDS:
                return fee.stage == "captured"
            change = Update("payment", {"key": key, "stage": fee.stage}, _paid(found, now))
            told = await self._told(fee, "fee-paid", now)
            await self._saved([change], told, [_line(fee, "payment.captured", "ok", now)])
        raise Stale

    async def _ended(self, fee: Fee, stage: Stage) -> None:
        """A payment that comes to nothing; the fee is owed as before."""
        mine = await self._held(fee, ENDING)
        if mine is None:
            return
        await self.freed(mine.key)
        now = self._clock.now()
        where: Row = {"key": mine.key, "stage": ENDING}
        await self._saved(
            [Update("payment", where, {"stage": str(stage), "settled_at": now})], [],
            [_line(fee, "payment.cancelled", str(stage), now)],
        )  # fmt: skip

    async def _saved(self, rows: Sequence[Change], outbox: Sequence[Outgoing], audit: Sequence[Audit] = ()) -> None:
        """Once: where somebody else moved it meanwhile, theirs stands."""
        with suppress(Stale):
            await self._store.save(Save(rows=rows, outbox=outbox, audit=audit))

    async def _behind(self, fee: Fee) -> Fee:
        """What a payment of machine `owed` is for: of a run one payment alone comes so far."""
        rows = await fees_of(self._store, fee.flow_id)
        return next(one for one in rows if one.machine != OWED and one.stage in (*STANDS, REPLACED, "captured"))

    async def _row(self, key: str) -> Fee:
        row = await self._store.one("payment", {"key": key})
        assert row is not None  # payments are never deleted
        return fee_of(row)

    async def _told(self, fee: Fee, notice: str, at: datetime) -> list[Outgoing]:
        """Whose fee it is, of a union the head who applied; a former one is told nothing, and nobody else is either."""
        kept = await self._customers.by_id(fee.customer_id)
        customer = None if kept is None else whose_run(self._digests, kept, fee.flow_id)
        if customer is None:
            return []
        return self._notices.tell(customer, notice, at=at, dedup=f"{notice}:{fee.key}", won=f"{fee.amount:,}")


async def fees_owed(store: Store, customer_id: str, mine: Callable[[str], bool]) -> list[Fee]:
    """What a person owes by our own books, newest first. `mine`: whether a run is this person's."""
    rows = [
        row for stage in STANDS
        for row in await store.many("payment", {"customer_id": customer_id, "stage": stage})
        if mine(str(row["flow_id"]))
    ]  # fmt: skip
    return sorted(map(fee_of, rows), key=lambda fee: fee.opened_at, reverse=True)


def _paid(found: Payment, at: datetime) -> dict[str, str | datetime]:
    return {"stage": "captured", "approval": found.approval, "settled_at": at}


def _line(fee: Fee, action: str, result: str, at: datetime) -> Audit:
    return Audit(at, action, result, None, None, None, {"won": fee.amount, "product": fee.product})
