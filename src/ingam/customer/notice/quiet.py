"""The quiet hours of a Korean day, in which nobody's telephone rings for what can wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from ingam.kernel.instants import KST

_FORM = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begins` until before `ends`, minutes of the day in Korea, over midnight where the end is the smaller one.

    Equal ones: there are none.
    """

    begins: int
    ends: int

    @classmethod
    def read(cls, text: str) -> Quiet:
        """`21:00-08:00`; "" is none. Raises ValueError."""
        if not text:
            return cls(0, 0)
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("quiet hours are HH:MM-HH:MM")
        from_h, from_m, to_h, to_m = map(int, found.groups())
        return cls(from_h * 60 + from_m, to_h * 60 + to_m)

    @property
    def wakes(self) -> time:
        """When they end."""
        return time(self.ends // 60, self.ends % 60)

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in them."""
        there = at.astimezone(KST)
        minute = there.hour * 60 + there.minute
        if self.begins <= self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends

    def after(self, at: datetime) -> datetime:
        """The first instant from `at` on that is not quiet."""
        if not self.holds(at):
            return at
        there = at.astimezone(KST)
        end = there.replace(hour=self.wakes.hour, minute=self.wakes.minute, second=0, microsecond=0)
        return (end if end > there else end + timedelta(days=1)).astimezone(at.tzinfo)
