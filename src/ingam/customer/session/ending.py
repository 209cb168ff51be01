"""Sessions that end with what opened them: all there are when the save comes to them, and not when somebody looked."""

from __future__ import annotations

from datetime import datetime

from ingam.customer.session import Level
from ingam.ports.store import Row, UpdateAll


def sessions_over(
    customer_id: str, level: Level, at: datetime, *, why: str, keep: str = "", slot: int | None = None
) -> list[UpdateAll]:
    """To be saved BEHIND the row whose end it follows: a login holds that row, so none slips in between (F2).

    `why`: the word that they end by; `keep`: the session that goes on, of whoever does this; `slot`: of this head of a
    union alone, the first of whom has sessions without one too.
    """
    live: Row = {"customer_id": customer_id, "level": str(level), "ended_at": None}
    slots: list[Row] = [{}] if slot is None else [{"slot": slot}] if slot != 1 else [{"slot": 1}, {"slot": None}]
    over: Row = {"ended_at": at, "ended_by": why}
    return [UpdateAll("session", {**live, **one}, over, but={"session": keep}) for one in slots]
