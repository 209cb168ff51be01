"""What an authority publishes over HTTP: revocation lists, CA certificates, the log's heads and tiles.

They lie in its folder. Small files are kept in memory, large ones are read as the client takes them; the names that are
served are a closed form, so that nothing else of the folder is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Final

from ingam.run.messages import Reply, Request, Streamed, fields
from ingam.run.status_replies import Tagged, holds

MAX_AGE_S: Final = 300
SMALL: Final = 256 * 1024
"""Bytes of a file that is kept in memory."""

KEPT_MOST: Final = 256
CHUNK: Final = 64 * 1024
_FILE: Final = re.compile(rb"[a-z0-9][a-z0-9-]{0,63}(?:\.delta)?\.(crl|arl|der|cer)")
_LOG: Final = re.compile(rb"log/(?:checkpoint|tile/[0-9]{1,2}/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[0-9]{1,3})?)")
_TYPES: Final = {
    "crl": "application/pkix-crl", "arl": "application/pkix-crl",
    "der": "application/pkix-cert", "cer": "application/pkix-cert",
}  # fmt: skip


def is_published(name: bytes) -> bool:
    """Whether a file may be called so: `dp1p1.crl`, `issuing-1.cer`, `log/checkpoint`, `log/tile/0/x001/067`."""
    return _FILE.fullmatch(name) is not None or _LOG.fullmatch(name) is not None


class Published:
    """The files of one folder. `max_age_s`: seconds that caches may keep one, 300 at most (security D13)."""

    def __init__(self, folder: Path, max_age_s: int = MAX_AGE_S) -> None:
        self._folder, self._max_age_s = folder, min(max_age_s, MAX_AGE_S)
        self._kept: dict[bytes, tuple[tuple[int, int, int], Tagged]] = {}

    def reply(self, name: bytes, request: Request) -> Reply | None:
        """The file, or 304; None where there is none of that name."""
        if not is_published(name):
            return None
        try:
            found = self._file(name)
        except OSError:
            return None
        return found.to(request) if isinstance(found, Tagged) else self._large(*found, name, request)

    def _file(self, name: bytes) -> Tagged | tuple[int, os.stat_result]:
        """A small file's reply, as of now; or a large file, open."""
        path = self._folder / name.decode("ascii")
        if name.endswith(b".cer"):
            path = path if path.exists() else path.with_suffix(".der")
        kept = self._kept.get(name)
        if kept is not None and _state(path.stat()) == kept[0]:
            return kept[1]
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        found = os.fstat(file)
        if found.st_size > SMALL:
            return file, found
        try:
            return self._keep(name, found, os.pread(file, SMALL, 0))
        finally:
            os.close(file)

    def _keep(self, name: bytes, found: os.stat_result, octets: bytes) -> Tagged:
        tag = _tag(found)
        made = Tagged(200, self._head(name, found, tag), octets, tag.encode("ascii"), self._max_age_s)
        self._kept.pop(name, None)
        if len(self._kept) >= KEPT_MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (_state(found), made)
        return made

    def _large(self, file: int, found: os.stat_result, name: bytes, request: Request) -> Reply:
        tag = _tag(found)
        head = self._head(name, found, tag)
        asked = request.fields.get(b"if-none-match")
        if request.method == b"HEAD" or (asked is not None and holds(asked, tag.encode("ascii"))):
            os.close(file)
            if request.method != b"HEAD":
                return Reply(304, head, b"", self._max_age_s)
            return Streamed(200, head, found.st_size, iter(()), self._max_age_s)
        return Streamed(200, head, found.st_size, _chunks(file, found.st_size), self._max_age_s)

    def _head(self, name: bytes, found: os.stat_result, tag: str) -> bytes:
        ending = name.rpartition(b".")[2].decode("ascii")
        plain = "text/plain; charset=utf-8" if name.endswith(b"checkpoint") else "application/octet-stream"
        return fields(
            [
                ("Content-Type", _TYPES.get(ending, plain)),
                ("ETag", tag),
                ("Last-Modified", formatdate(found.st_mtime, usegmt=True)),
                ("Cache-Control", f"max-age={self._max_age_s}, public, no-transform, must-revalidate"),
            ]
        )


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _tag(found: os.stat_result) -> str:
    return '"{:x}-{:x}-{:x}"'.format(*_state(found))


def _chunks(file: int, size: int) -> Iterator[bytes]:
    """The file as it was opened, whatever takes its name meanwhile; closed at the end or when nobody reads on."""
    try:
        at = 0
        while at < size:
            chunk = os.pread(file, min(CHUNK, size - at), at)
            if not chunk:
                raise OSError("the file became shorter")
            at += len(chunk)
            yield chunk
    finally:
        os.close(file)
