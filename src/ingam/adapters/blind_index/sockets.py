"""One question, one answer, over a Unix socket in a folder of its owner's: `field value` → `ok hex` or `no code`.

A path of more than some hundred bytes does not fit a socket's address; it is then reached through its folder's
descriptor (Linux).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LONGEST_LINE: Final = 256
"""Bytes of a question or an answer, the line feed included."""

LONGEST_PATH: Final = 100


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A name of the socket that is short enough; valid inside the block."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
