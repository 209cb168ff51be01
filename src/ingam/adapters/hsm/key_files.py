"""Files of secret key bytes: for their owner only, made once, whole or not at all.

A file of an earlier start gets the keys that it lacks; those that it has are never touched.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Refusal

KEY_BYTES: Final = 32


class KeyFileRefused(Refusal):
    """A key file that must not be used (facts: reason in open-to-others, malformed, not-for-production, missing)."""

    code = "key-file-refused"


def refuse_in_production(production: bool, allowed: bool) -> None:
    """A key in a file is for demos, unless the settings say otherwise (security G7). Raises KeyFileRefused."""
    if production and not allowed:
        raise KeyFileRefused(reason="not-for-production")


def read_or_make(path: Path, names: tuple[str, ...], later: tuple[str, ...] = ()) -> Mapping[str, bytes]:
    """The 32-byte keys of these names, made with the file where there is none. Raises KeyFileRefused.

    `later`: names that came after the first release; a file without them gets them beside what it holds.
    """
    if not path.exists():
        make(path, _made((*names, *later)))
    keys = read(path)
    if not set(names) <= set(keys):
        raise KeyFileRefused(reason="malformed")
    return keys if set(later) <= set(keys) else _add(path, later)


def _made(names: Iterable[str]) -> dict[str, bytes]:
    return {name: secrets.token_bytes(KEY_BYTES) for name in names}


def _add(path: Path, names: tuple[str, ...]) -> Mapping[str, bytes]:
    """Whoever holds the lock looks again: another process may have added them, in a file of the same name."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        keys = read(path)
        missing = [name for name in names if name not in keys]
        if not missing:
            return keys
        whole = {**keys, **_made(missing)}
        draft = _draft(path, whole)
        draft.replace(path)
        _sync(path.parent)
        return whole


def read(path: Path) -> Mapping[str, bytes]:
    """The keys of a file by their names. Raises KeyFileRefused."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyFileRefused(reason="open-to-others")
            text = file.read(65_536)
    except OSError as error:
        raise KeyFileRefused(reason="missing") from error
    return _parsed(text)


def _parsed(text: bytes) -> Mapping[str, bytes]:
    try:
        keys = {name: bytes.fromhex(value) for name, value in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise KeyFileRefused(reason="malformed") from None  # the cause would carry the file's text
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise KeyFileRefused(reason="malformed")
    return keys


def make(path: Path, keys: Mapping[str, bytes]) -> None:
    """Write the file in one step; where another process was first, its file stands."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, keys)
    try:
        _unless_there(lambda: os.link(draft, path))
        _sync(path.parent)
    finally:
        draft.unlink()


def _draft(path: Path, keys: Mapping[str, bytes]) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(draft, json.dumps({name: key.hex() for name, key in keys.items()}).encode())
    return draft


def _unless_there(act: Callable[[], None]) -> None:
    try:
        act()
    except FileExistsError:
        return


def _write(path: Path, octets: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A new name is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
