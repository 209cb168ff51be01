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


PHONE = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("headers", "there"),
    [
        ({"user-agent": PHONE}, "/main"),
        ({"sec-ch-ua-mobile": "?1"}, "/main"),
        ({"sec-ch-ua-mobile": "?0", "user-agent": PHONE}, "/cert-center"),
        ({"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0"}, "/cert-center"),
    ],
)
def test_the_front_leads_a_phone_to_its_main_page(
    sqlite_url: str, tmp_path: Path, headers: dict[str, str], there: str
) -> None:
    async def story(world: World) -> None:
        assert (await world.browser().client.get("/", headers=headers)).headers["location"] == there

    told(sqlite_url, tmp_path, story)


def test_the_main_page_greets_who_is_here_and_shows_the_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        assert 'href="/login"' in (await browser.get("/main")).text
        await browser.log_in()
        page = (await browser.get("/main")).text
        assert "홍길동 님, 안녕하세요" in page and "2027-04-17" in page

    told(sqlite_url, tmp_path, story)


def test_registering_on_a_phone_shows_the_manuals_way_by_pc_first_and_then_the_file(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        page = (await world.browser().get("/cert-center/registration")).text.partition("<main")[2]
        assert (
            page.index("먼저 PC에서 등록한 다음")
            < page.index("이 휴대폰에 인증서 파일이")
            < page.index('href="/registration"')
        )

    told(sqlite_url, tmp_path, story)


def test_without_an_address_of_its_own_the_deposit_tab_tells_whom_to_call(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        assert 'href="tel:1544-0000"' in (await browser.get("/deposit")).text
        assert 'href="/deposit"' in (await browser.get("/cert-center")).text

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
