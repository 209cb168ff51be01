"""What an import of registrations asks of the database: many rows at a question, a batch with its cursor at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple, Protocol, TypeAlias

from ingam.kernel.secret import Secret
from ingam.ports.customers import CustomerKind
from ingam.ports.store import Audit, Row

COLUMNS: Final = (
    "banking_id", "certificate", "fingerprint", "policy", "not_after", "issuer", "subject", "serial", "serial_decimal",
    "registered_at",
)  # fmt: skip
"""Names of columns; which of them a row needs depends on what is known of its certificate."""

LONGEST: Final = 96 * 1024
"""Characters of a cell: a certificate of 64 KiB in base64."""

Cell: TypeAlias = str | bytes
"""Bytes: from a file whose format has them."""


class Line(NamedTuple):
    """A row of the file by its number (1 is the first below the heading). `cells`: None where it has no row's shape."""

    number: int
    cells: Mapping[str, Cell] | None


class FieldSeal(Protocol):
    """Seals the fields of one customer's rows under that customer's data key (security H6)."""

    def seal(self, table: str, column: str, row_id: str, clear: bytes) -> bytes:
        """The sealed bytes of a field."""


class Opened(NamedTuple):
    """What lies encrypted of a customer: `name` and `idn`, as the institution has them, and what seals what is theirs.

    `idn` is asked for of a union's head alone.
    """

    name: str
    cipher: FieldSeal
    idn: Callable[[], Secret[str]]

    def __repr__(self) -> str:
        return "<opened>"  # it holds a name (security H1)


@dataclass(frozen=True)
class Holder:
    """A customer as an import needs one. `open` is asked once, and not at all by a row that only claims."""

    customer_id: str
    kind: CustomerKind
    status: str
    open: Callable[[], Opened] = field(repr=False)

    @cached_property
    def opened(self) -> Opened:
        """Raises a Defect for bytes of another customer."""
        return self.open()


class Holders(Protocol):
    """Customers by their banking IDs."""

    async def find(self, banking_ids: Collection[str]) -> Mapping[str, Holder]:
        """Those that there are. Raises StoreOutage, CustomersOutage."""


@dataclass(frozen=True, slots=True)
class Run:
    """How far the import of one file is. `run_id`: SHA-256 of the file, 64 hex; `at_row`: rows that are done.

    `bound`, `claimed`, `there` (it was registered before), `refused`: what became of them. `report_bytes`: so long is
    the report that belongs to them.
    """

    run_id: str
    started_at: datetime
    at_row: int = 0
    bound: int = 0
    claimed: int = 0
    there: int = 0
    refused: int = 0
    report_bytes: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A binding or a claim that is in the database, whatever its status. `key`: fingerprint, or key of the claim."""

    customer_id: str
    key: str
    status: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: rows of `binding` and of `binding_claim`, how far the run is after them, and the line.

    `before`: where the run must stand for it (0 also where there is none yet).
    """

    bindings: Sequence[Row]
    claims: Sequence[Row]
    run: Run
    before: int
    line: Audit | None = None


class ImportTables(Protocol):
    """Every method raises StoreOutage where the database does not answer."""

    async def run(self, run_id: str) -> Run | None:
        """How far the import of this file is."""

    async def bindings(self, customer_ids: Collection[str], fingerprints: Collection[str]) -> Sequence[Known]:
        """Every binding of these customers, ended ones too, and those of these certificates that stand."""

    async def claims(self, customer_ids: Collection[str], keys: Collection[str]) -> Sequence[Known]:
        """Every claim of these customers and of these keys; `status`: OPEN or ENDED."""

    async def save(self, batch: Batch) -> bool:
        """All of it, or nothing and False where somebody else took a place meanwhile.

        Raises Stale where the run stands elsewhere: another process imports the same file.
        """

    async def close(self) -> None:
        """End the connection."""
