"""What the center reads of it: at most five seconds old, one query of each table for all requests of that time.

A store that is down leaves a page without notices (it can be shown), but no way open: whoever asks for a way while
nothing is known meets the store's outage.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from ingam.customer.availability import Notice, Now, Off, Way
from ingam.customer.availability.hours import Hours
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.store import Row, Store

KEPT_S: Final = 5
MOST_NOTICES: Final = 3
"""More than three at once are read by nobody."""


class Availability:
    """`way("ars")` is None while it is on."""

    def __init__(self, store: Store, clock: Clock, *, kept_s: int = KEPT_S) -> None:
        self._store = store
        self._clock = clock
        self._kept = timedelta(seconds=kept_s)
        self._read_at: datetime | None = None
        self._ways: list[Row] = []
        self._notices: list[Notice] = []
        self._turn = asyncio.Lock()

    async def way(self, name: Way | str) -> Off | None:
        """Why this way is off now; None while it is on. Raises StoreOutage, ValueError for a name that is no way."""
        return (await self.now()).off.get(Way(name))

    async def require(self, name: Way | str, lang: str) -> None:
        """Go on only while this way is on. Raises WayOff {way, reason}, StoreOutage."""
        off = await self.way(name)
        if off is not None:
            raise off.refusal(Way(name), lang)

    async def now(self) -> Now:
        """Everything that is off, and the notices to show. Raises StoreOutage."""
        await self._read()
        at = self._clock.now()
        judged = {Way(str(row["way"])): judge(row, at) for row in self._ways if row["way"] in list(Way)}
        shown = tuple(one for one in self._notices if one.shown(at))[:MOST_NOTICES]
        return Now({way: off for way, off in judged.items() if off is not None}, shown)

    def forget(self) -> None:
        """The next question reads anew: this process changed something."""
        self._read_at = None

    async def _read(self) -> None:
        async with self._turn:
            at = self._clock.now()
            if self._read_at is not None and timedelta() <= at - self._read_at < self._kept:
                return
            ways = await self._store.many("way", {})
            rows = await self._store.many("service_notice", {"withdrawn_at": None}, order="until_at", descending=True)
            notices = sorted((notice_of(row) for row in rows), key=lambda one: (one.kind != "warn", one.from_at))
            self._ways, self._notices, self._read_at = ways, notices, at


def judge(row: Row, at: datetime) -> Off | None:
    """What a row of `way` says at an instant. A switch whose end has passed is on again by itself."""
    until = row["until"] if isinstance(row["until"], datetime) else None
    if row["off"] and (until is None or at < until):
        return Off(str(row["reason_ko"]), str(row["reason_en"]), until)
    hours = hours_of(row)
    if hours is None or hours.contain(at):
        return None
    told = {lang: say("availability.outside_hours", lang, hours=hours.text(lang)) for lang in ("ko", "en")}
    return Off(told["ko"], told["en"], hours.next_opening(at))


def hours_of(row: Row) -> Hours | None:
    """The hours of a row; None: all day, every day."""
    days, opens, closes = row["days"], row["opens"], row["closes"]
    if not isinstance(days, str) or not isinstance(opens, int) or not isinstance(closes, int):
        return None
    return Hours(days, opens, closes)


def notice_of(row: Row) -> Notice:
    """A row of `service_notice`."""
    from_at, until_at = row["from_at"], row["until_at"]
    assert isinstance(from_at, datetime) and isinstance(until_at, datetime)
    return Notice(str(row["notice_id"]), str(row["kind"]), str(row["text_ko"]), str(row["text_en"]), from_at, until_at)
