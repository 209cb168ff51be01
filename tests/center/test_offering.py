"""What an operator switches off is off at every door of the center, with its reason; notices stand on every page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.world import World, told

from ingam.center.offering import DOORS, way_of
from ingam.customer.availability import Way
from ingam.customer.availability.setting import Announcement, Switch, announce, switch
from ingam.ports.store import Save

REASON = "전화 회선을 점검하고 있습니다."


async def off(world: World, way: Way) -> None:
    wanted = Switch(way, True, REASON, "Lines are being maintained.")
    await world.ports.store.save(Save(rows=await switch(world.ports.store, wanted, "E1001", world.clock.now())))
    world.clock.at += timedelta(seconds=5)


def test_a_way_that_is_off_says_why_and_who_helps_and_the_others_go_on(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        assert (await browser.get("/registration")).status_code == 200
        await off(world, Way.REGISTRATION)
        answer = await browser.get("/registration")
        assert answer.status_code == 503
        assert REASON in answer.text and "1544-0000" in answer.text and "평일 09:00–18:00" in answer.text
        assert (await browser.send("/registration/cancel")).status_code == 503
        assert (await browser.get("/copying")).status_code == 200

    told(sqlite_url, tmp_path, story)


def test_login_by_id_can_be_off_while_the_certificate_goes_on(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await off(world, Way.LOGIN_ID)
        answer = await browser.log_in()
        assert answer.status_code == 503 and REASON in answer.text
        page = (await browser.get("/login")).text
        assert REASON in page and 'name="password"' not in page
        assert "nonce" in await browser.challenge()

    told(sqlite_url, tmp_path, story)


def test_a_script_is_told_the_code_and_the_reason(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await off(world, Way.COPYING)
        answer = await browser.send("/copying/send/leave", Accept="application/json")
        assert (answer.status_code, answer.json()["code"]) == (503, "way-off")
        assert REASON in answer.json()["message"]

    told(sqlite_url, tmp_path, story)


def test_notices_stand_on_every_page_in_the_language_of_the_page(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        now = world.clock.now()
        wanted = Announcement("warn", "오늘 밤 점검합니다 <b>", "Upkeep tonight", now, now + timedelta(hours=1))
        await world.ports.store.save(Save(rows=announce(wanted, "E1001", now)[1]))
        browser = world.browser()
        for path in ("/cert-center", "/login", "/about", "/no-such-page"):
            assert "오늘 밤 점검합니다 &lt;b&gt;" in (await browser.get(path)).text
        world.clock.at += timedelta(hours=1)
        assert "오늘 밤" not in (await browser.get("/about")).text

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(("door", "way"), DOORS)
def test_a_door_belongs_to_its_way_with_all_below_it_and_nothing_beside_it(door: str, way: Way) -> None:
    assert way_of(door) is way
    assert way_of(f"{door}/anything") is way
    assert way_of(f"{door}s") is not way or f"{door}s" in dict(DOORS)


def test_a_certificate_that_was_issued_is_still_brought_home() -> None:
    assert way_of("/issuance/new/carry") is None
    assert way_of("/issuance/new/key") is Way.ISSUANCE
    assert way_of("/issuance/renewal/carry") is None
    assert way_of("/issuance/renewal/key") is Way.ISSUANCE
