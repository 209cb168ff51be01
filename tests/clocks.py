"""A clock that stands where a test puts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """`ports.clock.Clock`; starts at 2026-11-22 10:00 UTC."""

    def __init__(self, at: datetime = datetime(2026, 11, 22, 10, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
