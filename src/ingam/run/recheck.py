"""Every night each registered certificate is asked about again: a revoked or expired one speaks for nobody any more.

Each binding says when it is asked about next, so that a crash, a restart or a second process goes on where it was; the
nights' questions are spread over some hours. What is found, its notice and the time of the next question are one
transaction. An authority that cannot be reached changes nothing of any binding: the operators hear of it once a day,
and it is asked again after an hour. What a report of loss suspended stays so, whatever the authority says.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import structlog

from ingam.customer.binding.bindings import ACTIVE, STALE, SUSPENDED, Binding, Bindings, Details
from ingam.customer.binding.ending import ended
from ingam.customer.notice import Notices, Sender, Words
from ingam.kernel.errors import Failure
from ingam.kernel.instants import KST, korean_day
from ingam.npki import certificate
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.status import (
    Authorities,
    IssuingAuthority,
    Revoked,
    Status,
    StatusChecker,
    StatusUnavailable,
    Suspended,
    Unknown,
)
from ingam.ports.store import Audit, Count, Row, Save, Stale, Store, StoreOutage, Update
from ingam.settings import Settings
from ingam.wiring import CenterPorts

log = structlog.get_logger()

AT_ONCE: Final = 100
"""Bindings that are looked up at a time."""

BESIDE: Final = 4
"""Questions under way at a time."""

EVERY_S: Final = 300.0
DAY_S: Final = 86_400
SPREAD_S: Final = 4 * 3600
LATER: Final = timedelta(hours=1)
TRANSPORT: Final = frozenset({"status-unreachable", "status-slow"})
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
UNSET: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A registration that no night has seen yet: it was asked about when it was made."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a round works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    bindings: Bindings
    authorities: Authorities
    status: StatusChecker
    notices: Notices


class Found(NamedTuple):
    """What a binding becomes, and by which notice the person hears of it."""

    status: str
    notice: str


class Recheck:
    """Rounds over the bindings whose time has come. `hour`: in Korea, when the night's questions begin."""

    def __init__(self, ports: Ports, hour: int) -> None:
        self._ports = ports
        self._hour = hour % 24
        self._silent: set[bytes] = set()

    async def follow(self, stop: asyncio.Event, *, every_s: float = EVERY_S) -> None:
        """A round now and then, until `stop` is set; one that fails is told and tried again."""
        while not stop.is_set():
            try:
                asked = await self.once(stop)
                log.info("recheck", asked=asked)
            except Failure as failure:
                log.warning("recheck.failed", code=failure.code)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def once(self, stop: asyncio.Event | None = None) -> int:
        """One round; how many bindings were due. Raises StoreOutage."""
        self._silent, done = set(), 0
        while stop is None or not stop.is_set():
            now = self._ports.clock.now()
            rows = await self._ports.store.many("binding", {}, order="recheck_at", limit=AT_ONCE)
            due = [row for row in rows if _instant(row, "recheck_at") <= now]
            for start in range(0, len(due), BESIDE):
                await asyncio.gather(*(self._one(row, now) for row in due[start : start + BESIDE]))
            done += len(due)
            if len(due) < AT_ONCE:
                break
        return done

    async def _one(self, row: Row, now: datetime) -> None:
        """One binding. What moved meanwhile is somebody else's; another round sees it again."""
        again = self._next(row, now) if row["status"] in (ACTIVE, SUSPENDED) else NEVER
        binding = await self._ports.bindings.one(str(row["binding_id"]))
        if binding is None or again is NEVER or _instant(row, "recheck_at") <= UNSET:
            await self._saved(Save(rows=[_moved(row, again)]))
            return
        try:
            await self._asked(row, binding, now, again)
        except StatusUnavailable as silent:
            await self._told_operators(binding, silent, now)
            await self._saved(Save(rows=[_moved(row, now + LATER)]))
        except StoreOutage:
            raise
        except Failure as failure:  # of this one: those behind it do not wait
            log.warning("recheck.later", code=failure.code)
            await self._saved(Save(rows=[_moved(row, now + LATER)]))

    async def _asked(self, row: Row, binding: Binding, now: datetime, again: datetime) -> None:
        details = await self._ports.bindings.details(binding)
        found = await self._found(binding, details, now)
        if found is None or found.status == binding.status:
            await self._saved(Save(rows=[_moved(row, again)]))
            return
        customer = await self._ports.customers.by_id(binding.customer_id)
        dedup = f"{found.notice}:{binding.binding_id}:{korean_day(now)}"
        use = Words(details.use_ko, details.use_en)
        notices = [] if customer is None else self._ports.notices.tell(
            customer, found.notice, at=now, dedup=dedup, use=use, date=korean_day(binding.not_after)
        )  # fmt: skip
        subject = None if customer is None else self._ports.digests.digest("banking-id", customer.banking_id)
        line = Audit(now, "recheck.binding", found.notice, subject, None, None, {"serial": details.serial})
        rows = await ended(self._ports.store, binding, found.status, now, why=found.notice)
        last = again if found.status == SUSPENDED else NEVER
        await self._saved(Save(rows=[_moved(row, last), *rows], outbox=notices, audit=[line]))

    async def _found(self, binding: Binding, details: Details, now: datetime) -> Found | None:
        """What is to change; None: nothing. Raises StatusUnavailable."""
        if now > binding.not_after:
            return Found(STALE, "found-expired")
        if not details.certificate:  # imported by its fingerprint, and nobody came with it yet
            return None
        match await self._status(details):
            case Revoked():
                return Found(STALE, "found-revoked")
            case Suspended():
                return Found(SUSPENDED, "found-suspended")
            case Unknown():
                raise StatusUnavailable("status-unknown")
            case _:
                return None

    async def _status(self, details: Details) -> Status:
        one = certificate.parse(details.certificate)
        issuing = self._issuer(one.issuer.raw)
        if issuing is None:
            raise StatusUnavailable("status-not-configured")
        if issuing.certificate.fingerprint in self._silent:
            raise StatusUnavailable("status-unreachable")
        try:
            return await self._ports.status.check(one, issuing.certificate, fresh=True, at=self._ports.clock.now())
        except StatusUnavailable as silent:
            if silent.code in TRANSPORT:  # those behind it do not wait for its time limit each
                self._silent.add(issuing.certificate.fingerprint)
            raise

    def _issuer(self, name: bytes) -> IssuingAuthority | None:
        every = self._ports.authorities.by_fingerprint.values()
        return next((one for one in every if one.certificate.subject.raw == name), None)

    async def _told_operators(self, binding: Binding, silent: StatusUnavailable, now: datetime) -> None:
        """Once a day and authority, in the audit that the console shows; the binding stays as it is."""
        known = (await self._ports.bindings.details(binding)).certificate
        issuing = self._issuer(certificate.parse(known).issuer.raw) if known else None
        name = issuing.name if issuing else "-"
        log.warning("recheck.silent", authority=name, code=silent.code)
        if await self._ports.store.count(Count(f"recheck-silent:{name}", DAY_S, 1, now)) > 1:
            return
        line = Audit(now, "recheck.authority", silent.code, None, None, None, {"authority": name})
        await self._ports.store.save(Save(audit=[line]))

    async def _saved(self, save: Save) -> None:
        with suppress(Stale):
            await self._ports.store.save(save)

    def _next(self, row: Row, now: datetime) -> datetime:
        """The coming night, at the binding's own time in it."""
        offset = timedelta(seconds=int(str(row["binding_id"])[:8], 16) % SPREAD_S)
        day = (now + timedelta(seconds=1)).astimezone(KST).date()
        coming = datetime.combine(day, time(self._hour), KST).astimezone(UTC) + offset
        return coming if coming > now else coming + timedelta(days=1)


def recheck(settings: Settings, given: CenterPorts) -> Recheck:
    """Over the center's ports."""
    bindings = Bindings(given.store, given.digests, given.fields)
    notices = Notices(Sender(settings.institution))
    ports = Ports(
        given.store, given.clock, given.customers, given.digests, bindings, given.authorities, given.status, notices
    )
    return Recheck(ports, settings.limits.recheck_hour)


def _moved(row: Row, again: datetime) -> Update:
    where: Row = {"binding_id": row["binding_id"], "recheck_at": row["recheck_at"]}
    return Update("binding", where, {"recheck_at": again})


def _instant(row: Row, column: str) -> datetime:
    at = row[column]
    assert isinstance(at, datetime)
    return at
