"""The address of a store: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`."""

from __future__ import annotations

from pathlib import Path

from ingam.kernel.errors import Refusal


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite store; None for PostgreSQL. Raises Refusal `store-address` for anything else."""
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        return None
    raise Refusal("store-address")  # without the address: it may hold a password
