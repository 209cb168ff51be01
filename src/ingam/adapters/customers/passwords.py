"""Argon2id in two threads behind a bounded queue: a flood of logins meets an Outage, not a machine out of memory.

m = 19 MiB, t = 2, p = 1 (OWASP); an unknown ID costs the same work against a hash of nobody's password (security F8).
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret

T = TypeVar("T")

THREADS: Final = 2

WAITING: Final = 64
"""At 16-29 ms a hash and two threads, the last of so many waits about a second."""

LONGEST: Final = 256
"""Characters; a longer password fits nobody's."""


class PasswordQueueFull(Outage):
    """More passwords wait to be checked than can be in time; nothing was counted as wrong."""

    code = "password-queue-full"


class Passwords:
    """Hashes and checks passwords. `cheap`: the least work, for tests only (settings refuse it in production)."""

    def __init__(self, *, cheap: bool = False, waiting: int = WAITING) -> None:
        memory_kib, rounds = (8, 1) if cheap else (19 * 1024, 2)
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._most = waiting
        self._waiting = 0

    async def hash(self, password: Secret[str]) -> str:
        """An encoded Argon2id hash with a salt of its own. Raises PasswordQueueFull."""
        return await self._run(lambda: self._hasher.hash(_form(password)))

    async def fits(self, encoded: str | None, password: Secret[str]) -> bool:
        """Whether the password is the one of the hash; None does the same work and never fits. PasswordQueueFull."""
        known = encoded is not None and len(password) <= LONGEST
        fits = await self._run(lambda: self._fits(encoded if encoded and known else self._nobodys, password))
        return fits and known

    def is_old(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)

    def _fits(self, encoded: str, password: Secret[str]) -> bool:
        try:
            return self._hasher.verify(encoded, _form(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._most:
            raise PasswordQueueFull
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._left)  # also when the caller went away: the thread works on all the same
        return await asyncio.shield(future)

    def _left(self, _: object) -> None:
        self._waiting -= 1


def _form(password: Secret[str]) -> bytes:
    """One byte form of what keyboards give in several (Unicode NFC); bounded, as Argon2 takes any length."""
    return unicodedata.normalize("NFC", password.reveal()[:LONGEST]).encode("utf-8", "surrogatepass")
