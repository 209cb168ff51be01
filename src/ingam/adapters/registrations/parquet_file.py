"""Registrations as Parquet: text, or binary for certificates and fingerprints; instants and days as such or as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet

from ingam.adapters.registrations import FileRefused
from ingam.ports.importing import COLUMNS, Cell, Line

BUFFER: Final = 1 << 20
"""Bytes that are read of a column at once. Without it a column of a whole row group is; most files have one group."""


class ParquetSource:
    """`adapters.registrations.Source`; row groups are read one after another. Raises FileRefused."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._file = pyarrow.parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
        except (pyarrow.ArrowException, OSError) as wrong:
            raise FileRefused(reason=type(wrong).__name__, name=self._name) from None
        self._columns = list(self._file.schema_arrow.names)
        if "banking_id" not in self._columns or any(name not in COLUMNS for name in self._columns):
            self._file.close()
            raise FileRefused(reason="columns", name=self._name)
        self._total: int = max(1, self._file.metadata.num_rows)
        self._done = 0

    def batches(self, skip: int, size: int) -> Iterator[list[Line]]:
        try:
            for batch in self._file.iter_batches(batch_size=size, use_threads=False):
                first, self._done = self._done, self._done + batch.num_rows
                if self._done <= skip:
                    continue
                rows: list[dict[str, Any]] = batch.to_pylist()
                lines = [Line(first + at, _cells(row)) for at, row in enumerate(rows, 1)]
                yield [line for line in lines if line.number > skip]
        except pyarrow.ArrowException as wrong:
            raise FileRefused(reason=type(wrong).__name__, name=self._name) from None

    def part(self) -> float:
        return min(1.0, float(self._done) / self._total)

    def close(self) -> None:
        self._file.close()


def _cells(row: dict[str, Any]) -> dict[str, Cell]:
    return {name: _cell(value) for name, value in row.items() if value is not None}


def _cell(value: Any) -> Cell:
    if isinstance(value, bytes | str):
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
