"""The head of SQLite's wal-index, mapped: it tells of any commit of any process for 0.1 µs (sqlite.org/walformat.html).

POSIX drops all locks that a process holds on a file as soon as it closes ANY descriptor of that file, SQLite's own
locks among them (sqlite.org/howtocorrupt.html, 2.2). The next process to open the books would take itself for the only
one and cut the file short, and whoever has it mapped would die of SIGBUS. So descriptors of the file are closed only
when nobody in this process has the books open any more.
"""

from __future__ import annotations

import mmap
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HEAD: Final = 96
"""Both copies of the wal-index header: every commit changes them."""


@dataclass(slots=True)
class _Held:
    users: int = 0
    maps: dict[tuple[int, int], tuple[int, mmap.mmap]] = field(default_factory=dict)


_held: Final[dict[str, _Held]] = {}
_lock: Final = threading.Lock()


def enter(path: Path) -> None:
    """Somebody in this process is about to open the books at a path; `leave` comes after its connections ended."""
    with _lock:
        _held.setdefault(str(path), _Held()).users += 1


def leave(path: Path) -> None:
    """The last one to leave closes what was mapped."""
    with _lock:
        held = _held[str(path)]
        held.users -= 1
        if held.users == 0:
            del _held[str(path)]
            for descriptor, mapped in held.maps.values():
                mapped.close()
                os.close(descriptor)


def head(path: Path) -> mmap.mmap | None:
    """The mapped head of the index beside the books, or None where there is none. A connection has to be open here."""
    with _lock:
        maps = _held[str(path)].maps
        try:
            # Asked by name first: a descriptor that is opened only to look could not be closed again.
            found = Path(f"{path}-shm").stat()
            key = found.st_dev, found.st_ino
            if key not in maps:
                descriptor = os.open(f"{path}-shm", os.O_RDONLY | os.O_CLOEXEC)
                maps[key] = descriptor, mmap.mmap(descriptor, HEAD, prot=mmap.PROT_READ)
            return maps[key][1]
        except (OSError, ValueError):
            return None
