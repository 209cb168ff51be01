"""Who registered which 금융인증서: one of a customer, beside the joint certificate's binding; ended ones stay (A17)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from ingam.customer.binding.bindings import SESSIONS_MOST, Bindings, SealDetails
from ingam.customer.finance.proof import ProvenFinance
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, Row, Store, Update

TABLE: Final = "finance_binding"
ACTIVE: Final = "ACTIVE"
REPLACED: Final = "REPLACED"
RELEASED: Final = "RELEASED"


class FinanceBound(Refusal):
    """This very certificate is this customer's already; a success that changes nothing."""

    code = "finance-bound"


class FinanceBoundToOther(Refusal):
    """Another customer's; said only after signature and VID are proven (H5)."""

    code = "finance-bound-to-other"


class NothingBound(Refusal):
    """No 금융인증서 of this person is registered."""

    code = "finance-nothing-bound"


@dataclass(frozen=True, slots=True)
class FinanceBinding:
    """A stored one. `fingerprint`: SHA-256 of the certificate, 64 lower hex."""

    binding_id: str
    customer_id: str
    fingerprint: str
    not_after: datetime
    bound_at: datetime
    sealed: bytes = field(repr=False)


class FinanceBindings:
    """Reads them and prepares rows; the caller's transaction saves them. `names`: for the keyed digest of a name."""

    def __init__(
        self, store: Store, digests: Digests, fields: SealDetails, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store = store
        self._fields = fields
        self._names = Bindings(store, digests, fields)
        self._token = token

    async def active(self, customer_id: str) -> FinanceBinding | None:
        """The customer's one."""
        return _binding(await self._store.one(TABLE, {"customer_id": customer_id, "status": ACTIVE}))

    async def by_fingerprint(self, fingerprint: str) -> FinanceBinding | None:
        """Whose a certificate is."""
        return _binding(await self._store.one(TABLE, {"fingerprint": fingerprint, "status": ACTIVE}))

    async def of_same_name(self, one: Certificate) -> bool:
        """Whether somebody registered one of this name and issuer: issued anew, perhaps. No reason for a session."""
        where: Row = {"name_key": self._names.name_key(one), "status": ACTIVE}
        return bool(await self._store.many(TABLE, where, limit=1))

    async def certificate(self, binding: FinanceBinding) -> Certificate:
        """The certificate itself."""
        der = await self._fields.open(binding.customer_id, TABLE, "details", binding.binding_id, binding.sealed)
        return certificate.parse(msgspec.json.decode(der, type=bytes))

    async def check_10_owner(self, customer_id: str, one: Certificate) -> None:
        """Raises FinanceBound, FinanceBoundToOther."""
        found = await self.by_fingerprint(one.fingerprint.hex())
        if found is not None:
            raise FinanceBound(check=10) if found.customer_id == customer_id else FinanceBoundToOther(check=10)

    async def bind(
        self, customer_id: str, proven: ProvenFinance, replaces: FinanceBinding | None, session: str
    ) -> list[Change]:
        """The rows of check 12. The unique indexes hold the rest: one active of a customer, one of a certificate."""
        binding_id = self._token(16).hex()
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
        }
        ending = [] if replaces is None else await self._ended(replaces, REPLACED, proven.at, session)
        return [*ending, Insert(TABLE, row)]

    async def release(self, binding: FinanceBinding, at: datetime, session: str) -> list[Change]:
        """해제: it stays as history, and sessions that it opened end."""
        return await self._ended(binding, RELEASED, at, session)

    async def _ended(self, binding: FinanceBinding, status: str, at: datetime, session: str) -> list[Change]:
        where: Row = {"customer_id": binding.customer_id, "level": "finance", "ended_at": None}
        rows = await self._store.many("session", where, limit=SESSIONS_MOST)
        over: Row = {"ended_at": at, "ended_by": "replaced"}
        ends = [Update("session", {"session": row["session"]}, over) for row in rows if row["session"] != session]
        held: Row = {"binding_id": binding.binding_id, "status": ACTIVE}
        return [Update(TABLE, held, {"status": status, "ended_at": at}), *ends]


def _binding(row: Row | None) -> FinanceBinding | None:
    if row is None:
        return None
    not_after, bound_at, details = row["not_after"], row["bound_at"], row["details"]
    assert isinstance(not_after, datetime) and isinstance(bound_at, datetime) and isinstance(details, bytes)
    return FinanceBinding(
        str(row["binding_id"]), str(row["customer_id"]), str(row["fingerprint"]), not_after, bound_at, details
    )
