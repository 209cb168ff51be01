"""Lines of the audit, newest first, by customer, by operator or by action; never without a reason (W11, G4).

A customer is named by banking ID and looked for by its keyed pseudonym, so that an ID nobody has finds nothing and says
no more. Lines hold codes and counts only (H9); what was looked for is in the line about the look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from ingam.console.fields.service import checked_note
from ingam.console.trail import Trail, Visit
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests
from ingam.ports.store import Count, Row, Store

DAY_S: Final = 86_400
LINES_MOST: Final = 200
"""Of one look; whole days are for the export, which two persons sign (G2)."""

LOOKS_A_DAY: Final = 200
LOOK: Final = "console.audit-look"
"""The line about a look; those of the very visit that looks are left out of what it finds."""

REASONS: Final = ("complaint", "incident", "review", "request")
"""고객이 문의했다, 사고를 조사한다, 정기 점검, 관계기관이 요청했다."""

_BANKING_ID: Final = re.compile(r"[A-Za-z0-9]{4,32}")
_EMPLOYEE: Final = re.compile(r"[A-Za-z0-9-]{1,20}")
_ACTION: Final = re.compile(r"[a-z0-9-]{1,40}\.[a-z0-9.-]{1,60}")


class AuditForm(Refusal):
    """No reason, or neither customer nor operator nor action."""

    code = "audit-form"


class LooksSpent(Refusal):
    """Today's looks of this operator are used up; security officers see it (fact: most)."""

    code = "audit-looks-spent"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, as typed; at least one of the first three."""

    banking_id: str
    employee: str
    action: str
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the page shows it. `facts`: `n=2 cause=busy`; `here`: by whoever looks."""

    seq: int
    at: datetime
    action: str
    result: str
    operator: str
    reason: str
    facts: str


@dataclass(frozen=True, slots=True)
class Found:
    """`more`: there are older ones that are not shown."""

    lines: tuple[Line, ...]
    more: bool


class AuditLooks:
    """The service."""

    def __init__(self, store: Store, clock: Clock, trail: Trail, digests: Digests) -> None:
        self._store = store
        self._clock = clock
        self._trail = trail
        self._digests = digests

    async def look(self, visit: Visit, asked: Asked) -> Found:
        """The lines, after the line about the look is written. Raises AuditForm, NoteHasNumbers, LooksSpent."""
        where = self._where(asked)
        note = checked_note(asked.note)
        if not where or note is None or asked.reason not in REASONS:
            raise AuditForm
        count = Count(f"console-audit:{visit.operator.employee}", DAY_S, LOOKS_A_DAY, self._clock.now())
        if await self._store.count(count) > LOOKS_A_DAY:
            await self._trail.alarm(visit, LooksSpent.code)
            raise LooksSpent(most=LOOKS_A_DAY)
        facts: dict[str, str | int] = {"reason": asked.reason, "note": note, "by": " ".join(sorted(where))}
        facts |= {"of": asked.employee} if "operator" in where else {}
        facts |= {"action": asked.action} if "action" in where else {}
        await self._trail.write(visit, LOOK, banking_id=asked.banking_id or None, facts=facts)
        rows = await self._store.many("audit", where, order="seq", descending=True, limit=LINES_MOST + 2)
        lines = [_line(row) for row in rows if not (row["action"] == LOOK and row["session"] == visit.session.session)]
        return Found(tuple(lines[:LINES_MOST]), len(lines) > LINES_MOST)

    def _where(self, asked: Asked) -> dict[str, str]:
        """The columns to look by. Raises AuditForm for what no such name can be."""
        typed = ((asked.banking_id, _BANKING_ID), (asked.employee, _EMPLOYEE), (asked.action, _ACTION))
        if any(text and not form.fullmatch(text) for text, form in typed):
            raise AuditForm
        subject = self._digests.digest("banking-id", asked.banking_id) if asked.banking_id else ""
        named = {"subject": subject, "operator": asked.employee, "action": asked.action}
        return {column: value for column, value in named.items() if value}


def _line(row: Row) -> Line:
    at, seq = row["at"], row["seq"]
    assert isinstance(at, datetime) and isinstance(seq, int)
    facts: Mapping[str, Any] = msgspec.json.decode(str(row["facts"]))
    shown = {name: fact for name, fact in facts.items() if name not in ("operator", "reason")}
    told = " ".join(f"{name}={fact}" for name, fact in shown.items())
    return Line(
        seq, at, str(row["action"]), str(row["result"]), str(row["operator"] or ""), str(row["reason"] or ""), told
    )
