"""Registrations as CSV (RFC 4180) with a line of headings, in UTF-8 or another encoding that is named."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ingam.adapters.registrations import FileRefused
from ingam.ports.importing import COLUMNS, LONGEST, Line


class CsvSource:
    """`adapters.registrations.Source`. Raises FileRefused for headings that are not ours."""

    def __init__(self, path: Path, encoding: str) -> None:
        csv.field_size_limit(LONGEST)
        self._size = max(1, path.stat().st_size)
        self._name = path.name
        self._raw = path.open("rb")
        try:
            self._rows = self._opened(encoding)
        except FileRefused:
            self._raw.close()
            raise

    def batches(self, skip: int, size: int) -> Iterator[list[Line]]:
        number = 0
        rows = self._lines()
        for _ in islice(rows, skip):
            number += 1
        while batch := list(islice(rows, size)):
            yield [Line(number + at, self._cells(row)) for at, row in enumerate(batch, 1)]
            number += len(batch)

    def part(self) -> float:
        return min(1.0, self._raw.tell() / self._size)

    def close(self) -> None:
        self._raw.close()

    def _opened(self, encoding: str) -> Iterator[list[str]]:
        try:
            text = (line.decode(encoding) for line in self._raw)
            rows = csv.reader(text)
            heading = next(rows, [])
        except (UnicodeDecodeError, LookupError, csv.Error) as wrong:
            raise FileRefused(reason=type(wrong).__name__, name=self._name) from None
        self._heading = [name.strip().lower().removeprefix("\ufeff") for name in heading]
        foreign = [name for name in self._heading if name not in COLUMNS]
        if foreign or len(set(self._heading)) != len(self._heading) or "banking_id" not in self._heading:
            raise FileRefused(reason="columns", name=self._name)
        return rows

    def _lines(self) -> Iterator[list[str]]:
        """Rows; one that is no CSV ends the reading, as nobody knows where the next begins."""
        try:
            yield from (row for row in self._rows if row)
        except (UnicodeDecodeError, csv.Error) as wrong:
            raise FileRefused(reason=type(wrong).__name__, name=self._name) from None

    def _cells(self, row: list[str]) -> dict[str, str | bytes] | None:
        if len(row) != len(self._heading):
            return None
        return dict(zip(self._heading, row, strict=True))
