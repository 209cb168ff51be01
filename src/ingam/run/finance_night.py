"""A registered 금융인증서 at night: its status as its authority says, and the days before its end.

The messages of `customer.finance.watching` come due here; what is found, its notice and the next message are one
transaction. The provider renews by itself, and what it made is a new certificate: the old one is told of to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec
import structlog

from ingam.customer.finance.bindings import ACTIVE, STALE, SUSPENDED, TABLE, FinanceBinding, FinanceBindings
from ingam.customer.finance.watching import LOOK, REMIND, Watch, first, following
from ingam.customer.heads import at_place
from ingam.customer.notice import Notices
from ingam.customer.notice.expiry import NEVER, look
from ingam.kernel.errors import Failure
from ingam.kernel.instants import korean_day
from ingam.npki.certificate import Certificate
from ingam.ports.status import Revoked, StatusUnavailable, Suspended, Unknown
from ingam.ports.store import Audit, Claimed, Outgoing, Save, StoreOutage
from ingam.run.night import LATER, Found, Ports, coming_night, issuer_of, ports, tell_operators
from ingam.settings import Settings
from ingam.wiring import CenterPorts

log = structlog.get_logger()

STANDING: Final = (ACTIVE, SUSPENDED)
SEEDED: Final = 1000
"""Of those registered before they were watched, so many at a start; the oldest are the ones."""

Handler = Callable[[Claimed], Awaitable[None]]


class FinanceNight:
    """The outbox's handlers. `hour`: in Korea, when the night's questions begin."""

    def __init__(self, ports: Ports[FinanceBindings], hour: int) -> None:
        self._ports = ports
        self._store, self._clock, self._bindings = ports.store, ports.clock, ports.bindings
        self._notices, self._quiet = Notices(ports.sender), ports.sender.quiet
        self._hour = hour

    @property
    def deliveries(self) -> dict[str, Handler]:
        """For the worker."""
        return {LOOK: self.look, REMIND: self.remind}

    async def follow(self, stop: asyncio.Event) -> None:
        """Once, at the start: whoever registered before there was a night is watched from now on."""
        try:
            rows = await self._store.many(TABLE, {"status": ACTIVE}, order="bound_at", limit=SEEDED)
            watched = [one for row in rows for one in first(str(row["binding_id"]), self._clock.now())]
            await self._store.save(Save(outbox=watched))
        except Failure as failure:
            log.warning("finance-night.later", code=failure.code)
        await stop.wait()

    async def look(self, claimed: Claimed) -> None:
        """What the authority says now; one that says nothing changes nothing. Raises Stale: once more."""
        watch, now = msgspec.json.decode(claimed.payload, type=Watch), self._clock.now()
        binding = await self._bindings.one(watch.binding_id)
        if binding is None or binding.status not in STANDING:
            return
        night = following(LOOK, binding.binding_id, coming_night(binding.binding_id, self._hour, now))
        try:
            found = None if watch.first else await self._found(binding, now)
        except StoreOutage:
            raise
        except Failure as failure:
            log.warning("recheck.later", code=failure.code)
            await self._store.save(Save(outbox=[following(LOOK, binding.binding_id, now + LATER)]))
            return
        if found is None or found.status == binding.status:
            await self._store.save(Save(outbox=[night]))
            return
        await self._store.save(await self._changed(binding, found, night, now))

    async def remind(self, claimed: Claimed) -> None:
        """Of its end, once a certificate and day; the quiet hours are waited for."""
        watch, now = msgspec.json.decode(claimed.payload, type=Watch), self._clock.now()
        binding = await self._bindings.one(watch.binding_id)
        if binding is None or binding.status not in STANDING:
            return
        if self._quiet.holds(now):
            await self._store.save(Save(outbox=[following(REMIND, binding.binding_id, self._quiet.after(now))]))
            return
        seen = look(binding.not_after, binding.bound_at, now, self._quiet.wakes)
        told = [] if seen.day is None else await self._told(
            binding, "finance-expires" if seen.left else "finance-expires-today", now,
            dedup=f"finance-expires:{binding.fingerprint}:{seen.day}", days=str(seen.left),
        )  # fmt: skip
        again = [] if seen.again == NEVER else [following(REMIND, binding.binding_id, seen.again)]
        await self._store.save(Save(outbox=[*told, *again]))

    async def _changed(self, binding: FinanceBinding, found: Found, night: Outgoing, now: datetime) -> Save:
        dedup = f"{found.notice}:{binding.binding_id}:{korean_day(now)}"
        told = await self._told(binding, found.notice, now, dedup=dedup)
        customer = await self._ports.customers.by_id(binding.customer_id)
        subject = None if customer is None else self._ports.digests.digest("banking-id", customer.banking_id)
        line = Audit(now, "recheck.finance", found.notice.removeprefix("finance-"), subject, None, None)
        rows = self._bindings.ended(binding, found.status, now, why=found.notice.removeprefix("finance-"))
        return Save(rows=rows, outbox=[*told, *([night] if found.status == SUSPENDED else [])], audit=[line])

    async def _told(
        self, binding: FinanceBinding, key: str, now: datetime, *, dedup: str, days: str = ""
    ) -> list[Outgoing]:  # fmt: skip
        kept = await self._ports.customers.by_id(binding.customer_id)
        customer = None if kept is None else at_place(self._ports.digests, kept, binding.slot, binding.head)
        if customer is None or customer.status != "ACTIVE":
            return []
        return self._notices.tell(customer, key, at=now, dedup=dedup, date=korean_day(binding.not_after), days=days)

    async def _found(self, binding: FinanceBinding, now: datetime) -> Found | None:
        """What is to change; None: nothing. Raises StatusUnavailable."""
        if now > binding.not_after:
            return Found(STALE, "finance-found-expired")
        person = await self._bindings.certificate(binding)
        issuing = issuer_of(self._ports.authorities, person)
        if issuing is None:
            raise StatusUnavailable("status-not-configured")
        return await self._asked(person, issuing.certificate, issuing.name, now)

    async def _asked(self, person: Certificate, issuer: Certificate, name: str, now: datetime) -> Found | None:
        try:
            status = await self._ports.status.check(person, issuer, fresh=True, at=now)
        except StatusUnavailable as silent:
            await self._ports.listening.silent(name, silent.code, now)
            await tell_operators(self._store, name, silent.code, now)
            raise
        await self._ports.listening.heard(name, now)
        match status:
            case Revoked():
                return Found(STALE, "finance-found-revoked")
            case Suspended():
                return Found(SUSPENDED, "finance-found-suspended")
            case Unknown():
                raise StatusUnavailable("status-unknown")
            case _:
                return None


def finance_night(settings: Settings, given: CenterPorts) -> FinanceNight:
    """Over the center's ports."""
    bindings = FinanceBindings(given.store, given.digests, given.fields)
    return FinanceNight(ports(settings, given, bindings), settings.limits.recheck_hour)
