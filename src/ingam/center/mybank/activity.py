"""What the center's audit tells a person of themselves: a dated list in words, newest first, of nobody else.

Every line whose pseudonym is theirs is shown, refusals and operators' acts too; what has no word of its own is told by
the word of its area. Addresses and sessions stay keyed digests: whether a line is of this very visit is all they tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.customer.session import Session
from ingam.kernel import words
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Row, Store

PAGE: Final = 20
PAGES: Final = 25
"""Further back the call centre answers: five hundred lines are more than anybody reads."""

OTHER: Final = "other"
DONE: Final = ("ok", "done")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `word`: its key in the section `act`; `code`: of a refusal, or ""; `here`: of this visit."""

    at: datetime
    word: str
    done: bool
    code: str
    operator: bool
    here: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, from 1. `older`: there is another after it; `capped`: there is more than is shown at all."""

    lines: tuple[Line, ...]
    page: int
    older: bool
    capped: bool


class Activity:
    """The service."""

    def __init__(self, store: Store, customers: Customers, digests: Digests) -> None:
        self._store, self._customers, self._digests = store, customers, digests

    async def shown(self, session: Session, page: int) -> Shown:
        """A page for whoever is logged in; a page that is none is the first or the last. Raises StoreOutage."""
        page = min(max(page, 1), PAGES)
        customer = None if session.customer_id is None else await self._customers.by_id(session.customer_id)
        if customer is None:
            return Shown((), 1, False, False)
        subject = self._digests.digest("banking-id", customer.banking_id)
        first, last = (page - 1) * PAGE, page * PAGE
        rows = await self._store.many("audit", {"subject": subject}, order="seq", descending=True, limit=last + 1)
        more = len(rows) > last
        return Shown(
            tuple(line(row, session.session) for row in rows[first:last]), page, more and page < PAGES,
            more and page == PAGES,
        )  # fmt: skip


def line(row: Row, session: str) -> Line:
    """A row of the audit as the page tells of it."""
    result, at = str(row["result"]), row["at"]
    assert isinstance(at, datetime)
    done = result in DONE
    return Line(
        at=at,
        word=word_of(str(row["action"])),
        done=done,
        code="" if done else result,
        operator=row["operator"] is not None or str(row["action"]).startswith(("console.", "customer.")),
        here=row["session"] == session,
    )


def word_of(action: str) -> str:
    """`login_id` of `login.id`; else the area's, `login`; else `other`."""
    exact = action.replace(".", "_").replace("-", "_")
    area = action.partition(".")[0]
    return next((key for key in (exact, area) if words.has(f"act.{key}")), OTHER)
