"""The institution's customers: our own tables now, a core-banking system by another adapter."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.store import Change


class CustomersOutage(Outage):
    """Whoever keeps the customers does not answer in time or in form (facts: cause); nobody was let in."""

    code = "customers-outage"


class HeadsFull(Refusal):
    """The union has as many heads as this center gives a place to (INGAM_UNION_HEADS); nobody's was taken."""

    code = "union-heads-full"


class HeadRefused(Refusal):
    """It is no union's account, or the person is one of its heads already."""

    code = "union-head-refused"


class CustomerKind(StrEnum):
    """PERSONAL and UNION_HEAD (조합장) hold personal certificates, CORPORATE corporate ones (facts.md §11)."""

    PERSONAL = "personal"
    UNION_HEAD = "union-head"
    CORPORATE = "corporate"


@dataclass(frozen=True, slots=True)
class Told:
    """How a person is told of things. `lang`: "ko" or "en"; `mails`: by e-mail beside the SMS.

    `expiry`, `logins`: what one may do without. `former_mobile`: the number before, which hears everything until
    `former_until`, so that whoever changes a number silences nobody (E9).
    """

    lang: str = "ko"
    mails: bool = True
    expiry: bool = True
    logins: bool = False
    former_mobile: str = field(repr=False, default="")
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """One of several heads of a union. `slot`: 1 is the first, who is the customer; `idn`: 13 digits.

    `seated` False: the institution knows them, and this center gives so many heads no place (INGAM_UNION_HEADS).
    """

    slot: int
    name: str = field(repr=False)
    idn: Secret[str]
    mobile: str = field(repr=False)
    home_phone: str | None = field(repr=False, default=None)
    work_phone: str | None = field(repr=False, default=None)
    email: str | None = field(repr=False, default=None)
    mobile_changed_at: datetime | None = None
    home_phone_changed_at: datetime | None = None
    work_phone_changed_at: datetime | None = None
    third_phone: str | None = field(repr=False, default=None)
    third_phone_changed_at: datetime | None = None
    seated: bool = True


_OF_A_HEAD: Final = tuple(one.name for one in fields(Head) if one.name != "seated")

MOST_HEADS: Final = 9
"""Of one union, the first one counted."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the institution knows them. `idn`: 13 digits (주민등록번호) or 10 (사업자등록번호).

    Of a union with several heads: `slot` is whose name, number and contact these are (1: the first, as the account is
    kept), `heads` are the others.
    """

    customer_id: str
    kind: CustomerKind
    banking_id: str = field(repr=False)
    name: str = field(repr=False)
    idn: Secret[str]
    mobile: str = field(repr=False)
    home_phone: str | None = field(repr=False, default=None)
    work_phone: str | None = field(repr=False, default=None)
    email: str | None = field(repr=False, default=None)
    mobile_changed_at: datetime | None = None
    union_name: str | None = None
    status: str = "ACTIVE"
    home_phone_changed_at: datetime | None = None
    work_phone_changed_at: datetime | None = None
    third_phone: str | None = field(repr=False, default=None)
    third_phone_changed_at: datetime | None = None
    told: Told = Told()
    slot: int = 1
    heads: tuple[Head, ...] = field(repr=False, default=())

    def as_head(self, slot: int | None) -> Customer | None:
        """The account as this head of it sees it, with their own name, number and contact; None: there is no such one.

        `slot` None: the first. The number before of a mobile number is the first one's alone.
        """
        if (slot or 1) == self.slot:
            return self
        head = next((one for one in self.heads if one.slot == (slot or 1) and one.seated), None)
        if head is None:
            return None
        here = Head(**{name: getattr(self, name) for name in _OF_A_HEAD})
        others = sorted((here, *(one for one in self.heads if one.slot != head.slot)), key=lambda one: one.slot)
        told = replace(self.told, former_mobile="", former_until=None)
        return replace(self, told=told, heads=tuple(others), **{name: getattr(head, name) for name in _OF_A_HEAD})


class Phone(StrEnum):
    """The telephone numbers that codes and calls go to; the value is the field of `Customer`. THIRD: 제3연락처."""

    MOBILE = "mobile"
    HOME = "home_phone"
    WORK = "work_phone"
    THIRD = "third_phone"

    def of(self, customer: Customer) -> str | None:
        """Its digits, or None where there is none."""
        number: str | None = getattr(customer, self.value)
        return number

    def changed_at(self, customer: Customer) -> datetime | None:
        """When it was last changed; None: never since the customer is ours (E9)."""
        at: datetime | None = getattr(customer, f"{self.value}_changed_at")
        return at


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What enrolling takes; the password is hashed with Argon2id, the rest encrypted per field (H6)."""

    customer: Customer
    password: Secret[str]


class Customers(Protocol):
    """Look-ups by our own keys, never by name. Every method may raise CustomersOutage."""

    async def authenticate(self, banking_id: str, password: Secret[str]) -> Customer | None:
        """The customer, if the ID exists and the password fits; the same Argon2id work for an unknown ID (F8)."""

    async def by_id(self, customer_id: str) -> Customer | None:
        """The customer of this key."""

    async def by_banking_id(self, banking_id: str) -> Customer | None:
        """The customer of this banking ID (notices and the CLI; never an answer to an anonymous request)."""

    async def new_number(self, customer: Customer, phone: Phone, number: str | None, at: datetime) -> Change:
        """The change that makes `number` (digits; None: there is none) the registered one, marked as changed at `at`.

        Save it with what authorises it. A number that changed meanwhile ends in Stale.
        """

    async def enrol(self, new: NewCustomer) -> None:
        """Add a customer; Conflict if the ID is taken."""

    async def add_head(self, customer: Customer, head: Head) -> int:
        """Give one more head of this union a place, whatever `head.slot` says; the slot they have.

        Raises HeadsFull, HeadRefused.
        """

    async def end_head(self, customer: Customer, slot: int, at: datetime) -> Change:
        """The change that takes a further head's place away; save it with the end of their registration.

        Saving raises Stale where there is no such head any more.
        """
