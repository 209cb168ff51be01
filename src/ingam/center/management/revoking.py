"""The word to our own authority that a certificate ends: through the outbox, after the binding has ended (W7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from ingam.center.management.issued import Issued
from ingam.customer.binding.bindings import Binding, Details
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Claimed, Outgoing, Save, Store

REVOKING: Final = "management-revocation"
"""The outbox kind."""

LONGEST_WORD: Final = 40
UNKNOWN: Final = "badCertId"
"""PKIFailureInfo of a serial that an issuer never gave out (RFC 4210)."""


class _Asked(msgspec.Struct, frozen=True):
    """What the outbox carries, sealed. `reason`: a CRLReason.

    `certificate`: DER; empty of one that is not registered here, whose `serial` (hex) alone is known.
    """

    certificate: bytes
    reason: int
    banking_id: str
    serial: str = ""


def to_authority(binding: Binding, details: Details, customer: Customer, reason: int, at: datetime) -> Outgoing:
    """The authority is asked after the commit, as often as it takes, and once for a binding."""
    asked = _Asked(details.certificate, reason, customer.banking_id)
    return Outgoing(REVOKING, msgspec.json.encode(asked), f"{REVOKING}:{binding.binding_id}", at)


def to_authority_by_serial(one: Issued, customer: Customer, reason: int, at: datetime, run: str) -> Outgoing:
    """The same for a certificate that is not registered here; `run`: of whoever asked, who may ask again."""
    asked = _Asked(b"", reason, customer.banking_id, one.serial)
    return Outgoing(REVOKING, msgspec.json.encode(asked), f"{REVOKING}:{one.fingerprint}:{run}", at)


def deliver_revoking(
    store: Store, clock: Clock, digests: Digests, authority: Certification | None,
    ended: Callable[[Certificate], Awaitable[None]],
) -> dict[str, Callable[[Claimed], Awaitable[None]]]:  # fmt: skip
    """For the worker. `ended`: what is done about a certificate that is revoked now.

    An authority that does not answer is asked again; what it refuses stands in the audit, and the binding is over.
    """

    async def deliver(claimed: Claimed) -> None:
        if authority is None:
            raise CertificationOutage(cause="no-authority")
        asked = msgspec.json.decode(claimed.payload, type=_Asked)
        found = certificate.parse(asked.certificate) if asked.certificate else None
        serial = found.serial if found else int(asked.serial, 16)
        issuers = [found.issuer.raw] if found else await _issuers(authority)
        result, said = await _revoked(authority, issuers, serial, asked.reason)
        facts: dict[str, str | int] = {"reason": asked.reason, "serial": f"{serial:x}"}
        facts |= {"said": said} if said else {}
        subject = digests.digest("banking-id", asked.banking_id)
        line = Audit(clock.now(), "management.authority", result, subject, None, None, facts)
        await store.save(Save(audit=[line]))
        if found is not None:
            await ended(found)

    return {REVOKING: deliver}


async def _issuers(authority: Certification) -> list[bytes]:
    """Names that our authority issues under, newest first, each once. Raises CertificationOutage."""
    every = [certificate.parse(der) for der in await authority.authorities()]
    return list(dict.fromkeys(one.subject.raw for one in every if one.subject.raw != one.issuer.raw))


async def _revoked(authority: Certification, issuers: Sequence[bytes], serial: int, reason: int) -> tuple[str, str]:
    """What came of it, as a code and the authority's word. A name that it knows no such serial under is passed over.

    Raises CertificationOutage.
    """
    result, said = CertificationRefused.code, "unknown"
    for issuer in issuers:
        try:
            await authority.revoke(issuer, serial, reason)
        except CertificationRefused as refused:
            result, said = refused.code, str(refused.facts.get("said", ""))[:LONGEST_WORD]
            if UNKNOWN in str(refused.facts.get("fail_info", "")):
                continue
            return result, said
        return "ok", ""
    return result, said
