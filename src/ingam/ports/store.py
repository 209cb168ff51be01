"""The store: what must not be lost. It takes a value, never an open transaction: `save(Save(…))`, all of it or nothing.

State, rows, outbox, audit line and the ledger of single-use things go in one transaction (security F1); the outbox
speaks after the commit. SQLite and PostgreSQL share this contract and one contract suite (tests/ports/test_store.py).
Values of columns: str, int, bytes, bool, None and aware datetimes (microseconds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from ingam.kernel.errors import Outage, Refusal

Value: TypeAlias = str | int | bytes | bool | datetime | None
Row: TypeAlias = Mapping[str, Value]


class Stale(Refusal):
    """Somebody else moved first: the flow's version or the row's expected values are no longer current."""

    code = "stale"


class AlreadyUsed(Refusal):
    """A single-use thing was used before (facts: kind)."""

    code = "already-used"


class NotIssued(Refusal):
    """A single-use thing was never issued, or its time is over (facts: kind); missing means invalid."""

    code = "not-issued"


class Conflict(Refusal):
    """A unique column already holds this value (facts: table)."""

    code = "conflict"


class StoreOutage(Outage):
    """The database did not answer; nothing was stored.

    One exception: a connection lost during the commit itself leaves it open. A retry then meets Stale or AlreadyUsed.
    """

    code = "store-outage"


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; a taken key or unique value raises Conflict."""

    table: str
    values: Row


@dataclass(frozen=True, slots=True)
class Update:
    """Change exactly one row that has all values of `where`; else Stale."""

    table: str
    where: Row
    values: Row


@dataclass(frozen=True, slots=True)
class UpdateAll:
    """Change every row that has all values of `where`, but those that have one of `but`; none is fine.

    Which rows those are is seen when its turn comes: after an `Update` before it in the save, everything is seen that
    another save wrote together with that row. `but`: columns that are never NULL.
    """

    table: str
    where: Row
    values: Row
    but: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the rows that have all values of `where`; none is fine."""

    table: str
    where: Row


Change: TypeAlias = Insert | Update | UpdateAll | Delete


@dataclass(frozen=True, slots=True)
class FlowSave:
    """A flow's next state. `expected_version` 0 creates it; else the stored version must equal it (Stale).

    What stands before the last colon of `flow_id` is kept as `runs`, by which somebody's runs are found.
    """

    flow_id: str
    machine: str
    expected_version: int
    state: str
    session: str
    customer_id: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """A stored flow; `version` counts its saves from 1; `runs`: the id without a run's number."""

    flow_id: str
    machine: str
    version: int
    state: str
    session: str
    customer_id: str | None
    expires_at: datetime
    runs: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Ledger: a single-use thing exists until `expires_at`. `facts`: JSON text, never a secret in clear."""

    kind: str
    id: str
    expires_at: datetime
    facts: str = "{}"


@dataclass(frozen=True, slots=True)
class Use:
    """Ledger: used once, at `at`. NotIssued if there is no row or it expired at or before `at`; AlreadyUsed if used."""

    kind: str
    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Void:
    """Ledger: it may no longer be used (a newer code replaces it); missing or used is fine."""

    kind: str
    id: str
    at: datetime


LedgerMove: TypeAlias = Issue | Use | Void


@dataclass(frozen=True, slots=True)
class Issued:
    """A ledger row as it stands."""

    kind: str
    id: str
    expires_at: datetime
    facts: str
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that leaves after the commit. `dedup` makes it single: a second one of the same key is dropped.

    `payload` is clear here; the adapter seals it before it is written and deletes it on delivery.
    """

    kind: str
    payload: bytes
    dedup: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """An outgoing message under a lease."""

    id: int
    kind: str
    payload: bytes
    attempts: int
    dedup: str


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit line. `subject` and `session` are keyed pseudonyms; `facts` hold codes, nothing personal.

    `operator`: employee number of who acted for the institution; `reason`: why, as a code or a text without personal
    numbers; `access`: of the log of who reached personal data, kept two years (others five, security G5). Lines can
    only be added; read back, a line has these fields as its columns, and `seq`.
    """

    at: datetime
    action: str
    result: str
    subject: str | None
    session: str | None
    address: str | None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    operator: str | None = None
    reason: str | None = None
    access: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Audit lines of one action, result and hour. `hour`: its beginning."""

    action: str
    result: str
    hour: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Count:
    """One hit on a durable counter, bounded in a window: key e.g. `login-fail:<keyed hmac>`; seconds; ceiling."""

    key: str
    window_s: int
    ceiling: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Save:
    """One transaction. `resets` are counters that start again at 0."""

    flow: FlowSave | None = None
    rows: Sequence[Change] = ()
    ledger: Sequence[LedgerMove] = ()
    outbox: Sequence[Outgoing] = ()
    audit: Sequence[Audit] = ()
    resets: Sequence[str] = ()


class Store(Protocol):
    """Durable state. Every method raises StoreOutage when the database does not answer."""

    async def save(self, save: Save) -> None:
        """All of it or nothing. Raises Stale, AlreadyUsed, NotIssued, Conflict."""

    async def flow(self, flow_id: str) -> Flow | None:
        """The flow as last saved; expired ones are returned too (the machine decides)."""

    async def one(self, table: str, where: Row) -> Row | None:
        """The one row with all these values; None if there is none; Conflict if there are several."""

    async def many(
        self, table: str, where: Row, *, order: str | None = None, descending: bool = False, limit: int = 100
    ) -> list[Row]:
        """Rows with all these values (AND, equality; None matches NULL)."""

    async def how_many(self, table: str, where: Row) -> int:
        """How many rows have all these values; none of them is read."""

    async def issued(self, kind: str, id: str) -> Issued | None:
        """A ledger row, used or not, expired or not."""

    async def count(self, count: Count) -> int:
        """Hit a counter in one atomic operation and return the hits in its window, this one included.

        Past the ceiling it no longer rises (returns ceiling + 1): the caller refuses. Durable before it returns.
        """

    async def counted(self, key: str, window_s: int, at: datetime) -> int:
        """Hits so far in the window, without a hit."""

    async def tally(self, since: datetime, until: datetime) -> list[Tally]:
        """How often each action ended how, hour by hour: audit lines from `since` until before `until`, no bodies."""

    def on_outgoing(self, wake: Callable[[], None]) -> None:
        """Call `wake` on the event loop after every commit of this process that put a message into the outbox."""

    async def claim(self, at: datetime, lease_s: int, limit: int) -> list[Claimed]:
        """Take due outgoing messages under a lease; nobody else gets them until it ends."""

    async def delivered(self, id: int, at: datetime) -> None:
        """It left at `at`: delete the payload, keep the dedup key."""

    async def retry(self, id: int, due_at: datetime) -> None:
        """It did not leave: give it back until `due_at`."""

    async def close(self) -> None:
        """Release connections and threads; later calls raise StoreOutage."""
