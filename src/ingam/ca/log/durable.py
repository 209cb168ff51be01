"""Files that are whole or not there, and still there after the power went."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, octets: bytes) -> None:
    """Put the file in place of what is there, in one step. Raises OSError."""
    replace(path, octets)
    sync(path.parent)


def replace(path: Path, octets: bytes) -> None:
    """As `write`, but the name is durable only once its folder was `sync`ed. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def sync(folder: Path) -> None:
    """Make names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
