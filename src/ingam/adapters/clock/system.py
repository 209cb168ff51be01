"""The operating system's clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """`ports.clock.Clock`; the machine's clock is to be kept by NTP."""

    def now(self) -> datetime:
        return datetime.now(UTC)
