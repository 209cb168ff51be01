"""The clock: an outside party like any other, so that tests choose the instant."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """An aware UTC datetime."""
