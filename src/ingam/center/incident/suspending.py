"""What becomes of a report: the outbox compares both facts, suspends, tells the registered contact, asks the authority.

It suspends and never revokes (E11): the only reasons that leave here are certificateHold and removeFromCRL. With the
joint certificate every 간편비밀번호 of the person goes (B8, decision 0022): what was lost may be a device that has one.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.center.incident.forms import Lost
from ingam.center.incident.reporting import REPORTED, Reported, number_digest
from ingam.center.pin import keys
from ingam.customer.binding.bindings import ACTIVE, SUSPENDED, Binding, Bindings
from ingam.customer.binding.ending import ended
from ingam.customer.finance.bindings import FinanceBinding, FinanceBindings
from ingam.customer.notice import Notices, Words
from ingam.kernel.instants import to_micros
from ingam.npki import certificate
from ingam.ports.certification import Certification, CertificationRefused
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, Claimed, Count, Delete, Outgoing, Save, Store

AUTHORITY: Final = "incident-authority"
"""The outbox kind of what the authority is asked."""

HOLD: Final = 6
REMOVE: Final = 8
DAY_S: Final = 86_400
CODES_A_DAY: Final = 3
"""Confirming messages to one person, however often somebody reports."""

LONGEST_WORD: Final = 40


class SuspendingLimits(Protocol):
    """Seconds."""

    @property
    def contact_quarantine_s(self) -> int: ...


class _Asked(msgspec.Struct, frozen=True):
    """What the outbox carries to the authority: whatever the binding's status says when it gets there."""

    binding_id: str
    banking_id: str


@dataclass(frozen=True, slots=True)
class Ports:
    """What the handlers work on. `certification` None: nothing is issued here; `mails`: whether e-mail leaves."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    certification: Certification | None
    mails: bool


class Suspending:
    """The outbox's handlers of reports. `host`: the center's, for the origin-bound line of the code (E2)."""

    def __init__(
        self, ports: Ports, bindings: Bindings, finance: FinanceBindings, notices: Notices, limits: SuspendingLimits,
        host: str,
    ) -> None:  # fmt: skip
        self._store = ports.store
        self._clock = ports.clock
        self._customers = ports.customers
        self._digests = ports.digests
        self._certification = ports.certification
        self._mails = ports.mails
        self._bindings = bindings
        self._finance = finance
        self._notices = notices
        self._limits = limits
        self._host = host

    @property
    def deliveries(self) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
        """For the worker."""
        return {REPORTED: self.report, AUTHORITY: self.authority}

    # ── the report ──────────────────────────────────────────────────────────────────────────────────────────────

    async def report(self, claimed: Claimed) -> None:
        """Suspend, if ID and number are one customer's. A second time it says `already` and sends nothing new.

        Raises Stale where the binding or a session of it moved meanwhile: the outbox asks again.
        """
        told, now = msgspec.json.decode(claimed.payload, type=Reported), self._clock.now()
        customer = await self._matched(told)
        if customer is None:
            await self._store.save(Save(audit=[self._line("incident.suspend", "unmatched", told.banking_id, now)]))
            return
        code = await self._code(told, customer, now)
        joint = (
            None if told.which == Lost.FINANCE else await self._theirs(await self._bindings.active(customer), customer)
        )
        finance = None if told.which == Lost.JOINT else await self._finance.active(customer)
        # A certificate that is not registered here may lie in the lost device as well: its PIN ends like any other's.
        pins = Save() if told.which == Lost.FINANCE else await self._pins_gone(customer, now)
        if joint is not None or finance is not None:
            await self._suspend(customer, joint, finance, code, now, pins)
            return
        result, notices = "already", list(code)
        if not await self._suspended(customer, told.which):
            result = "nothing"
            notices += self._notices.nothing_suspended(customer, at=now, dedup=f"incident:{told.report}")
        line = self._line("incident.suspend", result, told.banking_id, now)
        await self._store.save(Save(rows=pins.rows, outbox=[*notices, *pins.outbox], audit=[line, *pins.audit]))

    async def _suspended(self, customer: Customer, which: str) -> bool:
        """Whether something that was reported is suspended already."""
        suspended = None if which == Lost.FINANCE else await self._bindings.suspended(customer)
        if await self._theirs(suspended, customer) is not None:
            return True
        return which != Lost.JOINT and await self._finance.suspended(customer) is not None

    async def _theirs(self, joint: Binding | None, customer: Customer) -> Binding | None:
        """Nothing where a former head of the union registered it: the certificate is that person's, not the place's."""
        return None if joint is None or await self._bindings.of_former(joint, customer) else joint

    async def _matched(self, told: Reported) -> Customer | None:
        customer = await self._customers.by_banking_id(told.banking_id)
        if customer is None or customer.status != "ACTIVE":
            return None
        # Of a union with several heads the number says which of them reports, and whose certificate it is.
        heads = (customer, *(customer.as_head(one.slot) for one in customer.heads))
        numbers = [(one, number_digest(self._digests, told.banking_id, one.idn)) for one in heads if one is not None]
        return next((one for one, ours in numbers if hmac.compare_digest(ours, told.number)), None)

    async def _code(self, told: Reported, customer: Customer, now: datetime) -> list[Outgoing]:
        """The confirming message, if it was asked for; never to a number that was just changed (E9)."""
        changed, quarantine = customer.mobile_changed_at, timedelta(seconds=self._limits.contact_quarantine_s)
        if not told.code or (changed is not None and now < changed + quarantine):
            return []
        sent = Count(f"incident-code:{customer.customer_id}", DAY_S, CODES_A_DAY, now)
        if await self._store.count(sent) > CODES_A_DAY:
            return []
        return [
            self._notices.incident_code(
                customer, code=told.code, host=self._host, lang=told.lang, at=now, dedup=f"incident-code:{told.report}"
            )
        ]

    async def _suspend(
        self, customer: Customer, joint: Binding | None, finance: FinanceBinding | None, code: list[Outgoing],
        now: datetime, pins: Save,
    ) -> None:  # fmt: skip
        """Bindings, their sessions, keys of PINs, notices, the word to the authority and the line: one transaction."""
        rows: list[Change] = []
        outbox = list(code)
        if joint is not None:
            rows += ended(joint, SUSPENDED, now, why="suspended")
            outbox += [*await self._joint_told(customer, joint, now), to_authority(joint, customer, now)]
        if finance is not None:
            # Its authority hears nothing from us: the notice says where else to report it.
            rows += self._finance.ended(finance, SUSPENDED, now, why="suspended")
            outbox += self._notices.tell(
                customer, "finance-suspended", at=now, dedup=f"suspended:{finance.binding_id}:{int(now.timestamp())}"
            )
        which = Lost.BOTH if joint and finance else Lost.JOINT if joint else Lost.FINANCE
        line = self._line("incident.suspend", "ok", customer.banking_id, now, {"which": str(which)})
        await self._store.save(
            Save(rows=[*rows, *pins.rows], outbox=[*outbox, *pins.outbox], audit=[line, *pins.audit])
        )

    async def _pins_gone(self, customer: Customer, now: datetime) -> Save:
        """What ends every 간편비밀번호 of the person, and tells it; nothing where there is none.

        Of every record: the center is not told which certificate lies in which (0022).
        """
        there = await self._store.many(keys.TABLE, keys.all_of(customer))
        if not there:
            return Save()
        told = self._notices.tell(
            customer, "pin-suspended", at=now, dedup=f"pin-suspended:{customer.customer_id}:{to_micros(now)}"
        )
        line = self._line("pin.suspended", "ok", customer.banking_id, now, {"count": len(there)})
        return Save(rows=[Delete(keys.TABLE, keys.all_of(customer))], outbox=told, audit=[line])

    async def _joint_told(self, customer: Customer, joint: Binding, now: datetime) -> list[Outgoing]:
        details = await self._bindings.details(joint)
        return self._notices.suspended(
            customer, use=Words(details.use_ko, details.use_en), at=now,
            dedup=f"suspended:{joint.binding_id}:{int(now.timestamp())}", mails=self._mails,
        )  # fmt: skip

    # ── the authority ───────────────────────────────────────────────────────────────────────────────────────────

    async def authority(self, claimed: Claimed) -> None:
        """Hold the certificate, or remove the hold, as the binding stands now: an old word never undoes a newer one.

        Raises CertificationOutage: the outbox asks again.
        """
        asked = msgspec.json.decode(claimed.payload, type=_Asked)
        binding = await self._bindings.one(asked.binding_id)
        while binding is not None:
            status = binding.status
            await self._ask(binding, REMOVE if status == ACTIVE else HOLD, asked.banking_id)
            binding = await self._bindings.one(asked.binding_id)
            if binding is None or (binding.status == ACTIVE) == (status == ACTIVE):
                return

    async def _ask(self, binding: Binding, reason: int, banking_id: str) -> None:
        authority, said = self._certification, ""
        known = (await self._bindings.details(binding)).certificate
        if not known:  # imported by its fingerprint alone: another authority's, and nobody came with it yet
            return
        found = certificate.parse(known)
        result = "not-ours"
        if authority is not None and await _issues(authority, found):
            try:
                await authority.revoke(found.issuer.raw, found.serial, reason, found.subject.raw)
                result = "ok"
            except CertificationRefused as refused:
                result, said = refused.code, str(refused.facts.get("said", ""))[:LONGEST_WORD]
        facts: dict[str, str | int] = {"reason": reason, "serial": f"{found.serial:x}"}
        line = self._line(
            "incident.authority", result, banking_id, self._clock.now(), facts | ({"said": said} if said else {})
        )
        await self._store.save(Save(audit=[line]))

    def _line(
        self, action: str, result: str, banking_id: str, now: datetime, facts: dict[str, str | int] | None = None
    ) -> Audit:
        return Audit(now, action, result, self._digests.digest("banking-id", banking_id), None, None, facts or {})


def to_authority(binding: Binding, customer: Customer, at: datetime) -> Outgoing:
    """The authority is asked after the commit, as often as it takes. `binding`: as it stood before."""
    asked = _Asked(binding.binding_id, customer.banking_id)
    dedup = f"{AUTHORITY}:{binding.binding_id}:{binding.status}:{int(at.timestamp() * 1_000_000)}"
    return Outgoing(AUTHORITY, msgspec.json.encode(asked), dedup, at)


async def _issues(authority: Certification, found: certificate.Certificate) -> bool:
    """Whether the certificate is this authority's own, and not one of another that is registered here."""
    return any(certificate.parse(der).subject.raw == found.issuer.raw for der in await authority.authorities())
