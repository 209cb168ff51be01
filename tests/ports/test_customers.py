"""Whoever keeps the customers, our own tables or a core-banking system, keeps one promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.core_bank import CoreBankCustomers, EnrolmentElsewhere
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.kernel.secret import Secret
from ingam.ports.customers import (
    Customer,
    CustomerKind,
    Customers,
    CustomersOutage,
    Head,
    HeadRefused,
    HeadsFull,
    NewCustomer,
    Phone,
)
from ingam.ports.store import Conflict, Save, Stale, Store
from ingam.sandbox.people import BANKING_PASSWORD, PEOPLE, Person

BASE = "http://sandbox.test/core"
PASSWORD = Secret(BANKING_PASSWORD)
HONG, LEE, KIM = (next(one for one in PEOPLE if one.key == key) for key in ("hong", "lee", "kim"))


@dataclass
class Kept:
    """Customers, and the store beside them."""

    customers: Customers
    store: Store
    fields: CustomerFields
    world: Outside

    async def hong(self) -> Customer:
        found = await self.customers.by_banking_id(HONG.banking_id)
        assert found is not None
        return found

    async def changed(self, phone: Phone, number: str | None) -> Customer:
        person = await self.hong()
        self.world.clock.forward(60)
        change = await self.customers.new_number(person, phone, number, self.world.clock.now())
        await self.store.save(Save(rows=[change]))
        return await self.hong()


@asynccontextmanager
async def opened(way: str, url: str, folder: Path, transport: Any = None, *, heads: int = 1) -> AsyncIterator[Kept]:
    world, keys, passwords = outside(folder), open_keys(folder / "center.keys"), Passwords(cheap=True)
    store = open_store(url, keys.outbox)
    fields = CustomerFields(store, keys.fields)
    core = CoreBankCustomers(
        BASE, key=Secret("sandbox"), store=store, keys=keys.fields, clock=world.clock,
        transport=transport or world.transport, answer_s=WAIT_S if transport is None else 5.0, heads=heads,
    )  # fmt: skip
    index = InMemoryBlindIndex(Secret(bytes(32)), world.clock)
    tables = TableCustomers(store, keys.fields, keys.digests, index, passwords, world.clock, heads)
    try:
        if way == "tables":
            for one in PEOPLE:
                await tables.enrol(NewCustomer(customer(one), PASSWORD))
            if heads > 1:
                await tables.add_head(customer(LEE), SECOND)
        yield Kept(core if way == "core" else tables, store, fields, world)
    finally:
        passwords.close()
        await core.aclose()
        await store.close()


def head(slot: int, one: Person) -> Head:
    return Head(
        slot, one.name, Secret(one.idn), one.mobile, one.home_phone, None, one.email, third_phone=one.third_phone
    )


SECOND = head(2, KIM)


def customer(one: Person) -> Customer:
    return Customer(
        f"core-{one.key}", CustomerKind(one.kind), one.banking_id, one.name, Secret(one.idn), one.mobile,
        one.home_phone, None, one.email, union_name=one.union_name,
        third_phone=one.third_phone,
    )  # fmt: skip


@pytest.fixture(params=["tables", "core"])
def told(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> Callable[[Callable[[Kept], Any]], None]:
    def tell(story: Callable[[Kept], Awaitable[None]]) -> None:
        async def walk() -> None:
            async with opened(request.param, sqlite_url, tmp_path) as kept:
                await story(kept)

        run(walk)

    return tell


Told = Callable[[Callable[[Kept], Any]], None]


def test_a_password_that_fits_gives_the_customer_as_they_are(told: Told) -> None:
    async def story(kept: Kept) -> None:
        for one in PEOPLE:
            found = await kept.customers.authenticate(one.banking_id, PASSWORD)
            assert found == customer(one)
            assert found == await kept.customers.by_id(found.customer_id)
            assert found == await kept.customers.by_banking_id(one.banking_id)

    told(story)


@pytest.mark.parametrize(
    ("banking_id", "password"),
    [
        (HONG.banking_id, "other"), (HONG.banking_id, ""), (HONG.banking_id, BANKING_PASSWORD + "x" * 300),
        ("nobody", BANKING_PASSWORD), ("", BANKING_PASSWORD), ("hong\x007510", BANKING_PASSWORD), ("홍길동", "x"),
    ],
)  # fmt: skip
def test_F8_a_wrong_password_and_an_unknown_id_are_nobody(told: Told, banking_id: str, password: str) -> None:
    async def story(kept: Kept) -> None:
        assert await kept.customers.authenticate(banking_id, Secret(password)) is None

    told(story)


def test_unknown_keys_are_nobody(told: Told) -> None:
    async def story(kept: Kept) -> None:
        assert await kept.customers.by_id("nobody") is None
        assert await kept.customers.by_banking_id("nobody") is None
        assert await kept.customers.by_banking_id("a\x00b") is None

    told(story)


@pytest.mark.parametrize("phone", list(Phone))
def test_another_number_counts_from_its_transaction_on_and_the_others_stay(told: Told, phone: Phone) -> None:
    async def story(kept: Kept) -> None:
        before = await kept.hong()
        after = await kept.changed(phone, "01085139999")
        assert (phone.of(after), phone.changed_at(after)) == ("01085139999", kept.world.clock.now())
        assert [other.of(after) for other in Phone if other != phone] == [
            other.of(before) for other in Phone if other != phone
        ]
        assert await kept.customers.authenticate(HONG.banking_id, PASSWORD) == after
        once_more = await kept.changed(phone, "01085138888")
        assert phone.of(once_more) == "01085138888"

    told(story)


def test_a_number_at_home_may_be_taken_away(told: Told) -> None:
    async def story(kept: Kept) -> None:
        assert (await kept.changed(Phone.HOME, None)).home_phone is None

    told(story)


def test_a_number_that_changed_meanwhile_is_not_written_over(told: Told) -> None:
    async def story(kept: Kept) -> None:
        person = await kept.changed(Phone.MOBILE, "01085137777")
        now = kept.world.clock.now()
        first = await kept.customers.new_number(person, Phone.MOBILE, "01085130011", now + timedelta(seconds=1))
        second = await kept.customers.new_number(person, Phone.MOBILE, "01085130022", now + timedelta(seconds=2))
        await kept.store.save(Save(rows=[first]))
        with pytest.raises((Stale, Conflict)):
            await kept.store.save(Save(rows=[second]))
        assert (await kept.hong()).mobile == "01085130011"

    told(story)


def test_H6_what_is_ours_of_a_customer_is_sealed_under_a_key_of_theirs(told: Told) -> None:
    async def story(kept: Kept) -> None:
        person = await kept.hong()
        lee = await kept.customers.by_banking_id(LEE.banking_id)
        assert lee is not None
        sealed = await kept.fields.seal(person.customer_id, "binding", "details", "b", b"mine")
        assert await kept.fields.open(person.customer_id, "binding", "details", "b", sealed) == b"mine"
        with pytest.raises(Exception, match="sealed-field"):
            await kept.fields.open(lee.customer_id, "binding", "details", "b", sealed)

    told(story)


# ── unions with several heads ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["tables", "core"])
@pytest.mark.parametrize("heads", [1, 2])
def test_a_union_has_the_heads_that_there_are_places_for(sqlite_url: str, tmp_path: Path, way: str, heads: int) -> None:
    async def walk() -> None:
        async with opened(way, sqlite_url, tmp_path, heads=heads) as kept:
            found = await kept.customers.authenticate(LEE.banking_id, PASSWORD)
            assert found is not None and found.heads == (() if heads == 1 else (SECOND,))
            second = found.as_head(2)
            assert found.as_head(1) is found and found.as_head(3) is None
            if heads == 1:
                assert second is None
                return
            assert second is not None
            assert (second.customer_id, second.banking_id) == (found.customer_id, LEE.banking_id)
            assert (second.slot, second.name, second.idn, second.mobile) == (2, KIM.name, SECOND.idn, KIM.mobile)
            assert [one.slot for one in second.heads] == [1] and second.as_head(1) == found
            assert KIM.idn not in repr(second) and KIM.name not in repr(second)
            assert await kept.customers.by_banking_id(LEE.banking_id) == found
            assert (await kept.hong()).heads == ()  # nobody else's account has any

    run(walk)


def test_two_heads_that_come_at_once_never_have_one_place(store_url: str, tmp_path: Path) -> None:
    async def walk() -> None:
        async with opened("tables", store_url, tmp_path, heads=3) as kept:
            lee = await kept.customers.by_banking_id(LEE.banking_id)
            assert lee is not None
            coming = [head(0, one) for one in PEOPLE if one.natural and one.key not in ("lee", "kim")][:3]
            came = await asyncio.gather(*(kept.customers.add_head(lee, one) for one in coming), return_exceptions=True)
            assert [one for one in came if not isinstance(one, HeadsFull)] == [3]
            found = await kept.customers.by_id(lee.customer_id)
            assert found is not None and [one.slot for one in found.heads] == [2, 3]

    run(walk)


def test_no_head_twice_and_none_of_what_is_no_union(sqlite_url: str, tmp_path: Path) -> None:
    async def walk() -> None:
        async with opened("tables", sqlite_url, tmp_path, heads=5) as kept:
            lee = await kept.customers.by_banking_id(LEE.banking_id)
            assert lee is not None
            for account, one in ((lee, SECOND), (lee, head(0, LEE)), (await kept.hong(), SECOND)):
                with pytest.raises(HeadRefused):
                    await kept.customers.add_head(account, one)
            gone = await kept.customers.end_head(lee, 2, kept.world.clock.now())
            await kept.store.save(Save(rows=[gone]))
            with pytest.raises(Stale):
                await kept.store.save(Save(rows=[gone]))
            assert await kept.customers.add_head(lee, SECOND) == 2

    run(walk)


# ── a core-banking system alone ─────────────────────────────────────────────────────────────────────────────────────


def core(url: str, folder: Path, story: Callable[[Kept], Awaitable[None]], transport: Any = None) -> None:
    async def walk() -> None:
        async with opened("core", url, folder, transport) as kept:
            await story(kept)

    run(walk)


def test_a_slow_core_is_waited_for(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        kept.world.switches.turn("party", "customers", "slow")
        assert await kept.customers.authenticate(HONG.banking_id, PASSWORD) == customer(HONG)

    core(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("position", ["off", "timeout"])
def test_H1_a_silent_core_is_an_outage_that_tells_nothing(sqlite_url: str, tmp_path: Path, position: str) -> None:
    async def story(kept: Kept) -> None:
        kept.world.switches.turn("party", "customers", position)
        for asking in (
            kept.customers.authenticate(HONG.banking_id, PASSWORD), kept.customers.by_banking_id(HONG.banking_id)
        ):  # fmt: skip
            with pytest.raises(CustomersOutage) as outage:
                await asking
            assert_silent(outage.value)
            assert HONG.banking_id not in repr(outage.value) and BANKING_PASSWORD not in repr(outage.value)

    core(sqlite_url, tmp_path, story)


RIGHT: dict[str, Any] = {
    "customer_id": "core-hong", "kind": "personal", "banking_id": HONG.banking_id, "name": "홍길동",
    "idn": "7510051000001", "mobile": "01085130001", "status": "ACTIVE",
}  # fmt: skip

UNION = {**RIGHT, "kind": "union-head"}
FURTHER: dict[str, Any] = {"slot": 2, "name": "김증권", "idn": "8203152000002", "mobile": "01085130002"}


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"customer": 1}, {"customer": {}}, {"customer": {**RIGHT, "idn": "751005-1000001"}},
        {"customer": {**RIGHT, "kind": "other"}}, {"customer": {**RIGHT, "banking_id": "kim8203"}},
        {"customer": {**RIGHT, "heads": [{**FURTHER}]}},  # of no union
        {"customer": {**UNION, "heads": [{**FURTHER, "slot": 1}]}},
        {"customer": {**UNION, "heads": [FURTHER, FURTHER]}},
        {"customer": {**UNION, "heads": [{**FURTHER, "idn": UNION["idn"]}]}},
        {"customer": {**UNION, "heads": [{**FURTHER, "mobile_changed_at": "2026-11-22T10:00:00"}]}},
        {"customer": {**RIGHT, "mobile": None}}, {"customer": {**RIGHT, "mobile_changed_at": "2026-11-22T10:00:00"}},
    ],
)  # fmt: skip
def test_an_answer_that_is_none_or_of_somebody_else_lets_nobody_in(
    sqlite_url: str, tmp_path: Path, answer: dict[str, Any]
) -> None:
    async def story(kept: Kept) -> None:
        with pytest.raises(CustomersOutage) as outage:
            await kept.customers.authenticate(HONG.banking_id, PASSWORD)
        assert outage.value.facts == {"cause": "answer-malformed"}

    core(sqlite_url, tmp_path, story, httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer)))


def test_a_password_is_sent_once_and_a_question_is_asked_again(sqlite_url: str, tmp_path: Path) -> None:
    asked: list[str] = []

    def broken(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(503)

    async def story(kept: Kept) -> None:
        with pytest.raises(CustomersOutage):
            await kept.customers.authenticate(HONG.banking_id, PASSWORD)
        assert asked == ["/core/customers/authenticate"]
        with pytest.raises(CustomersOutage):
            await kept.customers.by_id("core-hong")
        assert HONG.banking_id not in "".join(asked) and asked.count("/core/customers/find") > 1

    core(sqlite_url, tmp_path, story, httpx2.MockTransport(broken))


def test_a_changed_number_is_told_to_the_core_once_it_answers(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        assert isinstance(kept.customers, CoreBankCustomers)
        await kept.changed(Phone.MOBILE, "01085139999")
        kept.world.switches.turn("party", "customers", "off")
        with pytest.raises(CustomersOutage):
            await kept.customers.tell_numbers()
        kept.world.switches.turn("party", "customers", "normal")
        assert await kept.customers.tell_numbers() == 1
        assert await kept.customers.tell_numbers() == 0
        assert (await kept.hong()).mobile == "01085139999"

    core(sqlite_url, tmp_path, story)


def test_nobody_is_enrolled_at_the_core_from_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        with pytest.raises(EnrolmentElsewhere):
            await kept.customers.enrol(NewCustomer(customer(HONG), PASSWORD))

    core(sqlite_url, tmp_path, story)
