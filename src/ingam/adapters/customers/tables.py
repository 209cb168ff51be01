"""`ports.customers.Customers` on the store: Argon2id passwords, every identifying field encrypted (security H6)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from ingam.adapters.customers.fields import CustomerFields, FieldCipher, context, new_data_key
from ingam.adapters.customers.passwords import Passwords
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, CustomerKind, Head, HeadRefused, HeadsFull, NewCustomer, Phone
from ingam.ports.keys import BlindIndex, Digests, FieldKeys
from ingam.ports.store import Audit, Change, Conflict, Insert, Row, Save, Stale, Store, Update

TABLE: Final = "customer"

OPTIONAL: Final = ("home_phone", "work_phone", "third_phone", "email")

NOBODY: Final = "nobody"

HEADS: Final = "union_head"

HEAD_BYTES: Final = 16


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of a further head, encrypted."""

    name: str
    idn: str
    mobile: str
    home_phone: str | None = None
    work_phone: str | None = None
    email: str | None = None
    third_phone: str | None = None

    def __repr__(self) -> str:
        return "<head>"  # it holds a number (security H1)


class TableCustomers:
    """The institution's customers in our own tables. `heads`: so many of a union have a place."""

    def __init__(
        self,
        store: Store,
        keys: FieldKeys,
        digests: Digests,
        blind_index: BlindIndex,
        passwords: Passwords,
        clock: Clock,
        heads: int = 1,
    ) -> None:
        self._heads = heads
        self._store = store
        self._keys = keys
        self._digests = digests
        self._blind_index = blind_index
        self._passwords = passwords
        self._clock = clock

    async def authenticate(self, banking_id: str, password: Secret[str]) -> Customer | None:
        row = await self._row(banking_id)
        encoded = None if row is None else str(row["password_hash"])
        fits = await self._passwords.fits(encoded, password)
        # Whatever was wrong, as much is opened as for whoever comes in: the clock tells nothing (F8).
        customer = await self._customer(self._nobody if row is None else row)
        if not fits or row is None or encoded is None:
            return None
        if self._passwords.is_old(encoded):
            await self._hash_again(customer.customer_id, encoded, password)
        return await self._with_heads(customer)  # only now: a wrong password is no way to tell a union's ID (F8)

    async def by_id(self, customer_id: str) -> Customer | None:
        row = await self._store.one(TABLE, {"customer_id": customer_id})
        return None if row is None else await self._with_heads(await self._customer(row))

    async def by_banking_id(self, banking_id: str) -> Customer | None:
        row = await self._row(banking_id)
        return None if row is None else await self._with_heads(await self._customer(row))

    async def new_number(self, customer: Customer, phone: Phone, number: str | None, at: datetime) -> Change:
        row = await self._store.one(TABLE, {"customer_id": customer.customer_id})
        if row is None:
            raise Stale
        fields = CustomerFields(self._store, self._keys)
        told = await fields.seal(
            customer.customer_id, TABLE, phone.value, customer.customer_id, (number or "").encode()
        )
        changed = f"{phone.value}_changed_at"
        where: Row = {"customer_id": customer.customer_id, changed: row[changed]}
        return Update(TABLE, where, {phone.value: told if number else None, changed: at})

    async def enrol(self, new: NewCustomer) -> None:
        row = await self._encrypted(new)
        union = await self._new_union(new.customer)
        subject = self._digests.digest("banking-id", new.customer.banking_id)
        line = Audit(
            self._clock.now(), "customer.enrol", "done", subject, None, None, {"kind": new.customer.kind.value}
        )
        await self._store.save(Save(rows=[*union, Insert(TABLE, row)], audit=[line]))

    async def add_head(self, customer: Customer, head: Head) -> int:
        known = await self._heads_of(customer)
        numbers = [customer.idn, *(one.idn for one in known)]
        if customer.kind is not CustomerKind.UNION_HEAD or head.idn in numbers:
            raise HeadRefused
        taken = {one.slot for one in known}
        for slot in (slot for slot in range(2, self._heads + 1) if slot not in taken):
            with suppress(Conflict):  # somebody else's since we looked: the next one
                await self._store.save(await self._new_head(customer, replace(head, slot=slot)))
                return slot
        raise HeadsFull

    async def _new_head(self, customer: Customer, head: Head) -> Save:
        head_id, now = secrets.token_hex(HEAD_BYTES), self._clock.now()
        kept = _Kept(
            head.name, head.idn.reveal(), head.mobile, head.home_phone, head.work_phone, head.email, head.third_phone
        )  # fmt: skip
        fields = CustomerFields(self._store, self._keys)
        sealed = await fields.seal(customer.customer_id, HEADS, "details", head_id, msgspec.json.encode(kept))
        row: Row = {
            "head_id": head_id, "customer_id": customer.customer_id, "slot": head.slot, "details": sealed,
            "status": "ACTIVE", "since_at": now, "ended_at": None,
        }  # fmt: skip
        subject = self._digests.digest("banking-id", customer.banking_id)
        line = Audit(now, "customer.head", "added", subject, None, None, {"head": head.slot})
        return Save(rows=[Insert(HEADS, row)], audit=[line])

    async def end_head(self, customer: Customer, slot: int, at: datetime) -> Change:
        where: Row = {"customer_id": customer.customer_id, "slot": slot, "status": "ACTIVE"}
        return Update(HEADS, where, {"status": "ENDED", "ended_at": at})

    async def _with_heads(self, customer: Customer) -> Customer:
        if self._heads == 1 or customer.kind is not CustomerKind.UNION_HEAD:
            return customer
        return replace(customer, heads=tuple(await self._heads_of(customer)))

    async def _heads_of(self, customer: Customer) -> list[Head]:
        rows = await self._store.many(HEADS, {"customer_id": customer.customer_id, "status": "ACTIVE"}, order="slot")
        fields = CustomerFields(self._store, self._keys)
        return [await self._head(fields, row) for row in rows]

    async def _head(self, fields: CustomerFields, row: Row) -> Head:
        sealed, slot = row["details"], int(str(row["slot"]))
        assert isinstance(sealed, bytes)
        clear = await fields.open(str(row["customer_id"]), HEADS, "details", str(row["head_id"]), sealed)
        kept = msgspec.json.decode(clear, type=_Kept)
        return Head(
            slot, kept.name, Secret(kept.idn), kept.mobile, kept.home_phone, kept.work_phone, kept.email,
            third_phone=kept.third_phone, seated=slot <= self._heads,
        )  # fmt: skip

    @cached_property
    def _nobody(self) -> Row:
        """Who an unknown ID is: a row in memory, sealed as others are."""
        cipher, wrapped = new_data_key(self._keys, NOBODY)
        sealed = {
            column: cipher.seal(TABLE, column, NOBODY, bytes(13)) for column in ("name", "idn", "mobile", "email")
        }
        none = {f"{phone.value}_changed_at": None for phone in Phone}
        return {
            "customer_id": NOBODY, "kind": CustomerKind.PERSONAL.value, "banking_id": "", "data_key": wrapped,
            "key_version": self._keys.version, "union_id": None, "status": "ENDED", "home_phone": None,
            "work_phone": None, "third_phone": None, **none, **sealed,
        }  # fmt: skip

    async def _row(self, banking_id: str) -> Row | None:
        """What no banking ID can be is unknown, not a defect: it comes from a form."""
        if "\x00" in banking_id or not banking_id.isprintable():
            return None
        return await self._store.one(TABLE, {"banking_id": banking_id})

    async def _hash_again(self, customer_id: str, old: str, password: Secret[str]) -> None:
        """The password as of today's parameters, unless somebody changed it meanwhile."""
        fresh = await self._passwords.hash(password)
        where = {"customer_id": customer_id, "password_hash": old}
        try:
            await self._store.save(Save(rows=[Update(TABLE, where, {"password_hash": fresh})]))
        except Stale:
            return

    async def _encrypted(self, new: NewCustomer) -> Row:
        customer = new.customer
        cipher, wrapped = new_data_key(self._keys, customer.customer_id)
        clear = {"name": customer.name, "idn": customer.idn.reveal(), "mobile": customer.mobile}
        clear |= {column: value for column in OPTIONAL if (value := getattr(customer, column)) is not None}
        sealed = {
            column: cipher.seal(TABLE, column, customer.customer_id, value.encode()) for column, value in clear.items()
        }
        return {
            "customer_id": customer.customer_id,
            "kind": customer.kind.value,
            "banking_id": customer.banking_id,
            "password_hash": await self._passwords.hash(new.password),
            "data_key": wrapped,
            "key_version": self._keys.version,
            "idn_index": await self._blind_index.index("idn", customer.idn),
            **{f"{phone.value}_changed_at": phone.changed_at(customer) for phone in Phone},
            "union_id": self._union_id(customer),
            "status": customer.status,
            "created_at": self._clock.now(),
            **sealed,
        }

    def _union_id(self, customer: Customer) -> str | None:
        return None if customer.union_name is None else self._digests.digest("union", customer.union_name)[:32]

    async def _new_union(self, customer: Customer) -> list[Insert]:
        """The union of its members' name, once."""
        union_id = self._union_id(customer)
        if union_id is None or await self._store.one("esop_union", {"union_id": union_id}) is not None:
            return []
        return [Insert("esop_union", {"union_id": union_id, "name": customer.union_name, "business_number": ""})]

    async def _customer(self, row: Row) -> Customer:
        facts: Mapping[str, Any] = row
        customer_id: str = facts["customer_id"]
        data_key = self._keys.unwrap(facts["data_key"], context(customer_id), facts["key_version"])
        fields = _opened(FieldCipher(data_key, facts["key_version"]), customer_id, facts)
        return Customer(
            customer_id=customer_id,
            kind=CustomerKind(facts["kind"]),
            banking_id=facts["banking_id"],
            name=fields["name"],
            idn=Secret(fields["idn"]),
            mobile=fields["mobile"],
            home_phone=fields.get("home_phone"),
            work_phone=fields.get("work_phone"),
            email=fields.get("email"),
            mobile_changed_at=facts["mobile_changed_at"],
            home_phone_changed_at=facts["home_phone_changed_at"],
            work_phone_changed_at=facts["work_phone_changed_at"],
            third_phone=fields.get("third_phone"),
            third_phone_changed_at=facts["third_phone_changed_at"],
            union_name=await self._union_name(facts["union_id"]),
            status=facts["status"],
        )

    async def _union_name(self, union_id: str | None) -> str | None:
        union = None if union_id is None else await self._store.one("esop_union", {"union_id": union_id})
        return None if union is None else str(union["name"])


def _opened(cipher: FieldCipher, customer_id: str, row: Mapping[str, Any]) -> dict[str, str]:
    """Each encrypted field of a row in clear; absent ones are left out. Raises SealedField."""
    columns = ("name", "idn", "mobile", *OPTIONAL)
    return {
        column: cipher.open(TABLE, column, customer_id, row[column]).decode()
        for column in columns
        if row[column] is not None
    }
