"""What 인증서관리 shows of the certificates that are registered here, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ingam.customer.binding.bindings import ACTIVE, STALE, SUSPENDED, Binding, Bindings
from ingam.customer.heads import several
from ingam.customer.masking import mask_name
from ingam.npki import certificate, policies
from ingam.ports.certification import Certification, CertificationOutage
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer

EXPIRING: Final = timedelta(days=30)
NOBODY: Final = "-"
"""Whose a registration is that no head of the union stands behind any more."""


class Position(StrEnum):
    """How a registered certificate stands, as the page says it."""

    REGISTERED = "registered"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Registered:
    """One registered certificate. `ours`: our own authority issued it; None: the authority does not answer."""

    binding: Binding
    use_ko: str
    use_en: str
    issuer_ko: str
    issuer_en: str
    serial: str
    position: Position
    days: int
    ours: bool | None
    head: str = ""
    """Whose it is, masked, where the union has several heads; else ""."""
    mine: bool = True
    """Whether this session may manage it: after a login with a certificate a head's own alone."""
    former: bool = False
    """Whether a former head of its place registered it: it is released here, and nothing is done to the certificate."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`last`: how the newest registration ended, where nothing is registered: RELEASED, STALE …, or ""."""

    registered: tuple[Registered, ...]
    last: str
    alone: str = ""
    """Of a union with several heads: the one head whose certificates these are, masked; "" where it is all of them."""
    several: bool = False
    """Whether the union has several heads and the login did not say which of them is here."""

    @property
    def stale(self) -> bool:
        """Whether the certificate ended elsewhere, so that a new one is registered by the short way (A17)."""
        return not self.registered and self.last == STALE


class Looking:
    """Reads; nothing here changes anything. `certification` None: nothing is issued here."""

    def __init__(self, bindings: Bindings, certification: Certification | None, clock: Clock) -> None:
        self._bindings = bindings
        self._certification = certification
        self._clock = clock

    async def overview(self, customer: Customer, slot: int | None) -> Overview:
        """All that is registered for a customer, and what was. `slot`: of the session; a head sees their own alone."""
        every = await self._bindings.history(customer.customer_id)
        history = [one for one in every if slot in (None, one.slot)]
        found = [one for one in history if one.status in (ACTIVE, SUSPENDED)]
        found.sort(key=lambda one: one.slot)
        shown = tuple([await self._shown(one, customer, slot) for one in found])
        many = several(customer)
        alone = mask_name(customer.name) if many and slot is not None else ""
        return Overview(shown, history[0].status if history else "", alone, many and slot is None)

    async def one(self, customer: Customer, slot: int | None, binding_id: str) -> Registered | None:
        """A registered certificate of this customer, by its id."""
        found = await self._bindings.one(binding_id)
        if found is None or found.customer_id != customer.customer_id or found.status not in (ACTIVE, SUSPENDED):
            return None
        return await self._shown(found, customer, slot)

    async def _shown(self, binding: Binding, customer: Customer, slot: int | None) -> Registered:
        details, now = await self._bindings.details(binding), self._clock.now()
        known = details.certificate  # empty: imported by its fingerprint, and nobody came with it yet
        found = certificate.parse(known) if known else None
        return Registered(
            binding=binding,
            use_ko=details.use_ko,
            use_en=details.use_en,
            issuer_ko=policies.issuer_name(found.issuer, "ko") if found else "",
            issuer_en=policies.issuer_name(found.issuer, "en") if found else "",
            serial=details.serial,
            position=_position(binding, now),
            days=max(0, (binding.not_after - now).days),
            ours=await self._ours(found.issuer.raw) if found else False,
            head=await self._whose(binding, customer),
            mine=slot is None or binding.slot == slot,
            former=await self._bindings.of_former(binding, customer),
        )

    async def _whose(self, binding: Binding, customer: Customer) -> str:
        if not customer.heads:
            return ""
        head = await self._bindings.holder(binding, customer)
        return NOBODY if head is None else mask_name(head.name)

    async def _ours(self, issuer: bytes) -> bool | None:
        """Whether the certificate is our own authority's, and not one of another that is registered here."""
        if self._certification is None:
            return False
        try:
            names = [certificate.parse(der).subject.raw for der in await self._certification.authorities()]
        except CertificationOutage:
            return None
        return issuer in names


def _position(binding: Binding, now: datetime) -> Position:
    if binding.status == SUSPENDED:
        return Position.SUSPENDED
    if now > binding.not_after:
        return Position.EXPIRED
    return Position.EXPIRING if binding.not_after - now < EXPIRING else Position.REGISTERED
