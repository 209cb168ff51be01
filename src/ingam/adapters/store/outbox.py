"""Claimed rows of the outbox as messages: opened, and in the order in which they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from ingam.adapters.store.sealing import Sealer
from ingam.kernel.errors import Defect
from ingam.ports.store import Claimed

log = structlog.get_logger()


def opened(rows: Sequence[Mapping[str, Any]], sealer: Sealer) -> list[Claimed]:
    """The messages of claimed rows; one that does not open stays under its lease and does not stop the others."""
    messages = []
    for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])):
        try:
            payload = sealer.open(row["payload"], f"outbox {row['dedup']}")
        except Defect as defect:
            log.error("outbox.unreadable", id=row["id"], kind=row["kind"], code=defect.code)
            continue
        messages.append(Claimed(row["id"], row["kind"], payload, row["attempts"], row["dedup"]))
    return messages
