"""Bindings in the store: one active certificate per person, found by its SHA-256; ended ones stay as history (A17).

A person is a customer; of a union with several heads each head has a slot of their own.

A binding is the fingerprint alone. The name key (a keyed digest of subject and issuer) finds a re-issued certificate
of a bound person, which may start re-registration and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from ingam.customer.binding.proof import OwnedCertificate
from ingam.customer.heads import head_key
from ingam.customer.session import Level
from ingam.customer.session.ending import sessions_over
from ingam.kernel.errors import Refusal
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.npki.subject import Name, fold
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, Row, Store, Update, UpdateAll

ACTIVE: Final = "ACTIVE"
REPLACED: Final = "REPLACED"
SUSPENDED: Final = "SUSPENDED"
"""By a report of loss (사고신고): it speaks for nobody, and still keeps everybody else from the certificate (E11)."""
RELEASED: Final = "RELEASED"
"""By the person (타기관인증서 해제); the certificate itself stands."""
STALE: Final = "STALE"
"""Its certificate was revoked or is over; it speaks for nobody any more."""
BINDING_BYTES: Final = 16
UNKNOWN_NAME: Final = ""
"""`name_key` of a binding whose certificate an import did not have."""


class AlreadyBound(Refusal):
    """Check 10: this very certificate is this customer's already; a success that changes nothing (M-REG-07)."""

    code = "already-bound"


class BoundToOther(Refusal):
    """Check 10: another customer's certificate; said only after signature and VID are proven (H5, M-REG-08)."""

    code = "bound-to-other"


class ReplaceConfirm(Refusal):
    """Check 11: there is a binding now that the signed text does not name; ask again, sign anew (M-REG-05)."""

    code = "replace-confirm"


class BindingSuspended(Refusal):
    """The certificate is this person's, and its use is stopped by a report of loss (M-CERT-05, E11)."""

    code = "binding-suspended"


class SealDetails(Protocol):
    """Field encryption under the customer's own key, bound to its place (security H6)."""

    async def seal(self, customer_id: str, table: str, column: str, row_id: str, clear: bytes) -> bytes:
        """AES-256-GCM of a field."""

    async def open(self, customer_id: str, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The field; raises a Defect for bytes of another place or customer."""


class Whose(Protocol):
    """A person: of an account of several heads the slot says which."""

    @property
    def customer_id(self) -> str: ...
    @property
    def slot(self) -> int: ...


class Place(NamedTuple):
    """A person whose name nobody needs."""

    customer_id: str
    slot: int = 1


@dataclass(frozen=True, slots=True)
class Binding:
    """A stored binding. `fingerprint`: SHA-256 of the certificate, 64 lower hex.

    `ended_at`: since when it is not ACTIVE; None while it is.
    """

    binding_id: str
    customer_id: str
    fingerprint: str
    policy_oid: str
    not_after: datetime
    status: str
    bound_at: datetime
    sealed_details: bytes = field(repr=False)
    ended_at: datetime | None = None
    slot: int = 1
    complete: bool = True
    """False: an import knew its fingerprint alone; the first login brings the rest."""


class Details(msgspec.Struct, frozen=True):
    """What is kept of the certificate itself; encrypted, for 인증서관리 and for what is shown when it is replaced."""

    subject: str
    issuer: str
    serial: str
    use_ko: str
    use_en: str
    certificate: bytes
    """DER; empty where an import had its fingerprint alone and nobody came with it yet."""
    imported: bool = False
    head: str = ""
    """Keyed digest of the number of a head of a union: whoever has the slot next is somebody else."""


@dataclass(frozen=True, slots=True)
class ToBind:
    """A certificate that is this person's, and by whose session it comes: proven (check 9), or issued here.

    `customer`: as the head whose it is sees the account.
    """

    customer: Customer
    certificate: Certificate
    policy: Policy
    at: datetime
    session: str

    @classmethod
    def of(cls, owned: OwnedCertificate) -> ToBind:
        """What a registration proved."""
        proven = owned.proven
        session = proven.presentation.challenge.session
        return cls(owned.customer, proven.certificate, proven.policy, proven.at, session)


@dataclass(frozen=True, slots=True)
class Change12:
    """Check 12's rows: the new binding, and the end of the one that it replaces."""

    binding_id: str
    rows: tuple[Change, ...]


class Bindings:
    """Reads bindings and prepares the rows of a new one; the caller's transaction saves them."""

    def __init__(
        self, store: Store, digests: Digests, fields: SealDetails, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store = store
        self._digests = digests
        self._fields = fields
        self._token = token

    async def active(self, person: Whose) -> Binding | None:
        """The person's one active binding."""
        return await self._standing(person, ACTIVE)

    async def one(self, binding_id: str) -> Binding | None:
        """A binding as it stands, whatever its status."""
        return _binding(await self._store.one("binding", {"binding_id": binding_id}))

    async def suspended(self, person: Whose) -> Binding | None:
        """The person's binding that a report of loss suspended."""
        return await self._standing(person, SUSPENDED)

    async def standing(self, person: Whose) -> Binding | None:
        """The person's one binding, active or suspended: what a new registration replaces."""
        return await self.active(person) or await self.suspended(person)

    async def _standing(self, person: Whose, status: str) -> Binding | None:
        where: Row = {"customer_id": person.customer_id, "slot": person.slot, "status": status}
        return _binding(await self._store.one("binding", where))

    async def holder(self, binding: Binding, customer: Customer) -> Customer | None:
        """The account as the head whose binding it is sees it; None where somebody else has that place by now.

        `customer`: whose `customer_id` the binding has, as the institution keeps them.
        """
        head = customer.as_head(binding.slot)
        return head if head is not None and await self.belongs(binding, head) else None

    async def belongs(self, binding: Binding, customer: Customer) -> bool:
        """Whether it is this very person's: the place, and of a union the number that it was registered with too.

        One of a union that was registered before the number was kept is nobody's until it is registered anew.
        """
        if (binding.customer_id, binding.slot) != (customer.customer_id, customer.slot):
            return False
        key = self.head_key(customer)
        return not key or (await self.details(binding)).head == key

    async def of_former(self, binding: Binding, customer: Customer) -> bool:
        """Whether a former head of its place registered it: another has that place of the union by now, or nobody.

        What was registered before the number was kept does not say whose it is, and is not said to be another's.
        """
        head = customer.as_head(binding.slot)
        if head is None:
            return True
        named = (await self.details(binding)).head if self.head_key(head) else ""
        return named not in ("", self.head_key(head))

    def head_key(self, customer: Customer) -> str:
        """Keyed digest of the number of a head of a union; "" of everybody else."""
        return head_key(self._digests, customer)

    async def refuse_suspended(self, customer: Customer) -> None:
        """Raises BindingSuspended where that, and not the want of one, is why there is no active binding."""
        suspended = await self.suspended(customer)
        if suspended is not None and not await self.of_former(suspended, customer):
            raise BindingSuspended

    async def by_fingerprint(self, fingerprint: str) -> Binding | None:
        """The active binding of a certificate: what login asks (check 10)."""
        return _binding(await self._store.one("binding", {"fingerprint": fingerprint, "status": ACTIVE}))

    async def suspended_by_fingerprint(self, fingerprint: str) -> Binding | None:
        """The suspended binding of a certificate."""
        return _binding(await self._store.one("binding", {"fingerprint": fingerprint, "status": SUSPENDED}))

    async def of_same_name(self, certificate: Certificate) -> list[Binding]:
        """Bindings with this certificate's subject and issuer: re-issued for a bound person, perhaps (A17).

        Active ones, and those whose certificate ended meanwhile, as the old one does at a reissue. Never a reason for
        a session: it may start re-registration only.
        """
        named = self.name_key(certificate)
        rows = [
            row
            for status in (ACTIVE, STALE)
            for row in await self._store.many("binding", {"name_key": named, "status": status})
        ]
        return [found for row in rows if (found := _binding(row)) is not None]

    async def history(self, customer_id: str) -> list[Binding]:
        """Every binding of a customer, newest first."""
        rows = await self._store.many("binding", {"customer_id": customer_id}, order="bound_at", descending=True)
        return [found for row in rows if (found := _binding(row)) is not None]

    async def details(self, binding: Binding) -> Details:
        """The certificate's own facts, opened."""
        clear = await self._fields.open(
            binding.customer_id, "binding", "details", binding.binding_id, binding.sealed_details
        )
        return msgspec.json.decode(clear, type=Details)

    async def check_10_owner(self, owned: OwnedCertificate) -> None:
        """Raises AlreadyBound, BindingSuspended or BoundToOther, the last for a suspended binding of another too.

        Takes an owned certificate, so it cannot be asked earlier (H5).
        """
        fingerprint = owned.proven.certificate.fingerprint.hex()
        found = await self.by_fingerprint(fingerprint) or await self.suspended_by_fingerprint(fingerprint)
        if found is None:
            return
        if (found.customer_id, found.slot) != (owned.customer.customer_id, owned.customer.slot):
            raise BoundToOther(check=10)
        if found.status == ACTIVE and not await self.belongs(found, owned.customer):
            return  # it speaks for nobody yet: registering it anew, in its own place, is what it waits for
        # Registering it anew is no way around resuming it (E11).
        raise AlreadyBound(check=10) if found.status == ACTIVE else BindingSuspended(check=10)

    async def check_11_replacement(self, owned: OwnedCertificate, agreed: str | None) -> Binding | None:
        """The binding to replace. `agreed`: the fingerprint that the signed text named. Raises ReplaceConfirm."""
        current = await self.standing(owned.customer)
        if (current.fingerprint if current else None) != agreed:
            raise ReplaceConfirm(check=11)
        return current

    async def change(self, one: ToBind, replaces: Binding | None) -> Change12:
        """The rows of check 12. The store's unique indexes hold the rest: one active one per customer and owner."""
        binding_id, certificate = self._token(BINDING_BYTES).hex(), one.certificate
        details = Details(
            subject=str(certificate.subject),
            issuer=str(certificate.issuer),
            serial=f"{certificate.serial:x}",
            use_ko=one.policy.name_ko,
            use_en=one.policy.name_en,
            certificate=certificate.der,
            head=self.head_key(one.customer),
        )
        customer_id = one.customer.customer_id
        sealed = await self._fields.seal(customer_id, "binding", "details", binding_id, msgspec.json.encode(details))
        row: Row = {
            "binding_id": binding_id,
            "customer_id": customer_id,
            "slot": one.customer.slot,
            "fingerprint": certificate.fingerprint.hex(),
            "name_key": self.name_key(certificate),
            "policy_oid": one.policy.oid,
            "not_after": certificate.not_after,
            "details": sealed,
            "status": ACTIVE,
            "bound_at": one.at,
            "ended_at": None,
        }
        ending: tuple[Change, ...] = ()
        if replaces is not None:
            where: Row = {"binding_id": replaces.binding_id, "status": replaces.status}
            ended = Update("binding", where, {"status": REPLACED, "ended_at": one.at})
            ending = (ended, *_sessions_over(one))
        return Change12(binding_id, (*ending, Insert("binding", row), *await self._claims_over(one)))

    async def _claims_over(self, one: ToBind) -> list[Change]:
        """What an import only claimed has its answer; what it brought is the first head's."""
        if one.customer.slot != 1:
            return []
        claims = await self._store.many("binding_claim", {"customer_id": one.customer.customer_id, "ended_at": None})
        return [
            Update("binding_claim", {"claim_key": row["claim_key"], "ended_at": None}, {"ended_at": one.at})
            for row in claims
        ]

    async def claimed(self, certificate: Certificate) -> bool:
        """Whether an import brought this very certificate by names and serial number alone (decision 0016).

        Never a reason for a session: it may start re-registration only.
        """
        key = claim_key(self._digests, certificate.issuer, certificate.subject, certificate.serial)
        return await self._store.one("binding_claim", {"claim_key": key, "ended_at": None}) is not None

    async def awaited(self, customer_id: str) -> bool:
        """Whether an import brought a registration of this customer that the person has yet to prove."""
        return bool(await self._store.many("binding_claim", {"customer_id": customer_id, "ended_at": None}, limit=1))

    async def completing(self, binding: Binding, certificate: Certificate, policy: Policy) -> Update | None:
        """What an import did not know of a binding, out of the certificate that just proved to be the bound one."""
        if binding.complete:
            return None
        known = await self.details(binding)
        told = msgspec.structs.replace(
            known, subject=str(certificate.subject), issuer=str(certificate.issuer), serial=f"{certificate.serial:x}",
            use_ko=policy.name_ko, use_en=policy.name_en, certificate=certificate.der,
        )  # fmt: skip
        sealed = await self._fields.seal(
            binding.customer_id, "binding", "details", binding.binding_id, msgspec.json.encode(told)
        )
        found: Row = {
            "name_key": self.name_key(certificate),
            "policy_oid": policy.oid,
            "not_after": certificate.not_after,
            "details": sealed,
        }
        return Update("binding", {"binding_id": binding.binding_id, "status": ACTIVE}, found)

    def name_key(self, certificate: Certificate) -> str:
        """Keyed digest of normalised subject and issuer: equal for names that are the same, however encoded."""
        return name_key(self._digests, certificate)


def name_key(digests: Digests, certificate: Certificate) -> str:
    """`Bindings.name_key`, for whoever has no store."""
    return digests.digest("binding-name", f"{_flat(certificate.issuer)}\n{_flat(certificate.subject)}")


def claim_key(digests: Digests, issuer: Name, subject: Name, serial: int) -> str:
    """Keyed digest of issuer, subject and serial number: what an import may know of a certificate it has not."""
    return digests.digest("binding-claim", f"{_flat(issuer)}\n{_flat(subject)}\n{serial:x}")


def _flat(name: Name) -> str:
    """One text per name: folded values in order; members of one RDN sorted, since a SET has no order."""
    rdns = [sorted((one.oid, fold(one.value)) for one in rdn) for rdn in name.rdns]
    return msgspec.json.encode(rdns).decode()


def _sessions_over(one: ToBind) -> list[UpdateAll]:
    """The person's other sessions that a certificate opened: the replaced one no longer speaks for anybody."""
    customer = one.customer
    return sessions_over(
        customer.customer_id, Level.CERT, one.at, why="replaced", keep=one.session, slot=customer.slot
    )  # fmt: skip


def _binding(row: Row | None) -> Binding | None:
    if row is None:
        return None
    not_after, bound_at, details, ended_at = row["not_after"], row["bound_at"], row["details"], row["ended_at"]
    assert isinstance(not_after, datetime) and isinstance(bound_at, datetime) and isinstance(details, bytes)
    assert ended_at is None or isinstance(ended_at, datetime)
    return Binding(
        binding_id=str(row["binding_id"]),
        customer_id=str(row["customer_id"]),
        fingerprint=str(row["fingerprint"]),
        policy_oid=str(row["policy_oid"]),
        not_after=not_after,
        status=str(row["status"]),
        bound_at=bound_at,
        sealed_details=details,
        ended_at=ended_at,
        slot=int(str(row["slot"])),
        complete=row["name_key"] != UNKNOWN_NAME,
    )
