"""A flow belongs to its session and to its own cookie: a copied session cookie alone gets into none (security F10)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.center.world import Browser, World, told

COPIED = "ingam-center"


async def begun(world: World) -> Browser:
    browser = world.browser()
    await browser.log_in()
    for _ in range(2):  # it is given, and shown
        assert (await browser.get("/registration")).status_code == 200
    return browser


def test_F10_a_copied_session_cookie_does_not_get_into_what_another_browser_began(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser, thief = await begun(world), world.browser()
        thief.plant(COPIED, browser.cookie)
        page = await thief.get("/registration")
        assert (page.status_code, page.headers["location"]) == (303, "/login?way=id&then=/registration&ended=over")
        thief.csrf = browser.csrf
        posted = await thief.send("/registration/identify", {"banking_id": "x", "password": "y", "idn": "z"})
        assert posted.status_code == 303 and await world.rows("counter") == []
        told_by_script = await thief.send("/registration/challenge", None, Accept="application/json")
        assert (told_by_script.status_code, told_by_script.json()["code"]) == (422, "flow-elsewhere")
        assert (await browser.get("/registration")).status_code == 200
        assert await world.results("flow.cookie") == ["flow-elsewhere"] * 3

    told(sqlite_url, tmp_path, story)


def test_F10_each_flow_has_a_cookie_of_its_own_and_each_login_a_new_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await begun(world)
        await browser.get("/copying")
        first = browser.cookies
        assert first["ingam-center-registration"] != first["ingam-center-copying"]
        await browser.log_in()
        await browser.get("/registration")
        assert browser.cookies["ingam-center-registration"] != first["ingam-center-registration"]
        assert (await browser.get("/registration")).status_code == 200
        ledger = await world.rows("ledger_issued")
        assert all(value not in str(ledger) for value in first.values())

    told(sqlite_url, tmp_path, story)


def test_F10_two_first_requests_at_once_are_both_of_this_browser(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        others = [browser.client.get("/registration") for _ in range(6)]
        answers = await asyncio.gather(*others)
        assert {answer.status_code for answer in answers} == {200}
        given = {answer.headers["set-cookie"] for answer in answers if "ingam-center-reg" in str(answer.headers)}
        assert len(given) == 1
        assert (await browser.get("/registration")).status_code == 200

    told(store_url, tmp_path, story)


def test_F10_who_is_not_logged_in_gets_no_cookie_of_a_flow(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/registration")
        assert "ingam-center-registration" not in browser.cookies

    told(sqlite_url, tmp_path, story)


def test_F10_a_lost_answer_costs_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/registration")
        browser.client.cookies.delete("ingam-center-registration")
        world.clock.forward(60)
        assert (await browser.get("/registration")).status_code == 200
        assert browser.cookies["ingam-center-registration"]

    told(sqlite_url, tmp_path, story)
