"""The mapped wal-index takes no lock of SQLite's away, as closing any descriptor of the file would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingam.adapters.books import wal_index
from ingam.adapters.books.reading import BooksReader
from ingam.adapters.books.sqlite import make

# The byte that every connection holds shared for as long as it is open: who finds it free cuts the file short.
ASK = """
import fcntl, os, struct, sys
file = os.open(sys.argv[1], os.O_RDWR)
told = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 128, 1, 0))
print(struct.unpack("hhqqi4x", told)[0] != fcntl.F_UNLCK)
"""


def locked(path: Path) -> bool:
    """Whether another process sees the connection's lock on the index."""
    asked = subprocess.run([sys.executable, "-c", ASK, f"{path}-shm"], capture_output=True, text=True, check=True)
    return asked.stdout.strip() == "True"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "books.db"
    make(found)
    return found


def test_a_reader_that_looks_for_changes_keeps_its_lock(path: Path) -> None:
    reader = BooksReader(path)
    reader.changed()
    assert locked(path)
    reader.close()


def test_a_reader_that_closes_leaves_the_lock_of_another_in_the_same_process(path: Path) -> None:
    one, other = BooksReader(path), BooksReader(path)
    other.last_change()
    one.changed()
    one.close()
    one.close()
    assert locked(path)
    other.changed()
    other.close()
    assert str(path) not in wal_index._held
