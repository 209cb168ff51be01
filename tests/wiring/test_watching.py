"""A watched port is the same port; what its calls tell of the party reaches the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.clocks import SetClock

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.kernel.errors import Outage, Refusal
from ingam.run.party_health import tell_once
from ingam.wiring.watching import Board, watched


class Party:
    """Says what it is told to say."""

    binds_keys = True

    def __init__(self) -> None:
        self.answer: Exception | str = "yes"

    async def ask(self, question: str) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        return f"{question}: {self.answer}"

    async def states(self) -> AsyncIterator[str]:
        yield "ringing"
        yield await self.ask("then")

    async def aclose(self) -> None:
        self.answer = "closed"


def test_a_watched_party_answers_as_before_and_is_seen() -> None:
    async def go() -> None:
        clock, party = SetClock(), Party()
        board = Board(clock)
        port = watched(board, "bank", party)
        assert port.binds_keys and await port.ask("a") == "a: yes"
        assert not board.news()["bank"].failing
        clock.forward(1)
        party.answer = Outage("bank-outage", cause="timeout")
        with pytest.raises(Outage):
            await port.ask("b")
        seen = board.news()["bank"]
        assert (seen.failing, seen.cause) == (True, "bank-outage/timeout")
        clock.forward(1)
        party.answer = Refusal("no-such-account")
        with pytest.raises(Refusal):
            await port.ask("c")
        assert not board.news()["bank"].failing
        party.answer = RuntimeError("ours")
        with pytest.raises(RuntimeError):
            await port.ask("d")
        assert not board.news()["bank"].failing
        await port.aclose()
        assert str(party.answer) == "closed"

    asyncio.run(go())


def test_a_watched_stream_is_the_same_stream() -> None:
    async def go() -> None:
        board, party = Board(SetClock()), Party()
        port = watched(board, "ars", party)
        assert [state async for state in port.states()] == ["ringing", "then: yes"]
        assert not board.news()["ars"].failing
        party.answer = Outage("ars-outage")
        seen: list[str] = []
        with pytest.raises(Outage):
            async for state in port.states():
                seen.append(state)
        assert seen == ["ringing"] and board.news()["ars"].cause == "ars-outage"

    asyncio.run(go())


def test_news_are_told_to_the_store_once(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        store = open_store(sqlite_url, open_keys(tmp_path / "keys" / "center.key").outbox)
        clock = SetClock()
        board = Board(clock)
        try:
            board.well("sms")
            await tell_once(store, clock, board, "node")
            assert board.news() == {}
            clock.forward(1)
            board.failed("sms", "sms-outage")
            await tell_once(store, clock, board, "node")
            (row,) = await store.many("party_health", {})
            assert (row["state"], row["cause"]) == ("failing", "sms-outage")
        finally:
            await store.close()

    asyncio.run(go())
