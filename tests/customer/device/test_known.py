"""A device is known to a person by a certificate alone: registered, issued, used to log in, or received on it (C2)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.center.issuance.test_walk import begun
from tests.center.issuance.world import World as Issuing
from tests.center.issuance.world import told as issuing
from tests.center.registration.world import HONG, KIM, opened, party

from ingam.customer.device import Devices
from ingam.ports.customers import CustomerKind
from ingam.ports.store import Save

MARK = "d" * 64


def test_C2_a_registration_makes_its_device_known_to_its_person(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(store_url, tmp_path) as world:
            devices = Devices(world.store, world.keys.digests)
            browser = await world.browser(HONG, device=MARK)
            await browser.to_certificate()
            assert not await devices.known(HONG, MARK)
            assert "완료 되었습니다" in await browser.register(party())
            assert await devices.known(HONG, MARK)
            assert not await devices.known(KIM, MARK)
            assert not await devices.known(HONG, "e" * 64)
            assert not await devices.known(HONG, None)

    asyncio.run(go())


def test_C2_a_browser_without_a_device_cookie_is_never_known(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = await world.browser(HONG)
            await browser.to_certificate()
            await browser.register(party())
            assert await world.store.many("device_seen", {}) == []

    asyncio.run(go())


def test_C2_a_device_that_is_seen_and_proves_itself_later_keeps_when_it_was_first_seen(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            first = world.clock.now()
            seen = await world.accounts.remember(HONG.banking_id, MARK, first)
            await world.store.save(Save(rows=[seen]))
            devices = Devices(world.store, world.keys.digests)
            assert not await devices.known(HONG, MARK)
            world.clock.forward(3600)
            await world.store.save(Save(rows=await devices.proved(HONG, MARK, world.clock.now())))
            (row,) = await world.store.many("device_seen", {})
            assert (row["first_at"], row["proved_at"]) == (first, world.clock.now())
            again = await world.accounts.remember(HONG.banking_id, MARK, world.clock.now())
            await world.store.save(Save(rows=[again]))
            assert await devices.known(HONG, MARK)

    asyncio.run(go())


def test_C2_an_issue_makes_its_telephone_known(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: Issuing) -> None:
        one = await begun(world)
        before = [row["proved_at"] for row in await world.rows("device_seen")]
        assert before == [None]
        await one.until("issued")
        (row,) = await world.rows("device_seen")
        assert row["proved_at"] is not None

    issuing(sqlite_url, tmp_path, story)


def test_C2_what_one_head_of_a_union_proved_on_a_device_makes_it_neither_anothers_nor_the_next_ones(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            devices, now = Devices(world.store, world.keys.digests), world.clock.now()
            first = replace(HONG, kind=CustomerKind.UNION_HEAD)
            others = [replace(first, idn=KIM.idn, slot=slot) for slot in (1, 2)]
            seen = await world.accounts.remember(first.banking_id, MARK, now)  # by the ID login of any of them
            await world.store.save(Save(rows=[seen, *await devices.proved(first, MARK, now)]))
            await world.store.save(Save(rows=await devices.confirmed(first, MARK, now)))
            assert await devices.known(first, MARK) and await devices.is_confirmed(first, MARK)
            for one in others:
                assert not await devices.known(one, MARK)
                assert not await devices.is_confirmed(one, MARK)
            whose = await world.accounts.recognise(first.banking_id, MARK)
            assert whose.device == MARK  # failures of the ID are counted by the account, as before (F7)

    asyncio.run(go())
