"""What an operator sets of it: a switch with its reason, hours, a notice; as changes for the console's one Save.

A reason and a notice are public: they are held to a length, to both languages, and to no personal number.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingam.customer.availability import Way
from ingam.customer.availability.hours import Hours
from ingam.kernel.errors import Refusal
from ingam.ports.store import Change, Insert, Row, Store, Update

REASON_MOST: Final = 120
NOTICE_MOST: Final = 300
KINDS: Final = ("info", "warn")
_PERSONAL: Final = re.compile(r"\d{6}[\W_]{0,3}\d{7}|01[016789][\W_]{0,3}\d{3,4}[\W_]{0,3}\d{4}")
"""A resident number or a mobile one, whatever but letters stands between its parts."""


class AvailabilityRefused(Refusal):
    """A switch or a notice that cannot be set as it is (facts: part)."""

    code = "availability-refused"


@dataclass(frozen=True, slots=True)
class Switch:
    """What a way is to be. `off`: with its reasons; `until` (optional): on again by itself."""

    way: Way
    off: bool
    reason_ko: str = ""
    reason_en: str = ""
    until: datetime | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A notice to be."""

    kind: str
    text_ko: str
    text_en: str
    from_at: datetime
    until_at: datetime


async def switch(store: Store, wanted: Switch, by: str, at: datetime) -> list[Change]:
    """The changes that set a way. `by`: the operator's employee number. Raises AvailabilityRefused, StoreOutage.

    Saving them raises Stale (or Conflict) where another operator was faster.
    """
    if wanted.off:
        _public("reason_ko", wanted.reason_ko, REASON_MOST)
        _public("reason_en", wanted.reason_en, REASON_MOST)
        if wanted.until is not None and wanted.until <= at:
            raise AvailabilityRefused(part="until")
    hours = wanted.hours
    values: Row = {
        "off": wanted.off,
        "reason_ko": wanted.reason_ko.strip() if wanted.off else "",
        "reason_en": wanted.reason_en.strip() if wanted.off else "",
        "until": wanted.until if wanted.off else None,
        "days": None if hours is None else hours.days,
        "opens": None if hours is None else hours.opens,
        "closes": None if hours is None else hours.closes,
        "changed_at": at,
        "changed_by": by,
    }
    row = await store.one("way", {"way": str(wanted.way)})
    if row is None:
        return [Insert("way", {"way": str(wanted.way), **values})]
    return [Update("way", {"way": str(wanted.way), "changed_at": row["changed_at"]}, values)]


def announce(
    wanted: Announcement, by: str, at: datetime, token: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[str, list[Change]]:
    """The notice's id and the changes that make it. Raises AvailabilityRefused."""
    if wanted.kind not in KINDS:
        raise AvailabilityRefused(part="kind")
    _public("text_ko", wanted.text_ko, NOTICE_MOST)
    _public("text_en", wanted.text_en, NOTICE_MOST)
    if wanted.until_at <= wanted.from_at or wanted.until_at <= at:
        raise AvailabilityRefused(part="until")
    notice_id = token(8).hex()
    row: Row = {
        "notice_id": notice_id, "kind": wanted.kind, "text_ko": wanted.text_ko.strip(),
        "text_en": wanted.text_en.strip(), "from_at": wanted.from_at, "until_at": wanted.until_at, "made_at": at,
        "made_by": by, "withdrawn_at": None, "withdrawn_by": None,
    }  # fmt: skip
    return notice_id, [Insert("service_notice", row)]


def withdraw(notice_id: str, by: str, at: datetime) -> list[Change]:
    """The changes that take a notice away. Saving them raises Stale where it is away already."""
    values: Row = {"withdrawn_at": at, "withdrawn_by": by}
    return [Update("service_notice", {"notice_id": notice_id, "withdrawn_at": None}, values)]


def _public(part: str, text: str, most: int) -> None:
    if not text.strip() or len(text.strip()) > most or _PERSONAL.search(unicodedata.normalize("NFKC", text)):
        raise AvailabilityRefused(part=part)
