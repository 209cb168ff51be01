"""A telephone number that a head of a union changed here is theirs, and not the next head's (E9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.center.heads.test_core_bank import KIM, LEE, UNION, core
from tests.center.registration.world import SettableClock

from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.customer.notice.wishes import FORMER, ToldCustomers, Wishes
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import Save, Store, Update
from ingam.sandbox.core_bank import CoreBank

OURS = "01099990000"
TAKES_OVER: dict[str, object] = {
    "name": KIM.name, "idn": KIM.idn, "mobile": KIM.mobile, "heads": [],
    "mobile_changed_at": "2019-05-02T09:00:00+09:00",
}  # fmt: skip
"""Kim is the union's first head, with a number that has been theirs for years."""


def changed(
    url: str, folder: Path, story: Callable[[CoreBankCustomers, Store, SettableClock, Wishes], Awaitable[None]]
) -> None:
    """Lee has changed the mobile number here; the core has not heard of it."""

    async def go() -> None:
        clock, keys = SettableClock(), open_keys(folder / "keys" / "center.key")
        store = open_store(url, keys.outbox)
        customers = core(folder / "outside", store=store, keys=keys.fields, clock=clock)
        lee, wishes = await by_id(customers), Wishes(store, CustomerFields(store, keys.fields))
        former = await wishes.keep_former(lee, clock.now().replace(year=2030), clock.now())
        change = await customers.new_number(lee, Phone.MOBILE, OURS, clock.now())
        await store.save(Save(rows=[change, former]))
        await story(customers, store, clock, wishes)
        await customers.aclose()
        await store.close()

    asyncio.run(go())


async def by_id(customers: Any) -> Customer:
    found = await customers.by_id(UNION.customer_id)
    assert isinstance(found, Customer)
    return found


def hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    told = CoreBank._told
    monkeypatch.setattr(CoreBank, "_told", lambda self, whose: {**told(self, whose), **TAKES_OVER})


def test_E9_a_number_that_a_former_head_changed_here_is_not_the_next_heads(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(customers: CoreBankCustomers, _: Store, clock: SettableClock, wishes: Wishes) -> None:
        assert (await by_id(customers)).mobile == OURS
        assert await customers.tell_numbers() == 1
        clock.forward(400 * 86_400)
        hands_over(monkeypatch)
        kim = await by_id(ToldCustomers(customers, wishes))
        assert (kim.name, kim.mobile) == (KIM.name, KIM.mobile)

    changed(sqlite_url, tmp_path, story)


def test_E9_a_former_heads_number_is_not_told_to_the_core_as_the_next_ones(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(customers: CoreBankCustomers, _: Store, __: SettableClock, ___: Wishes) -> None:
        set_: list[str | None] = []
        monkeypatch.setattr(CoreBank, "_set", lambda _, __, ___, number: set_.append(number))
        hands_over(monkeypatch)
        assert await customers.tell_numbers() == 1
        assert await customers.tell_numbers() == 0
        assert set_ == []

    changed(sqlite_url, tmp_path, story)


def test_E9_the_number_before_of_a_former_head_hears_nothing_of_the_next_one(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(customers: CoreBankCustomers, store: Store, clock: SettableClock, wishes: Wishes) -> None:
        kept = ToldCustomers(customers, wishes)
        assert (await by_id(kept)).told.former_mobile == LEE.mobile
        hands_over(monkeypatch)
        kim = await by_id(kept)
        assert kim.told.former_mobile == ""
        first = await wishes.keep_former(kim, clock.now().replace(year=2031), clock.now())
        second = await customers.new_number(kim, Phone.MOBILE, "01088880000", clock.now())
        await store.save(Save(rows=[first, second]))
        kim = await by_id(kept)
        assert (kim.mobile, kim.told.former_mobile) == ("01088880000", KIM.mobile)

    changed(sqlite_url, tmp_path, story)


def test_E9_of_a_union_a_number_that_does_not_say_whose_it_is_is_nobodys(sqlite_url: str, tmp_path: Path) -> None:
    """Of before that was kept; of a person, whose account is nobody else's ever, it stands."""

    async def story(customers: CoreBankCustomers, store: Store, _: SettableClock, wishes: Wishes) -> None:
        seal, whose = wishes._fields.seal, UNION.customer_id
        old = await seal(whose, "customer_number", "mobile", whose, OURS.encode())
        former = await seal(whose, FORMER, "number", whose, LEE.mobile.encode())
        where = {"customer_id": whose}
        await store.save(
            Save(rows=[Update("customer_number", where, {"number": old}), Update(FORMER, where, {"number": former})])
        )
        lee = await by_id(ToldCustomers(customers, wishes))
        assert (lee.mobile, lee.told.former_mobile) == (LEE.mobile, "")

    changed(sqlite_url, tmp_path, story)
