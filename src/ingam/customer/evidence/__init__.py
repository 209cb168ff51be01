"""Signed acts in the store: each with its receipt's number, encrypted under the customer's own key (security H6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.customer.binding.bindings import SealDetails
from ingam.kernel.errors import Refusal
from ingam.ports.store import Insert, Row, Store
from ingam.protocols import evidence as form
from ingam.protocols.evidence import Evidence

TABLE: Final = "evidence"
MOST_SHOWN: Final = 50


class EvidenceUnknown(Refusal):
    """There is no signed act of this number, or it is somebody else's."""

    code = "not-found"


@dataclass(frozen=True, slots=True)
class Kept:
    """A signed act as lists show it. `digest`: SHA-256 of all of it, 64 lower hex."""

    number: str
    customer_id: str
    act: str
    at: datetime
    digest: str


class Evidences:
    """Reads signed acts and prepares the row of a new one; the caller's transaction saves it."""

    def __init__(self, store: Store, fields: SealDetails) -> None:
        self._store = store
        self._fields = fields

    async def change(self, customer_id: str, one: Evidence) -> Insert:
        """The row."""
        sealed = await self._fields.seal(customer_id, TABLE, "sealed", one.number, form.written(one))
        row: Row = {
            "number": one.number,
            "customer_id": customer_id,
            "act": one.act,
            "at": one.at,
            "digest": form.digest(one),
            "sealed": sealed,
        }
        return Insert(TABLE, row)

    async def of(self, customer_id: str) -> list[Kept]:
        """A customer's, newest first."""
        where: Row = {"customer_id": customer_id}
        rows = await self._store.many(TABLE, where, order="at", descending=True, limit=MOST_SHOWN)
        return [_kept(row) for row in rows]

    async def kept(self, number: str) -> Kept:
        """The one of a number. Raises EvidenceUnknown."""
        row = await self._store.one(TABLE, {"number": number})
        if row is None:
            raise EvidenceUnknown
        return _kept(row)

    async def opened(self, number: str, customer_id: str | None = None) -> Evidence:
        """All of it; of this customer only, where one is named. Raises EvidenceUnknown, Defect `sealed-field`."""
        row = await self._store.one(TABLE, {"number": number})
        if row is None or customer_id not in (None, row["customer_id"]):
            raise EvidenceUnknown
        sealed = row["sealed"]
        assert isinstance(sealed, bytes)
        return form.read(await self._fields.open(str(row["customer_id"]), TABLE, "sealed", number, sealed))


def _kept(row: Row) -> Kept:
    at = row["at"]
    assert isinstance(at, datetime)
    return Kept(str(row["number"]), str(row["customer_id"]), str(row["act"]), at, str(row["digest"]))
