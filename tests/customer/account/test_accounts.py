"""The account's counters: whose failure it is, what forgives it, and what a lock says (security F7-F9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.center.world import HONG, PASSWORD, WRONG, World, opened

from ingam.customer.account.accounts import Accounts, LoginCrowded, LoginLocked, LoginWrong
from ingam.customer.session import Level, Session
from ingam.kernel.secret import Secret
from ingam.ports.store import Save, StoreOutage

Story = Callable[[World, Accounts, Session], Awaitable[None]]
DEVICE = "d" * 64


def run(url: str, folder: Path, story: Story, *, max_fail: int = 5, ceiling: int = 600) -> None:
    async def go() -> None:
        async with opened(url, folder) as world:
            ports, now = world.ports, world.clock.now()
            accounts = Accounts(
                ports.store, ports.customers, ports.digests, ports.ephemeral, ports.clock,
                max_fail=max_fail, address_ceiling=ceiling,
            )  # fmt: skip
            await story(world, accounts, Session("s" * 64, Level.PRE, None, "t", None, now, now, now))

    asyncio.run(go())


async def guess(accounts: Accounts, session: Session, password: str = WRONG, who: str = HONG.banking_id) -> str:
    """The code of one try, with its count."""
    try:
        await accounts.check_password(who, Secret(password), session, "127.0.0.1")
    except (LoginWrong, LoginLocked, LoginCrowded) as refused:
        return str(refused)
    return "ok"


def test_F7_the_count_is_said_until_the_lock(sqlite_url: str, tmp_path: Path) -> None:
    async def story(_: World, accounts: Accounts, session: Session) -> None:
        said = [await guess(accounts, session) for _ in range(4)]
        assert said == ["login-wrong n=1 max=3", "login-wrong n=2 max=3", "login-locked max=3", "login-locked max=3"]

    run(sqlite_url, tmp_path, story, max_fail=3)


def test_F7_a_device_is_recognised_with_the_ids_it_was_seen_with_only(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        row = await accounts.remember(HONG.banking_id, DEVICE, world.clock.now())
        await world.ports.store.save(Save(rows=[row]))
        assert (await accounts.recognise(HONG.banking_id, DEVICE)).device == DEVICE
        for banking_id, device in ((HONG.banking_id, None), (HONG.banking_id, "e" * 64), ("nobody99", DEVICE)):
            assert (await accounts.recognise(banking_id, device)).device is None
        seen = replace(session, device=DEVICE)
        for _ in range(5):
            await guess(accounts, session)
        assert await guess(accounts, seen, PASSWORD) == "ok"
        assert await accounts.forgive(HONG.banking_id, seen) == [
            (await accounts.recognise(HONG.banking_id, DEVICE)).counter
        ]

    run(sqlite_url, tmp_path, story)


def test_F8_the_counters_key_is_a_keyed_digest_of_the_id(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        await guess(accounts, session)
        (row,) = await world.rows("counter")
        assert HONG.banking_id not in str(row["key"])
        assert world.ports.digests.digest("banking-id", HONG.banking_id) in str(row["key"])

    run(sqlite_url, tmp_path, story)


def test_F9_a_success_is_counted_until_the_caller_saves_its_forgiveness(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        assert await guess(accounts, session, PASSWORD) == "ok"
        assert [row["hits"] for row in await world.rows("counter")] == [1]
        await world.ports.store.save(Save(resets=await accounts.forgive(HONG.banking_id, session)))
        assert await world.rows("counter") == []

    run(sqlite_url, tmp_path, story)


def test_F9_the_network_is_refused_before_anything_of_the_person_is_counted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        said = [await guess(accounts, session) for _ in range(2)]
        assert said == ["login-wrong n=1 max=5", "login-crowded cause=network"]
        assert [row["hits"] for row in await world.rows("counter")] == [1]

    run(sqlite_url, tmp_path, story, ceiling=1)


def test_F9_an_outage_gives_its_hit_back_unless_somebody_counted_meanwhile(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        async def away(*_: object) -> None:
            raise StoreOutage

        await guess(accounts, session)
        monkeypatch.setattr(world.ports.customers, "authenticate", away)
        for _ in range(9):
            with pytest.raises(StoreOutage):
                await guess(accounts, session)
        assert [row["hits"] for row in await world.rows("counter")] == [1]
        twice = await asyncio.gather(*(guess(accounts, session) for _ in range(2)), return_exceptions=True)
        assert [type(one) for one in twice] == [StoreOutage] * 2
        (row,) = await world.rows("counter")
        assert int(str(row["hits"])) in (1, 2)  # never fewer than the guesses that were made

    run(sqlite_url, tmp_path, story)


def test_F9_a_store_that_is_away_refuses(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, accounts: Accounts, session: Session) -> None:
        await world.ports.store.close()
        with pytest.raises(StoreOutage):
            await guess(accounts, session, PASSWORD)

    run(sqlite_url, tmp_path, story)


def test_F9_an_hours_attempts_are_counted_by_id_then_by_device_then_by_network(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, _: Accounts, session: Session) -> None:
        ports = world.ports
        accounts = Accounts(
            ports.store, ports.customers, ports.digests, ports.ephemeral, ports.clock,
            max_fail=50, id_ceiling=2, device_ceiling=3, address_ceiling=4,
        )  # fmt: skip

        async def cause(who: str, at: Session) -> str:
            try:
                await accounts.check_password(who, Secret(WRONG), at, "127.0.0.1")
            except LoginCrowded as crowded:
                return str(crowded.facts["cause"])
            except LoginWrong:
                return "counted"
            return "ok"

        other = replace(session, session="o" * 64)
        asked = [("one00001", session), ("one00001", session), ("one00001", session), ("two00002", session),
                 ("two00002", session), ("two00002", other), ("three003", other)]  # fmt: skip
        assert [await cause(*one) for one in asked] == [
            "counted", "counted", "person", "counted", "device", "counted", "network",
        ]  # fmt: skip

    run(sqlite_url, tmp_path, story)


def test_F7_a_crowd_at_an_id_leaves_its_recognised_device_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, _: Accounts, session: Session) -> None:
        ports = world.ports
        accounts = Accounts(
            ports.store, ports.customers, ports.digests, ports.ephemeral, ports.clock,
            max_fail=5, id_ceiling=5, address_ceiling=600,
        )  # fmt: skip
        row = await accounts.remember(HONG.banking_id, DEVICE, world.clock.now())
        await world.ports.store.save(Save(rows=[row]))
        said = [(await guess(accounts, replace(session, session=f"{n:064x}"))).split()[0] for n in range(7)]
        assert said == ["login-wrong"] * 4 + ["login-locked", "login-crowded", "login-crowded"]
        assert await guess(accounts, replace(session, device=DEVICE), PASSWORD) == "ok"

    run(sqlite_url, tmp_path, story)
