"""What becomes of a payment: charged where a certificate stands that it was for, else released; for the worker.

The run says so, and where it ended without one, the authority does: nothing is released before the authority has said
that nothing came of it and nothing can any more. While a run may still go on, nothing is decided. What the provider
would not charge is owed from then on (`owing`); where nobody can say whether a certificate stands, it is `unclear`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from ingam.customer.payment import MARGIN, NIGHT, SETTLE, TAKING, Fee, fee_of, settle
from ingam.customer.payment.owing import ENDING, OWED, REPLACED, UNPAID, Owing
from ingam.kernel.steps import reach
from ingam.ports.clock import Clock
from ingam.ports.payment import PaymentRefused, Payments
from ingam.ports.store import Audit, Claimed, Row, Save, Stale, Store, Update

AGAIN: Final = timedelta(minutes=10)
"""Until a certificate is asked after again that nobody has confirmed yet."""


class Life(Enum):
    """How a run stands."""

    OPEN = "open"
    ISSUED = "issued"
    OVER = "over"


class Came(Enum):
    """What the authority says of a run that ended without a certificate here.

    NOTHING: nothing came, and nothing can any more. WAITS: a certificate that may yet be confirmed. CERTIFICATE: one
    stands, or stood. UNKNOWN: nobody can say any more, and people have to look.
    """

    NOTHING = "nothing"
    WAITS = "waits"
    CERTIFICATE = "certificate"
    UNKNOWN = "unknown"


class Run(NamedTuple):
    """A stored run. `sealed`: what its authority is asked by (the codes), sealed, base64; "" where there is none."""

    life: Life
    sealed: str = ""


class _Verdict(Enum):
    CHARGE = "charge"
    RELEASE = "release"
    UNCLEAR = "unclear"


_VERDICTS: Final = {
    Came.NOTHING: _Verdict.RELEASE, Came.CERTIFICATE: _Verdict.CHARGE, Came.UNKNOWN: _Verdict.UNCLEAR,
}  # fmt: skip


class Settling:
    """`runs`: how to read a stored state, by machine. `came`: asks the authority what came of a run, and sees to it
    that nothing comes of it later. It raises outages, and is tried again.
    """

    def __init__(
        self, store: Store, clock: Clock, payments: Payments, runs: Mapping[str, Callable[[str], Run]],
        came: Callable[[Fee, Run], Awaitable[Came]], owing: Owing,
    ) -> None:  # fmt: skip
        self._store, self._clock, self._payments, self._owing = store, clock, payments, owing
        self._runs, self._came = runs, came

    @property
    def deliveries(self) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
        """For the worker."""
        return {SETTLE: self.settle}

    async def settle(self, claimed: Claimed) -> None:
        """Raises PaymentOutage, CertificationOutage, StoreOutage."""
        key, _, why = claimed.payload.decode().partition(":")
        row = await self._store.one("payment", {"key": key})
        fee = None if row is None else fee_of(row)
        if fee is None:
            return
        if fee.stage == UNPAID and why == NIGHT:
            await self._owing.again(fee)
        elif fee.stage == REPLACED:  # a night that was cut off may have charged it: the person has paid anew
            await self._owing.freed(fee.key)
        elif fee.machine == OWED and fee.stage in ("opened", TAKING, ENDING):
            await self._owing.settled(fee)
        elif fee.stage in ("opened", "authorised"):
            await self._of_run(fee)

    async def _of_run(self, fee: Fee) -> None:
        verdict = await self._verdict(fee)
        if isinstance(verdict, datetime):
            await self._store.save(Save(outbox=[settle(fee.key, verdict)]))
        elif verdict is _Verdict.CHARGE:
            await self._charge(fee)
        elif verdict is _Verdict.UNCLEAR:
            await self._record(fee, "unclear", "", "payment.cancelled", "payment-unclear")
        else:
            reach("payment.6")
            await self._payments.cancel(fee.key)
            reach("payment.7")
            await self._record(fee, "cancelled", "", "payment.cancelled")

    async def _verdict(self, fee: Fee) -> _Verdict | datetime:
        """What to do, or when to look again."""
        flow, now = await self._store.flow(fee.flow_id), self._clock.now()
        run = Run(Life.OVER) if flow is None else self._runs[fee.machine](flow.state)
        if flow is not None and run.life is Life.OPEN and now < flow.expires_at + MARGIN:
            return flow.expires_at + MARGIN
        if fee.stage == "opened":  # never tied to a registration
            return _Verdict.RELEASE
        if run.life is Life.ISSUED:
            return _Verdict.CHARGE
        came = await self._came(fee, run)
        return now + AGAIN if came is Came.WAITS else _VERDICTS[came]

    async def _charge(self, fee: Fee) -> None:
        reach("payment.4")
        try:
            found = await self._payments.capture(fee.key, fee.amount)
        except PaymentRefused as refused:
            await self._owing.unpaid(fee, refused.code)
            return
        reach("payment.5")
        await self._record(fee, "captured", found.approval, "payment.captured")

    async def _record(self, fee: Fee, stage: str, approval: str, action: str, result: str = "ok") -> None:
        """The row and an audit line, once: where somebody else settled it meanwhile, theirs stands."""
        now = self._clock.now()
        told: Row = {"stage": stage, "approval": approval, "settled_at": now}
        line = Audit(now, action, result, None, None, None, {"won": fee.amount, "product": fee.product})
        change = Update("payment", {"key": fee.key, "stage": fee.stage}, told)
        with suppress(Stale):
            await self._store.save(Save(rows=[change], audit=[line]))
