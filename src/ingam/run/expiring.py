"""Tells people that their certificates end, once a certificate and day (30, 14, 7, 1, 0), whoever issued them.

Each binding says when it is looked at next; the look, its notice and the time of the one after are one transaction, so
that neither a crash nor a second process tells twice. Of a certificate that is no longer registered here the person is
told where our own authority issued it and it still stands. In the quiet hours nothing is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from ingam.customer.binding.bindings import ACTIVE, REPLACED, SUSPENDED, Binding, Bindings, Details
from ingam.customer.notice import Notices, Sender, Words
from ingam.customer.notice.expiry import NEVER, Look, look
from ingam.kernel.errors import Failure, Outage
from ingam.kernel.instants import korean_day
from ingam.npki import certificate
from ingam.ports.certification import Certification, Standing
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.store import Outgoing, Row, Save, Stale, Store, Update
from ingam.settings import Settings
from ingam.wiring import CenterPorts

log = structlog.get_logger()

AT_ONCE: Final = 200
"""Bindings a transaction."""

EVERY_S: Final = 300.0

LATER: Final = timedelta(hours=1)
"""When a customer or an authority that does not answer is asked again; those behind them do not wait."""

RELEASED: Final = "RELEASED"
STANDING: Final = (ACTIVE, SUSPENDED)
FORMER: Final = (REPLACED, RELEASED)
"""No longer registered, and perhaps a certificate all the same."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a round works on. `certification` None: nothing is issued here."""

    store: Store
    clock: Clock
    customers: Customers
    bindings: Bindings
    certification: Certification | None
    sender: Sender


class Expiring:
    """Rounds over the bindings whose time has come."""

    def __init__(self, ports: Ports) -> None:
        self._store, self._clock, self._customers = ports.store, ports.clock, ports.customers
        self._bindings, self._authority = ports.bindings, ports.certification
        self._quiet, self._notices = ports.sender.quiet, Notices(ports.sender)
        self._ours: frozenset[bytes] | None = None

    async def follow(self, stop: asyncio.Event, *, every_s: float = EVERY_S) -> None:
        """A round now and then, until `stop` is set; one that fails is told and tried again."""
        while not stop.is_set():
            try:
                told = await self.once(stop)
                log.info("expiring", told=told)
            except Failure as failure:
                log.warning("expiring.failed", code=failure.code)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def once(self, stop: asyncio.Event | None = None) -> int:
        """One round; how many people were told. Raises StoreOutage."""
        self._ours, told = None, 0
        while stop is None or not stop.is_set():
            now = self._clock.now()
            if self._quiet.holds(now):
                break
            rows = await self._store.many("binding", {}, order="remind_at", limit=AT_ONCE)
            due = [row for row in rows if _remind_at(row) <= now]
            told += await self._batch(due, now)
            if len(due) < AT_ONCE:
                break
        return told

    async def _batch(self, rows: Sequence[Row], now: datetime) -> int:
        """What only gets its next time goes in one transaction, what is told in one of its own."""
        plain, told = [], 0
        for row in rows:
            seen = look(_instant(row, "not_after"), _instant(row, "bound_at"), now, self._quiet.wakes)
            if seen.day is None or row["status"] not in (*STANDING, *FORMER):
                plain.append(_moved(row, NEVER if row["status"] not in (*STANDING, *FORMER) else seen.again))
            else:
                told += await self._one(row, seen, now)
        try:
            await self._store.save(Save(rows=plain))
        except Stale:  # another process looks too, or a binding was given up meanwhile
            for move in plain:
                await self._saved(Save(rows=[move]))
        return told

    async def _one(self, row: Row, seen: Look, now: datetime) -> int:
        again = seen.again
        try:
            notices = await self._notice(row, seen, now)
        except Failure as failure:
            log.warning("expiring.later", code=failure.code)
            notices, again = [], now + (LATER if isinstance(failure, Outage) else timedelta(days=1))
        saved = await self._saved(Save(rows=[_moved(row, again)], outbox=notices))
        return 1 if saved and notices else 0

    async def _saved(self, save: Save) -> bool:
        try:
            await self._store.save(save)
        except Stale:
            return False
        return True

    async def _notice(self, row: Row, seen: Look, now: datetime) -> list[Outgoing]:
        binding = await self._bindings.one(str(row["binding_id"]))
        kept = await self._customers.by_id(str(row["customer_id"]))
        if binding is None or kept is None:
            return []
        customer = await self._bindings.holder(binding, kept)  # whose it is, of a union with several heads
        if customer is None or customer.status != "ACTIVE" or not customer.told.expiry:
            return []
        details = await self._bindings.details(binding)
        # Of what an import knew by its fingerprint alone nobody can tell who issued it, until somebody comes with it.
        known = details.certificate
        own = bool(known) and await self._own(certificate.parse(known).issuer.raw)
        if binding.status in FORMER and not (own and await self._stands(customer, binding)):
            return []
        return self._told(customer, binding, details, own, seen, now)

    async def _own(self, issuer: bytes) -> bool:
        """Whether our own authority issues under this name (DER); asked once a round, and only where it matters."""
        if self._authority is None:
            return False
        if self._ours is None:
            self._ours = frozenset(certificate.parse(der).subject.raw for der in await self._authority.authorities())
        return issuer in self._ours

    async def _stands(self, customer: Customer, binding: Binding) -> bool:
        """Whether our own authority still holds it valid, registered here or not."""
        assert self._authority is not None
        issued = await self._authority.issued(customer.idn)
        return any(one.fingerprint == binding.fingerprint and one.standing is Standing.VALID for one in issued)

    def _told(
        self, customer: Customer, binding: Binding, details: Details, own: bool, seen: Look, now: datetime
    ) -> list[Outgoing]:
        key = ("expires" if seen.left else "expires-today") + ("" if own else "-elsewhere")
        return self._notices.tell(
            customer, key, at=now, dedup=f"expires:{binding.fingerprint}:{seen.day}",
            use=Words(details.use_ko, details.use_en), days=str(seen.left), date=korean_day(binding.not_after),
        )  # fmt: skip


def expiring(settings: Settings, given: CenterPorts) -> Expiring:
    """Over the center's ports."""
    bindings = Bindings(given.store, given.digests, given.fields)
    sender = Sender(settings.institution)
    return Expiring(Ports(given.store, given.clock, given.customers, bindings, given.certification, sender))


def _moved(row: Row, again: datetime) -> Update:
    where: Row = {"binding_id": row["binding_id"], "remind_at": row["remind_at"]}
    return Update("binding", where, {"remind_at": again})


def _remind_at(row: Row) -> datetime:
    return _instant(row, "remind_at")


def _instant(row: Row, column: str) -> datetime:
    at = row[column]
    assert isinstance(at, datetime)
    return at
