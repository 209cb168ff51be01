"""What a feature brings to have a change of its own: what it says, who may make and check it, how it becomes true.

A kind never writes by itself: `apply` gives rows for the ONE transaction in which the second signature is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from ingam.console.changes.flow import Approved, Text
from ingam.console.operators import Role
from ingam.ports.store import Change as RowChange
from ingam.ports.store import LedgerMove, Outgoing

Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that changes. `name`: as the signed text has it; a word `console-changes.line-<name>` may name it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Described:
    """What is shown and signed. `subjects`: employee numbers of whom it is about; `banking_id`: of a customer's."""

    lines: tuple[Line, ...]
    subjects: tuple[str, ...] = ()
    banking_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Applying:
    """What makes it true. `shown`: what whoever signs is shown once, nobody later (half an enrolment); not stored."""

    rows: Sequence[RowChange] = ()
    ledger: Sequence[LedgerMove] = ()
    outbox: Sequence[Outgoing] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict, repr=False)


class ChangeKind(Protocol):
    """A kind of change; its word is `console-changes.kind-<name>`."""

    @property
    def name(self) -> str:
        """Kebab-case, permanent."""

    @property
    def makers(self) -> frozenset[Role]:
        """Who may make one."""

    @property
    def checkers(self) -> frozenset[Role]:
        """Who may approve one."""

    @property
    def at_once(self) -> bool:
        """Whether it is true with the second signature; else `Changes.applied` says so when others have acted."""

    async def describe(self, values: Values) -> Described:
        """What these values change, as things stand now. Raises Refusal where they change nothing or may not."""

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        """What makes it true; Stale when saved if what it was shown to change is not so any more."""


@runtime_checkable
class Handing(Protocol):
    """A kind that hands the maker something as they sign, which the checker is never shown."""

    async def hand(self, text: Text) -> Applying:
        """What is stored with the maker's signature over this text, and what they are shown once."""
