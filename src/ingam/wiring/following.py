"""An authority whose registrar's files may be renewed while the process runs: the next call after that is by the new.

A certificate as a registration authority lasts a year, and a center is not started anew for it. Files that cannot be
used leave what stands: the former certificate is good for weeks more, and the log says why.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import structlog

from ingam.kernel.errors import Failure
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock

log = structlog.get_logger()

EVERY: Final = timedelta(seconds=10)
"""How old what is known of the file may be."""


def following(file: Path, make: Callable[[], Certification], clock: Clock) -> Certification:
    """What `make` makes, anew whenever `file` is another one. Raises what `make` raises, the first time."""
    return cast(Certification, _Following(file, make, clock))


class _Following:
    def __init__(self, file: Path, make: Callable[[], Certification], clock: Clock) -> None:
        self._file, self._make, self._clock = file, make, clock
        self._mark, self._looked = _mark(file), clock.now()
        self._inner = make()
        self._turn = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return self._called(name)

    def _called(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def called(*args: Any, **kwargs: Any) -> Any:
            return await getattr(await self._current(), name)(*args, **kwargs)

        return called

    async def _current(self) -> Certification:
        async with self._turn:
            now = self._clock.now()
            if timedelta() <= now - self._looked < EVERY:
                return self._inner
            self._looked, mark = now, _mark(self._file)
            if mark != self._mark:
                self._mark = mark
                try:
                    self._inner = await asyncio.to_thread(self._make)  # it opens keys
                    log.info("registrar.renewed")
                except Failure as failure:
                    log.error("registrar.unusable", code=failure.code)
            return self._inner


def _mark(file: Path) -> tuple[int, int, int]:
    """What tells a file from the one that took its place."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
