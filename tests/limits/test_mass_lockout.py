"""Wrong passwords sprayed over known IDs from many networks lock nobody out who proves more than an ID (F7, F8, F9)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.center.protection.person import person as browsing
from tests.center.protection.test_passkeys import enter, with_passkey
from tests.center.world import FIRM, HONG, KIM, PASSWORD, WRONG, World, opened, party

from ingam.customer.account.accounts import Accounts, LoginLocked, LoginWrong
from ingam.customer.session import Level, Session
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.store import Save

TRIES = 10
AT_ONCE = 50


def test_F7_wrong_passwords_at_many_ids_lock_nobody_out_of_certificate_passkey_or_recognised_device(
    sqlite_url: str, tmp_path: Path
) -> None:
    asyncio.run(sprayed(sqlite_url, tmp_path, 60))


@pytest.mark.soak
def test_F7_ten_thousand_wrong_passwords_at_a_thousand_ids(store_url: str, tmp_path: Path) -> None:
    asyncio.run(sprayed(store_url, tmp_path, 1000))


async def sprayed(url: str, folder: Path, many: int) -> None:
    async with opened(url, folder) as world:
        people = [HONG, KIM, FIRM, *[await person(world, number) for number in range(many - 3)]]
        accounts = Accounts(
            world.ports.store, world.ports.customers, world.ports.digests, world.ports.ephemeral, world.clock,
            max_fail=5, address_ceiling=600,
        )  # fmt: skip
        for one in people:
            seen = await accounts.remember(one.banking_id, device_of(one), world.clock.now())
            await world.ports.store.save(Save(rows=[seen]))
        holds_passkey = await with_passkey(world)  # 홍길동, whose certificate it binds
        holders = {HONG.customer_id: party(), KIM.customer_id: party(KIM, serial=2)}
        await world.bind(KIM, holders[KIM.customer_id])

        said = await wrong(world, accounts, people)
        assert said == Counter({"login-wrong": 4 * many, "login-locked": 6 * many})

        # ID and password from a new device are stopped, for all of them; nothing else is, for any of them.
        for number, one in enumerate(people, TRIES * many):
            assert await tried(world, accounts, one, None, PASSWORD, number) == "login-locked"
            assert await tried(world, accounts, one, device_of(one), PASSWORD, number) == "ok"
        for one in (HONG, KIM):
            answer = await world.browser("198.51.100.7").present(holders[one.customer_id])
            assert (answer.status_code, answer.headers["location"]) == (303, "/loan")
        assert await tried(world, accounts, HONG, None, PASSWORD, 0) == "ok"  # and the certificate has unlocked it

        said = await wrong(world, accounts, [HONG])
        assert said["login-locked"] == TRIES - 4
        assert await enter(replace(browsing(world), passkey=holds_passkey.passkey)) == 303
        assert await tried(world, accounts, HONG, None, PASSWORD, 0) == "ok"


async def person(world: World, number: int) -> Customer:
    world.clock.forward(1)  # enrolling has a ceiling of its own in time
    idn = Secret(f"800303{1_000_000 + number}")
    one = replace(HONG, customer_id=f"c-{number}", banking_id=f"known{number:05d}", idn=idn)
    await world.ports.customers.enrol(NewCustomer(one, Secret(PASSWORD)))
    return one


async def wrong(world: World, accounts: Accounts, people: list[Customer]) -> Counter[str]:
    """TRIES wrong passwords at each, AT_ONCE at a time, each from a network of its own."""
    asked = [(one, WRONG, number) for number, one in enumerate(people * TRIES)]
    said: Counter[str] = Counter()
    for start in range(0, len(asked), AT_ONCE):
        some = [tried(world, accounts, one, None, password, n) for one, password, n in asked[start : start + AT_ONCE]]
        said.update(await asyncio.gather(*some))
    return said


async def tried(
    world: World, accounts: Accounts, one: Customer, device: str | None, password: str, network: int
) -> str:
    now = world.clock.now()
    session = Session(f"{network:064x}", Level.PRE, None, "t", device, now, now, now)
    address = f"203.{network // 62_500}.{network // 250 % 250}.{network % 250}"
    try:
        await accounts.check_password(one.banking_id, Secret(password), session, address)
    except (LoginWrong, LoginLocked) as refused:
        return refused.code
    await world.ports.store.save(Save(resets=await accounts.forgive(one.banking_id, session)))
    return "ok"


def device_of(one: Customer) -> str:
    return f"{one.customer_id.encode().hex():0>64}"
