"""보안카드, held to one contract: our own tables, and the adapter of a core system against the sandbox's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ports.outside import WAIT_S, outside
from tests.ports.test_customers import PASSWORD, customer

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.cards.core import CoreCards
from ingam.adapters.cards.tables import PRINTED, TABLE, TableCards
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.otp.tables import Kind, TableOtp
from ingam.adapters.store import open_store
from ingam.kernel.secret import Secret
from ingam.ports.cards import NUMBERS, Asked, CardOutage, SecurityCards
from ingam.ports.customers import NewCustomer
from ingam.ports.store import Save, Stale, Store
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.security_cards import numbers_of

HAN, KIM = "core-han", "core-kim"
BASE = "http://outside/core"


@dataclass
class Kept:
    """Cards, the numbers of Han's, and what they lie in."""

    cards: SecurityCards
    numbers: list[str]
    store: Store
    fields: CustomerFields
    clock: Any

    async def asked(self) -> Asked:
        found = await self.cards.asked(HAN)
        assert found is not None
        return found

    async def answered(self, asked: Asked, answer: Secret[str]) -> bool:
        """An answer, saved with what it proves where it was right."""
        accepted = await self.cards.verify(HAN, asked, answer)
        if accepted is not None:
            await self.store.save(Save(rows=accepted.rows))
        return accepted is not None


@asynccontextmanager
async def opened(way: str, url: str, folder: Path) -> AsyncIterator[Kept]:
    world, keys, passwords = outside(folder), open_keys(folder / "center.keys"), Passwords(cheap=True)
    store = open_store(url, keys.outbox)
    fields = CustomerFields(store, keys.fields)
    core = CoreCards(BASE, key=Secret("sandbox"), transport=world.transport, answer_s=WAIT_S)
    try:
        kept = Kept(core, numbers_of(HAN), store, fields, world.clock)
        if way == "tables":
            index = InMemoryBlindIndex(Secret(bytes(32)), world.clock)
            people = TableCustomers(store, keys.fields, keys.digests, index, passwords, world.clock)
            for one in PEOPLE:
                await people.enrol(NewCustomer(customer(one), PASSWORD))
            ours = TableCards(store, world.clock, fields)
            kept.cards, kept.numbers = ours, [one.reveal() for one in await ours.issue(HAN)]
        yield kept
    finally:
        passwords.close()
        await core.aclose()
        await store.close()


Story = Callable[[Kept], Awaitable[None]]
Told = Callable[[Story], None]


def run(way: str, url: str, folder: Path, story: Story) -> None:
    async def walk() -> None:
        async with opened(way, url, folder) as kept:
            await story(kept)

    asyncio.run(walk())


@pytest.fixture(params=["tables", "core"])
def told(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> Told:
    return lambda story: run(request.param, sqlite_url, tmp_path, story)


def wrong(right: Secret[str]) -> Secret[str]:
    return Secret(f"{(int(right.reveal()) + 1) % 10_000:04d}")


def test_two_different_numbers_are_asked_for_and_of_nobody_without_a_card(told: Told) -> None:
    async def story(kept: Kept) -> None:
        asked = await kept.asked()
        assert asked.first != asked.second
        assert {asked.first, asked.second} <= set(range(1, NUMBERS + 1))
        assert await kept.cards.asked(KIM) is None
        assert await kept.cards.verify(KIM, asked, asked.answer(kept.numbers)) is None

    told(story)


def test_the_same_is_asked_for_until_it_was_answered_rightly(told: Told) -> None:
    async def story(kept: Kept) -> None:
        asked = await kept.asked()
        right = asked.answer(kept.numbers)
        for _ in range(5):  # nobody draws other numbers by asking again, nor by a wrong answer
            assert not await kept.answered(asked, wrong(right))
            assert await kept.asked() == asked
        assert await kept.answered(asked, right)
        after = await kept.asked()
        assert after != asked
        assert not await kept.answered(asked, right)
        assert await kept.answered(after, after.answer(kept.numbers))

    told(story)


def test_an_answer_to_another_question_is_wrong_whatever_it_is(told: Told) -> None:
    async def story(kept: Kept) -> None:
        asked = await kept.asked()
        other = Asked(asked.second, asked.first)
        assert not await kept.answered(other, other.answer(kept.numbers))
        assert not await kept.answered(Asked(0, 0), Secret(""))
        assert await kept.asked() == asked

    told(story)


def test_the_answer_is_the_front_of_one_number_and_the_back_of_the_other() -> None:
    numbers = ["1234", "5678", *["0000"] * 33]
    assert Asked(1, 2).answer(numbers) == Secret("1278")
    assert Asked(2, 1).answer(numbers) == Secret("5634")


def test_of_two_uses_of_one_answer_at_one_moment_one_counts(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        asked = await kept.asked()
        both = [await kept.cards.verify(HAN, asked, asked.answer(kept.numbers)) for _ in range(2)]
        first, second = both
        assert first is not None and second is not None
        await kept.store.save(Save(rows=first.rows))
        with pytest.raises(Stale):
            await kept.store.save(Save(rows=second.rows))

    run("tables", sqlite_url, tmp_path, story)


def test_an_answer_of_a_card_that_was_replaced_meanwhile_proves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        assert isinstance(kept.cards, TableCards)
        asked = await kept.asked()
        accepted = await kept.cards.verify(HAN, asked, asked.answer(kept.numbers))
        assert accepted is not None
        kept.clock.forward(1)
        await kept.cards.issue(HAN)
        with pytest.raises(Stale):
            await kept.store.save(Save(rows=accepted.rows))

    run("tables", sqlite_url, tmp_path, story)


def test_H6_a_card_s_numbers_lie_sealed_and_open_for_their_holder_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        (row,) = await kept.store.many(PRINTED, {})
        sealed = row["numbers"]
        assert isinstance(sealed, bytes) and b'"' not in sealed[:2]
        assert not any(one.encode() in sealed for one in kept.numbers)
        with pytest.raises(Exception, match="sealed-field"):
            await kept.fields.open(KIM, PRINTED, "numbers", KIM, sealed)

    run("tables", sqlite_url, tmp_path, story)


def test_who_is_given_another_medium_holds_the_earlier_one_no_more(sqlite_url: str, tmp_path: Path) -> None:
    async def story(kept: Kept) -> None:
        tokens = TableOtp(kept.store, kept.clock, kept.fields)
        await tokens.enrol(HAN, Kind.TOTP, Secret(bytes(20)))
        assert await kept.cards.asked(HAN) is None and await tokens.holds(HAN)
        assert [row["kind"] for row in await kept.store.many("customer_medium", {})] == ["totp"]
        assert isinstance(kept.cards, TableCards)
        await kept.cards.issue(HAN)
        assert not await tokens.holds(HAN) and await kept.store.many(TABLE, {}) != []
        assert [row["kind"] for row in await kept.store.many("customer_medium", {})] == ["card"]

    run("tables", sqlite_url, tmp_path, story)


@pytest.mark.parametrize("answer", [
    {}, {"card": {"first": 0, "second": 2}}, {"card": {"first": 1, "second": 36}}, {"card": {"first": 3, "second": 3}},
    {"card": {"first": "1", "second": 2}}, {"card": [1, 2]},
])  # fmt: skip
def test_an_answer_that_no_core_gives_is_an_outage(answer: dict[str, Any]) -> None:
    async def go() -> None:
        transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json=answer))
        core = CoreCards(BASE, key=Secret("sandbox"), transport=transport)
        with pytest.raises(CardOutage):
            await core.asked(HAN)
        with pytest.raises(CardOutage):
            await core.verify(HAN, Asked(1, 2), Secret("1234"))
        await core.aclose()

    asyncio.run(go())


def test_an_answer_is_sent_once_although_nobody_answers() -> None:
    sent: list[str] = []

    def away(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.path)
        return httpx2.Response(503)

    async def go() -> None:
        core = CoreCards(BASE, key=Secret("sandbox"), transport=httpx2.MockTransport(away))
        with pytest.raises(CardOutage):
            await core.verify(HAN, Asked(1, 2), Secret("1234"))
        await core.aclose()

    asyncio.run(go())
    assert sent == ["/core/cards/verify"]
