"""금융인증서 of a union with several heads: each has one of their own, and touches nobody else's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.center.finance_cert.test_finance_cert import POLICY, Cloud, enter, prove, with_cloud, yessign
from tests.center.incident.test_incident import Authority, report, work
from tests.center.management.test_heads import NEXT, account, desk, given_to_next, inside, states
from tests.center.protection.person import Person
from tests.center.registration.test_heads import FIRST_CERT, HEAD_2, SECOND, SECOND_CERT, UNION, as_customer
from tests.center.world import PASSWORD, World, party, told
from tests.npki.certs import Party

from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, NewCustomer

BORN = {UNION.name: date(1970, 12, 24), HEAD_2.name: date(1982, 3, 15), NEXT.name: date(1977, 1, 1)}


async def union(world: World, *joint: Party) -> Cloud:
    """Two heads, with these certificates registered, and a provider whose person is whoever `holds` says."""
    await world.ports.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
    assert await world.ports.customers.add_head(UNION, SECOND) == 2
    kept = await account(world)
    for slot, holder in enumerate(joint, start=1):
        head = kept.as_head(slot)
        assert head is not None
        await world.bind(head, holder)
    return with_cloud(world)


def holds(cloud: Cloud, who: Customer, serial: int, key_name: str) -> None:
    """This head has a certificate in the cloud from here on, and signs with it."""
    cloud.holder = party(who, issuer=yessign(), policy=POLICY, serial=serial, key_name=key_name)
    cloud.name, cloud.born = who.name, BORN[who.name]


def first(cloud: Cloud) -> None:
    holds(cloud, UNION, 0x71, "rsa2048-04")


def second(cloud: Cloud) -> None:
    holds(cloud, HEAD_2, 0x72, "rsa2048-05")


async def at_page(world: World, who: Customer) -> Person:
    """After the union's ID login, with this head's telephone in the hand."""
    one = Person(world, world.browser(), who=who)
    assert (await one.browser.log_in(UNION)).status_code == 303
    await one.look("/finance-cert")
    return one


async def task(one: Person, kind: str, slot: int) -> str:
    """Begun for this head, and proved."""
    await one.post("/finance-cert/begin", {"kind": kind, "slot": str(slot)})
    await prove(one)
    return one.page


async def registers(world: World, cloud: Cloud, who: Customer, slot: int) -> Person:
    one = await at_page(world, who)
    await task(one, "register", slot)
    await one.post("/finance-cert/open")
    await one.look(cloud.back())
    return one


async def both(world: World, *joint: Party) -> Cloud:
    """Each head has registered theirs."""
    cloud = await union(world, *joint)
    first(cloud)
    await registers(world, cloud, UNION, 1)
    second(cloud)
    world.clock.forward(60)
    await registers(world, cloud, HEAD_2, 2)
    await work(world, Authority())
    return cloud


async def standing(world: World) -> list[str]:
    rows = await world.ports.store.many("finance_binding", {}, order="bound_at")
    return [f"{row['slot']!s} {row['status']!s}" for row in rows]


def test_each_head_registers_one_and_logs_in_as_themselves(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        assert await standing(world) == ["1 ACTIVE", "2 ACTIVE"]
        assert await world.results("finance.register") == ["ok", "ok"]
        for holder, slot in ((first, 1), (second, 2)):
            holder(cloud)
            one = await enter(world, cloud)
            page = await one.look("/finance-cert")
            assert ("이*합" in page, "김*째" in page) == (slot == 1, slot == 2)
        assert {row["slot"] for row in await world.rows("session", level="finance")} == {1, 2}

    told(store_url, tmp_path, story, heads=2)


def test_after_the_id_login_each_head_is_named_and_the_code_goes_to_the_chosen_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await at_page(world, HEAD_2)
        assert "이*합 조합장" in one.page and "김*째 조합장" in one.page
        await one.post("/finance-cert/begin", {"kind": "register", "slot": "2"})
        await one.post("/finance-cert/factor/request", {"method": "sms"})
        await work(world, Authority())
        assert {sms.to for sms in world.phone.sent.values()} == {SECOND.mobile}
        other = await at_page(world, UNION)
        for slot in ("", "3", "x", "99"):
            await other.post("/finance-cert/begin", {"kind": "register", "slot": slot})
            assert "factor/request" not in other.page, slot

    told(sqlite_url, tmp_path, story, heads=2)


def test_A16_one_head_registers_nobody_elses_and_proves_nothing_by_another_heads_telephone(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        cloud = await union(world)
        first(cloud)
        one = await registers(world, cloud, HEAD_2, 2)
        assert "고객님의 금융인증서가 아닙니다" in one.page
        assert await world.results("finance.register") == ["finance-cert-foreign"]
        wrong = await at_page(world, UNION)
        await task(wrong, "register", 2)  # the first head's number and telephone, for the second head
        assert "finance-cert/open" not in wrong.page
        assert await standing(world) == []

    told(sqlite_url, tmp_path, story, heads=2)


@pytest.mark.parametrize("slot", ["1", "2", ""])
def test_A16_a_head_who_is_known_releases_their_own_whatever_the_form_says(
    sqlite_url: str, tmp_path: Path, slot: str
) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        one = await enter(world, cloud)  # the second head
        one.who = HEAD_2
        await one.look("/finance-cert")
        await one.post("/finance-cert/begin", {"kind": "release", "slot": slot})
        await prove(one)
        before = set(world.phone.sent)
        assert "해제했습니다" in await one.post("/finance-cert/release")
        assert await standing(world) == ["1 ACTIVE", "2 RELEASED"]
        await work(world, Authority())
        assert {sms.to for name, sms in world.phone.sent.items() if name not in before} == {SECOND.mobile}
        first(cloud)
        assert await inside((await enter(world, cloud)).browser)

    told(sqlite_url, tmp_path, story, heads=2)


def test_release_ends_the_sessions_of_that_head_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        other = await enter(world, cloud)
        first(cloud)
        stays = await enter(world, cloud)
        one = await at_page(world, HEAD_2)
        await task(one, "release", 2)
        await one.post("/finance-cert/release")
        assert await standing(world) == ["1 ACTIVE", "2 RELEASED"]
        assert await inside(stays.browser) and not await inside(other.browser)

    told(sqlite_url, tmp_path, story, heads=2)


def test_E11_a_report_of_loss_stops_both_of_that_head_and_one_proof_resumes_them(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await both(world, FIRST_CERT, SECOND_CERT)
        await report(world.browser(), UNION, idn=SECOND.idn.reveal())
        await work(world, Authority())
        assert await states(world) == ["1 ACTIVE", "2 SUSPENDED"]
        assert await standing(world) == ["1 ACTIVE", "2 SUSPENDED"]
        one = Person(world, world.browser(), who=HEAD_2)
        await one.browser.log_in(UNION)
        world.clock.forward(61)
        await one.look("/incident/resume")
        await one.post("/incident/resume/begin", {"slot": "2"})
        await one.post("/incident/resume/factor/request", {"method": "sms"})
        await work(world, Authority())
        await one.post("/incident/resume/factor", one.proof())
        await one.post("/incident/resume/resume")
        assert await states(world) == ["1 ACTIVE", "2 ACTIVE"], one.page
        assert await standing(world) == ["1 ACTIVE", "2 ACTIVE"]

    told(sqlite_url, tmp_path, story, heads=2)


def test_A17_the_one_of_a_former_head_speaks_for_nobody_and_the_next_head_registers_in_its_place(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        open_one = await enter(world, cloud)
        await given_to_next(world)
        assert not await inside(open_one.browser)
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] == "login-unregistered"
        after = as_customer(NEXT)
        one = await at_page(world, after)
        assert "김둘째" not in one.page and "김*째" not in one.page and "최*음 조합장" in one.page
        holds(cloud, after, 0x73, "rsa2048-06")
        await registers(world, cloud, after, 2)
        assert await standing(world) == ["1 ACTIVE", "2 REPLACED", "2 ACTIVE"]
        assert await inside((await enter(world, cloud)).browser)

    told(store_url, tmp_path, story, heads=2)


def test_A17_end_head_releases_it_and_the_first_ones_stands(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        open_one = await enter(world, cloud)
        await desk(world).end_head(UNION.banking_id, 2)
        assert await standing(world) == ["1 ACTIVE", "2 RELEASED"]
        assert not await inside(open_one.browser)
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] != "ok"

    told(sqlite_url, tmp_path, story, heads=2)
