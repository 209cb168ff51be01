"""The outbox's handler of revocations on behalf: to the authority, and its answer into the audit (security D14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from ingam.console.revocation.kinds import OUTBOX, OUTCOME, Sent
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Claimed, Save, Store

LONGEST_WORD: Final = 40


def deliver_revocations(
    store: Store, clock: Clock, digests: Digests, certification: Certification | None
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

    return {OUTBOX: deliver}
