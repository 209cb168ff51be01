"""What the relay counts, by code and not by person, for /metrics."""

from __future__ import annotations

from collections import Counter


class Counts:
    """Since the process began."""

    def __init__(self) -> None:
        self.began: Counter[str] = Counter()
        """First frames by act: open, join, resume."""
        self.ended: Counter[str] = Counter()
        """Mailboxes by why."""
        self.refused: Counter[str] = Counter()
        """First frames and messages by code."""
        self.messages = 0
        self.octets = 0
