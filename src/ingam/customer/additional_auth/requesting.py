"""What asking for a code or a call gives: save all of it in ONE transaction with the flow's next state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingam.customer.additional_auth.flow import Asked
from ingam.ports.store import Change, LedgerMove, Outgoing


@dataclass(frozen=True, slots=True)
class Requesting:
    """A code or a call under way; `event` is what the parent's machine is told."""

    method: str
    request_id: str
    sent_at: datetime
    expires_at: datetime
    ledger: Sequence[LedgerMove]
    outbox: Sequence[Outgoing] = field(repr=False)
    rows: Sequence[Change] = ()
    to: str = "mobile"

    @property
    def event(self) -> Asked:
        """The machine's event."""
        return Asked(self.method, self.request_id, self.sent_at, self.expires_at, self.to)
