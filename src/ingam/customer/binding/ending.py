"""What goes with the end of a binding: whoever came in by its certificate is out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ingam.customer.binding.bindings import Binding
from ingam.ports.store import Change, Row, Store, Update

SESSIONS_MOST: Final = 1000


async def ended(
    store: Store, binding: Binding, status: str, at: datetime, *, why: str, keep: str = ""
) -> list[Change]:  # fmt: skip
    """The rows of a binding's new status. Saving them raises Stale where it moved meanwhile.

    `why`: the word that its sessions end by; `keep`: the session that goes on, of whoever does this.
    """
    where: Row = {"binding_id": binding.binding_id, "status": binding.status}
    live: Row = {"customer_id": binding.customer_id, "level": "cert", "ended_at": None}
    rows = await store.many("session", live, limit=SESSIONS_MOST)
    over: Row = {"ended_at": at, "ended_by": why}
    return [
        Update("binding", where, {"status": status, "ended_at": at}),
        *(Update("session", {"session": row["session"], "ended_at": None}, over)
          for row in rows if row["session"] != keep and (row["slot"] or 1) == binding.slot),
    ]  # fmt: skip
