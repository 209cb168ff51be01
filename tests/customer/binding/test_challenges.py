"""Challenges on both stores: issued before given out, claimed before looked at, and never too many (A1, A6, F1)."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest
from tests.center.registration.world import CENTER, World, opened

from ingam.customer.binding.challenges import NonceInvalid, TooManyChallenges
from ingam.protocols.challenge import Purpose

SESSION, ADDRESS = "ab" * 32, "127.0.0.1"


def test_a_claim_gives_back_the_servers_own_record(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(store_url, tmp_path) as world:
            given = await world.challenges.issue(
                Purpose.REGISTRATION, SESSION, ADDRESS, body_text="이 인증서를", notes={"flow": "f"}
            )
            assert given.challenge.origin == CENTER
            assert given.challenge.body == sha256("이 인증서를".encode()).hexdigest()
            world.clock.forward(100)
            claimed = await world.challenges.claim(Purpose.REGISTRATION, SESSION, given.challenge.nonce)
            assert claimed.challenge == given.challenge
            assert claimed.notes == {"flow": "f"}

    asyncio.run(go())


def test_A6_of_many_claims_at_once_one_succeeds(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(store_url, tmp_path) as world:
            given = await world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS)
            claims = [world.challenges.claim(Purpose.LOGIN, SESSION, given.challenge.nonce) for _ in range(8)]
            found = await asyncio.gather(*claims, return_exceptions=True)
            assert sum(isinstance(one, NonceInvalid) for one in found) == 7

    asyncio.run(go())


def test_A6_of_many_requests_at_once_at_most_five_challenges_stay_open(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(store_url, tmp_path) as world:
            asked = [world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS) for _ in range(12)]
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert all(not isinstance(one, BaseException) or isinstance(one, TooManyChallenges) for one in found)
            assert await _open(world) <= 5

    asyncio.run(go())


def test_A6_room_comes_back_when_challenges_are_claimed_or_over(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            given = [await world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS) for _ in range(5)]
            with pytest.raises(TooManyChallenges):
                await world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS)
            await world.challenges.claim(Purpose.LOGIN, SESSION, given[0].challenge.nonce)
            await world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS)
            world.clock.forward(181)
            assert await _open(world) == 0
            await world.challenges.issue(Purpose.LOGIN, SESSION, ADDRESS)
            await world.challenges.issue(Purpose.LOGIN, "cd" * 32, ADDRESS)

    asyncio.run(go())


async def _open(world: World) -> int:
    rows = await world.store.many("ledger_issued", {"kind": f"challenge:{SESSION}"})
    found = [await world.store.issued(f"challenge:{SESSION}", str(row["id"])) for row in rows]
    return sum(one is not None and one.used_at is None and one.expires_at > world.clock.now() for one in found)
