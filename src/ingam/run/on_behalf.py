"""The outbox's handler of revocations on behalf: to the authority, and its answer into the audit (security D14).

The status that a login may go by for minutes (A11) is asked for anew at once: what was ended here logs nobody in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import msgspec

from ingam.console.revocation.kinds import OUTBOX, OUTCOME, Sent
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests
from ingam.ports.status import Authorities, StatusChecker, StatusUnavailable
from ingam.ports.store import Audit, Claimed, Save, Store

LONGEST_WORD: Final = 40
Ended: TypeAlias = Callable[[Certificate], Awaitable[None]]
"""What is done about a certificate that was ended."""


def asking_anew(authorities: Authorities, status: StatusChecker, clock: Clock) -> Ended:
    """The authority's word of now takes the place of the one that is remembered; one that does not answer says none."""

    async def ask(one: Certificate) -> None:
        for authority in authorities.by_fingerprint.values():
            if authority.certificate.subject.raw == one.issuer.raw:
                with suppress(StatusUnavailable):
                    await status.check(one, authority.certificate, fresh=True, at=clock.now())

    return ask


def deliver_revocations(
    store: Store, clock: Clock, digests: Digests, certification: Certification | None, ended: Ended | None = None
) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker. An authority that does not answer is asked again; what it refuses is refused."""

    async def deliver(claimed: Claimed) -> None:
        if certification is None:
            raise CertificationOutage(cause="no-authority")
        sent = msgspec.json.decode(claimed.payload, type=Sent)
        result, said = "ok", ""
        try:
            await certification.revoke_on_behalf(sent.text, sent.signatures)
        except CertificationRefused as refused:
            result, said = refused.code, str(refused.facts.get("said", ""))[:LONGEST_WORD]
        facts: dict[str, str | int] = {"change": sent.change, "serial": sent.serial, "reason": sent.reason}
        subject = digests.digest("banking-id", sent.banking_id)
        line = Audit(clock.now(), OUTCOME, result, subject, None, None, facts | ({"said": said} if said else {}))
        await store.save(Save(audit=[line]))
        if result == "ok" and sent.certificate and ended is not None:
            await ended(certificate.parse(sent.certificate))

    return {OUTBOX: deliver}
