"""Every night each registered certificate is asked about again: a revoked or expired one speaks for nobody any more.

Each binding says when it is asked about next, so that a crash, a restart or a second process goes on where it was; the
nights' questions are spread over some hours. What is found, its notice and the time of the next question are one
transaction. Where many of a batch name one list of their issuer, the list is fetched once and answers for them
(`night_lists`); everybody else is asked about one by one. An authority that cannot be reached changes nothing of any
binding: the operators hear of it once a day, and it is asked again after an hour; a silence that lasts is an alarm
(`customer.binding.silence`). What a report of loss suspended stays so, whatever the authority says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from ingam.customer.binding.bindings import ACTIVE, STALE, SUSPENDED, Binding, Bindings, Details
from ingam.customer.binding.ending import ended
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Failure
from ingam.kernel.instants import korean_day
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.status import (
    IssuingAuthority,
    Revoked,
    Status,
    StatusUnavailable,
    Suspended,
    Unknown,
)
from ingam.ports.store import Audit, Row, Save, Stale, StoreOutage, Update
from ingam.run.night import LATER, Found, Ports, coming_night, issuer_of, ports, tell_operators
from ingam.run.night_lists import NightLists
from ingam.settings import Settings
from ingam.wiring import CenterPorts

log = structlog.get_logger()

AT_ONCE: Final = 500
"""Bindings that are looked up at a time: enough that many of them name the same list."""

BESIDE: Final = 4
"""Questions under way at a time."""

EVERY_S: Final = 300.0
TRANSPORT: Final = frozenset({"status-unreachable", "status-slow"})
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
UNSET: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A registration that no night has seen yet: it was asked about when it was made."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A binding whose time has come. `again`: when it is next. `person` None: an import had its fingerprint alone."""

    row: Row
    again: datetime
    binding: Binding
    details: Details
    person: Certificate | None
    issuing: IssuingAuthority | None


class Recheck:
    """Rounds over the bindings whose time has come. `hour`: in Korea, when the night's questions begin.

    `by_list`: from so many certificates of a batch on their list is fetched.
    """

    def __init__(self, ports: Ports[Bindings], hour: int, by_list: int) -> None:
        self._ports = ports
        self._notices = Notices(ports.sender)
        self._hour = hour % 24
        self._by_list = by_list
        self._lists = NightLists(ports.status, by_list)
        self._silent: set[bytes] = set()
        self._answered: set[str] = set()
        self._unanswered: dict[str, str] = {}

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
        self._silent, self._answered, self._unanswered, done = set(), set(), {}, 0
        self._lists = NightLists(self._ports.status, self._by_list)
        while stop is None or not stop.is_set():
            now = self._ports.clock.now()
            rows = await self._ports.store.many("binding", {}, order="recheck_at", limit=AT_ONCE)
            due = [row for row in rows if _instant(row, "recheck_at") <= now]
            await self._batch(due, now, stop)
            done += len(due)
            if len(due) < AT_ONCE:
                break
        self._lists = NightLists(self._ports.status, self._by_list)  # the round is over, and so are its lists
        await self._listened(self._ports.clock.now())
        return done

    async def _listened(self, now: datetime) -> None:
        """An authority that answered anybody in this round is not silent."""
        for name in sorted(self._answered):
            await self._ports.listening.heard(name, now)
        for name, code in sorted(self._unanswered.items()):
            if name not in self._answered:
                await self._ports.listening.silent(name, code, now)

    async def _batch(self, due: Sequence[Row], now: datetime, stop: asyncio.Event | None) -> None:
        opened = [one for row in due if (one := await self._opened(row, now)) is not None]
        await self._lists.fetch(
            [(one.person, one.issuing.certificate) for one in opened
             if one.person is not None and one.issuing is not None and now <= one.binding.not_after],
            now,
        )  # fmt: skip
        for start in range(0, len(opened), BESIDE):
            if stop is not None and stop.is_set():
                return
            await asyncio.gather(*(self._one(one, now) for one in opened[start : start + BESIDE]))

    async def _opened(self, row: Row, now: datetime) -> Opened | None:
        """None of one that is not asked about now, or cannot be read: it has its next time already."""
        again = coming_night(str(row["binding_id"]), self._hour, now) if row["status"] in (ACTIVE, SUSPENDED) else NEVER
        try:
            binding = await self._ports.bindings.one(str(row["binding_id"]))
            if binding is None or again is NEVER or _instant(row, "recheck_at") <= UNSET:
                await self._saved(Save(rows=[_moved(row, again)]))
                return None
            details = await self._ports.bindings.details(binding)
            person = certificate.parse(details.certificate) if details.certificate else None
        except StoreOutage:
            raise
        except Failure as failure:  # of this one: those behind it do not wait
            await self._later(row, failure, now)
            return None
        return Opened(
            row, again, binding, details, person, issuer_of(self._ports.authorities, person) if person else None
        )

    async def _one(self, one: Opened, now: datetime) -> None:
        """One binding. What moved meanwhile is somebody else's; another round sees it again."""
        try:
            await self._asked(one, now)
        except StatusUnavailable as silent:
            name = one.issuing.name if one.issuing else "-"
            await tell_operators(self._ports.store, name, silent.code, now)
            await self._saved(Save(rows=[_moved(one.row, now + LATER)]))
        except StoreOutage:
            raise
        except Failure as failure:
            await self._later(one.row, failure, now)

    async def _later(self, row: Row, failure: Failure, now: datetime) -> None:
        log.warning("recheck.later", code=failure.code)
        await self._saved(Save(rows=[_moved(row, now + LATER)]))

    async def _asked(self, one: Opened, now: datetime) -> None:
        binding, details = one.binding, one.details
        found = await self._found(one, now)
        if found is None or found.status == binding.status:
            await self._saved(Save(rows=[_moved(one.row, one.again)]))
            return
        kept = await self._ports.customers.by_id(binding.customer_id)
        customer = None if kept is None else await self._ports.bindings.holder(binding, kept)
        dedup = f"{found.notice}:{binding.binding_id}:{korean_day(now)}"
        use = Words(details.use_ko, details.use_en)
        notices = [] if customer is None else self._notices.tell(
            customer, found.notice, at=now, dedup=dedup, use=use, date=korean_day(binding.not_after)
        )  # fmt: skip
        subject = None if customer is None else self._ports.digests.digest("banking-id", customer.banking_id)
        line = Audit(now, "recheck.binding", found.notice, subject, None, None, {"serial": details.serial})
        rows = ended(binding, found.status, now, why=found.notice)
        last = one.again if found.status == SUSPENDED else NEVER
        await self._saved(Save(rows=[_moved(one.row, last), *rows], outbox=notices, audit=[line]))

    async def _found(self, one: Opened, now: datetime) -> Found | None:
        """What is to change; None: nothing. Raises StatusUnavailable."""
        if now > one.binding.not_after:
            return Found(STALE, "found-expired")
        if one.person is None:  # imported by its fingerprint, and nobody came with it yet
            return None
        match await self._status(one.person, one.issuing):
            case Revoked():
                return Found(STALE, "found-revoked")
            case Suspended():
                return Found(SUSPENDED, "found-suspended")
            case Unknown():
                raise StatusUnavailable("status-unknown")
            case _:
                return None

    async def _status(self, person: Certificate, issuing: IssuingAuthority | None) -> Status:
        if issuing is None:
            raise StatusUnavailable("status-not-configured")
        listed = self._lists.status(person, issuing.certificate)
        if listed is not None:
            self._answered.add(issuing.name)
            return listed
        if issuing.certificate.fingerprint in self._silent:
            raise StatusUnavailable("status-unreachable")
        try:
            found = await self._ports.status.check(person, issuing.certificate, fresh=True, at=self._ports.clock.now())
        except StatusUnavailable as silent:
            self._unanswered[issuing.name] = silent.code
            if silent.code in TRANSPORT:  # those behind it do not wait for its time limit each
                self._silent.add(issuing.certificate.fingerprint)
            raise
        self._answered.add(issuing.name)
        return found

    async def _saved(self, save: Save) -> None:
        with suppress(Stale):
            await self._ports.store.save(save)


def recheck(settings: Settings, given: CenterPorts) -> Recheck:
    """Over the center's ports."""
    bindings = Bindings(given.store, given.digests, given.fields)
    return Recheck(ports(settings, given, bindings), settings.limits.recheck_hour, settings.limits.recheck_by_list)


def _moved(row: Row, again: datetime) -> Update:
    where: Row = {"binding_id": row["binding_id"], "recheck_at": row["recheck_at"]}
    return Update("binding", where, {"recheck_at": again})


def _instant(row: Row, column: str) -> datetime:
    at = row[column]
    assert isinstance(at, datetime)
    return at
