"""Follows a call for the page that shows it: every change of its state, in place of a question each second.

Another process may be the one that places the call, so the row is looked at; whoever follows costs a read, not a
request. A follower ends with the call, with the session, or after the time that a call can have.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, Protocol, TypeVar

from ingam.kernel.errors import Failure, Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import Store

LOOK_S: Final = 0.5
BEAT_S: Final = 10.0
FOLLOWERS_MOST: Final = 4
"""Windows of one session; each holds a connection."""


class Call(Protocol):
    """A call as `ars.Calling` has it."""

    @property
    def state(self) -> str: ...
    @property
    def over(self) -> bool: ...


class FollowingLimits(Protocol):
    """How long a call can have."""

    @property
    def ars_ttl_s(self) -> int: ...


OneCall = TypeVar("OneCall", bound=Call)
LookAt = Callable[[], Awaitable[OneCall | None]]


class FollowersCrowded(Refusal):
    """More windows of this session follow a call than anybody has; they ask now and then instead."""

    code = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Followed(Generic[OneCall]):
    """The call as it stands; None: there is none, or none any more."""

    call: OneCall | None


class Followers:
    """Everybody in this process who follows a call."""

    def __init__(self, store: Store, clock: Clock, limits: FollowingLimits, look_s: float = LOOK_S) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._look_s = look_s
        self._following: Counter[str] = Counter()

    async def follow(self, session: str, look: LookAt[OneCall]) -> AsyncIterator[Followed[OneCall] | None]:
        """What there is, then every change; None now and then, so that a line that broke is noticed.

        The first look's refusal is raised; a later one ends it, and whoever asks anew hears it. Raises
        FollowersCrowded.
        """
        if self._following[session] >= FOLLOWERS_MOST:
            raise FollowersCrowded
        self._following[session] += 1
        try:
            async for seen in self._seen(session, look):
                yield seen
        finally:
            self._following[session] -= 1
            if self._following[session] <= 0:
                del self._following[session]

    async def _seen(self, session: str, look: LookAt[OneCall]) -> AsyncIterator[Followed[OneCall] | None]:
        ends, beat = self._clock.now() + timedelta(seconds=self._limits.ars_ttl_s), 0.0
        call, last = await look(), ""
        while True:
            state = "" if call is None else call.state
            if state != last or call is None or beat >= BEAT_S:
                yield Followed(call) if state != last or call is None else None
                last, beat = state, 0.0
            if call is None or call.over or self._clock.now() >= ends:
                return
            await asyncio.sleep(self._look_s)
            beat += self._look_s
            try:
                if not await self._live(session):
                    return
                call = await look()
            except Failure:
                return

    async def _live(self, session: str) -> bool:
        """Whoever logs out sees nothing more."""
        row = await self._store.one("session", {"session": session})
        return row is not None and row["ended_at"] is None
