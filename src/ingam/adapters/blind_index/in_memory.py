"""The index itself: HMAC-SHA256 with a key per field, under a rate ceiling; the process of its own serves this."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from ingam.adapters.hsm.file import derived
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.keys import BlindIndexOutage

FIELDS: Final = ("idn",)
"""What may be indexed; a closed list, each with a key of its own."""

CEILING: Final = 600
"""Indexes in a window: who steals the database and this connection still cannot try every number soon."""

WINDOW_S: Final = 60

LONGEST: Final = 64
"""Characters of a value."""


class InMemoryBlindIndex:
    """`ports.keys.BlindIndex` with the key in this process."""

    def __init__(self, root: Secret[bytes], clock: Clock, *, ceiling: int = CEILING) -> None:
        self._keys = {field: derived(root.reveal(), f"ingam/blind-index/1 {field}") for field in FIELDS}
        self._clock = clock
        self._ceiling = ceiling
        self._began = 0.0
        self._hits = 0

    async def index(self, field: str, value: Secret[str]) -> bytes:
        key = self._keys.get(field)
        if key is None or not 0 < len(value) <= LONGEST:
            raise Defect("blind-index-field")
        self._count()
        return hmac.new(key, value.reveal().encode(), hashlib.sha256).digest()

    def _count(self) -> None:
        now = self._clock.now().timestamp()
        if not self._began <= now < self._began + WINDOW_S:
            self._began, self._hits = now, 0
        if self._hits >= self._ceiling:
            raise BlindIndexOutage
        self._hits += 1
