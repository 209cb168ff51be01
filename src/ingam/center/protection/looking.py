"""What the page of 전자금융사기 예방서비스 shows while nothing is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ingam.center.task.flow import Locked, State
from ingam.center.walks import Visit
from ingam.customer.additional_auth.numbers import Number
from ingam.customer.device.designated import Designated
from ingam.customer.device.keys import Key
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.device.protection import Event, Protection
from ingam.customer.session import Level
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone


class Limits(Protocol):
    """The settings of the service; seconds."""

    @property
    def flow_ttl_s(self) -> int: ...
    @property
    def contact_quarantine_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows while nothing is under way. `here`: the id of this browser's device, or None."""

    since: datetime | None
    devices: Sequence[Key]
    here: str | None
    most: int
    passkeys: Sequence[Key]
    numbers: Mapping[Phone, Number | None] = field(repr=False)
    fresh: frozenset[Phone]
    history: Sequence[Event] = field(repr=False)
    certificate: bool
    software: bool
    locked: str | None


class Looking:
    """Reads; nothing here changes anything."""

    def __init__(
        self, clock: Clock, limits: Limits, protection: Protection, designated: Designated, passkeys: Passkeys
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._protection = protection
        self._designated = designated
        self._passkeys = passkeys

    async def overview(self, visit: Visit, customer: Customer, end: State | None) -> Overview:
        """All of it. `end`: how the last task ended."""
        here = await self._designated.here(customer, visit.session)
        numbers = {
            phone: Number(phone, digits, phone.changed_at(customer)) if (digits := phone.of(customer)) else None
            for phone in Phone
        }
        quarantine, now = self._limits.contact_quarantine_s, self._clock.now()
        return Overview(
            since=await self._protection.since(customer.customer_id),
            devices=await self._designated.keys.active(customer),
            here=here.key_id if here else None,
            most=self._designated.keys.most,
            passkeys=await self._passkeys.keys.active(customer),
            numbers=numbers,
            fresh=frozenset(phone for phone, one in numbers.items() if one and one.quarantined(quarantine, now)),
            history=await self._protection.history(customer.customer_id),
            certificate=visit.session.level is Level.CERT,
            software=self._designated.software,
            locked=end.cause if isinstance(end, Locked) else None,
        )
