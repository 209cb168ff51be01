"""How each person wants to be told, beside whatever keeps the customers themselves: language, e-mail, what they do
without, and for a while the mobile number before (encrypted, H6).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from ingam.customer.heads import marked, unmarked
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, Customers, Head, NewCustomer, Phone, Told
from ingam.ports.store import Change, Conflict, Insert, Row, Save, Stale, Store, Update

TABLE: Final = "notice_wish"
NOBODY: Final = "nobody"
FORMER: Final = "former_mobile"
"""The table of the numbers before, which `run.tidy` empties; the column is `number`."""


class SealFields(Protocol):
    """Field encryption under the customer's own key, bound to its place (security H6)."""

    async def seal(self, customer_id: str, table: str, column: str, row_id: str, clear: bytes) -> bytes:
        """AES-256-GCM of a field."""

    async def open(self, customer_id: str, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The field; raises a Defect for bytes of another place or customer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the page of settings asks."""

    lang: str
    mails: bool
    expiry: bool
    logins: bool


class Wishes:
    """Reads and changes them; the caller's transaction saves what changes."""

    def __init__(self, store: Store, fields: SealFields) -> None:
        self._store = store
        self._fields = fields

    async def told(self, customer: Customer) -> Told:
        """As it stands; whoever never chose is told in Korean, by SMS and e-mail, of all but logins."""
        row = await self._store.one(TABLE, {"customer_id": customer.customer_id})
        told = Told() if row is None else _chosen(row)
        if customer.mobile_changed_at is None:
            return told
        former = await self._store.one(FORMER, {"customer_id": customer.customer_id})
        return told if former is None else replace(told, **await self._opened(customer, former))

    async def of_nobody(self) -> None:
        """Reads as much as `told`: the clock does not tell whether an ID and its password were right (F8)."""
        await self._store.one(TABLE, {"customer_id": NOBODY})

    async def wish(self, customer_id: str, wish: Wish, at: datetime) -> Change:
        """Another choice. Stale where somebody chose in the meantime."""
        row = await self._store.one(TABLE, {"customer_id": customer_id})
        chosen: Row = {
            "lang": wish.lang, "mails": wish.mails, "expiry": wish.expiry, "logins": wish.logins, "spoken": False,
        }  # fmt: skip
        return _change(customer_id, row, chosen, at)

    async def speak(self, customer_id: str, lang: str, at: datetime) -> None:
        """The language that they read our pages in now is the one that they are written to in."""
        row = await self._store.one(TABLE, {"customer_id": customer_id})
        if row is None or row["lang"] != lang:
            await self._store.save(Save(rows=[_change(customer_id, row, {"lang": lang, "spoken": False}, at)]))

    async def logged_in(self, customer_id: str, lang: str, at: datetime) -> bool:
        """The language of this login is that of whoever never chose one; whether it became so. All begin in Korean."""
        row = await self._store.one(TABLE, {"customer_id": customer_id})
        if lang == ("ko" if row is None else row["lang"]) or (row is not None and not row["spoken"]):
            return False
        with suppress(Conflict, Stale):  # another window of theirs was first
            await self._store.save(Save(rows=[_change(customer_id, row, {"lang": lang, "spoken": True}, at)]))
        return True

    async def keep_former(self, customer: Customer, until: datetime, at: datetime) -> Change:
        """Save it with a change of the mobile number: the one before hears everything until `until`.

        The first of several changes is the one that counts: changing twice shakes nobody off (E9). What a former head
        of a union had before is not the next one's.
        """
        whose = customer.customer_id
        row = await self._store.one(FORMER, {"customer_id": whose})
        if row is not None and _until(row) > at and await self._opened(customer, row):
            return Update(FORMER, {"customer_id": whose, "until": row["until"]}, {"until": until})
        clear = marked(customer.mobile, customer.kind, customer.idn)
        sealed = await self._fields.seal(whose, FORMER, "number", whose, clear)
        if row is None:
            return Insert(FORMER, {"customer_id": whose, "number": sealed, "until": until})
        return Update(FORMER, {"customer_id": whose, "until": row["until"]}, {"number": sealed, "until": until})

    async def _opened(self, customer: Customer, row: Row) -> dict[str, Any]:
        """Nothing where it was another head's."""
        sealed, whose = row["number"], customer.customer_id
        assert isinstance(sealed, bytes)
        clear = await self._fields.open(whose, FORMER, "number", whose, sealed)
        number = unmarked(clear, customer.kind, customer.idn)
        return {} if number is None else {"former_mobile": number, "former_until": _until(row)}


def _chosen(row: Row) -> Told:
    lang = "en" if row["lang"] == "en" else "ko"
    return Told(lang, mails=bool(row["mails"]), expiry=bool(row["expiry"]), logins=bool(row["logins"]))


def _change(customer_id: str, row: Row | None, values: Row, at: datetime) -> Change:
    if row is None:
        none: Row = {"lang": "ko", "mails": True, "expiry": True, "logins": False, "spoken": False}
        return Insert(TABLE, {"customer_id": customer_id, **none, **values, "changed_at": at})
    where: Row = {"customer_id": customer_id, "changed_at": row["changed_at"]}
    return Update(TABLE, where, {**values, "changed_at": at})


def _until(row: Row) -> datetime:
    until = row["until"]
    assert isinstance(until, datetime)
    return until


class ToldCustomers(Customers):
    """`ports.customers.Customers` over another one: each customer comes with how they want to be told."""

    def __init__(self, customers: Customers, wishes: Wishes) -> None:
        self._customers = customers
        self._wishes = wishes

    async def authenticate(self, banking_id: str, password: Secret[str]) -> Customer | None:
        customer = await self._customers.authenticate(banking_id, password)
        if customer is None:
            await self._wishes.of_nobody()
        return await self._with(customer)

    async def by_id(self, customer_id: str) -> Customer | None:
        return await self._with(await self._customers.by_id(customer_id))

    async def by_banking_id(self, banking_id: str) -> Customer | None:
        return await self._with(await self._customers.by_banking_id(banking_id))

    async def new_number(self, customer: Customer, phone: Phone, number: str | None, at: datetime) -> Change:
        return await self._customers.new_number(customer, phone, number, at)

    async def enrol(self, new: NewCustomer) -> None:
        await self._customers.enrol(new)

    async def add_head(self, customer: Customer, head: Head) -> int:
        return await self._customers.add_head(customer, head)

    async def end_head(self, customer: Customer, slot: int, at: datetime) -> Change:
        return await self._customers.end_head(customer, slot, at)

    async def _with(self, customer: Customer | None) -> Customer | None:
        if customer is None:
            return None
        return replace(customer, told=await self._wishes.told(customer))
