"""The operators' sessions: 256 random bits in a cookie, only their hash in the store; 15 minutes idle (F2, G1)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from ingam.ports.clock import Clock
from ingam.ports.store import Delete, Insert, Row, Save, Store, Update

COOKIE_BYTES: Final = 32
PRE_SESSION_S: Final = 900
# A write for every request would cost a disk flush each; so a session may end this much early, and never late.
TOUCH_S: Final = 15
KEPT: Final = timedelta(days=30)
TIDY_S: Final = 600.0
TIDY_AT_ONCE: Final = 1000


class Ended(Exception):  # noqa: N818 - a sentence about a session, handled where it is raised
    """The cookie names a session that is over. `why`: idle, absolute, logout, replaced or operator."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """A live session. `session`: SHA-256 of the cookie, 64 lower hex; `employee`: None before the passkey was shown."""

    session: str
    employee: str | None
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, the cookie value that names it, and the changes to save with what justified it."""

    cookie: str
    session: OperatorSession
    changes: tuple[Insert | Update, ...]


class OperatorSessions:
    """Sessions on the store. Seconds: idle and absolute lifetime of a signed-in one. `token` gives random bytes."""

    def __init__(
        self, store: Store, clock: Clock, idle_s: int, max_s: int, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._idle_s = idle_s
        self._max_s = max_s
        self._token = token

    async def open_pre(self) -> Opened:
        """A session of nobody, stored at once; it carries CSRF and challenges until a passkey replaces it."""
        opened = self._new(None, PRE_SESSION_S)
        await self._store.save(Save(rows=opened.changes))
        return opened

    def rise(self, old: OperatorSession, employee: str) -> Opened:
        """The session that follows `old` when a passkey was shown; always a new id."""
        opened = self._new(employee, self._max_s)
        return replace(opened, changes=(*opened.changes, ending(old, "replaced", self._clock.now())))

    async def find(self, cookie: str) -> OperatorSession:
        """The live session of a cookie. Raises Ended, KeyError for one that never was."""
        row = await self._store.one("operator_session", {"session": digest(cookie)})
        if row is None:
            raise KeyError("session")
        session, now = _session(row), self._clock.now()
        if row["ended_at"] is not None:
            raise Ended(str(row["ended_by"]))
        if now >= session.expires_at:
            raise Ended("absolute")
        if now >= self.idle_until(session):
            raise Ended("idle")
        return session

    def idle_until(self, session: OperatorSession) -> datetime:
        """When this session ends for want of use."""
        idle = PRE_SESSION_S if session.employee is None else self._idle_s
        return min(session.seen_at + timedelta(seconds=idle), session.expires_at)

    async def touch(self, session: OperatorSession, *, at_once: bool = False) -> OperatorSession:
        """The operator did something: the idle clock starts again (written at most each TOUCH_S seconds)."""
        now = self._clock.now()
        if not at_once and now - session.seen_at < timedelta(seconds=TOUCH_S):
            return session
        where: Row = {"session": session.session, "ended_at": None}
        await self._store.save(Save(rows=[Update("operator_session", where, {"seen_at": now})]))
        return replace(session, seen_at=now)

    async def tidy(self, stop: asyncio.Event, *, every_s: float = TIDY_S) -> None:
        """Deletes sessions a month after they are over, now and then, until `stop`."""
        while not stop.is_set():
            before = self._clock.now() - KEPT
            rows = await self._store.many("operator_session", {}, order="expires_at", limit=TIDY_AT_ONCE)
            over = [row["session"] for row in rows if isinstance(at := row["expires_at"], datetime) and at < before]
            if over:
                await self._store.save(Save(rows=[Delete("operator_session", {"session": one}) for one in over]))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    def _new(self, employee: str | None, lifetime_s: int) -> Opened:
        cookie, csrf, now = self._text(), self._text(), self._clock.now()
        session = OperatorSession(digest(cookie), employee, csrf, now, now, now + timedelta(seconds=lifetime_s))
        row: Row = {
            "session": session.session, "employee": employee, "csrf": csrf, "created_at": now, "seen_at": now,
            "expires_at": session.expires_at, "ended_at": None, "ended_by": None,
        }  # fmt: skip
        return Opened(cookie, session, (Insert("operator_session", row),))

    def _text(self) -> str:
        return base64.urlsafe_b64encode(self._token(COOKIE_BYTES)).rstrip(b"=").decode()


def digest(cookie: str) -> str:
    """The stored name of a cookie value: SHA-256, 64 lower hex."""
    return sha256(cookie.encode("ascii", "replace")).hexdigest()


def ending(session: OperatorSession, why: str, now: datetime) -> Update:
    """The change that ends a session; Stale when saved if it is over already."""
    return Update(
        "operator_session", {"session": session.session, "ended_at": None}, {"ended_at": now, "ended_by": why}
    )


def _session(row: Row) -> OperatorSession:
    created, seen, expires = row["created_at"], row["seen_at"], row["expires_at"]
    assert isinstance(created, datetime) and isinstance(seen, datetime) and isinstance(expires, datetime)
    employee = None if row["employee"] is None else str(row["employee"])
    return OperatorSession(str(row["session"]), employee, str(row["csrf"]), created, seen, expires)
