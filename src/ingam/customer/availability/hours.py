"""The hours of a way: days of the week and a part of the day, in Korean time. Pure: the instant is an argument."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import say

MINUTES: Final = 24 * 60
EVERY_DAY: Final = "0123456"
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_DAYS: Final = re.compile(r"0?1?2?3?4?5?6?")


class HoursRefused(Refusal):
    """These are no hours: an opening before a closing on at least one day (facts: part)."""

    code = "hours-refused"


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from minute `opens` until minute `closes` of the day, on `days` ("0" Monday … "6" Sunday)."""

    days: str
    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not self.days or not _DAYS.fullmatch(self.days):
            raise HoursRefused(part="days")
        if not 0 <= self.opens < self.closes <= MINUTES:
            raise HoursRefused(part="time")

    def contain(self, at: datetime) -> bool:
        """Whether it is open at an instant."""
        local = at.astimezone(KST)
        return str(local.weekday()) in self.days and self.opens <= local.hour * 60 + local.minute < self.closes

    def next_opening(self, at: datetime) -> datetime:
        """The first opening after an instant."""
        local = at.astimezone(KST)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        openings = (midnight + timedelta(days=day, minutes=self.opens) for day in range(8))
        return next(one for one in openings if one > local and str(one.weekday()) in self.days)

    def text(self, lang: str) -> str:
        """`월–금 09:00–18:00`."""
        return f"{_days_text(self.days, lang)} {clock(self.opens)}–{clock(self.closes)}"


def minutes(text: str) -> int:
    """Minutes of `09:00`; `24:00` is the end of a day. Raises HoursRefused."""
    if not _TIME.fullmatch(text):
        raise HoursRefused(part="time")
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def clock(count: int) -> str:
    """`09:00` of 540."""
    return f"{count // 60:02d}:{count % 60:02d}"


def _days_text(days: str, lang: str) -> str:
    if days == EVERY_DAY:
        return say("availability.every_day", lang)
    names = [say(f"availability.day_{day}", lang) for day in days]
    consecutive = days in EVERY_DAY and len(days) > 2
    return f"{names[0]}–{names[-1]}" if consecutive else "·".join(names)
