"""Who follows a call hears each state once, until the call, the session, or the patience of the server is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.clocks import SetClock

from ingam.customer.additional_auth import following
from ingam.customer.additional_auth.following import FOLLOWERS_MOST, Followed, Followers, FollowersCrowded
from ingam.kernel.errors import Failure, Outage
from ingam.settings import Limits

AT = datetime(2026, 11, 27, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """A call as the follower sees it."""

    state: str

    @property
    def over(self) -> bool:
        return self.state in ("approved", "failed")


class Sessions:
    """A store that knows one session."""

    ended_at: datetime | None = None

    async def one(self, _table: str, _where: object) -> dict[str, Any] | None:
        return {"ended_at": self.ended_at}


class Gone(Outage):
    """The store is away."""

    code = "store-outage"


Seen = AsyncIterator[Followed[Call] | None]


class Bench:
    """Followers whose looks find these states, one after the other; the last one stays."""

    def __init__(self, states: Iterable[str | Failure | None]) -> None:
        self.clock, self.sessions = SetClock(AT), Sessions()
        self.followers = Followers(self.sessions, self.clock, Limits(), look_s=0.0)  # type: ignore[arg-type]
        self._states = list(states)

    async def look(self) -> Call | None:
        found = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(found, Failure):
            raise found
        return None if found is None else Call(found)

    def follow(self) -> Seen:
        return self.followers.follow("s" * 43, self.look)

    async def heard(self) -> list[str | None]:
        """Every event's state; None for one without a call, and for a sign of life."""
        calls = [None if one is None else one.call async for one in self.follow()]
        return [None if one is None else one.state for one in calls]


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await asyncio.wait_for(story(), 10)

    asyncio.run(go())


def test_every_change_is_told_once_and_the_end_is_the_last() -> None:
    async def story() -> None:
        states = ["queued", "placed", "placed", "ringing", "ringing", "answered", "approved"]
        assert await Bench(states).heard() == ["queued", "placed", "ringing", "answered", "approved"]

    run(story)


def test_where_no_call_is_under_way_that_is_all_there_is_to_hear() -> None:
    async def story() -> None:
        assert await Bench([None]).heard() == [None]
        assert await Bench(["ringing", None]).heard() == ["ringing", None]

    run(story)


def test_the_refusal_of_the_first_look_is_an_answer_and_a_later_one_ends_it() -> None:
    async def story() -> None:
        with pytest.raises(Gone):
            await Bench([Gone()]).heard()
        assert await Bench(["ringing", Gone()]).heard() == ["ringing"]

    run(story)


def test_F2_whoever_logs_out_hears_nothing_more() -> None:
    async def story() -> None:
        bench, heard = Bench(["ringing", "answered"]), []
        async for one in bench.follow():
            heard.append(one)
            bench.sessions.ended_at = AT
        assert heard == [Followed(Call("ringing"))]

    run(story)


def test_it_ends_with_the_time_that_a_call_can_have() -> None:
    async def story() -> None:
        bench, heard = Bench(["ringing"]), []
        async for one in bench.follow():
            heard.append(one)
            bench.clock.forward(Limits().ars_ttl_s)
        assert heard == [Followed(Call("ringing"))]

    run(story)


def test_a_line_on_which_nothing_happens_is_heard_from_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT_S", 0.0)

    async def story() -> None:
        assert await Bench(["ringing", "ringing", "ringing", "failed"]).heard() == ["ringing", None, None, "failed"]

    run(story)


def test_a_session_has_so_many_followers_and_a_closed_window_gives_its_place_back() -> None:
    async def story() -> None:
        bench = Bench(["ringing"])
        open_ones = [bench.follow() for _ in range(FOLLOWERS_MOST)]
        for one in open_ones:
            await anext(one)
        with pytest.raises(FollowersCrowded):
            await anext(bench.follow())
        await open_ones[0].aclose()  # type: ignore[attr-defined]
        again = bench.follow()
        assert await anext(again) == Followed(Call("ringing"))
        for one in (*open_ones, again):
            await one.aclose()  # type: ignore[attr-defined]
        assert not bench.followers._following

    run(story)
