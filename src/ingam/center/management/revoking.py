"""The word to our own authority that a certificate ends: through the outbox, after the binding has ended (W7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec

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
    """What the outbox carries, sealed. `reason`: a CRLReason."""

    certificate: bytes
    reason: int
    banking_id: str


def to_authority(binding: Binding, details: Details, customer: Customer, reason: int, at: datetime) -> Outgoing:
    """The authority is asked after the commit, as often as it takes, and once for a binding."""
    asked = _Asked(details.certificate, reason, customer.banking_id)
    return Outgoing(REVOKING, msgspec.json.encode(asked), f"{REVOKING}:{binding.binding_id}", at)


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
        found, result, said = certificate.parse(asked.certificate), "ok", ""
        try:
            await authority.revoke(found.issuer.raw, found.serial, asked.reason)
        except CertificationRefused as refused:
            result, said = refused.code, str(refused.facts.get("said", ""))[:LONGEST_WORD]
        facts: dict[str, str | int] = {"reason": asked.reason, "serial": f"{found.serial:x}"}
        facts |= {"said": said} if said else {}
        subject = digests.digest("banking-id", asked.banking_id)
        line = Audit(clock.now(), "management.authority", result, subject, None, None, facts)
        await store.save(Save(audit=[line]))
        await ended(found)

    return {REVOKING: deliver}
