"""The audit as whoever checks it reads it: entries of the chain, bodies beside them, and what is over its date.

Not the center's way (that is `Save.audit`): the auditor's, with a database role of its own (security G6).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from ingam.protocols.audit.chain import Entry

Body: TypeAlias = Mapping[str, Any]
"""A line as it lies: columns of `audit` (None where it is gone), `wrapped`, and `seq`, `commitment`, `delete_at`."""


class AuditTables(Protocol):
    """Every method raises StoreOutage when the database does not answer."""

    async def entries(self, after: int, limit: int) -> list[Entry]:
        """Entries with numbers above `after`, in their order."""

    async def entry(self, seq: int) -> Entry | None:
        """One entry."""

    async def bodies(self, after: int, limit: int) -> list[Body]:
        """What lies beside the entries above `after`, in their order; one for each entry."""

    async def strays(self, limit: int) -> list[int]:
        """Numbers of lines that no entry speaks of: somebody put them there past the chain."""

    async def expire(self, now: datetime) -> int:
        """Delete bodies and secrets whose date has come; how many lines."""

    async def close(self) -> None:
        """Release the connection."""
