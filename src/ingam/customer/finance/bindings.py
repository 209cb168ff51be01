"""Who registered which 금융인증서: one of a person, beside the joint certificate's binding; ended ones stay (A17).

A person is a customer; of a union with several heads each head has a slot of their own, and the number goes with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from ingam.customer.binding.bindings import Bindings, SealDetails
from ingam.customer.finance.proof import ProvenFinance
from ingam.customer.session import Level
from ingam.customer.session.ending import sessions_over
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, Row, Store, Update

TABLE: Final = "finance_binding"
ACTIVE: Final = "ACTIVE"
REPLACED: Final = "REPLACED"
RELEASED: Final = "RELEASED"
SUSPENDED: Final = "SUSPENDED"
"""By a report of loss, or as its authority says: it speaks for nobody, and keeps everybody else from it (E11)."""
STALE: Final = "STALE"
"""Its certificate was revoked or is over."""


class FinanceSuspended(Refusal):
    """It is this person's, and its use is stopped; resuming is the way, and not registering it anew (E11)."""

    code = "finance-suspended"


class FinanceBound(Refusal):
    """This very certificate is this customer's already; a success that changes nothing."""

    code = "finance-bound"


class FinanceBoundToOther(Refusal):
    """Another person's, also another head's of the same union; said only after signature and VID are proven (H5)."""

    code = "finance-bound-to-other"


class NothingBound(Refusal):
    """No 금융인증서 of this person is registered."""

    code = "finance-nothing-bound"


@dataclass(frozen=True, slots=True)
class FinanceBinding:
    """A stored one. `fingerprint`: SHA-256, 64 lower hex; `ended_at`: since when it is not ACTIVE."""

    binding_id: str
    customer_id: str
    fingerprint: str
    not_after: datetime
    status: str
    bound_at: datetime
    ended_at: datetime | None
    sealed: bytes = field(repr=False)
    slot: int = 1
    head: str = field(repr=False, default="")
    """Of whom it is at a union's account (customer/heads.py); "" of everybody else."""


class NewFinance(NamedTuple):
    """A binding to be: its id, and the rows that make it."""

    binding_id: str
    rows: list[Change]


class FinanceBindings:
    """Reads them and prepares rows; the caller's transaction saves them. `names`: for the keyed digest of a name."""

    def __init__(
        self, store: Store, digests: Digests, fields: SealDetails, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store = store
        self._fields = fields
        self._names = Bindings(store, digests, fields)
        self._token = token

    async def active(self, customer: Customer) -> FinanceBinding | None:
        """This very person's: of a union the place, and the number that it was registered with."""
        return _binding(await self._store.one(TABLE, {**self._mine(customer), "status": ACTIVE}))

    async def in_place(self, customer: Customer) -> FinanceBinding | None:
        """What a registration replaces: the person's, or that of whoever had the place before."""
        return _binding(await self._store.one(TABLE, {**_place(customer), "status": ACTIVE}))

    async def one(self, binding_id: str) -> FinanceBinding | None:
        """One as it stands, whatever its status."""
        return _binding(await self._store.one(TABLE, {"binding_id": binding_id}))

    async def suspended(self, customer: Customer) -> FinanceBinding | None:
        """The person's newest one whose use is stopped."""
        return await self._newest({**self._mine(customer), "status": SUSPENDED})

    async def last(self, customer: Customer) -> FinanceBinding | None:
        """The person's newest one, whatever its status."""
        return await self._newest(self._mine(customer))

    async def refuse_suspended(self, customer: Customer) -> None:
        """Raises FinanceSuspended where the person's is."""
        if await self.suspended(customer) is not None:
            raise FinanceSuspended

    async def by_fingerprint(self, fingerprint: str) -> FinanceBinding | None:
        """Whose a certificate is."""
        return _binding(await self._store.one(TABLE, {"fingerprint": fingerprint, "status": ACTIVE}))

    async def suspended_by_fingerprint(self, fingerprint: str) -> FinanceBinding | None:
        """Whose a certificate is whose use is stopped."""
        return await self._newest({"fingerprint": fingerprint, "status": SUSPENDED})

    async def _newest(self, where: Row) -> FinanceBinding | None:
        rows = await self._store.many(TABLE, where, order="bound_at", descending=True, limit=1)
        return _binding(rows[0] if rows else None)

    async def of_same_name(self, one: Certificate) -> bool:
        """Whether somebody registered one of this name and issuer: issued anew, perhaps. No reason for a session.

        The cloud renews by itself, and the night may have found the old one's end already.
        """
        named = self._names.name_key(one)
        wanted: list[Row] = [{"name_key": named, "status": status} for status in (ACTIVE, STALE)]
        return any([await self._store.many(TABLE, where, limit=1) for where in wanted])

    async def certificate(self, binding: FinanceBinding) -> Certificate:
        """The certificate itself."""
        der = await self._fields.open(binding.customer_id, TABLE, "details", binding.binding_id, binding.sealed)
        return certificate.parse(msgspec.json.decode(der, type=bytes))

    def _mine(self, customer: Customer) -> Row:
        return {**_place(customer), "head": self._names.head_key(customer)}

    async def check_10_owner(self, customer: Customer, one: Certificate) -> None:
        """Raises FinanceBound, FinanceSuspended, FinanceBoundToOther."""
        fingerprint = one.fingerprint.hex()
        found = await self.by_fingerprint(fingerprint) or await self.suspended_by_fingerprint(fingerprint)
        if found is None:
            return
        if (found.customer_id, found.slot) != (customer.customer_id, customer.slot):
            raise FinanceBoundToOther(check=10)
        if found.head != self._names.head_key(customer):
            return  # it speaks for nobody yet: registering it anew, in its own place, is what it waits for
        raise FinanceBound(check=10) if found.status == ACTIVE else FinanceSuspended(check=10)

    async def bind(
        self, customer: Customer, proven: ProvenFinance, replaces: FinanceBinding | None, session: str
    ) -> NewFinance:
        """The rows of check 12. The unique indexes hold the rest: one active of a person, one of a certificate."""
        binding_id, customer_id = self._token(16).hex(), customer.customer_id
        sealed = await self._fields.seal(
            customer_id, TABLE, "details", binding_id, msgspec.json.encode(proven.certificate.der)
        )
        row: Row = {
            "binding_id": binding_id,
            "customer_id": customer_id,
            "fingerprint": proven.certificate.fingerprint.hex(),
            "name_key": self._names.name_key(proven.certificate),
            "policy_oid": proven.policy.oid,
            "not_after": proven.certificate.not_after,
            "details": sealed,
            "status": ACTIVE,
            "bound_at": proven.at,
            "ended_at": None,
            "slot": customer.slot,
            "head": self._names.head_key(customer),
        }
        ending: list[Change] = []
        if replaces is not None:
            ending = self.ended(replaces, REPLACED, proven.at, why="replaced", keep=session)
        return NewFinance(binding_id, [*ending, Insert(TABLE, row)])

    def release(self, binding: FinanceBinding, at: datetime, session: str) -> list[Change]:
        """해제: it stays as history, and sessions that it opened end."""
        return self.ended(binding, RELEASED, at, why="replaced", keep=session)

    def ended(
        self, binding: FinanceBinding, status: str, at: datetime, *, why: str, keep: str = ""
    ) -> list[Change]:  # fmt: skip
        """The rows of its new status. Saving them raises Stale where it moved meanwhile.

        `why`: the word that its sessions end by; `keep`: the session that goes on, of whoever does this.
        """
        ends = sessions_over(binding.customer_id, Level.FINANCE, at, why=why, keep=keep, slot=binding.slot)
        held: Row = {"binding_id": binding.binding_id, "status": binding.status}
        return [Update(TABLE, held, {"status": status, "ended_at": at}), *ends]

    def resumed(self, binding: FinanceBinding) -> Update:
        """The row of one that speaks again. Saving it raises Stale, or Conflict where another one is active by now."""
        where: Row = {"binding_id": binding.binding_id, "status": SUSPENDED}
        return Update(TABLE, where, {"status": ACTIVE, "ended_at": None})


def _place(customer: Customer) -> Row:
    return {"customer_id": customer.customer_id, "slot": customer.slot}


def _binding(row: Row | None) -> FinanceBinding | None:
    if row is None:
        return None
    not_after, bound_at, details, ended_at = row["not_after"], row["bound_at"], row["details"], row["ended_at"]
    assert isinstance(not_after, datetime) and isinstance(bound_at, datetime) and isinstance(details, bytes)
    assert ended_at is None or isinstance(ended_at, datetime)
    return FinanceBinding(
        binding_id=str(row["binding_id"]),
        customer_id=str(row["customer_id"]),
        fingerprint=str(row["fingerprint"]),
        not_after=not_after,
        status=str(row["status"]),
        bound_at=bound_at,
        ended_at=ended_at,
        sealed=details,
        slot=int(str(row["slot"])),
        head=str(row["head"]),
    )
