"""사고신고 ends every 간편비밀번호 of the person: what was lost may be a device that has one (B8, E11)."""

from __future__ import annotations

from pathlib import Path

from tests.center.incident.test_both import both
from tests.center.incident.test_incident import Authority, report, resume, status, work
from tests.center.pin.test_pin import vault
from tests.center.protection.person import Person
from tests.center.world import HONG, KIM, World, party, told


def test_B8_E11_a_report_deletes_every_pin_of_the_person_and_says_so(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        here, phone, kim = await vault(world), await vault(world), await vault(world, KIM)
        await work(world, Authority())
        await report(world.browser())
        texts = await work(world, Authority())
        assert await status(world) == "SUSPENDED"
        assert [row["handle"] for row in await world.rows("pin_key")] == [kim.handle]
        (said,) = [text for text in texts if "간편비밀번호" in text]
        assert "사고신고로" in said and "다시 설정" in said
        assert await world.results("pin.suspended") == ["ok"]
        for one in (here, phone):
            assert (await one.attempt())[1]["code"] == "pin-gone"

    told(store_url, tmp_path, story)


def test_B8_E11_resuming_brings_no_pin_back_and_it_can_be_set_anew(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        here = await vault(world)
        await report(world.browser())
        await work(world, Authority())
        assert "회복했습니다" in await resume(world, Person(world, world.browser()))
        assert await status(world) == "ACTIVE"
        assert (await here.attempt())[1]["code"] == "pin-gone"
        assert (await here.set())[0] == 200
        assert (await here.attempt())[1]["right"] is True

    told(sqlite_url, tmp_path, story)


def test_B8_E11_a_second_report_deletes_what_was_set_since_and_without_any_pin_nothing_is_said_of_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        assert not [text for text in await work(world, Authority()) if "간편비밀번호" in text]
        await vault(world)
        await report(world.browser())
        assert [text for text in await work(world, Authority()) if "사고신고로 간편비밀번호" in text]
        assert await world.results("incident.suspend") == ["ok", "already"] and await world.rows("pin_key") == []

    told(sqlite_url, tmp_path, story)


def test_B8_E11_whoever_does_not_match_and_who_reports_the_finance_certificate_ends_no_pin(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await vault(world)
        for wanted in ({"idn": "8003031234567"}, {"which": "finance"}):
            await report(world.browser(), **wanted)
            await work(world, Authority())
        assert await world.results("incident.suspend") == ["unmatched", "nothing"]
        assert len(await world.rows("pin_key")) == 1

    told(sqlite_url, tmp_path, story)


def test_B8_E11_a_report_of_both_ends_pins_also_where_only_the_finance_certificate_was_left(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await both(world)
        await report(world.browser(), which="joint")
        await work(world, Authority())
        later = await vault(world)  # set meanwhile, on what is lost next
        await report(world.browser(), which="both")
        await work(world, Authority())
        assert await world.results("incident.suspend") == ["ok", "ok"]
        assert await world.rows("pin_key") == [] and (await later.attempt())[1]["code"] == "pin-gone"

    told(sqlite_url, tmp_path, story)


def test_B8_E11_a_report_of_whoever_registered_nothing_ends_their_pins(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await vault(world)
        await report(world.browser())
        assert [text for text in await work(world, Authority()) if "사고신고로 간편비밀번호" in text]
        assert await world.results("incident.suspend") == ["nothing"]
        assert await world.rows("pin_key") == [] and (await one.attempt())[1]["code"] == "pin-gone"

    told(sqlite_url, tmp_path, story)
