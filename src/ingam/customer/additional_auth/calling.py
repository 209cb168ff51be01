"""Places the calls of 2채널 인증 and follows them: the outbox hands an order over, a task of its own writes each state.

The outbox is never held up, and an order that it hands over twice rings once: the row says that it was taken. Who dies
while a telephone rings leaves a row that ends by its time. `0` tells the customer and raises an alarm (E4). Where the
person asked for another call, the row is over, and this one is hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from ingam.customer.additional_auth.ars import CODES, KIND, OUTAGE, OVER, QUEUED, ArsLimits, Order, kind, turn_key
from ingam.customer.notice import Sender, sms_outgoing
from ingam.kernel.errors import Failure
from ingam.kernel.instants import korean_minute
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.ports.ars import ArsCaller, ArsOutage, Call, CallState
from ingam.ports.clock import Clock
from ingam.ports.store import Audit, Claimed, Outgoing, Save, Stale, Store, StoreOutage, Update, Void

WAITS_S: Final = (0.2, 1.0, 5.0)
"""Between two tries to write a state while the store is away."""

MORE_S: Final = 15.0
"""What an adapter may take beyond the call itself, before it is hung up for it."""

LOOK_S: Final = 1.0
"""Between two looks whether another call took the place of this one."""

log = structlog.get_logger()


class Calls:
    """The outbox's handler of calls; `aclose` hangs up what still rings."""

    def __init__(self, store: Store, clock: Clock, caller: ArsCaller, limits: ArsLimits, sender: Sender) -> None:
        self._store = store
        self._clock = clock
        self._caller = caller
        self._limits = limits
        self._sender = sender
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def deliveries(self) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
        """The worker's handler."""
        return {KIND: self.deliver}

    async def deliver(self, claimed: Claimed) -> None:
        """Take the order and begin; returns before anything rings. Raises StoreOutage."""
        order = msgspec.json.decode(claimed.payload, type=Order)
        now = self._clock.now()
        late = now >= order.until - timedelta(seconds=self._limits.ars_ttl_s - self._limits.ars_call_s)
        if not await self._write(order, QUEUED, str(CallState.FAILED) if late else str(CallState.PLACED)) or late:
            return
        task = asyncio.create_task(self._follow(order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until nothing rings any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Hang up; the rows end as failed."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, order: Order) -> None:
        """From PLACED to a final state, whatever happens on the way."""
        state = str(CallState.PLACED)
        replaced = asyncio.create_task(self._replaced(order))
        try:
            async with asyncio.timeout(self._limits.ars_call_s + MORE_S):
                async with aclosing(self._caller.place(_call(order))) as states:  # type: ignore[type-var]
                    while (found := await _next(states, replaced)) is not None:
                        if str(found) != state and await self._heard(order, state, found):
                            state = str(found)
                        if found.final:
                            return
        except ArsOutage as outage:
            log.warning("ars.outage", call=order.call_id, code=outage.code)
            await self._end(order, state, OUTAGE)
            return
        except asyncio.CancelledError:
            await self._end(order, state, str(CallState.FAILED))
            raise
        except Exception as broken:  # whatever an adapter does, the row gets its end; words may hold a number (H1)
            log.error("ars.broken", call=order.call_id, kind=type(broken).__name__)
        finally:
            replaced.cancel()
        await self._end(order, state, str(CallState.FAILED))

    async def _heard(self, order: Order, state: str, found: CallState) -> bool:
        """Write it. A `0` counts in a call that was replaced in this moment as well (E4)."""
        written = await self._insist(order, state, str(found))
        if not written and found is CallState.REFUSED:
            written = await self._insist(order, str(CallState.FAILED), str(found))
        return written

    async def _replaced(self, order: Order) -> None:
        """Until the row is over by another hand."""
        while True:
            await asyncio.sleep(LOOK_S)
            with suppress(Failure):
                row = await self._store.one("ars_call", {"call_id": order.call_id})
                if row is None or str(row["state"]) in OVER:
                    return

    async def _insist(self, order: Order, state: str, after: str) -> bool:
        """Write it although the store is away for a moment: a `0` that was keyed in must not be lost."""
        for wait in WAITS_S:
            try:
                return await self._write(order, state, after)
            except StoreOutage:
                await asyncio.sleep(wait)
        return await self._write(order, state, after)

    async def _end(self, order: Order, state: str, end: str) -> None:
        with suppress(Failure):  # the row ends by its time
            await self._write(order, state, end)

    async def _write(self, order: Order, state: str, after: str) -> bool:
        """The next state with all that goes with it; False where somebody else wrote."""
        now = self._clock.now()
        where = {"call_id": order.call_id, "state": state}
        ended = after == OUTAGE or (after != QUEUED and CallState(after).final)
        approved = after == CallState.APPROVED
        save = Save(
            rows=[Update("ars_call", where, {"state": after, "state_at": now})],
            ledger=[Void(kind(order.customer_id), order.call_id, now)] if ended and not approved else [],
            outbox=[self._told(order, now)] if after == CallState.REFUSED else [],
            audit=[_line(order, after, now)] if ended else [],
            resets=[turn_key(order.customer_id)] if ended else [],
        )
        try:
            await self._store.save(save)
        except Stale:
            return False
        if after == CallState.REFUSED:
            log.warning("alarm.ars-refused", call=order.call_id, subject=order.subject)
        return True

    def _told(self, order: Order, now: datetime) -> Outgoing:
        text = say(
            "notice.ars-refused",
            order.lang,
            institution=self._sender.name(order.lang),
            purpose=order.purpose,
            time=korean_minute(now),
            tel=self._sender.tel,
        )
        return sms_outgoing(order.tell, Secret(text), f"ars-refused:{order.call_id}", now)


async def _next(states: AsyncIterator[CallState], replaced: asyncio.Task[None]) -> CallState | None:
    """The next state; None where there is none any more, or another call took this one's place: then it is hung up."""

    async def first() -> CallState | None:
        async for found in states:
            return found
        return None

    coming = asyncio.create_task(first())
    try:
        await asyncio.wait((coming, replaced), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _call(order: Order) -> Call:
    return Call(
        call_id=order.call_id,
        to=order.to,
        code=Secret(order.code),
        lang=order.lang,
        institution=order.institution,
        purpose=order.purpose,
    )


def _line(order: Order, state: str, now: datetime) -> Audit:
    result = "ok" if state == CallState.APPROVED else CODES[state]
    return Audit(now, "factor.ars", result, order.subject, order.session, None, {"call": order.call_id})
