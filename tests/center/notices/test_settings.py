"""알림 설정: what may be done without, the language of notices, and that a change is told."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.world import HONG, Browser, World, party, told

from ingam.customer.notice import SMS, deliver_sms
from ingam.customer.notice.wishes import Wishes
from ingam.ports.customers import Phone
from ingam.ports.store import Save
from ingam.run.tidy import once as tidied
from ingam.run.worker import once
from ingam.settings import Limits

PAGE = "/management/notices"
ALL = {"lang": "ko", "mails": "yes", "expiry": "yes", "logins": "yes"}


async def heard(world: World) -> list[str]:
    """Every text that left so far."""
    while await once(world.ports.store, {SMS: deliver_sms(world.phone)}, world.clock):
        pass
    return [sms.text for sms in world.phone.sent.values()]


async def inside(world: World) -> Browser:
    browser = world.browser()
    await browser.log_in()
    await browser.get(PAGE)
    return browser


def test_whoever_is_not_logged_in_logs_in_first(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        answer = await browser.get(PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?way=id&then={PAGE}")
        await browser.get("/login")
        assert (await browser.send(PAGE, ALL)).status_code == 303 and await world.rows("notice_wish") == []

    told(sqlite_url, tmp_path, story)


def test_what_is_chosen_stands_is_told_and_is_in_the_record(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await inside(world)
        assert "010-****-1234" in browser.page and HONG.mobile not in browser.page
        answer = await browser.send(PAGE, {"lang": "en", "expiry": "yes"})
        assert answer.headers["location"] == f"{PAGE}?saved=yes"
        page = (await browser.get(answer.headers["location"])).text
        checked = re.findall(r'<input type="(?:radio|checkbox)" id="([a-z-]+)"[^>]* checked', page)
        assert checked == ["lang-en", "expiry"]
        (text,) = await heard(world)
        assert "notice settings were changed" in text
        assert await world.results("notice.wishes") == ["ok"]
        again = await browser.send(PAGE, {"lang": "en", "expiry": "yes"})
        assert again.headers["location"] == f"{PAGE}?saved=same" and len(await heard(world)) == 1
        world.clock.forward(1)
        assert (await browser.send(PAGE, ALL)).status_code == 303 and len(await heard(world)) == 2

    told(store_url, tmp_path, story)


def test_F3_a_form_from_elsewhere_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await inside(world)
        answer = await browser.send(PAGE, {**ALL, "csrf": "x" * 43})
        assert answer.status_code == 403 and await world.rows("notice_wish") == []

    told(sqlite_url, tmp_path, story)


def test_the_switch_of_languages_is_the_language_of_notices_for_whoever_is_logged_in(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        visitor = world.browser()
        await visitor.get("/login")
        assert (await visitor.send("/language", {"lang": "en", "back": "/login"})).status_code == 303
        assert await world.rows("notice_wish") == []
        browser = await inside(world)
        answer = await browser.send("/language", {"lang": "en", "back": PAGE})
        assert answer.headers["location"] == PAGE and "lang=en" in answer.headers["set-cookie"]
        (row,) = await world.rows("notice_wish")
        assert (row["lang"], row["mails"], row["expiry"], row["logins"]) == ("en", True, True, False)
        customer = await world.ports.customers.by_id(HONG.customer_id)
        assert customer is not None and customer.told.lang == "en"

    told(sqlite_url, tmp_path, story)


def test_a_login_is_told_to_whoever_wants_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await inside(world)
        assert await heard(world) == []
        await browser.send(PAGE, ALL)
        await world.browser().log_in()
        assert "로그인했습니다(아이디)" in (await heard(world))[-1]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("twice", [False, True])
def test_E9_the_number_before_is_kept_encrypted_and_changing_twice_shakes_nobody_off(
    store_url: str, tmp_path: Path, twice: bool
) -> None:
    async def story(world: World) -> None:
        ports, wishes, hold = world.ports, Wishes(world.ports.store, world.ports.fields), timedelta(hours=72)
        for number in ("01011112222", "01033334444")[: 1 + twice]:
            customer, now = await ports.customers.by_id(HONG.customer_id), world.clock.now()
            assert customer is not None
            kept = await wishes.keep_former(customer, now + hold, now)
            change = await ports.customers.new_number(customer, Phone.MOBILE, number, now)
            await ports.store.save(Save(rows=[kept, change]))
            world.clock.forward(3600)
        (row,) = await world.rows("former_mobile")
        assert HONG.mobile.encode() not in row["number"]  # type: ignore[operator]
        customer = await ports.customers.by_id(HONG.customer_id)
        assert customer is not None and customer.told.former_mobile == HONG.mobile
        browser = await inside(world)
        assert "이전 번호에도" in browser.page
        await browser.send(PAGE, ALL)
        await heard(world)
        assert {sms.to for sms in world.phone.sent.values()} == {customer.mobile, HONG.mobile}
        world.clock.forward(72 * 3600)
        await tidied(ports.store, world.clock.now(), Limits())
        assert await world.rows("former_mobile") == []
        customer = await ports.customers.by_id(HONG.customer_id)
        assert customer is not None and customer.told == replace(customer.told, former_mobile="", former_until=None)

    told(store_url, tmp_path, story)


def test_who_switches_the_pages_to_english_before_the_first_login_is_written_to_in_english(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login")
        await browser.send("/language", {"lang": "en", "back": "/login"})
        assert await world.rows("notice_wish") == []  # nobody's, before somebody is known
        assert (await browser.present(party())).status_code == 303
        (text,) = await heard(world)
        assert text.startswith("[Securities Finance] ")  # the notice of this very login's new device
        await browser.get(PAGE)
        assert re.search(r'id="lang-en"[^>]* checked', browser.page)

    told(store_url, tmp_path, story)


def test_the_language_of_a_login_changes_nothing_for_whoever_chose_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await inside(world)
        assert await world.rows("notice_wish") == []  # Korean is where everybody begins, and is no choice
        await browser.send(PAGE, ALL)
        other = world.browser()
        await other.get("/login")
        await other.send("/language", {"lang": "en", "back": "/login"})
        await other.log_in()
        assert [row["lang"] for row in await world.rows("notice_wish")] == ["ko"]

    told(sqlite_url, tmp_path, story)


def test_whoever_never_chose_is_written_to_in_the_language_of_the_last_login(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for lang in ("en", "ko", "en", "ko"):
            browser = world.browser()
            await browser.get("/login")
            await browser.send("/language", {"lang": lang, "back": "/login"})
            await browser.log_in()
            assert [row["lang"] for row in await world.rows("notice_wish")] == [lang]

    told(sqlite_url, tmp_path, story)


def test_two_first_logins_at_one_moment_both_get_in(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        wishes, now = Wishes(world.ports.store, world.ports.fields), world.clock.now()
        begun = await asyncio.gather(*(wishes.logged_in(HONG.customer_id, "en", now) for _ in range(4)))
        assert True in begun and len(await world.rows("notice_wish")) == 1

    told(store_url, tmp_path, story)
