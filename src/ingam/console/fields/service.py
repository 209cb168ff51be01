"""One field of one customer, in clear, once: a reason of the list, a note without numbers, a ceiling a day (G4).

The count comes before the work, so that two windows cannot pass the ceiling together; reaching it is an alarm.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from ingam.console.trail import Trail, Visit
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Count, Store

DAY_S: Final = 86_400
FIELDS: Final = ("name", "idn", "mobile", "home_phone", "work_phone", "third_phone", "email")
"""What is masked and may be shown."""

REASONS: Final = ("identity", "callback", "correction", "incident", "request")
"""신분증과 대조한다, 고객에게 전화한다, 틀린 정보를 고친다, 사고를 조사한다, 관계기관이 요청했다."""

NOTE_LEAST: Final = 5
NOTE_MOST: Final = 200
DIGITS_MOST: Final = 6
"""Digits in a row, whatever but letters stands between them, that a note may hold: a date, no number of a person."""

_RUN: Final = re.compile(r"(?:\d[\W_]{0,4}){7,}")
_ADDRESS: Final = re.compile(r"\S+@\S+")


class UnmaskForm(Refusal):
    """The field, the reason or the note is missing or too short."""

    code = "unmask-form"


class NoteHasNumbers(Refusal):
    """The note holds what looks like a number or an address of a person; the reason is a reason, not a file."""

    code = "unmask-note"


class UnmaskingsSpent(Refusal):
    """Today's fields of this operator are used up; security officers see it (fact: most)."""

    code = "unmaskings-spent"


@dataclass(frozen=True, slots=True)
class Shown:
    """A field in clear, for this one answer."""

    name: str
    value: str = field(repr=False)


class Unmasking:
    """The service. `a_day`: fields that one operator may see in a day."""

    def __init__(self, store: Store, clock: Clock, trail: Trail, a_day: int) -> None:
        self._store = store
        self._clock = clock
        self._trail = trail
        self._a_day = a_day

    async def show(self, visit: Visit, customer: Customer, name: str, reason: str, note: str) -> Shown:
        """The field, after the line about it is written. Raises UnmaskForm, NoteHasNumbers, UnmaskingsSpent."""
        said = checked_note(note)
        if name not in FIELDS or reason not in REASONS or said is None:
            raise UnmaskForm
        facts: dict[str, str | int] = {"field": name, "reason": reason, "note": said}
        count = Count(f"console-unmask:{visit.operator.employee}", DAY_S, self._a_day, self._clock.now())
        if await self._store.count(count) > self._a_day:
            await self._trail.alarm(visit, UnmaskingsSpent.code)
            raise UnmaskingsSpent(most=self._a_day)
        await self._trail.write(visit, "console.field-unmask", banking_id=customer.banking_id, facts=facts)
        return Shown(name, _value(customer, name))


def checked_note(note: str) -> str | None:
    """An operator's own words with single spaces; None: too short or too long. Raises NoteHasNumbers."""
    note = " ".join(unicodedata.normalize("NFKC", note).split())
    if not NOTE_LEAST <= len(note) <= NOTE_MOST:
        return None
    if _RUN.search(note) or _ADDRESS.search(note):
        raise NoteHasNumbers
    return note


def _value(customer: Customer, name: str) -> str:
    value = customer.idn.reveal() if name == "idn" else getattr(customer, name)
    return str(value or "")
