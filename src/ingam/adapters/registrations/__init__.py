"""Files of registrations that an institution brings: rows in their order, however long the file is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ingam.kernel.errors import Refusal
from ingam.ports.importing import Line


class FileRefused(Refusal):
    """The file is not one of registrations (facts: reason, name)."""

    code = "import-file"


class Source(Protocol):
    """The rows of a file."""

    def batches(self, skip: int, size: int) -> Iterator[list[Line]]:
        """All rows behind the first `skip`, `size` at a time. Raises FileRefused."""

    def part(self) -> float:
        """How much of the file has been read, 0 to 1."""

    def close(self) -> None:
        """Close the file."""


def open_source(path: Path, *, encoding: str = "utf-8") -> Source:
    """By the file's name: `.parquet`, or CSV. Raises FileRefused."""
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            from ingam.adapters.registrations.parquet_file import ParquetSource  # pyarrow comes with an extra

            return ParquetSource(path)
        from ingam.adapters.registrations.csv_file import CsvSource

        return CsvSource(path, encoding)
    except OSError as wrong:
        raise FileRefused(reason=type(wrong).__name__, name=path.name) from None
    except ModuleNotFoundError:
        raise FileRefused(reason="pip install 'ingam[parquet]'", name=path.name) from None


def digest(path: Path) -> str:
    """SHA-256 of the file, 64 hex. Raises FileRefused."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as wrong:
        raise FileRefused(reason=type(wrong).__name__, name=path.name) from None
