"""Who seals the outbox: payloads are clear in the process and sealed at rest (security H1)."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Authenticated encryption bound to a context; `ingam.adapters.hsm.file` gives one."""

    def seal(self, clear: bytes, context: str) -> bytes:
        """Sealed bytes that open only with the same context."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """The clear bytes; raises Defect `sealed-payload` for other bytes or another context."""
