"""Certificates of our own authority that a person has and that are not registered here: they may be revoked too (W7).

The authority is asked at every look, a bounded number of times a minute; nothing of its answer is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.customer.binding.bindings import Bindings
from ingam.kernel.errors import Refusal
from ingam.npki import policies
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused, IssuedCertificate
from ingam.ports.certification import Standing as Said
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Count, Store

WINDOW_S: Final = 60
LOOKS: Final = 30
"""Looks of one customer in a window: each is a signed question that the authority records."""


class NotValid(Refusal):
    """The authority holds no such valid certificate of this person: revoked or over meanwhile, or never theirs."""

    code = "management-not-valid"


@dataclass(frozen=True, slots=True)
class Issued:
    """One of them, valid or suspended. `serial`: lower hex; `through`: the firm or branch that it was asked for at.

    `issuer`, `subject`: DER Names, as the authority told them of this very certificate.
    """

    fingerprint: str
    serial: str
    use_ko: str
    use_en: str
    through: str
    issued_at: datetime
    not_after: datetime
    suspended: bool
    issuer: bytes
    subject: bytes


class IssuedElsewhere:
    """Reads. `certification` None: nothing is issued here."""

    def __init__(self, store: Store, bindings: Bindings, certification: Certification | None, clock: Clock) -> None:
        self._store = store
        self._bindings = bindings
        self._certification = certification
        self._clock = clock

    async def of(self, customer: Customer) -> tuple[Issued, ...]:
        """Newest first. Raises CertificationOutage, CertificationRefused, StoreOutage."""
        if self._certification is None:
            return ()
        now = self._clock.now()
        asked = Count(f"management-issued:{customer.customer_id}", WINDOW_S, LOOKS, now)
        if await self._store.count(asked) > LOOKS:
            raise CertificationOutage(cause="too-many-looks")
        valid = [one for one in await self._certification.issued(customer.idn) if one.stands(now)]
        return tuple([_shown(one) for one in valid if not await self._registered(one.fingerprint)])

    async def one(self, customer: Customer, fingerprint: str) -> Issued:
        """That one. Raises NotValid, CertificationOutage, StoreOutage."""
        try:
            found = await self.of(customer)
        except CertificationRefused:  # it knows nobody of this number
            raise NotValid from None
        for one in found:
            if one.fingerprint == fingerprint:
                return one
        raise NotValid

    async def _registered(self, fingerprint: str) -> bool:
        find = self._bindings
        return (await find.by_fingerprint(fingerprint) or await find.suspended_by_fingerprint(fingerprint)) is not None


def _shown(one: IssuedCertificate) -> Issued:
    policy = next((row for row in policies.policies() if row.oid == one.policy), None)
    ko, en = (policy.name_ko, policy.name_en) if policy else (one.profile, one.profile)
    return Issued(
        one.fingerprint, one.serial, ko, en, one.through, one.issued_at, one.not_after, one.standing is Said.HELD,
        one.issuer_name, one.subject_name,
    )  # fmt: skip
