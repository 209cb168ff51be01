"""The word to our own authority that a certificate ends: through the outbox, after the binding has ended (W7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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


class _Asked(msgspec.Struct, frozen=True):
    """What the outbox carries, sealed. `reason`: a CRLReason.

    `certificate`: DER; empty of one that is not registered here, which `issuer`, `subject` (DER Names) and `serial`
    (hex) name.
    """

    certificate: bytes
    reason: int
    banking_id: str
    serial: str = ""
    issuer: bytes = b""
    subject: bytes = b""


def to_authority(binding: Binding, details: Details, customer: Customer, reason: int, at: datetime) -> Outgoing:
    """The authority is asked after the commit, as often as it takes, and once for a binding."""
    asked = _Asked(details.certificate, reason, customer.banking_id)
    return Outgoing(REVOKING, msgspec.json.encode(asked), f"{REVOKING}:{binding.binding_id}", at)


def to_authority_by_serial(one: Issued, customer: Customer, reason: int, at: datetime, run: str) -> Outgoing:
    """The same for a certificate that is not registered here; `run`: of whoever asked, who may ask again."""
    asked = _Asked(b"", reason, customer.banking_id, one.serial, one.issuer, one.subject)
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
        if found is not None:
            issuer, serial, subject = found.issuer.raw, found.serial, found.subject.raw
        else:
            issuer, serial, subject = asked.issuer, int(asked.serial, 16), asked.subject
        result, said = await _revoked(authority, issuer, serial, asked.reason, subject)
        facts: dict[str, str | int] = {"reason": asked.reason, "serial": f"{serial:x}"}
        facts |= {"said": said} if said else {}
        whose = digests.digest("banking-id", asked.banking_id)
        line = Audit(clock.now(), "management.authority", result, whose, None, None, facts)
        await store.save(Save(audit=[line]))
        if found is not None:
            await ended(found)

    return {REVOKING: deliver}


async def _revoked(
    authority: Certification, issuer: bytes, serial: int, reason: int, subject: bytes
) -> tuple[str, str]:  # fmt: skip
    """What came of it, as a code and the authority's word. Raises CertificationOutage.

    A certificate is named whole: a bare serial may be another's.
    """
    if not (issuer and subject):
        return CertificationRefused.code, "unnamed"
    try:
        await authority.revoke(issuer, serial, reason, subject)
    except CertificationRefused as refused:
        return refused.code, str(refused.facts.get("said", ""))[:LONGEST_WORD]
    return "ok", ""
