"""이용 기록: a person's own lines of the audit in words, newest first, and of nobody else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import ChoiceLoader, PackageLoader
from tests.center.world import HONG, KIM, Browser, World, told

from ingam.center.mybank.activity import PAGE, Activity, word_of
from ingam.center.mybank.activity import line as shown
from ingam.center.mybank.activity_web import ActivityWeb
from ingam.center.mybank.web import TEMPLATES
from ingam.kernel import words
from ingam.ports.store import Audit, Save, Value


def with_activity(world: World) -> None:
    ports = world.ports
    world.app.router.routes[:0] = ActivityWeb(Activity(ports.store, ports.customers, ports.digests)).routes()
    loader = world.app.state.pages.environment.loader
    assert isinstance(loader, ChoiceLoader)
    loader.loaders = [*loader.loaders, PackageLoader(TEMPLATES)]


async def looked(browser: Browser, lang: str = "ko", page: str = "1") -> str:
    browser.plant("lang", lang)
    answer = await browser.get(f"/mybank/activity?page={page}")
    assert answer.status_code == 200, answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


async def line(world: World, action: str, result: str = "ok", whose: Any = HONG, **other: Any) -> None:
    subject = world.ports.digests.digest("banking-id", whose.banking_id)
    await world.ports.store.save(
        Save(audit=[Audit(world.clock.now(), action, result, subject, "elsewhere", "a", **other)])
    )


def test_who_is_not_logged_in_is_led_to_the_login_and_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_activity(world)
        answer = await world.browser().get("/mybank/activity")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?way=id&then=/mybank/activity")

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "ko",
            ("아이디로 로그인", "인증서복사: 인증서 도착", "wrong-code", "완료되지 않음", "직원 처리"),
        ),
        ("en", ("Log-in by ID", "it arrived", "wrong-code", "Not completed", "By staff")),
    ],
)
def test_a_person_sees_what_was_done_and_tried_in_words(
    sqlite_url: str, tmp_path: Path, lang: str, said: tuple[str, ...]
) -> None:
    async def story(world: World) -> None:
        with_activity(world)
        browser = world.browser()
        await browser.log_in()
        await line(world, "copying.arrived")
        await line(world, "registration.factor", "wrong-code")
        await line(world, "console.customer-unlock", operator="E1001")
        page = await looked(browser, lang)
        for word in said:
            assert word in page, word
        assert "E1001" not in page and "elsewhere" not in page
        assert page.index(said[4]) < page.index(said[2]) < page.index(said[1]) < page.index(said[0])

    told(sqlite_url, tmp_path, story)


def test_nothing_is_shown_of_anybody_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_activity(world)
        browser = world.browser()
        await browser.log_in()
        await line(world, "copying.arrived", whose=KIM)
        await world.ports.store.save(Save(audit=[Audit(world.clock.now(), "copying.arrived", "ok", None, None, None)]))
        assert "인증서복사" not in await looked(browser)

    told(sqlite_url, tmp_path, story)


def test_older_lines_are_a_page_away_and_a_strange_page_is_the_first(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_activity(world)
        browser = world.browser()
        await line(world, "customer.enrol", "done")
        await browser.log_in()
        for _ in range(PAGE):
            await line(world, "copying.arrived")
        first, second = await looked(browser), await looked(browser, page="2")
        assert "더 오래된 기록" in first and "고객 등록" not in first
        assert "더 최근 기록" in second and "고객 등록" in second
        for strange in ("0", "-1", "x", "9999", "٣"):
            assert await looked(browser, page=strange) == first

    told(sqlite_url, tmp_path, story)


def test_a_line_of_this_visit_says_so() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    row: dict[str, Value] = {"at": at, "action": "login.id", "result": "ok", "operator": None, "session": "s"}
    assert shown(row, "s").here and not shown(row, "t").here and not shown({**row, "session": None}, "s").here


def test_what_has_no_word_of_its_own_has_its_areas() -> None:
    assert word_of("copying.sender.leave") == "copying"
    assert word_of("login.id") == "login_id"
    assert word_of("what.ever") == "other"
    assert {key for key in words.table("ko") if key.startswith("act.")} == {
        key for key in words.table("en") if key.startswith("act.")
    }
