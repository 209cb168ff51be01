"""`ports.books.Nodes` in plain files: a row of 32-byte hashes each, and the newest head as text.

What is written twice is the same bytes at the same place, so a stop at any point is made good by doing it again. A
row's file counts as long as its whole hashes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingam.ports.books import Head, OlderList
from ingam.protocols.log import head as heads
from ingam.protocols.log.tiles import BITS
from ingam.protocols.log.tree import HASH

_HEAD: Final = "head"


class FileNodes:
    """The auditor's memory of the chain. Of one process at a time (`run/auditor` holds a lock)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    def size(self) -> int:
        try:
            return self._row(0).stat().st_size // HASH
        except FileNotFoundError:
            return 0

    def hashes(self, first: int, last: int) -> list[bytes]:
        return self._read(0, first, last)

    def nodes(self, level: int, first: int, last: int) -> list[bytes]:
        return self._read(level // BITS, first, last)

    def keep_nodes(self, level: int, first: int, nodes: Sequence[bytes]) -> None:
        self._write(level // BITS, first, nodes)

    def append(self, first: int, hashes: Sequence[bytes]) -> None:
        """Leaf hashes of the places from `first` on."""
        self._write(0, first, hashes)

    def head(self) -> Head | None:
        try:
            text = (self._folder / _HEAD).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        told = heads.parse(text).head
        return Head(told.size, told.root, told.at, text)

    def publish_head(self, head: Head) -> None:
        newest = self.head()
        if newest is not None and (head.size < newest.size or (head.size == newest.size and head.root != newest.root)):
            raise OlderList
        write(self._folder / _HEAD, head.text.encode())

    def _row(self, row: int) -> Path:
        return self._folder / f"row-{row}"

    def _read(self, row: int, first: int, last: int) -> list[bytes]:
        try:
            with self._row(row).open("rb") as file:
                file.seek(first * HASH)
                data = file.read((last - first) * HASH)
        except FileNotFoundError:
            return []
        return [data[at : at + HASH] for at in range(0, len(data) - HASH + 1, HASH)]

    def _write(self, row: int, first: int, hashes: Sequence[bytes]) -> None:
        descriptor = os.open(self._row(row), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            data, at = b"".join(hashes), first * HASH
            while data:
                written = os.pwrite(descriptor, data, at)
                data, at = data[written:], at + written
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write(path: Path, octets: bytes) -> None:
    """Put a file in place of what is there, in one step, for good. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
