"""Devices of a person: which of them proved more than an ID and its password (security C2).

Known is a device on which this person used a certificate, registered or was issued one, or received a copy. A login by
ID alone makes none known: whoever stole both would have a known device with it. At a union's account it is the head who
proved something on it, and not the account: a browser of one head is none of another's, or of the next one's.
"""

from __future__ import annotations

from datetime import datetime

from ingam.customer.heads import head_key
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, Row, Store, Update


class Devices:
    """Rows of `device_seen`; `mark` is the SHA-256 of a device cookie, as sessions keep it."""

    def __init__(self, store: Store, digests: Digests) -> None:
        self._store = store
        self._digests = digests

    async def known(self, customer: Customer, mark: str | None) -> bool:
        """Whether this person proved something on it."""
        row = None if mark is None else await self._store.one("device_seen", self._where(customer, mark))
        return row is not None and row["proved_at"] is not None

    async def proved(self, customer: Customer, mark: str | None, at: datetime) -> list[Change]:
        """The change that makes it known, to save with what proves it; none for a browser without a device cookie."""
        if mark is None:
            return []
        where = self._where(customer, mark)
        if await self._store.one("device_seen", where) is None:
            return [Insert("device_seen", {**where, "first_at": at, "last_at": at, "proved_at": at})]
        return [Update("device_seen", where, {"proved_at": at, "last_at": at})]

    async def confirmed(self, customer: Customer, mark: str | None, at: datetime) -> list[Change]:
        """The change that says that additional authentication succeeded on it; save it with that proof (F6)."""
        if mark is None:
            return []
        where = self._where(customer, mark)
        if await self._store.one("device_seen", where) is None:
            return [Insert("device_seen", {**where, "first_at": at, "last_at": at, "confirmed_at": at})]
        return [Update("device_seen", where, {"confirmed_at": at, "last_at": at})]

    async def is_confirmed(self, customer: Customer, mark: str | None) -> bool:
        """Whether this person confirmed it by additional authentication, before its first sensitive act (F6)."""
        row = None if mark is None else await self._store.one("device_seen", self._where(customer, mark))
        return row is not None and row["confirmed_at"] is not None

    def whose(self, customer: Customer) -> str:
        """Keyed digest of the banking ID, and of a head of a union of their number too.

        The failures of a banking ID are counted by the first alone, on whichever device of the account (F7).
        """
        head = head_key(self._digests, customer)
        return self._digests.digest("banking-id", f"{customer.banking_id}\n{head}" if head else customer.banking_id)

    def _where(self, customer: Customer, mark: str) -> Row:
        return {"banking_key": self.whose(customer), "device": mark}
