"""How much of the audit each witness is known to remember, as a file: JSON, the size by the witness's name.

A witness that says less than stands here has forgotten. A file that cannot be read is not an empty one: whoever
damaged it would hide just that.
"""

from __future__ import annotations

import json
from collections import UserDict
from pathlib import Path

from ingam.adapters.audit.nodes import write
from ingam.kernel.errors import Refusal


class FileSizes(UserDict[str, int]):
    """Every change is on the disk before it is believed. Of one writer at a time (`run/auditor` holds a lock)."""

    def __init__(self, path: Path) -> None:
        """Raises Failure `audit-file-unreadable`."""
        super().__init__()
        self._path = path
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError):
            raise Refusal("audit-file-unreadable", name=str(path)) from None
        if not isinstance(found, dict) or not all(type(size) is int and size >= 0 for size in found.values()):
            raise Refusal("audit-file-unreadable", name=str(path))
        self.data = found

    def __setitem__(self, name: str, size: int) -> None:
        """Raises OSError."""
        if self.data.get(name) != size:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write(self._path, json.dumps({**self.data, name: size}, sort_keys=True).encode())
            self.data[name] = size
