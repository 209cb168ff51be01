"""The sessions of a person in browsers that are trusted no longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ingam.customer.session import Session
from ingam.ports.store import Change, Row, Store, Update

SESSIONS_MOST: Final = 1000
ENDED_BY: Final = "device-removed"


class BrowserSessions:
    """Finds them; the caller's transaction ends them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def over(
        self, customer_id: str, marks: Iterable[str | None], here: Session, at: datetime
    ) -> list[Change]:  # fmt: skip
        """The end of each in the browsers of `marks` (hashes of device cookies), and never of `here`: whoever removes
        their own device has just proved who they are.
        """
        gone = {mark for mark in marks if mark is not None}
        if not gone:
            return []
        live: Row = {"customer_id": customer_id, "ended_at": None}
        rows = await self._store.many("session", live, order="created_at", descending=True, limit=SESSIONS_MOST)
        ended: Row = {"ended_at": at, "ended_by": ENDED_BY}
        return [
            Update("session", {"session": row["session"]}, ended)
            for row in rows
            if row["device"] in gone and row["session"] != here.session
        ]
