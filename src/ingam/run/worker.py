"""The outbox loop: claim under a lease, deliver, mark; a task of every center, and a process where one is wanted.

A message is delivered at least once: who dies between sending and marking leaves it to be sent again under the same
reference (its dedup key), which the provider sends once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from ingam.adapters.store.migrate import check_revision
from ingam.customer.additional_auth.calling import Calls
from ingam.customer.notice import Sender, deliveries
from ingam.kernel.errors import Failure
from ingam.page import set_up_log
from ingam.ports.clock import Clock
from ingam.ports.store import Audit, Claimed, Save, Store, StoreOutage
from ingam.run.expiring import expiring
from ingam.run.finance_night import finance_night
from ingam.run.incidents import incident_deliveries
from ingam.run.managing import management_deliveries
from ingam.run.on_behalf import asking_anew, deliver_revocations
from ingam.run.party_health import tell_health
from ingam.run.paying import payment_deliveries
from ingam.run.pins import pin_deliveries
from ingam.run.recheck import recheck
from ingam.run.renewing import renewal_deliveries
from ingam.run.stopping import told_to_stop
from ingam.settings import Settings, read
from ingam.wiring import center_ports
from ingam.wiring.watching import Board

log = structlog.get_logger()

Handler: TypeAlias = Callable[[Claimed], Awaitable[None]]

LEASE_S: Final = 20
"""Nobody else takes the message for so long."""

DELIVERY_S: Final = 10.0
"""A delivery ends before its lease does."""

AT_ONCE: Final = 20

POLL_S: Final = 1.0
"""How soon a message of another process, or one that is due again, is seen; our own commits wake the loop at once."""

SLOWEST_S: Final = 60

GIVE_UP: Final = 1_500
"""Attempts, some 25 hours; then the message is dropped, logged and audited."""


async def work(
    store: Store, deliver: Mapping[str, Handler], clock: Clock, stop: asyncio.Event, *, poll_s: float = POLL_S
) -> None:
    """Deliver what is due until `stop` is set; what is under way then is finished first."""
    woken = asyncio.Event()
    store.on_outgoing(woken.set)
    while not stop.is_set():
        woken.clear()
        try:
            busy = await once(store, deliver, clock)
        except StoreOutage as outage:
            log.warning("outbox.store", code=outage.code)
            busy = False
        if not busy:
            await _first_of(woken, stop, poll_s)


async def once(store: Store, deliver: Mapping[str, Handler], clock: Clock) -> bool:
    """One claim and its deliveries; whether there was anything. Raises StoreOutage."""
    claimed = await store.claim(clock.now(), LEASE_S, AT_ONCE)
    await asyncio.gather(*(_one(store, deliver, clock, message) for message in claimed))
    return bool(claimed)


async def _one(store: Store, deliver: Mapping[str, Handler], clock: Clock, message: Claimed) -> None:
    failed = await _failure(deliver, message)
    if failed is None:
        await store.delivered(message.id, clock.now())
        log.info("outbox.delivered", kind=message.kind, id=message.id, attempts=message.attempts)
    elif message.attempts >= GIVE_UP:
        await _give_up(store, clock, message, failed)
    else:
        wait = back_off_s(message.attempts)
        await store.retry(message.id, clock.now() + timedelta(seconds=wait))
        log.warning("outbox.again", kind=message.kind, id=message.id, attempts=message.attempts, code=failed, in_s=wait)


async def _failure(deliver: Mapping[str, Handler], message: Claimed) -> str | None:
    """Why a delivery did not happen, as a code; None when it did. Errors are not printed: they may hold the message."""
    handler = deliver.get(message.kind)
    if handler is None:
        return "kind-unknown"
    try:
        async with asyncio.timeout(DELIVERY_S):
            await handler(message)
    except Failure as failure:
        # `cause` is a code too (a kind of error, an HTTP status): it tells a name that does not resolve from a refusal.
        return f"{failure.code}/{failure.facts['cause']}" if "cause" in failure.facts else failure.code
    except Exception as error:
        return type(error).__name__
    return None


async def _give_up(store: Store, clock: Clock, message: Claimed, failed: str) -> None:
    log.error("outbox.given-up", kind=message.kind, id=message.id, attempts=message.attempts, code=failed)
    facts: dict[str, str | int] = {"kind": message.kind, "id": message.id, "code": failed}
    await store.save(Save(audit=[Audit(clock.now(), "outbox.given-up", "failed", None, None, None, facts)]))
    await store.delivered(message.id, clock.now())


def back_off_s(attempts: int) -> int:
    """1, 2, 4 … 60 seconds after the first, second, third … attempt."""
    return min(1 << min(attempts - 1, 16), SLOWEST_S)


async def _first_of(woken: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (woken, stop)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def main() -> int:
    """`python -m ingam.run.worker`: the loop alone, until SIGTERM or SIGINT. 1 when it cannot start."""
    set_up_log()
    try:
        settings = read(os.environ)
        check_revision(settings.store)
        asyncio.run(_serve(settings))
    except Failure as failure:
        print(f"worker: {failure}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    stop = told_to_stop()
    given = center_ports(settings)
    calls = Calls(given.store, given.clock, given.ars, settings.limits, Sender(settings.institution))
    ended = asking_anew(given.authorities, given.status, given.clock)
    revocations = deliver_revocations(given.store, given.clock, given.digests, given.certification, ended)
    deliver = deliveries(given.sms, given.parties.email if given.parties else None) | calls.deliveries | revocations
    deliver |= incident_deliveries(settings, given) | management_deliveries(given)
    deliver |= payment_deliveries(settings, given)
    deliver |= renewal_deliveries(settings, given)
    deliver |= pin_deliveries(settings, given)
    night = finance_night(settings, given)
    deliver |= night.deliveries
    board = given.health or Board(given.clock)
    try:
        await asyncio.gather(
            work(given.store, deliver, given.clock, stop),
            tell_health(given.store, given.clock, board, stop),
            expiring(settings, given).follow(stop),
            recheck(settings, given).follow(stop),
            night.follow(stop),
        )
    finally:
        await calls.aclose()
        await given.shut()


if __name__ == "__main__":
    raise SystemExit(main())
