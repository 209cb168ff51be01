"""Runs of `ingam import bindings` as the database has them: numbers and codes, nothing of a customer.

How far a run is stands in its own row, in the transaction of the registrations; whose hand ran it, and what was refused
by which code, stands in the audit's line of each batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ingam.ports.clock import Clock
from ingam.ports.store import Row, Store

ACTION: Final = "binding.import"
RUNS_MOST: Final = 20
LINES_MOST: Final = 1500
"""Of the audit, newest first: of a million and a half rows in batches of a thousand. Opening each takes time."""

QUIET: Final = timedelta(minutes=10)
"""A run that wrote nothing for so long has stopped."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One file. `name`: the first twelve characters of its SHA-256; `state`: done, running or stopped.

    `accounts`: of the server's machine; `codes`: refused rows by code, the most frequent first; `untold`: how many
    refused rows stand in no line that was read.
    """

    name: str
    state: str
    started_at: datetime
    last_at: datetime
    finished_at: datetime | None
    at_row: int
    bound: int
    claimed: int
    there: int
    refused: int
    accounts: Sequence[str]
    codes: Sequence[tuple[str, int]]
    untold: int


@dataclass
class _Told:
    """What the lines of a run say together."""

    last_at: datetime
    accounts: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)


class ImportRuns:
    """Reads them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def runs(self) -> list[ImportRun]:
        """The newest first."""
        rows = await self._store.many("import_run", {}, order="started_at", descending=True, limit=RUNS_MOST)
        lines = await self._store.many("audit", {"action": ACTION}, order="seq", descending=True, limit=LINES_MOST)
        told = _told(lines, {str(row["run_id"]): _instant(row, "started_at") for row in rows}) if rows else {}
        return [self._run(row, told.get(str(row["run_id"]))) for row in rows]

    async def awaited(self) -> int:
        """Registrations that are to be confirmed at the first login, over all customers."""
        return await self._store.how_many("binding_claim", {"ended_at": None})

    def _run(self, row: Row, told: _Told | None) -> ImportRun:
        started, finished = _instant(row, "started_at"), row["finished_at"]
        assert finished is None or isinstance(finished, datetime)
        told = told or _Told(started)
        going = self._clock.now() - told.last_at < QUIET
        refused = _number(row, "refused")
        return ImportRun(
            str(row["run_id"])[:12], "done" if finished else "running" if going else "stopped", started, told.last_at,
            finished, _number(row, "at_row"), _number(row, "bound"), _number(row, "claimed"), _number(row, "there"),
            refused, sorted(told.accounts), told.codes.most_common(), max(0, refused - told.codes.total()),
        )  # fmt: skip


def _told(lines: Iterable[Row], since: dict[str, datetime]) -> dict[str, _Told]:
    """By run; lines of before a file was begun anew belong to an earlier pass."""
    found: dict[str, _Told] = {}
    for line in lines:
        facts: dict[str, Any] = msgspec.json.decode(str(line["facts"] or "{}"))
        run_id, at = str(facts.get("file", "")), _instant(line, "at")
        if run_id not in since or at < since[run_id]:
            continue
        told = found.setdefault(run_id, _Told(at))
        told.accounts |= {str(facts["account"])} if "account" in facts else set()
        for code, _, number in (one.rpartition(":") for one in str(facts.get("codes", "")).split()):
            told.codes[code] += int(number)
    return found


def _instant(row: Row, column: str) -> datetime:
    at = row[column]
    assert isinstance(at, datetime)
    return at


def _number(row: Row, column: str) -> int:
    number = row[column]
    assert isinstance(number, int)
    return number
