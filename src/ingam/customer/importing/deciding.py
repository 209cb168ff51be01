"""What becomes of a row: a binding, a claim, nothing new, or a refusal with its code (decision 0016).

An import trusts the institution's earlier check of who owns a certificate, since R (npki.md §3) cannot be asked for;
so it takes nothing that disagrees with what is known here, and never changes what was registered here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from ingam.customer.binding.bindings import (
    ACTIVE,
    BINDING_BYTES,
    SUSPENDED,
    UNKNOWN_NAME,
    Details,
    claim_key,
    name_key,
)
from ingam.customer.heads import key_of
from ingam.customer.importing.rows import Fingerprinted, Given, Named, Registration
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.npki import certificate, chain, policies
from ingam.npki.certificate import Certificate
from ingam.npki.chain import Anchors, SignatureCache
from ingam.npki.policies import Acceptance, Policy
from ingam.npki.subject import display_name, fold
from ingam.ports.customers import CustomerKind
from ingam.ports.importing import Holder, Known
from ingam.ports.keys import Digests
from ingam.ports.store import Row

STANDING: Final = (ACTIVE, SUSPENDED)
_PERSONS: Final = (CustomerKind.PERSONAL, CustomerKind.UNION_HEAD)


class NotTaken(Refusal):
    """A row that reads well and is not taken: the code says why."""

    code = "import-unknown-customer"


@dataclass(frozen=True, slots=True)
class ToBind:
    """A row whose certificate may be bound. `certificate`: None where its fingerprint alone is known."""

    holder: Holder
    fingerprint: str
    policy: Policy
    not_after: datetime
    at: datetime
    certificate: Certificate | None = field(repr=False, default=None)

    @property
    def key(self) -> str:
        """What no two customers have."""
        return self.fingerprint


@dataclass(frozen=True, slots=True)
class ToClaim:
    """A row of which names and number are known: its first login leads into registration, and gives no session."""

    holder: Holder
    key: str
    at: datetime


Wanted: TypeAlias = ToBind | ToClaim


class Decider:
    """Checks rows. `anchors`: the authorities of the trust file; `at`: the instant that validity is asked for."""

    def __init__(
        self, digests: Digests, anchors: Anchors, at: datetime, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._digests = digests
        self._anchors = anchors
        self._at = at
        self._token = token
        self._cache = SignatureCache()
        self._policies = {one.oid: one for one in policies.policies()}

    def wanted(self, row: Registration, holder: Holder | None) -> Wanted:
        """What the row asks for, by itself. Raises NotTaken, PathRefused, CertificateMalformed and its kin."""
        if holder is None:
            raise NotTaken
        if holder.status != "ACTIVE":
            raise NotTaken("import-customer-closed")
        at = row.registered_at or self._at
        if at > self._at:
            raise NotTaken("import-form", column="registered_at")
        match row.what:
            case Given(octets):
                return self._given(holder, octets, at)
            case Fingerprinted() as known:
                return self._fingerprinted(holder, known, at)
            case Named(issuer, subject, serial):
                return ToClaim(holder, claim_key(self._digests, issuer, subject, serial), at)

    def _given(self, holder: Holder, octets: bytes, at: datetime) -> ToBind:
        found = certificate.parse(octets)
        policy = policies.lookup(found.issuer, found.policy_oid)
        chain.validate(found, self._anchors, self._at, cache=self._cache)
        _check_policy(policy, holder.kind)
        assert policy is not None
        if not same_person(found, holder.kind, holder.opened.name):
            raise NotTaken("import-other-name")
        return ToBind(holder, found.fingerprint.hex(), policy, found.not_after, at, found)

    def _fingerprinted(self, holder: Holder, known: Fingerprinted, at: datetime) -> ToBind:
        policy = self._policies.get(known.policy)
        _check_policy(policy, holder.kind)
        assert policy is not None
        if known.not_after <= self._at:
            raise NotTaken("cert-expired", date=korean_day(known.not_after))
        return ToBind(holder, known.fingerprint, policy, known.not_after, at)

    def _head(self, holder: Holder) -> str:
        union = holder.kind is CustomerKind.UNION_HEAD
        return key_of(self._digests, holder.opened.idn()) if union else ""

    def binding(self, one: ToBind) -> Row:
        """The row of `binding`."""
        binding_id, found = self._token(BINDING_BYTES).hex(), one.certificate
        details = Details(
            subject="" if found is None else str(found.subject),
            issuer="" if found is None else str(found.issuer),
            serial="" if found is None else f"{found.serial:x}",
            use_ko=one.policy.name_ko,
            use_en=one.policy.name_en,
            certificate=b"" if found is None else found.der,
            imported=True,
            head=self._head(one.holder),
        )
        sealed = one.holder.opened.cipher.seal("binding", "details", binding_id, msgspec.json.encode(details))
        return {
            "binding_id": binding_id,
            "customer_id": one.holder.customer_id,
            "fingerprint": one.fingerprint,
            "name_key": UNKNOWN_NAME if found is None else name_key(self._digests, found),
            "policy_oid": one.policy.oid,
            "not_after": one.not_after,
            "details": sealed,
            "status": ACTIVE,
            "bound_at": one.at,
            "ended_at": None,
        }

    def claim(self, one: ToClaim) -> Row:
        """The row of `binding_claim`."""
        return {"claim_key": one.key, "customer_id": one.holder.customer_id, "at": one.at, "ended_at": None}


class Places:
    """Who has what already: the database, and the rows before this one."""

    def __init__(self, bindings: Iterable[Known], claims: Iterable[Known]) -> None:
        self._of_key: dict[str, list[Known]] = {}
        self._holding: set[str] = set()
        for one in (*bindings, *claims):
            self._of_key.setdefault(one.key, []).append(one)
            if one.status in (*STANDING, "OPEN"):
                self._holding.add(one.customer_id)

    def take(self, one: Wanted) -> bool:
        """Its place from now on; False where it has it already. Raises NotTaken."""
        customer_id = one.holder.customer_id
        for known in self._of_key.get(one.key, ()):
            if known.customer_id == customer_id and known.status in (*STANDING, "OPEN"):
                return False
            if known.customer_id == customer_id:
                raise NotTaken("import-ended")  # it was released or replaced here: a file never brings it back
            if known.status in (*STANDING, "OPEN"):
                raise NotTaken("import-of-other")
        if customer_id in self._holding:
            raise NotTaken("import-has-binding")
        self._holding.add(customer_id)
        self._of_key.setdefault(one.key, []).append(Known(customer_id, one.key, ACTIVE))
        return True


def bindings_and_claims(decider: Decider, taken: Sequence[Wanted]) -> tuple[list[Row], list[Row]]:
    """The rows of both tables."""
    bindings = [decider.binding(one) for one in taken if isinstance(one, ToBind)]
    return bindings, [decider.claim(one) for one in taken if isinstance(one, ToClaim)]


def _check_policy(policy: Policy | None, kind: CustomerKind) -> None:
    found = policies.judged(policy, policies.CustomerKind(str(kind)))
    if found is not Acceptance.ACCEPTED:
        raise NotTaken(str(found))


def same_person(found: Certificate, kind: CustomerKind, name: str) -> bool:
    """Names alone make nobody the owner; another name unmakes it. Of a corporation, whose names vary: always."""
    if kind not in _PERSONS:
        return True
    return fold(display_name(found.subject)).replace(" ", "") == fold(name).replace(" ", "")
