"""인증센터 home: what it says to nobody, and to somebody with and without a certificate."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.world import HONG, KIM, World, party, told


def test_the_front_leads_to_the_certificate_center(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        answer = await world.browser().get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/cert-center")

    told(sqlite_url, tmp_path, story)


def test_everybody_sees_the_two_routes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        page = (await world.browser().get("/cert-center")).text
        assert "/registration" in page and "/issuance" in page and "홍길동" not in page

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_registered_certificate_is_shown_with_its_use_and_last_day(
    sqlite_url: str, tmp_path: Path, lang: str
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        browser.plant("lang", lang)
        await browser.log_in()
        page = (await browser.get("/cert-center")).text
        assert "2027-04-17" in page and ("증권" in page if lang == "ko" else "Securities" in page)
        other = world.browser()
        await other.log_in(KIM)
        assert "2027-04-17" not in (await other.get("/cert-center")).text

    told(sqlite_url, tmp_path, story)


def test_a_certificate_near_its_end_and_one_past_it_say_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        end = party().certificate.not_after
        seen = []
        for days in (60, 10, -1):
            from datetime import timedelta

            world.clock.at = end - timedelta(days=days)
            browser = world.browser()
            await browser.log_in()
            page = (await browser.get("/cert-center")).text
            seen.append(page.partition("<main")[2].replace(browser.csrf, ""))
        assert len(set(seen)) == 3

    told(sqlite_url, tmp_path, story)
