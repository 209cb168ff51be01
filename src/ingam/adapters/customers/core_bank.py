"""`ports.customers.Customers` over a core-banking system: JSON over HTTPS, as docs/reference/customers.md says.

The core keeps who somebody is, the password and its hashing; we keep what is ours of each customer (bindings, locks,
devices) under a data key of our own, made when the customer is first seen. A number that is changed here counts from
that transaction on, and is told to the core until it has it; at a union's account for as long as the head who changed
it is the first one (E9). Nothing of an answer is kept in memory.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import httpx2
import msgspec

from ingam.adapters.customers.fields import CustomerFields, new_data_key
from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.customer.heads import marked, unmarked
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import MOST_HEADS, Customer, CustomerKind, CustomersOutage, Head, NewCustomer, Phone
from ingam.ports.keys import FieldKeys
from ingam.ports.store import Change, Conflict, Insert, Row, Save, Stale, Store, Update

LONGEST_ANSWER: Final = 65_536
LONGEST_PASSWORD: Final = 256
NUMBERS: Final = "customer_number"
AT_ONCE: Final = 100

Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,12}$")]
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_.@-]{1,64}$")]


class EnrolmentElsewhere(Refusal):
    """Customers are enrolled in the core-banking system."""

    code = "customers-elsewhere"


class _Head(msgspec.Struct, frozen=True):
    """A further head of a union, as the core tells one."""

    slot: Annotated[int, msgspec.Meta(ge=2, le=MOST_HEADS)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    idn: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}$")]
    mobile: Digits
    home_phone: Digits | None = None
    work_phone: Digits | None = None
    third_phone: Digits | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    mobile_changed_at: datetime | None = None
    home_phone_changed_at: datetime | None = None
    work_phone_changed_at: datetime | None = None
    third_phone_changed_at: datetime | None = None

    def __repr__(self) -> str:
        return "<head>"  # it holds a number (security H1)


class _Told(msgspec.Struct, frozen=True):
    """A customer as the core tells one; fields that we do not know are left alone."""

    customer_id: Id
    kind: CustomerKind
    banking_id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    idn: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{10}|[0-9]{13})$")]
    mobile: Digits
    status: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    home_phone: Digits | None = None
    work_phone: Digits | None = None
    third_phone: Digits | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    mobile_changed_at: datetime | None = None
    home_phone_changed_at: datetime | None = None
    work_phone_changed_at: datetime | None = None
    third_phone_changed_at: datetime | None = None
    union_name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    heads: Annotated[tuple[_Head, ...], msgspec.Meta(max_length=MOST_HEADS - 1)] = ()

    def __repr__(self) -> str:
        return "<customer>"  # it holds a number (security H1)


class CoreBankCustomers:
    """At one configured address. Look-ups are tried again; a password is sent once."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        store: Store,
        keys: FieldKeys,
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
        heads: int = 1,
    ) -> None:
        self._heads = heads
        self._caller = Caller(
            base_url, outage=CustomersOutage, headers={"Authorization": f"Bearer {key.reveal()}"}, transport=transport,
            answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker,
        )  # fmt: skip
        self._store = store
        self._keys = keys
        self._fields = CustomerFields(store, keys)
        self._clock = clock

    async def authenticate(self, banking_id: str, password: Secret[str]) -> Customer | None:
        if not _askable(banking_id) or len(password) > LONGEST_PASSWORD:
            return None
        body = {"banking_id": banking_id, "password": password.reveal()}
        found = await self._asked("/customers/authenticate", body, idempotent=False)
        return await self._customer(found, "banking_id", banking_id)

    async def by_id(self, customer_id: str) -> Customer | None:
        found = await self._asked("/customers/find", {"customer_id": customer_id}, idempotent=True)
        return await self._customer(found, "customer_id", customer_id)

    async def by_banking_id(self, banking_id: str) -> Customer | None:
        if not _askable(banking_id):
            return None
        found = await self._asked("/customers/find", {"banking_id": banking_id}, idempotent=True)
        return await self._customer(found, "banking_id", banking_id)

    async def new_number(self, customer: Customer, phone: Phone, number: str | None, at: datetime) -> Change:
        place: Row = {"customer_id": customer.customer_id, "phone": phone.value}
        before = await self._store.one(NUMBERS, place)
        sealed = await self._fields.seal(
            customer.customer_id, NUMBERS, phone.value, customer.customer_id,
            marked(number or "", customer.kind, customer.idn),
        )  # fmt: skip
        values: Row = {"number": sealed, "at": at, "told_at": None}
        if before is None:
            return Insert(NUMBERS, {**place, **values})
        return Update(NUMBERS, {**place, "at": before["at"]}, values)

    async def enrol(self, new: NewCustomer) -> None:  # noqa: ARG002 - the port's
        raise EnrolmentElsewhere

    async def add_head(self, customer: Customer, head: Head) -> int:  # noqa: ARG002 - the port's
        raise EnrolmentElsewhere

    async def end_head(self, customer: Customer, slot: int, at: datetime) -> Change:  # noqa: ARG002 - the port's
        raise EnrolmentElsewhere

    async def tell_numbers(self) -> int:
        """Tell the core what was changed here and it does not have yet; how many. Raises CustomersOutage."""
        waiting = await self._store.many(NUMBERS, {"told_at": None}, limit=AT_ONCE)
        for row in waiting:
            at = row["at"]
            assert isinstance(at, datetime)
            await self._tell(row, at)
            where: Row = {"customer_id": row["customer_id"], "phone": row["phone"], "at": at}
            try:
                await self._store.save(Save(rows=[Update(NUMBERS, where, {"told_at": self._clock.now()})]))
            except Stale:  # changed once more meanwhile: told the next time
                continue
        return len(waiting)

    async def _tell(self, row: Row, at: datetime) -> None:
        """Nothing is told of a head who is the union's first one no more."""
        whose, clear = str(row["customer_id"]), await self._number(row)
        if b"\n" in clear:
            holder = await self._asked("/customers/find", {"customer_id": whose}, idempotent=True)
            if holder is None or unmarked(clear, holder.kind, Secret(holder.idn)) is None:
                return
        number = clear.decode().partition("\n")[0] or None
        body = {"customer_id": whose, "phone": str(row["phone"]), "number": number, "changed_at": rfc3339(at)}
        await self._caller.json("POST", "/customers/number", body=body, idempotent=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def _asked(self, path: str, body: dict[str, str], *, idempotent: bool) -> _Told | None:
        answer: dict[str, Any] = await self._caller.json("POST", path, body=body, idempotent=idempotent)
        if "customer" not in answer:
            raise CustomersOutage(cause="answer-malformed")
        if answer["customer"] is None:
            return None
        try:
            return msgspec.convert(answer["customer"], _Told)
        except msgspec.ValidationError:
            raise CustomersOutage(cause="answer-malformed") from None

    async def _customer(self, told: _Told | None, by: str, asked: str) -> Customer | None:
        """The port's customer. Another one than was asked for is no answer."""
        if told is None:
            return None
        if getattr(told, by) != asked or _naive(told) or not _whole(told):
            raise CustomersOutage(cause="answer-malformed")
        await self._known(told.customer_id)
        fields = {name: getattr(told, name) for name in told.__struct_fields__} | {"idn": Secret(told.idn)}
        fields["heads"] = self._heads_of(told)
        for row in await self._store.many(NUMBERS, {"customer_id": told.customer_id}):
            phone = Phone(str(row["phone"]))
            cores = fields[f"{phone.value}_changed_at"]
            if cores is not None and row["at"] <= cores:
                continue
            number = unmarked(await self._number(row), told.kind, fields["idn"])
            if number is not None:
                fields |= {phone.value: number or None, f"{phone.value}_changed_at": row["at"]}
        return Customer(**fields)

    def _heads_of(self, told: _Told) -> tuple[Head, ...]:
        if self._heads == 1:
            return ()
        found = ({name: getattr(one, name) for name in one.__struct_fields__} for one in told.heads)
        return tuple(Head(**one | {"idn": Secret(one["idn"]), "seated": one["slot"] <= self._heads}) for one in found)

    async def _known(self, customer_id: str) -> None:
        """A data key for what is kept here of this customer, once."""
        if await self._store.one("customer_key", {"customer_id": customer_id}) is not None:
            return
        _, wrapped = new_data_key(self._keys, customer_id)
        row: Row = {
            "customer_id": customer_id, "data_key": wrapped, "key_version": self._keys.version, "at": self._clock.now()
        }  # fmt: skip
        try:
            await self._store.save(Save(rows=[Insert("customer_key", row)]))
        except Conflict:  # another request of the same person was first
            return

    async def _number(self, row: Row) -> bytes:
        """As `marked` made it."""
        customer_id, sealed = str(row["customer_id"]), row["number"]
        assert isinstance(sealed, bytes)
        return await self._fields.open(customer_id, NUMBERS, str(row["phone"]), customer_id, sealed)


def _askable(banking_id: str) -> bool:
    """What no banking ID can be is unknown, without asking: it comes from a form."""
    return 0 < len(banking_id) <= 64 and banking_id.isprintable()


def _naive(told: _Told) -> bool:
    instants = [getattr(one, f"{phone.value}_changed_at") for one in (told, *told.heads) for phone in Phone]
    return any(at is not None and at.tzinfo is None for at in instants)


def _whole(told: _Told) -> bool:
    """Heads are a union's, each with a slot and a number of their own: else nobody knows who is who."""
    slots, numbers = [one.slot for one in told.heads], [told.idn, *(one.idn for one in told.heads)]
    unions = told.kind is CustomerKind.UNION_HEAD or not told.heads
    return unions and len({*slots}) == len(slots) and len({*numbers}) == len(numbers)
