"""사고신고 of somebody with both certificates: what the person chooses is suspended, and one proof resumes it (E11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.finance_cert.test_finance_cert import Cloud, enter, register, with_cloud
from tests.center.incident.test_incident import Authority, report, work
from tests.center.protection.person import Person
from tests.center.world import HONG, KIM, World, party, told


async def both(world: World) -> Cloud:
    """홍길동 has registered a joint and a finance certificate."""
    await world.bind(HONG, party())
    cloud = with_cloud(world)
    await register(world, cloud)
    await work(world, Authority())
    return cloud


async def standing(world: World) -> tuple[str, str]:
    (joint,), (finance,) = await world.rows("binding"), await world.rows("finance_binding")
    return str(joint["status"]), str(finance["status"])


@pytest.mark.parametrize(
    ("which", "becomes", "heard"),
    [
        ("both", ("SUSPENDED", "SUSPENDED"), 2),
        ("joint", ("SUSPENDED", "ACTIVE"), 1),
        ("finance", ("ACTIVE", "SUSPENDED"), 1),
        ("", ("SUSPENDED", "SUSPENDED"), 2),  # whoever does not choose is on the safe side
    ],
)
def test_E11_what_was_chosen_is_suspended_and_told(
    store_url: str, tmp_path: Path, which: str, becomes: tuple[str, str], heard: int
) -> None:
    async def story(world: World) -> None:
        cloud, authority = await both(world), Authority()
        await enter(world, cloud)
        await work(world, authority)
        assert (await report(world.browser(), **({"which": which} if which else {}))).startswith("/incident/received")
        texts = await work(world, authority)
        assert await standing(world) == becomes
        assert len([text for text in texts if "정지했습니다" in text]) == heard
        assert len(authority.asked) == (becomes[0] == "SUSPENDED")  # of the cloud's we ask nobody
        (session,) = await world.rows("session", level="finance")
        assert (session["ended_by"] == "suspended") == (becomes[1] == "SUSPENDED")
        await enter(world, cloud)
        last = (await world.results("login.finance"))[-1]
        assert last == ("finance-suspended" if becomes[1] == "SUSPENDED" else "ok")
        assert await world.results("incident.suspend") == ["ok"]

    told(store_url, tmp_path, story)


def test_E11_one_proof_resumes_both_and_a_second_report_finds_them_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud, authority = await both(world), Authority()
        for expected in ("ok", "already"):
            await report(world.browser(), which="both")
            await work(world, authority)
            assert (await world.results("incident.suspend"))[-1] == expected
        one = Person(world, world.browser())
        await one.log_in()
        page = await one.look("/incident/resume")
        assert "금융인증서" in page and "공동인증서" in page
        await one.post("/incident/resume/begin")
        world.clock.forward(61)
        await one.post("/incident/resume/factor/request", {"method": "sms"})
        await work(world, authority)
        await one.post("/incident/resume/factor", one.proof())
        assert await standing(world) == ("SUSPENDED", "SUSPENDED")
        await one.post("/incident/resume/resume")
        texts = await work(world, authority)
        assert await standing(world) == ("ACTIVE", "ACTIVE")
        assert len([text for text in texts if "회복했습니다" in text]) == 2
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] == "ok"

    told(sqlite_url, tmp_path, story)


def test_E11_a_finance_certificate_alone_is_resumed_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud, authority = with_cloud(world), Authority()
        await register(world, cloud)
        await work(world, authority)
        await report(world.browser(), which="joint")
        await work(world, authority)
        assert await world.results("incident.suspend") == ["nothing"]
        await report(world.browser(), which="finance")
        await work(world, authority)
        one = Person(world, world.browser())
        await one.log_in()
        assert 'href="/incident/resume"' in await one.look("/finance-cert")
        await one.look("/incident/resume")
        await one.post("/incident/resume/begin")
        world.clock.forward(61)
        await one.post("/incident/resume/factor/request", {"method": "sms"})
        await work(world, authority)
        await one.post("/incident/resume/factor", one.proof())
        await one.post("/incident/resume/resume")
        await work(world, authority)
        (row,) = await world.rows("finance_binding")
        assert row["status"] == "ACTIVE" and row["ended_at"] is None and authority.asked == []

    told(sqlite_url, tmp_path, story)


def test_E11_nobody_else_registers_what_is_suspended(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = await both(world)
        await report(world.browser(), which="finance")
        await work(world, Authority())
        other = Person(world, world.browser(), KIM)
        await other.log_in()
        await other.look("/finance-cert")
        await other.post("/finance-cert/begin", {"kind": "register"})
        world.clock.forward(61)
        await other.post("/finance-cert/factor/request", {"method": "sms"})
        await work(world, Authority())
        await other.post("/finance-cert/factor", other.proof())
        await other.post("/finance-cert/open")
        await other.look(cloud.back())
        assert (await world.results("finance.register"))[-1] == "finance-cert-foreign"
        assert len(await world.rows("finance_binding")) == 1

    told(sqlite_url, tmp_path, story)


def test_the_form_asks_which_one_only_where_there_are_two_kinds(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert 'name="which"' not in (await world.browser().get("/incident")).text
        with_cloud(world)
        page = (await world.browser().get("/incident")).text
        assert page.count('name="which"') == 3 and 'value="both" checked' in page
        assert (await report(world.browser(), which="everything")) == "422"

    told(sqlite_url, tmp_path, story)
