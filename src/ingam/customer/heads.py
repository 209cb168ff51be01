"""Whose a session or a key is at a union's account: a place alone is not a person, so a keyed digest goes with it.

Whoever is head of a union changes, in our tables or at the core-banking system, and no word may come to us of it. What
a former head opened, made or registered therefore names the number it was of, and speaks for nobody after that.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ingam.customer.session import Session
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, CustomerKind
from ingam.ports.keys import Digests

_KEY_DIGITS: Final = 16
"""Of a keyed digest: enough to tell the heads of one union, one after another, from each other."""


def head_key(digests: Digests, customer: Customer) -> str:
    """Keyed digest of the number of a head of a union, the first one too; "" of everybody else.

    `customer`: as the head sees the account.
    """
    return key_of(digests, customer.idn) if customer.kind is CustomerKind.UNION_HEAD else ""


def key_of(digests: Digests, idn: Secret[str]) -> str:
    """Keyed digest of the number (13 digits) of a head of a union."""
    return digests.digest("union-head", idn.reveal())


def at_place(digests: Digests, customer: Customer, slot: int | None, head: str) -> Customer | None:
    """The account as the head of `slot` sees it; None where that place is nobody's, or another's than `head` says."""
    found = customer.as_head(slot)
    return found if found is not None and head_key(digests, found) == head else None


def in_session(digests: Digests, customer: Customer, session: Session) -> Customer | None:
    """The account as whoever opened the session sees it; None where they are its head no more.

    `customer`: whose `customer_id` the session has, as the institution keeps them.
    """
    return at_place(digests, customer, session.slot, session.head)


def person_key(digests: Digests, customer: Customer) -> str:
    """What is one person's own is named by: the customer's key; of a head of a union the place and number too.

    Without it one head, or the next first head, would go on with what another began: the password of the account is
    the same.
    """
    return _person(customer.customer_id, customer.slot, head_key(digests, customer))


def number_counter(customer: Customer) -> str:
    """Key of the counter of wrong numbers where any head's is right; nobody's right one begins it anew."""
    return f"number-fail:{customer.customer_id}:heads" if customer.heads else counter("number-fail", customer)


def whose_run(digests: Digests, customer: Customer, flow_id: str) -> Customer | None:
    """The account as the head whose run it is sees it; None where it is a former head's."""
    whose = flow_id.rpartition(":")[0].partition(":")[2]
    return next((one for one in every_head(customer) if person_key(digests, one) == whose), None)


def session_key(session: Session) -> str:
    """`person_key` of whoever the session is; it must be somebody's."""
    assert session.customer_id is not None
    return _person(session.customer_id, session.slot or 1, session.head)


def _person(customer_id: str, slot: int, head: str) -> str:
    return f"{customer_id}.{slot}.{head[:_KEY_DIGITS]}" if head else customer_id


def counter(name: str, customer: Customer, slot: int | None = None) -> str:
    """Key of a counter of wrong answers about one head, `customer` or of `slot`: no other's right one resets it."""
    place = slot or customer.slot
    return f"{name}:{customer.customer_id}" if place == 1 else f"{name}:{customer.customer_id}:{place}"


def marked(text: str, kind: CustomerKind, idn: Secret[str]) -> bytes:
    """What is to be sealed of an account's holder, digits or nothing; of a head of a union with whose it is."""
    return (f"{text}\n{_mark(idn)}" if kind is CustomerKind.UNION_HEAD else text).encode()


def unmarked(clear: bytes, kind: CustomerKind, idn: Secret[str]) -> str | None:
    """What `marked` made; None where it is of a union and not of the head with this number, or does not say of whom."""
    text, _, whose = clear.decode().partition("\n")
    return text if kind is not CustomerKind.UNION_HEAD or whose == _mark(idn) else None


def _mark(idn: Secret[str]) -> str:
    """It is sealed with what it marks: nobody who cannot open that tries numbers against it."""
    return sha256(b"ingam-head\n" + idn.reveal().encode()).hexdigest()


def every_head(customer: Customer) -> list[Customer]:
    """The account as each of its heads who has a place sees it, `customer` first; of anybody else themselves."""
    others = (customer.as_head(one.slot) for one in customer.heads)
    return [customer, *(one for one in others if one is not None)]


def several(customer: Customer) -> bool:
    """Whether further heads of this union have a place beside the first."""
    return len(every_head(customer)) > 1


def undecided(customer: Customer, session: Session) -> bool:
    """Whether the union has several heads and the login did not say which of them is here: ID and password are one."""
    return session.slot is None and several(customer)
