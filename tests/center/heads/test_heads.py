"""조합장 확인: after the union's ID login a head says which one they are, and proves it by number and telephone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.incident.test_incident import Authority as Holder
from tests.center.incident.test_incident import work
from tests.center.management.test_heads import (
    account,
    by_certificate,
    desk,
    given_to_next,
    inside,
    union,
)
from tests.center.protection.person import Person
from tests.center.registration.test_heads import HEAD_2, SECOND, SECOND_CERT, UNION
from tests.center.world import HONG, World, told

from ingam.customer.heads import head_key
from ingam.ports.customers import Customer


async def asks(world: World, who: Customer = HEAD_2, slot: str = "2") -> Person:
    """After the union's ID login, with this head's telephone in the hand; this head is chosen."""
    one = Person(world, world.browser(), who=who)
    assert (await one.browser.log_in(UNION)).status_code == 303
    await one.look("/head?back=renewal")
    await one.post("/head/begin", {"slot": slot, "back": "renewal"})
    return one


async def proves(one: Person) -> Person:
    """The code of the chosen head's telephone, and both numbers' back halves."""
    one.world.clock.forward(61)
    await one.post("/head/factor/request", {"method": "sms"})
    await work(one.world, Holder())
    await one.post("/head/factor", one.proof())
    return one


async def sessions(world: World) -> list[tuple[object, object]]:
    rows = await world.ports.store.many("session", {"customer_id": UNION.customer_id, "ended_at": None})
    return [(row["level"], row["slot"]) for row in rows]


def test_a_head_who_proves_who_they_are_goes_on_as_themselves_and_the_level_stays(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await asks(world)
        assert await sessions(world) == [("id", None)]
        await proves(one)
        assert "김*째 조합장님을 확인했습니다" in one.page
        answer = await one.browser.send("/head/enter", one.hidden())
        assert answer.headers["location"] == "/issuance/renewal"
        assert await sessions(world) == [("id", 2)]
        assert {sms.to for sms in world.phone.sent.values()} == {SECOND.mobile}
        page = await one.look("/management")
        assert "김*째" in page and "이*합" not in page and "김둘째 님" in page
        assert "조합장으로 진행합니다" not in await one.look("/cert-center")
        (row,) = await world.rows("session", level="id", ended_at=None)
        second = (await account(world)).as_head(2)
        assert second is not None and row["head"] == head_key(world.ports.digests, second)
        assert await world.results("head.choose") == ["ok"]

    told(store_url, tmp_path, story, heads=2)


def test_until_then_the_pages_say_on_whose_behalf_they_act_and_how_to_change_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = Person(world, world.browser(), who=UNION)
        await one.browser.log_in(UNION)
        for path, back in (("/cert-center", "cert_center"), ("/copying", "copying"), ("/protection", "protection")):
            page = await one.look(path)
            assert "이*합 조합장으로 진행합니다" in page and f"/head?back={back}" in page, path
            assert "가온우리사주조합 님" in page, path
        plain = Person(world, world.browser(), who=HONG)
        await plain.browser.log_in(HONG)
        assert "조합장으로 진행합니다" not in await plain.look("/cert-center")

    told(sqlite_url, tmp_path, story, heads=2)


def test_E1_another_heads_number_and_telephone_prove_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await asks(world, UNION, "2")  # the first head's hands, the second head chosen
        await proves(one)
        assert "확인했습니다" not in one.page
        await one.post("/head/enter")
        assert await sessions(world) == [("id", None)]

    told(sqlite_url, tmp_path, story, heads=2)


@pytest.mark.parametrize("slot", ["", "0", "3", "9", "x", "22"])
def test_nobody_is_chosen_who_is_no_head_of_this_union(sqlite_url: str, tmp_path: Path, slot: str) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await asks(world, slot=slot)
        assert "factor/request" not in one.page
        await one.post("/head/enter")
        assert await sessions(world) == [("id", None)]

    told(sqlite_url, tmp_path, story, heads=2)


def test_whoever_chose_nobody_is_asked_once_more_and_still_led_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await asks(world, slot="")
        assert "조합장을 골라 주세요" in one.page and 'name="back" value="renewal"' in one.page
        await one.post("/head/begin", {"slot": "2", "back": "renewal"})
        await proves(one)
        answer = await one.browser.send("/head/enter", one.hidden())
        assert answer.headers["location"] == "/issuance/renewal"

    told(sqlite_url, tmp_path, story, heads=2)


def test_whoever_is_known_already_and_whoever_is_no_union_is_asked_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        known = await by_certificate(world, SECOND_CERT)
        plain = world.browser()
        await plain.log_in(HONG)
        for one in (known, plain):
            assert (await one.get("/head")).headers["location"] == "/cert-center"
            await one.get("/management")
            assert (await one.send("/head/begin", {"slot": "1", "back": ""})).headers["location"] == "/head"

    told(sqlite_url, tmp_path, story, heads=2)


def test_F2_one_proof_makes_one_session_and_the_one_before_is_over(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await proves(await asks(world))
        cookie = one.browser.client.cookies.get("ingam-center")
        fields = one.hidden()
        await one.browser.send("/head/enter", fields)
        assert one.browser.client.cookies.get("ingam-center") != cookie
        await one.browser.send("/head/enter", fields)
        assert await sessions(world) == [("id", 2)]
        assert await world.results("head.choose") == ["ok"]

    told(sqlite_url, tmp_path, story, heads=2)


@pytest.mark.parametrize("ended", ["given", "end-head"])
def test_A17_a_head_who_is_one_no_more_gets_no_session_and_keeps_none(
    sqlite_url: str, tmp_path: Path, ended: str
) -> None:
    async def story(world: World) -> None:
        async def over() -> None:
            await (given_to_next(world) if ended == "given" else desk(world).end_head(UNION.banking_id, 2))

        await union(world)
        entered = await proves(await asks(world))
        await entered.browser.send("/head/enter", entered.hidden())
        assert await inside(entered.browser)
        proved = await proves(await asks(world))
        await over()
        assert not await inside(entered.browser)
        await proved.browser.send("/head/enter", proved.hidden())  # proved by whoever had the place then
        assert ("id", 2) not in await sessions(world)

    told(sqlite_url, tmp_path, story, heads=2)
