"""What 마이뱅크 shows: the authority's word on every certificate ever issued, and the center's own history.

The authority is asked at every look and nothing of its answer is kept. When it does not answer, the history stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from ingam.customer.binding.bindings import ACTIVE, Binding, Bindings
from ingam.customer.evidence import Evidences, Kept
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Failure, Refusal
from ingam.npki import certificate, policies
from ingam.npki.policies import Policy
from ingam.ports.certification import (
    Certification,
    CertificationOutage,
    CertificationRefused,
    EverIssued,
    IssuedCertificate,
    Standing,
)
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.ephemeral import Ephemeral

WINDOW_S: Final = 60
LOOKS: Final = 20
"""Looks of one customer in a window: each is a signed question that the authority records."""

EXPIRED: Final = "expired"
REASONS: Final = frozenset({1, 3, 4, 5, 6, 9})
"""CRLReasons that have a word; of the others the state says enough."""


class TooManyLooks(Refusal):
    """The authority is asked too often for one person."""

    code = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Line:
    """A certificate as the authority tells of it. `state`: a Standing, or `expired`; `reason`: a CRLReason with a word.

    `ended_at`: since when it is held, revoked or expired. `here`: it is the one that is registered at this center.
    """

    use: str
    issuer: str
    through: str
    serial: str
    begins: datetime
    ends: datetime
    state: str
    reason: int | None
    ended_at: datetime | None
    here: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A registration at this center. `state`: ACTIVE, REPLACED, RELEASED or STALE; `serial`: lower hex."""

    use: str
    issuer: str
    serial: str
    state: str
    bound_at: datetime
    ended_at: datetime | None
    head: str = ""
    """Whose it was, masked, where the union has several heads; else ""."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The page. `failure`: why the authority's part is missing, or None; `more`: older ones are left out."""

    lines: tuple[Line, ...]
    more: bool
    failure: Failure | None
    history: tuple[Past, ...]
    signed: tuple[Kept, ...] = ()


class MyBank:
    """The service."""

    def __init__(
        self,
        customers: Customers,
        certification: Certification,
        bindings: Bindings,
        ephemeral: Ephemeral,
        clock: Clock,
        evidences: Evidences | None = None,
    ) -> None:
        self._customers, self._certification, self._bindings = customers, certification, bindings
        self._ephemeral, self._clock, self._evidences = ephemeral, clock, evidences

    async def shown(self, customer_id: str, lang: str, slot: int | None = None) -> Shown:
        """For whoever is logged in; `slot`: of the session. Raises TooManyLooks, EphemeralOutage, StoreOutage."""
        if not await self._ephemeral.hit(f"mybank:{customer_id}", WINDOW_S, LOOKS):
            raise TooManyLooks
        every = await self._bindings.history(customer_id)
        history = [one for one in every if slot in (None, one.slot)]  # a head sees their own alone
        here = next((one.fingerprint for one in history if one.status == ACTIVE and one.slot == (slot or 1)), "")
        kept = await self._customers.by_id(customer_id)
        found, failure = await self._ever(None if kept is None else kept.as_head(slot))
        lines = tuple(line(one, here, lang, self._clock.now()) for one in found)
        signed = () if self._evidences is None else tuple(await self._evidences.of(customer_id))
        return Shown(lines, found.more, failure, tuple([await self._past(one, lang, kept) for one in history]), signed)

    async def _ever(self, customer: Customer | None) -> tuple[EverIssued, Failure | None]:
        if customer is None:
            return EverIssued(), None
        try:
            return await self._certification.issued(customer.idn), None
        except (CertificationOutage, CertificationRefused) as failure:
            return EverIssued(), failure

    async def _past(self, one: Binding, lang: str, customer: Customer | None) -> Past:
        details = await self._bindings.details(one)
        known = details.certificate  # empty: imported by its fingerprint, and nobody came with it yet
        issuer = policies.issuer_name(certificate.parse(known).issuer, lang) if known else ""
        use = details.use_en if lang == "en" else details.use_ko
        head = None if customer is None else await self._bindings.holder(one, customer)
        whose = "" if customer is None or not customer.heads else "-" if head is None else mask_name(head.name)
        return Past(use, issuer, details.serial, one.status, one.bound_at, one.ended_at, whose)


def line(one: IssuedCertificate, here: str, lang: str, now: datetime) -> Line:
    """A certificate as the page shows it. `here`: the fingerprint that is registered, or ""."""
    use, issuer = named(one, lang)
    expired = one.standing is not Standing.REVOKED and now > one.not_after
    return Line(
        use=use,
        issuer=issuer,
        through=one.through,
        serial=one.serial,
        begins=one.not_before,
        ends=one.not_after,
        state=EXPIRED if expired else str(one.standing),
        reason=one.reason if not expired and one.reason in REASONS else None,
        ended_at=one.not_after if expired else one.ended_at,
        here=one.fingerprint == here,
    )


def named(one: IssuedCertificate, lang: str) -> tuple[str, str]:
    """`증권/보험용(개인)` and whose policy it is, as policies.toml has them; else the authority's own word and ""."""
    row = _rows().get(one.policy)
    if row is None:
        return one.profile, ""
    return (row.name_en, row.ca.name_en) if lang == "en" else (row.name_ko, row.ca.name_ko)


@cache
def _rows() -> dict[str, Policy]:
    return {row.oid: row for row in policies.policies()}
