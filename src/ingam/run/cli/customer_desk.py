"""What `ingam customer` works on: the center's store and keys of a data folder, beside a running center or not."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec

from ingam.adapters.blind_index.process import ProcessBlindIndex, at_hand
from ingam.adapters.cards.tables import TableCards
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.otp.tables import Kind, TableOtp
from ingam.adapters.store import open_store
from ingam.customer.binding.bindings import RELEASED, SUSPENDED, Bindings
from ingam.customer.binding.ending import ended
from ingam.customer.device import designated, passkeys
from ingam.customer.device.keys import ACTIVE, REMOVED
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, CustomerKind, Customers, Head, NewCustomer
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, Conflict, Delete, Row, Save, Store, UpdateAll
from ingam.protocols import oath
from ingam.settings import Settings
from ingam.wiring import index_folder, keys_path
from ingam.wiring.customers import kept_customers

MOST_DEVICES: Final = 1000
HEAD_ENDED: Final = "head-ended"
LARGEST_FILE: Final = 64 * 1024 * 1024

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,12}$")]


class CustomerUnknown(Refusal):
    """No customer has this banking ID."""

    code = "customer-unknown"


class CustomerFileRefused(Refusal):
    """The file is not a list of customers (facts: where)."""

    code = "customer-file"


class HeadUnknown(Refusal):
    """There is no further head at this place."""

    code = "union-head-unknown"


class HeadTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further head of a union as a file gives one. `idn`: 13 digits; telephones: digits."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    idn: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}$")]
    mobile: Number
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    home_phone: Number | None = None
    work_phone: Number | None = None
    third_phone: Number | None = None

    def __repr__(self) -> str:
        return "<head>"  # it holds a number (security H1)

    def head(self) -> Head:
        """Of no place yet."""
        return Head(
            0, self.name, Secret(self.idn), self.mobile, self.home_phone, self.work_phone, self.email,
            third_phone=self.third_phone,
        )  # fmt: skip


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer as a file gives one. `idn`: 13 or 10 digits; telephones: digits."""

    banking_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_.-]{4,32}$")]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    kind: CustomerKind
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    idn: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{10}|[0-9]{13})$")]
    mobile: Number
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    home_phone: Number | None = None
    work_phone: Number | None = None
    third_phone: Number | None = None
    union_name: Annotated[str, msgspec.Meta(max_length=100)] | None = None

    def __repr__(self) -> str:
        return "<enrolment>"  # it holds a password and a number (security H1)

    def new_customer(self) -> NewCustomer:
        """With a customer id of its own."""
        customer = Customer(
            customer_id=secrets.token_hex(16),
            kind=self.kind,
            banking_id=self.banking_id,
            name=self.name,
            idn=Secret(self.idn),
            mobile=self.mobile,
            home_phone=self.home_phone,
            work_phone=self.work_phone,
            third_phone=self.third_phone,
            email=self.email,
            union_name=self.union_name,
        )
        return NewCustomer(customer, Secret(self.password))


def parse(octets: bytes) -> list[Enrolment]:
    """The customers of a JSON list, or of one object. Raises CustomerFileRefused."""
    kind = list[Enrolment] | Enrolment
    try:
        read: list[Enrolment] | Enrolment = msgspec.json.decode(octets, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _, _, where = str(error).rpartition(" - at ")  # the place only; never what stands there
        raise CustomerFileRefused(where=where.strip("`") or "$") from None
    return read if isinstance(read, list) else [read]


def parse_head(octets: bytes) -> HeadTold:
    """A JSON object. Raises CustomerFileRefused."""
    try:
        return msgspec.json.decode(octets, type=HeadTold)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _, _, where = str(error).rpartition(" - at ")  # the place only; never what stands there
        raise CustomerFileRefused(where=where.strip("`") or "$") from None


def token_key(octets: bytes) -> Secret[bytes]:
    """A token's key as its maker writes it: base32, spaces and case as they come. Raises CustomerFileRefused."""
    try:
        key = base64.b32decode(b"".join(octets.split()).upper(), casefold=False)
    except ValueError:
        raise CustomerFileRefused(where="base32") from None
    if not oath.LEAST_KEY_BYTES <= len(key) <= oath.MOST_KEY_BYTES:
        raise CustomerFileRefused(where="length")
    return Secret(key)


@dataclass(frozen=True, slots=True)
class Desk:
    """The opened center, for one command."""

    store: Store
    customers: Customers
    digests: Digests
    clock: Clock
    tokens: TableOtp
    bindings: Bindings
    cards: TableCards

    async def find(self, banking_id: str) -> Customer:
        """The customer. Raises CustomerUnknown."""
        customer = await self.customers.by_banking_id(banking_id)
        if customer is None:
            raise CustomerUnknown
        return customer

    async def enrol(self, enrolments: Sequence[Enrolment]) -> tuple[int, int]:
        """How many were added, and how many were there before (their banking ID is taken; they stay as they are)."""
        added = 0
        for enrolment in enrolments:
            added += await self._one(enrolment)
        return added, len(enrolments) - added

    async def _one(self, enrolment: Enrolment) -> int:
        if await self.customers.by_banking_id(enrolment.banking_id) is not None:
            return 0
        try:
            await self.customers.enrol(enrolment.new_customer())
        except Conflict:
            return 0
        return 1

    async def add_head(self, banking_id: str, told: HeadTold) -> int:
        """Give a further head of a union a place; its number. Raises CustomerUnknown, HeadsFull, HeadRefused."""
        return await self.customers.add_head(await self.find(banking_id), told.head())

    async def heads(self, banking_id: str) -> list[tuple[Customer, bool]]:
        """Every head, the first one too, and whether a certificate of theirs is registered. Raises CustomerUnknown."""
        customer = await self.find(banking_id)
        every = [customer, *(one for head in customer.heads if (one := customer.as_head(head.slot)) is not None)]
        return [(one, await self.bindings.standing(one) is not None) for one in every]

    async def end_head(self, banking_id: str, slot: int) -> None:
        """A further head is one no more: place, registration and logins end in ONE transaction; audited.

        Raises CustomerUnknown, HeadUnknown.
        """
        customer, now = await self.find(banking_id), self.clock.now()
        head = customer.as_head(slot)
        if slot == 1 or head is None:
            raise HeadUnknown
        over: list[Change] = [await self.customers.end_head(customer, slot, now)]
        binding = await self.bindings.standing(head)
        if binding is not None:
            over += ended(binding, RELEASED, now, why=HEAD_ENDED)
        over += _nothing_left(customer.customer_id, slot, now)
        subject = self.digests.digest("banking-id", banking_id)
        line = Audit(now, "customer.head", "ended", subject, None, None, {"by": "cli", "head": slot})
        await self.store.save(Save(rows=over, audit=[line]))

    async def token(self, banking_id: str, kind: Kind, key: Secret[bytes]) -> None:
        """The OTP token that this customer holds from now on, in place of 미소지고객 인증; audited. CustomerUnknown."""
        customer = await self.find(banking_id)
        await self.tokens.enrol(customer.customer_id, kind, key)
        subject = self.digests.digest("banking-id", banking_id)
        line = Audit(self.clock.now(), "customer.token", "done", subject, None, None, {"by": "cli", "kind": str(kind)})
        await self.store.save(Save(audit=[line]))

    async def card(self, banking_id: str) -> Sequence[Secret[str]]:
        """The numbers of the 보안카드 that this customer holds from now on, told once; audited. CustomerUnknown."""
        customer = await self.find(banking_id)
        numbers = await self.cards.issue(customer.customer_id)
        subject = self.digests.digest("banking-id", banking_id)
        line = Audit(self.clock.now(), "customer.card", "done", subject, None, None, {"by": "cli"})
        await self.store.save(Save(audit=[line]))
        return numbers

    async def unlock(self, banking_id: str) -> None:
        """Login failures of this ID start again at none, on new and on recognised devices; audited. CustomerUnknown."""
        await self.find(banking_id)
        key = self.digests.digest("banking-id", banking_id)
        devices = await self.store.many("device_seen", {"banking_key": key}, limit=MOST_DEVICES)
        resets = [f"login-fail:{key}:{device}" for device in ("new", *(str(row["device"]) for row in devices))]
        line = Audit(self.clock.now(), "customer.unlock", "done", key, None, None, {"by": "cli"})
        await self.store.save(Save(resets=resets, audit=[line]))


def _nothing_left(customer_id: str, slot: int, at: datetime) -> list[Change]:
    """The end of every session, passkey, device, 금융인증서 and 간편비밀번호 of a place, certificate or none."""
    keys: Row = {"customer_id": customer_id, "head_slot": slot, "status": ACTIVE}
    gone: Row = {"status": REMOVED, "ended_at": at}
    over: Row = {"status": RELEASED, "ended_at": at}
    live: Row = {"customer_id": customer_id, "slot": slot, "ended_at": None}
    return [
        *(UpdateAll(table, keys, gone) for table in (designated.TABLE, passkeys.TABLE)),
        *(
            UpdateAll("finance_binding", {"customer_id": customer_id, "slot": slot, "status": one}, over)
            for one in (ACTIVE, SUSPENDED)
        ),
        Delete("pin_key", {"customer_id": customer_id, "slot": slot}),
        UpdateAll("session", live, {"ended_at": at, "ended_by": HEAD_ENDED}),
    ]


@asynccontextmanager
async def opened(settings: Settings, *, enrolling: bool = True) -> AsyncIterator[Desk]:
    """The desk of these settings; the schema was checked before. Only enrolling needs an answering blind index.

    Raises KeyFileRefused, BlindIndexOutage.
    """
    keys = open_keys(keys_path(settings), production=settings.production)
    store = open_store(settings.store, keys.outbox)
    folder = index_folder(settings)
    clock = SystemClock()
    passwords = Passwords(cheap=settings.cheap_passwords)
    try:
        async with at_hand(folder) if enrolling else nullcontext(ProcessBlindIndex(folder / "socket")) as index:
            customers = kept_customers(settings, store, keys.fields, keys.digests, index, passwords, clock)
            tokens = TableOtp(store, clock, CustomerFields(store, keys.fields))
            bindings = Bindings(store, keys.digests, CustomerFields(store, keys.fields))
            cards = TableCards(store, clock, CustomerFields(store, keys.fields))
            yield Desk(store, customers, keys.digests, clock, tokens, bindings, cards)
    finally:
        passwords.close()
        await store.close()
