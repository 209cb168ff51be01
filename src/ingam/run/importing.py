"""An import of registrations, batch by batch: each commits with how far the run is, so a killed one goes on.

While one batch is written, the next is read and checked; it knows what the one before takes, so it decides as if that
lay in the database already. Where that batch comes out otherwise, it is decided once more. Only one writes at a time.

The report's lines reach the disk before the batch that they belong to commits, and the run remembers how long the
report is; so what a killed run wrote behind that is cut off, and no row is told twice or not at all.
"""

from __future__ import annotations

import asyncio
import csv
import fcntl
import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, TypeVar

from ingam.adapters.customers.fields import FieldCipher, context
from ingam.adapters.customers.tables import TABLE
from ingam.adapters.registrations import Source
from ingam.adapters.store.import_tables import Tables
from ingam.customer.binding.bindings import ACTIVE
from ingam.customer.importing.deciding import Decider, NotTaken, Places, ToBind, Wanted, bindings_and_claims
from ingam.customer.importing.rows import Registration, RowRefused, read
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import CustomerKind
from ingam.ports.importing import Batch, Holder, Holders, ImportTables, Known, Line, Opened, Run
from ingam.ports.keys import FieldKeys
from ingam.ports.store import Audit, Row

T = TypeVar("T")

AT_ONCE: Final = 1000
"""Rows of one transaction."""

HEADING: Final = ("row", "code", "column", "why")


class Taken(Refusal):
    """The database gave a place away while this batch looked, again and again."""

    code = "import-busy"


class ReportMissing(Refusal):
    """The report of the rows before is not where the run goes on (facts: name)."""

    code = "import-report-missing"


class ReportHeld(Refusal):
    """Another import writes this report now (facts: name)."""

    code = "import-under-way"


class ReportUnwritable(Refusal):
    """The report cannot be opened (facts: name, reason)."""

    code = "import-report-unwritable"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """As long as this lasts, nobody else begins with this report: two would cut off each other's lines.

    Where a run stands is read in here, since it says how long the report is. Raises ReportHeld, ReportUnwritable.
    """
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as wrong:
        raise ReportUnwritable(name=path.name, reason=type(wrong).__name__) from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReportHeld(name=path.name) from None
        yield
    finally:
        os.close(held)


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken."""

    number: int
    why: Failure


@dataclass(frozen=True, slots=True)
class Decided:
    """What becomes of a batch's rows, and what it writes."""

    taken: Sequence[Wanted]
    there: int
    refused: Sequence[Refused]
    bindings: Sequence[Row] = ()
    claims: Sequence[Row] = ()


class Report:
    """A CSV of the refused rows, for its owner only (0600): numbers of rows and codes, nothing of a person."""

    def __init__(self, path: Path, length: int, say: Callable[[Failure], str]) -> None:
        """Goes on behind `length` bytes; 0 begins it. Raises ReportMissing."""
        self._say = say
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        if self._file.seek(0, os.SEEK_END) < length:
            self._file.close()
            raise ReportMissing(name=path.name)
        self._file.truncate(length)
        self._file.seek(0, os.SEEK_END)
        if not self._file.tell():
            self._put([HEADING])

    def add(self, refused: Sequence[Refused]) -> int:
        """Puts them on the disk; how long the report is now."""
        self._put([(one.number, one.why.code, one.why.facts.get("column", ""), self._say(one.why)) for one in refused])
        return self._file.tell()

    @property
    def length(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def cut(self, length: int) -> None:
        """Back to so many bytes: what follows did not happen."""
        self._file.seek(length)
        self._file.truncate()

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _put(self, rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._file.write(text.getvalue().encode())
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that is stored. `as_decided`: not decided anew because somebody else took a place meanwhile."""

    run: Run
    as_decided: bool


@dataclass(frozen=True, slots=True)
class Importing:
    """One run. `told`: called after each batch with the run and the part of the file that is read.

    `account`: of this machine, whose hand runs it; it stands in the audit.
    """

    tables: ImportTables
    holders: Holders
    decider: Decider
    clock: Clock
    report: Report
    told: Callable[[Run, float], None]
    dry: bool = False
    account: str = "-"
    seen: Seen = field(default_factory=lambda: Seen())

    async def through(self, source: Source, run: Run, size: int = AT_ONCE) -> Run:
        """Every row behind the run's cursor. Raises FileRefused, StoreOutage, Stale, Taken."""
        batches = source.batches(run.at_row, size)
        before, writing = Decided((), 0, ()), _done(Written(run, as_decided=True))
        try:
            while lines := await asyncio.to_thread(next, batches, None):
                part, decided = source.part(), await self._decided(lines, before.taken)
                written = await asyncio.shield(writing)
                if not written.as_decided:
                    decided = await self._decided(lines)
                before, writing = decided, asyncio.ensure_future(self._write(lines, decided, written.run, part))
            run = (await asyncio.shield(writing)).run
        finally:
            await asyncio.gather(writing, return_exceptions=True)  # no batch is left behind that still writes
        over = replace(run, finished_at=self.clock.now())
        if not self.dry:
            await self.tables.save(Batch((), (), over, run.at_row, self._line(over, "finished", run.at_row + 1)))
        return over

    async def _write(self, lines: Sequence[Line], decided: Decided, run: Run, part: float) -> Written:
        for again in range(5):
            if again:
                decided = await self._decided(lines)
            length = self.report.length
            after = _after(run, lines, decided, self.report.add(decided.refused))
            line = self._line(after, "done", run.at_row + 1, decided.refused)
            if self.dry or await self.tables.save(Batch(decided.bindings, decided.claims, after, run.at_row, line)):
                self.told(after, part)
                return Written(after, as_decided=not again)
            self.report.cut(length)
        raise Taken

    async def _decided(self, lines: Sequence[Line], before: Sequence[Wanted] = ()) -> Decided:
        """`before`: what another batch is just taking."""
        rows, unread = await asyncio.to_thread(_read, lines)
        holders = await self.holders.find({row.banking_id for _, row in rows})
        found, unwanted = await asyncio.to_thread(self._wanted, rows, holders)
        places = await self._places([one for _, one in found], before)
        return await asyncio.to_thread(self._placed, found, places, [*unread, *unwanted])

    def _wanted(
        self, rows: Sequence[tuple[int, Registration]], holders: Mapping[str, Holder]
    ) -> tuple[list[tuple[int, Wanted]], list[Refused]]:
        found: list[tuple[int, Wanted]] = []
        refused: list[Refused] = []
        for number, row in rows:
            try:
                found.append((number, self.decider.wanted(row, holders.get(row.banking_id))))
            except Refusal as wrong:
                refused.append(_refused(number, wrong))
        return found, refused

    def _placed(self, found: Sequence[tuple[int, Wanted]], places: Places, refused: list[Refused]) -> Decided:
        taken, there = [], 0
        for number, one in found:
            try:
                if places.take(one) and (not self.dry or self.seen.take(one)):
                    taken.append(one)
                else:
                    there += 1
            except NotTaken as wrong:
                refused.append(_refused(number, wrong))
        bindings, claims = ([], []) if self.dry else bindings_and_claims(self.decider, taken)
        return Decided(taken, there, sorted(refused, key=lambda one: one.number), bindings, claims)

    async def _places(self, wanted: Sequence[Wanted], before: Sequence[Wanted]) -> Places:
        people = {one.holder.customer_id for one in wanted}
        fingerprints = {one.key for one in wanted if isinstance(one, ToBind)}
        claims = {one.key for one in wanted} - fingerprints
        taking = [Known(one.holder.customer_id, one.key, ACTIVE) for one in before]
        bindings = await self.tables.bindings(people, fingerprints)
        return Places([*bindings, *taking], await self.tables.claims(people, claims))

    def _line(self, run: Run, result: str, first: int, refused: Sequence[Refused] = ()) -> Audit:
        """`codes`: of the rows that this batch refused, each with its number."""
        codes = sorted(Counter(one.why.code for one in refused).items())
        facts: dict[str, str | int] = {
            "by": "cli", "account": self.account, "codes": " ".join(f"{code}:{n}" for code, n in codes),
            "file": run.run_id, "first_row": first, "last_row": run.at_row, "bound": run.bound,
            "claimed": run.claimed, "there": run.there, "refused": run.refused,
        }  # fmt: skip
        return Audit(self.clock.now(), "binding.import", result, None, None, None, facts)


class Seen:
    """What a dry run would have written: eight bytes of each key, since nothing of it lies in the database."""

    def __init__(self) -> None:
        self._keys: dict[int, int] = {}
        self._people: set[int] = set()

    def take(self, one: Wanted) -> bool:
        """False where an earlier row of the file was the same. Raises NotTaken."""
        key, person = _short(one.key), _short(one.holder.customer_id)
        if (before := self._keys.get(key)) is not None:
            if before == person:
                return False
            raise NotTaken("import-of-other")
        if person in self._people:
            raise NotTaken("import-has-binding")
        self._keys[key] = person
        self._people.add(person)
        return True


class TableHolders:
    """`ports.importing.Holders` on our own tables: one question for a batch."""

    def __init__(self, tables: Tables, keys: FieldKeys) -> None:
        self._tables = tables
        self._keys = keys

    async def find(self, banking_ids: Collection[str]) -> Mapping[str, Holder]:
        rows = await self._tables.customers(banking_ids) if banking_ids else []
        return {str(row["banking_id"]): self._holder(row) for row in rows}

    def _holder(self, row: Mapping[str, Any]) -> Holder:
        customer_id = str(row["customer_id"])
        return Holder(customer_id, CustomerKind(row["kind"]), str(row["status"]), lambda: self._opened(row))

    def _opened(self, row: Mapping[str, Any]) -> Opened:
        customer_id, version = str(row["customer_id"]), int(row["key_version"])
        cipher = FieldCipher(self._keys.unwrap(row["data_key"], context(customer_id), version), version)

        def opened(column: str) -> str:
            return cipher.open(TABLE, column, customer_id, row[column]).decode()

        return Opened(opened("name"), cipher, lambda: Secret(opened("idn")))


def _read(lines: Sequence[Line]) -> tuple[list[tuple[int, Registration]], list[Refused]]:
    rows: list[tuple[int, Registration]] = []
    refused: list[Refused] = []
    for line in lines:
        try:
            rows.append((line.number, read(line)))
        except RowRefused as wrong:
            refused.append(_refused(line.number, wrong))
    return rows, refused


def _refused(number: int, why: Failure) -> Refused:
    """Without its traceback: that would hold the list that holds it, and so the whole batch."""
    return Refused(number, why.with_traceback(None))


def _done(value: T) -> asyncio.Future[T]:
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


def _short(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _after(run: Run, lines: Sequence[Line], decided: Decided, length: int) -> Run:
    bound = sum(isinstance(one, ToBind) for one in decided.taken)
    return replace(
        run,
        at_row=lines[-1].number,
        bound=run.bound + bound,
        claimed=run.claimed + len(decided.taken) - bound,
        there=run.there + decided.there,
        refused=run.refused + len(decided.refused),
        report_bytes=length,
    )
