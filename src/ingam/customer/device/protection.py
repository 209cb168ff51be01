"""전자금융사기 예방서비스: whether a person applied, and what was done in it, dated, in words and never in numbers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ingam.customer.binding.bindings import SealDetails
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import Change, Insert, Row, Store, Update

ON: Final = "ON"
OFF: Final = "OFF"
TABLE: Final = "protection_event"
SHOWN: Final = 50
ID_BYTES: Final = 16


class Happened(StrEnum):
    """What the history tells of."""

    APPLIED = "applied"
    CANCELLED = "cancelled"
    DEVICE_ADDED = "device-added"
    DEVICE_REMOVED = "device-removed"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    CONTACT_CHANGED = "contact-changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. `about`: the alias of a device; which number and its masked digits; or ""."""

    kind: Happened
    about: str
    at: datetime

    @property
    def phone(self) -> Phone | None:
        """The number that was changed, to be called by its name in the reader's language; None: `about` is as it is."""
        which = self.about.partition(" ")[0]
        return Phone(which) if self.kind is Happened.CONTACT_CHANGED and which in [*Phone] else None

    @property
    def number(self) -> str:
        """Its masked digits; "" where it was taken away."""
        return self.about.partition(" ")[2]


async def stands(store: Store, customer_id: str) -> bool:
    """Whether the person has the service: without it no designation counts, whenever it was made."""
    return await store.one("protection", {"customer_id": customer_id, "status": ON}) is not None


class Protection:
    """Rows of `protection` and `protection_event`."""

    def __init__(self, store: Store, fields: SealDetails, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._store = store
        self._fields = fields
        self._token = token

    async def since(self, customer_id: str) -> datetime | None:
        """Since when the person has the service; None: they have not."""
        row = await self._store.one("protection", {"customer_id": customer_id, "status": ON})
        at = None if row is None else row["applied_at"]
        return at if isinstance(at, datetime) else None

    def held(self, customer_id: str) -> Change:
        """That the person has it still when this is saved; else Stale."""
        return Update("protection", {"customer_id": customer_id, "status": ON}, {"status": ON})

    async def applied(self, customer: Customer, at: datetime) -> list[Change]:
        """신청; applying again changes nothing."""
        row = await self._store.one("protection", {"customer_id": customer.customer_id})
        values: Row = {"status": ON, "applied_at": at, "ended_at": None}
        where: Row = {"customer_id": customer.customer_id}
        if row is not None and row["status"] == ON:
            return []
        change = Insert("protection", {**where, **values}) if row is None else Update("protection", where, values)
        return [change, await self.event(customer, Happened.APPLIED, "", at)]

    async def cancelled(self, customer: Customer, at: datetime) -> list[Change]:
        """해지. One that was cancelled meanwhile ends in Stale."""
        where: Row = {"customer_id": customer.customer_id, "status": ON}
        change = Update("protection", where, {"status": OFF, "ended_at": at})
        return [change, await self.event(customer, Happened.CANCELLED, "", at)]

    async def event(self, customer: Customer, kind: Happened, about: str, at: datetime) -> Change:
        """A line of the history, to save with what it tells of."""
        event_id = self._token(ID_BYTES).hex()
        sealed = await self._fields.seal(customer.customer_id, TABLE, "details", event_id, about.encode())
        values: Row = {"event_id": event_id, "customer_id": customer.customer_id, "kind": str(kind), "at": at}
        return Insert(TABLE, {**values, "details": sealed})

    async def history(self, customer_id: str) -> list[Event]:
        """The newest first."""
        where: Row = {"customer_id": customer_id}
        rows = await self._store.many(TABLE, where, order="at", descending=True, limit=SHOWN)
        return [await self._event(customer_id, row) for row in rows]

    async def _event(self, customer_id: str, row: Row) -> Event:
        sealed, at = row["details"], row["at"]
        assert isinstance(sealed, bytes) and isinstance(at, datetime)
        about = await self._fields.open(customer_id, TABLE, "details", str(row["event_id"]), sealed)
        return Event(Happened(str(row["kind"])), about.decode(), at)
