"""Opening, finding, raising and ending sessions (security F2): only hashes are stored, a rise is always a new id."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from ingam.customer.session import Level, Session
from ingam.ports.clock import Clock
from ingam.ports.store import Change, Insert, Row, Save, Store, Update

COOKIE_BYTES = 32
PRE_SESSION_S = 3600
# A write for every request would cost a disk flush each; so a session may end this much early, and never late. What the
# header counts down is the same clock, so that the person sees the true end.
TOUCH_S = 15


class Ended(Exception):  # noqa: N818 - a sentence about a session, handled where it is raised
    """The cookie names a session that is over. `why`: idle, absolute, logout, replaced or closed."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, the cookie value that names it, and the changes to save with what justified it."""

    cookie: str
    session: Session
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: idle and absolute lifetime of a logged-in session."""

    idle_s: int
    max_s: int


def digest(cookie: str) -> str:
    """The stored name of a cookie value: SHA-256, 64 lower hex."""
    return sha256(cookie.encode("ascii", "replace")).hexdigest()


class Sessions:
    """Sessions on the store. `token` gives random bytes."""

    def __init__(
        self, store: Store, clock: Clock, times: Times, token: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._times = times
        self._token = token

    async def open_pre(self, device: str | None) -> Opened:
        """A session of nobody, stored at once; it carries CSRF and challenges until a login replaces it."""
        opened = self._new(Level.PRE, None, device, self._clock.now())
        await self._store.save(Save(rows=opened.changes))
        return opened

    def rise(
        self, old: Session, level: Level, customer_id: str, device: str | None, slot: int | None = None, head: str = ""
    ) -> Opened:
        """The session that follows `old` at a login or a rise of assurance; save its changes with the proof."""
        now = self._clock.now()
        opened = self._new(level, customer_id, device, now, slot, head)
        return replace(opened, changes=(*opened.changes, _end(old.session, "replaced", now)))

    async def find(self, cookie: str) -> Session:
        """The live session of a cookie. Raises Ended, KeyError for one that never was."""
        row = await self._store.one("session", {"session": digest(cookie)})
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

    def idle_until(self, session: Session) -> datetime:
        """When this session ends for want of use."""
        idle = self._times.idle_s if session.level is not Level.PRE else PRE_SESSION_S
        return min(session.seen_at + timedelta(seconds=idle), session.expires_at)

    async def touch(self, session: Session, *, at_once: bool = False) -> Session:
        """The person did something: the idle clock starts again (written at most each TOUCH_S seconds)."""
        now = self._clock.now()
        if not at_once and now - session.seen_at < timedelta(seconds=TOUCH_S):
            return session
        where: Row = {"session": session.session, "ended_at": None}
        await self._store.save(Save(rows=[Update("session", where, {"seen_at": now})]))
        return replace(session, seen_at=now)

    async def end(self, session: Session, why: str) -> None:
        """Logout ends it on the server."""
        await self._store.save(Save(rows=[self.ending(session, why)]))

    def ending(self, session: Session, why: str) -> Change:
        """What ends it, to save with the line that says so."""
        return _end(session.session, why, self._clock.now())

    def _new(
        self, level: Level, customer_id: str | None, device: str | None, now: datetime, slot: int | None = None,
        head: str = "",
    ) -> Opened:  # fmt: skip
        cookie = base64.urlsafe_b64encode(self._token(COOKIE_BYTES)).rstrip(b"=").decode()
        csrf = base64.urlsafe_b64encode(self._token(COOKIE_BYTES)).rstrip(b"=").decode()
        lifetime = self._times.max_s if level is not Level.PRE else PRE_SESSION_S
        session = Session(
            session=digest(cookie),
            level=level,
            customer_id=customer_id,
            csrf=csrf,
            device=device,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(seconds=lifetime),
            slot=slot,
            head=head,
        )
        return Opened(cookie, session, (Insert("session", _row(session)),))


def _row(session: Session) -> Row:
    return {
        "session": session.session,
        "level": str(session.level),
        "customer_id": session.customer_id,
        "csrf": session.csrf,
        "device": session.device,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "ended_at": None,
        "ended_by": None,
        "slot": session.slot,
        "head": session.head,
    }


def _session(row: Row) -> Session:
    created, seen, expires = row["created_at"], row["seen_at"], row["expires_at"]
    assert isinstance(created, datetime) and isinstance(seen, datetime) and isinstance(expires, datetime)
    return Session(
        session=str(row["session"]),
        level=Level(str(row["level"])),
        customer_id=None if row["customer_id"] is None else str(row["customer_id"]),
        csrf=str(row["csrf"]),
        device=None if row["device"] is None else str(row["device"]),
        created_at=created,
        seen_at=seen,
        expires_at=expires,
        slot=None if row["slot"] is None else int(str(row["slot"])),
        head=str(row["head"]),
    )


def _end(session: str, why: str, now: datetime) -> Change:
    return Update("session", {"session": session, "ended_at": None}, {"ended_at": now, "ended_by": why})
