"""A union whose heads a core-banking system keeps: each registers, logs in and is known, as with our own tables."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.center.heads.test_heads import proves, sessions
from tests.center.management.test_heads import by_certificate, inside, states
from tests.center.protection.person import Person, deliver
from tests.center.registration import world as registration
from tests.center.registration.world import SettableClock, _assembled, party
from tests.center.world import World
from tests.center.world import told as with_center
from tests.ports.outside import outside

from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.customer.notice.wishes import ToldCustomers, Wishes
from ingam.kernel.secret import Secret
from ingam.page import Bundle, set_up_log
from ingam.ports.customers import Customer, CustomerKind
from ingam.run import center
from ingam.sandbox.people import BANKING_PASSWORD, FURTHER_HEADS, person
from ingam.settings import Settings

LEE, KIM = person("lee"), person("kim")
UNION = Customer(
    "core-lee", CustomerKind.UNION_HEAD, LEE.banking_id, LEE.name, Secret(LEE.idn), LEE.mobile,
    union_name=LEE.union_name,
)  # fmt: skip
SECOND = replace(UNION, name=KIM.name, idn=Secret(KIM.idn), mobile=KIM.mobile)
FIRST_CERT = party(UNION, key_name="rsa2048-02", serial=1)
SECOND_CERT = party(SECOND, key_name="rsa2048-03", serial=2)


def core(folder: Path, **facts: Any) -> CoreBankCustomers:
    """The sandbox's core bank, with places for two heads."""
    folder.mkdir()
    around = outside(folder)
    return CoreBankCustomers(
        "http://sandbox.test/core", key=Secret("sandbox"), transport=around.transport, heads=2, **facts
    )


@asynccontextmanager
async def registering(url: str, folder: Path) -> AsyncIterator[registration.World]:
    clock, log = SettableClock(), io.StringIO()
    set_up_log(log)
    keys = open_keys(folder / "keys" / "center.key")
    store = open_store(url, keys.outbox)
    customers = core(folder / "outside", store=store, keys=keys.fields, clock=clock)
    world = _assembled(Settings(mode="test"), clock, log, keys, store, cast(Any, customers), folder)
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        await customers.aclose()
        await store.close()


def test_each_head_of_a_core_banks_union_registers_their_own(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with registering(store_url, tmp_path) as world:
            for who, holder in ((UNION, FIRST_CERT), (SECOND, SECOND_CERT)):
                one = await world.browser(UNION)
                await one.identify(who, password=BANKING_PASSWORD)
                await one.request_code()
                assert "data-certificate-window" in await one.prove(who)
                await one.register(holder)
                world.clock.forward(60)
            rows = await world.store.many("binding", {"customer_id": UNION.customer_id}, order="slot")
            assert [(row["slot"], row["status"]) for row in rows] == [(1, "ACTIVE"), (2, "ACTIVE")]
            await world.deliver()
            told_by_sms = {sms.to for sms in world.phone.sent.values() if "@" not in sms.to}
            assert told_by_sms == {LEE.mobile, KIM.mobile}

    asyncio.run(go())


def told(url: str, folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    """A center whose customers the core bank keeps, with both heads' certificates registered."""

    async def at_core(world: World) -> None:
        keys = open_keys(world.folder / "keys" / "center.key")
        customers = core(folder / "outside", store=world.ports.store, keys=keys.fields, clock=world.clock)
        wishes = Wishes(world.ports.store, world.ports.fields)
        world.ports = replace(world.ports, customers=ToldCustomers(customers, wishes))
        settings = Settings(mode="test", center_origin=world.origin)
        world.app = center.app(settings, world.ports, Bundle({"center.css": "c.css"}))
        kept = await world.ports.customers.by_id(UNION.customer_id)
        assert kept is not None
        for slot, holder in ((1, FIRST_CERT), (2, SECOND_CERT)):
            head = kept.as_head(slot)
            assert head is not None
            await world.bind(head, holder)
            world.clock.forward(60)
        await story(world)
        await customers.aclose()

    with_center(url, folder, at_core)


def test_each_logs_in_with_their_own_certificate_and_sees_their_own_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for holder, seen in ((FIRST_CERT, (True, False)), (SECOND_CERT, (False, True))):
            one = await by_certificate(world, holder)
            await one.get("/management")
            assert ("이*합" in one.page, "김*권" in one.page) == seen
        assert await sessions_of_core(world) == [("cert", 1), ("cert", 2)]

    told(sqlite_url, tmp_path, story)


async def sessions_of_core(world: World) -> list[tuple[object, object]]:
    rows = await world.ports.store.many("session", {"customer_id": UNION.customer_id, "ended_at": None})
    return sorted(((row["level"], row["slot"]) for row in rows), key=str)


def test_after_the_id_login_the_second_head_says_who_they_are_and_releases_their_own(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = Person(world, world.browser(), who=SECOND)
        assert (await one.browser.log_in(UNION, BANKING_PASSWORD)).status_code == 303
        await one.look("/head?back=management")
        await one.post("/head/begin", {"slot": "2", "back": "management"})
        await proves(one)
        await one.browser.send("/head/enter", one.hidden())
        assert await sessions_of_core(world) == [("id", 2)]
        assert await sessions(world) == []  # of nobody else's account
        await one.look("/management/release")
        (row,) = [row for row in await world.rows("binding") if row["slot"] == 2]
        await one.post("/management/task/begin", {"kind": "release", "binding": str(row["binding_id"])})
        world.clock.forward(61)
        await one.post("/management/task/factor/request", {"method": "sms"})
        await deliver(world)
        await one.post("/management/task/factor", one.proof())
        await one.post("/management/task/finish")
        assert await states(world) == ["1 ACTIVE", "2 RELEASED"], one.page
        await by_certificate(world, FIRST_CERT)

    told(sqlite_url, tmp_path, story)


def test_A17_the_core_bank_gives_the_place_to_somebody_else_and_the_former_head_is_out(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        second, first = await by_certificate(world, SECOND_CERT), await by_certificate(world, FIRST_CERT)
        monkeypatch.setitem(FURTHER_HEADS, "lee", ("hong",))
        assert not await inside(second) and await inside(first)
        assert (await world.browser().present(SECOND_CERT)).status_code == 403

    told(sqlite_url, tmp_path, story)
