"""The change that allows an export: a period of whole days, at most a month (security G2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from ingam.console.changes.flow import Approved
from ingam.console.changes.kinds import Applying, Described, Line, Values
from ingam.console.operators import Role
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.ports.store import Issue

KIND: Final = "audit-export"
DAYS_MOST: Final = 31
WAITS: Final = timedelta(days=1)
"""How long an approved export waits to be taken."""


class ExportPeriod(Refusal):
    """Not a period of days, or a longer one than a month (fact: most)."""

    code = "export-period"

    def __init__(self) -> None:
        super().__init__(most=DAYS_MOST)


class ExportKind:
    """`values`: first and last, days in Korea, both included."""

    name: Final = "export"
    makers: Final = frozenset({Role.AUDITOR, Role.SECURITY})
    checkers: Final = frozenset({Role.SECURITY, Role.ADMINISTRATOR})
    at_once: Final = True

    async def describe(self, values: Values) -> Described:
        first, last = period(values)
        return Described((Line("first", "-", first.isoformat()), Line("last", "-", last.isoformat())))

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        first, last = period(approved.change.values)
        facts = {"first": first.isoformat(), "last": last.isoformat()}
        return Applying(ledger=[Issue(KIND, approved.change.change_id, now + WAITS)], facts=facts)


def period(values: Values) -> tuple[date, date]:
    """First and last day. Raises ExportPeriod."""
    try:
        first, last = (date.fromisoformat(values.get(name, "")) for name in ("first", "last"))
    except ValueError:
        raise ExportPeriod from None
    if not timedelta(0) <= last - first < timedelta(days=DAYS_MOST):
        raise ExportPeriod
    return first, last


def holds(values: Values, at: datetime) -> bool:
    """Whether an instant lies in the period, by Korean days."""
    first, last = period(values)
    return first <= at.astimezone(KST).date() <= last
