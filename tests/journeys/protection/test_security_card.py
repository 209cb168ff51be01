"""보안카드 in a real browser: two halves of two numbers, the same two until they are right, typed or by keypad."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from playwright.sync_api import expect
from tests.journeys.protection.test_keypad import Pad
from tests.journeys.protection.test_three_ways import LOOKS, at_factor
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk
from tests.journeys.world import World

from ingam.adapters.cards.tables import MEDIUM, PRINTED, TABLE, TableCards
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.ports.store import Delete, Save, Store

T = TypeVar("T")
WHO = "kim"


def at_the_center(world: World, act: Callable[[Store, TableCards, str], Awaitable[T]]) -> T:
    """Something on the center's own database, for this person; the browser has this thread's loop."""

    async def go() -> T:
        keys = open_keys(world.data / "center" / "keys" / "center.keys")
        store = open_store(f"sqlite:///{world.data / 'center' / 'center.db'}", keys.outbox)
        try:
            banking_id = next(one["banking_id"] for one in world.demo["people"] if one["key"] == WHO)
            row = await store.one("customer", {"banking_id": banking_id})
            assert row is not None
            cards = TableCards(store, SystemClock(), CustomerFields(store, keys.fields))
            return await act(store, cards, str(row["customer_id"]))
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(lambda: asyncio.run(go())).result()


async def _issue(_store: Store, cards: TableCards, customer_id: str) -> list[str]:
    return [one.reveal() for one in await cards.issue(customer_id)]


async def _take(store: Store, _cards: TableCards, customer_id: str) -> None:
    await store.save(Save(rows=[Delete(table, {"customer_id": customer_id}) for table in (TABLE, PRINTED, MEDIUM)]))


@pytest.fixture
def card(normal: World) -> Iterator[list[str]]:
    """The 35 numbers of a card that the person holds during this journey."""
    yield at_the_center(normal, _issue)
    at_the_center(normal, _take)


def asked(at: Walk) -> tuple[int, int]:
    """Which two numbers the page asks for."""
    first, _, second = (at.page.locator("input[name=card_asked]").get_attribute("value") or "").partition("-")
    return int(first), int(second)


def right(at: Walk, card: list[str]) -> tuple[str, str]:
    """The first two digits of the one, and the last two of the other."""
    first, second = asked(at)
    return card[first - 1][:2], card[second - 1][2:]


def other(digits: str) -> str:
    return f"{(int(digits) + 1) % 100:02d}"


def test_a_holder_is_asked_for_the_same_two_numbers_until_they_are_right(
    hurry: Callable[..., Walk], card: list[str]
) -> None:
    at = hurry(WHO)
    at_factor(at)
    expect(at.page.locator("#number_back")).to_have_count(0)
    code, question = at.request_code(), asked(at)
    first, second = right(at, card)
    posted: list[str] = []
    at.page.on("request", lambda one: posted.append(one.post_data or "") if one.method == "POST" else None)
    at.person.type_into(at.page.locator("#code"), code)
    at.person.type_into(at.page.locator("#card_first"), first)
    at.person.type_into(at.page.locator("#card_second"), other(second))
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("#card_first-error")).to_have_text(at.say("refusal.card-wrong", n=4))
    expect(at.page.locator("#card_first")).to_have_value("")
    assert asked(at) == question
    at.open("/registration")  # asking again asks the same
    assert asked(at) == question
    at.person.type_into(at.page.locator("#code"), code)
    for name, digits in (("card_first", first), ("card_second", second)):
        pad = Pad(at, at.page, at.page.locator(f"#{name}"))
        pad.field.click()
        pad.press(digits)
    at.person.press(at.button("registration.next"))
    expect(at.button("registration.register")).to_be_visible()
    assert not any(f"card_first={first}" in one or f"card_second={second}" in one for one in posted)


@pytest.mark.parametrize(("width", "lang", "scheme"), LOOKS)
def test_the_screen_with_a_card_is_whole_at_every_width(
    hurry: Callable[..., Walk], card: list[str], width: int, lang: str, scheme: str
) -> None:
    at = hurry(WHO, width, lang, scheme)
    at_factor(at)
    found = trouble(at.page, f"factor-card-{width}-{lang}-{scheme}")
    expect(at.page.get_by_label(at.say("factor.card_first", n=asked(at)[0])).first).to_be_visible()
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("#card_second-error")).to_have_text(at.say("factor.need_card_second"))
    found += trouble(at.page, f"factor-card-wrong-{width}-{lang}-{scheme}")
    assert found == []
