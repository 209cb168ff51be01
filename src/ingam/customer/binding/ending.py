"""What goes with the end of a binding: whoever came in by its certificate is out."""

from __future__ import annotations

from datetime import datetime

from ingam.customer.binding.bindings import Binding
from ingam.customer.session import Level
from ingam.customer.session.ending import sessions_over
from ingam.ports.store import Change, Row, Update


def ended(binding: Binding, status: str, at: datetime, *, why: str, keep: str = "") -> list[Change]:
    """The rows of a binding's new status. Saving them raises Stale where it moved meanwhile.

    `why`: the word that its sessions end by; `keep`: the session that goes on, of whoever does this.
    """
    where: Row = {"binding_id": binding.binding_id, "status": binding.status}
    return [
        Update("binding", where, {"status": status, "ended_at": at}),
        *sessions_over(binding.customer_id, Level.CERT, at, why=why, keep=keep, slot=binding.slot),
    ]
