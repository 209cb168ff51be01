"""아이디 로그인 over HTTP: counters, locks, unknown IDs, and what is left behind of a password."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.center.world import HONG, PASSWORD, WRONG, Browser, World, party, told

from ingam.adapters.customers.passwords import PasswordQueueFull
from ingam.customer.binding.bindings import Bindings
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer

NOBODY = "nobody99"


async def wrong(browser: Browser, times: int, banking_id: str = HONG.banking_id) -> list[int]:
    """So many wrong passwords in a row; the statuses."""
    await browser.get("/login")
    fields = {"banking_id": banking_id, "password": WRONG}
    return [(await browser.send("/login/id", fields)).status_code for _ in range(times)]


async def counters(world: World) -> list[int]:
    return sorted(int(str(row["hits"])) for row in await world.rows("counter"))


def test_the_right_password_leads_to_where_the_person_was_going(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        answer = await browser.log_in(then="/registration")
        assert (answer.status_code, answer.headers["location"]) == (303, "/registration")
        assert "홍길동" in (await browser.get("/cert-center")).text
        assert await world.results("login.id") == ["ok"]
        assert await counters(world) == []

    told(store_url, tmp_path, story)


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_login_never_leads_to_another_site(sqlite_url: str, tmp_path: Path, then: str) -> None:
    async def story(world: World) -> None:
        answer = await world.browser().log_in(then=then)
        assert answer.headers["location"] == "/cert-center"

    told(sqlite_url, tmp_path, story)


def test_what_is_missing_is_said_and_nothing_is_counted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        for fields in ({}, {"banking_id": "hong1234"}, {"banking_id": "a b", "password": "x"}):
            answer = await browser.send("/login/id", fields)
            assert answer.status_code == 422 and 'role="alert"' in answer.text
        assert await world.rows("counter") == [] and await world.rows("audit", action="login.password") == []

    told(sqlite_url, tmp_path, story)


def test_F7_five_failures_stop_new_devices_and_the_right_password_does_not_help(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        assert await wrong(browser, 5) == [401, 401, 401, 401, 403]
        for one in (browser, world.browser("10.0.0.9")):
            answer = await one.log_in()
            assert answer.status_code == 403 and "way=cert" in answer.text
        world.clock.forward(366 * 86_400)
        assert (await world.browser().log_in()).status_code == 403
        assert all(row["level"] == "pre" for row in await world.rows("session"))

    told(store_url, tmp_path, story)


def test_F7_a_recognised_device_keeps_its_own_five_and_does_not_unlock_others(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        home, stranger = world.browser(), world.browser("10.0.0.9")
        assert (await home.log_in()).status_code == 303
        await home.send("/logout")
        await wrong(stranger, 5)
        assert await wrong(home, 4) == [401] * 4
        assert (await home.log_in()).status_code == 303
        assert (await stranger.log_in()).status_code == 403
        await home.send("/logout")
        assert (await wrong(home, 5))[-1] == 403
        assert (await home.log_in()).status_code == 403

    told(sqlite_url, tmp_path, story)


def test_F7_certificate_login_keeps_working_and_unlocks(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await wrong(browser, 5)
        assert (await browser.present(party())).status_code == 303
        assert (await world.browser("10.0.0.9").log_in()).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_F7_ingam_customer_unlock_opens_every_device_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        from ingam.adapters.cards.tables import TableCards
        from ingam.adapters.otp.tables import TableOtp
        from ingam.run.cli.customer_desk import Desk

        home, stranger = world.browser(), world.browser("10.0.0.9")
        await home.log_in()
        await home.send("/logout")
        await wrong(home, 5)
        await wrong(stranger, 5)
        ports = world.ports
        tokens = TableOtp(ports.store, ports.clock, ports.fields)
        bindings = Bindings(ports.store, ports.digests, ports.fields)
        cards = TableCards(ports.store, ports.clock, ports.fields)
        desk = Desk(ports.store, ports.customers, ports.digests, ports.clock, tokens, bindings, cards)
        await desk.unlock(HONG.banking_id)
        assert (await home.log_in()).status_code == 303
        assert (await stranger.log_in()).status_code == 303
        assert await world.results("customer.unlock") == ["done"]

    told(sqlite_url, tmp_path, story)


def test_F7_the_contact_is_told_of_a_lock_once_and_many_locks_raise_an_alarm(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await wrong(world.browser(), 7)
        (notice,) = await world.ports.store.claim(world.clock.now(), 60, 50)
        assert json.loads(notice.payload)["to"] == HONG.mobile
        for number in range(20):
            await wrong(world.browser(), 5, f"nobody{number:03}")
        assert (await world.results("login.password")).count("alarm-many-locks") == 1
        assert await world.ports.store.claim(world.clock.now(), 60, 50) == []

    told(sqlite_url, tmp_path, story)


def test_F8_an_unknown_id_meets_the_same_words_counts_and_lock(sqlite_url: str, tmp_path: Path) -> None:
    async def pages(world: World, banking_id: str) -> list[tuple[int, str]]:
        browser, seen = world.browser(), []
        await browser.get("/login")
        for _ in range(7):
            answer = await browser.send("/login/id", {"banking_id": banking_id, "password": WRONG})
            seen.append((answer.status_code, without_chance(answer.text, banking_id, browser.csrf)))
        return seen

    async def story(world: World) -> None:
        known, unknown = await pages(world, HONG.banking_id), await pages(world, NOBODY)
        assert known == unknown
        assert "5회 중 1회" in known[0][1] and "5회 중 4회" in known[3][1]
        assert [status for status, _ in known] == [401, 401, 401, 401, 403, 403, 403]
        results = await world.results("login.password")
        assert results[:7] == results[7:] == ["login-wrong"] * 4 + ["login-locked"] * 3
        assert await counters(world) == [5, 5]

    told(sqlite_url, tmp_path, story)


def without_chance(page: str, *own: str) -> str:
    """The page without what differs on every page: its nonce, its token, and the ID that was typed."""
    import re

    for one in own:
        page = page.replace(one, "…")
    return re.sub(r'nonce="[^"]*"', "", page)


def test_F8_an_unknown_id_costs_one_argon2_like_a_known_one(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        checked: list[bool] = []
        asked: list[str] = []
        work, look = world.passwords._fits, world.ports.customers.by_banking_id

        def counting(encoded: str, password: Secret[str]) -> bool:
            checked.append(encoded == world.passwords._nobodys)
            return work(encoded, password)

        async def looking(banking_id: str) -> Customer | None:
            asked.append(banking_id)
            return await look(banking_id)

        monkeypatch.setattr(world.passwords, "_fits", counting)
        monkeypatch.setattr(world.ports.customers, "by_banking_id", looking)
        await wrong(world.browser(), 4)
        await wrong(world.browser(), 4, NOBODY)
        assert checked == [False] * 4 + [True] * 4
        # Opening a known person's fields would take time that an unknown ID does not.
        assert asked == []

    told(sqlite_url, tmp_path, story)


def test_F9_guesses_sent_at_once_do_not_outrun_the_counter(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        guesses = [{"banking_id": HONG.banking_id, "password": f"guess-{number}"} for number in range(12)]
        answers = await asyncio.gather(*(browser.send("/login/id", guess) for guess in guesses))
        assert sorted(answer.status_code for answer in answers) == [401] * 4 + [403] * 8
        assert (await world.results("login.password")).count("login-wrong") == 4

    told(store_url, tmp_path, story)


def test_F9_the_right_password_as_the_fifth_try_is_let_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await wrong(browser, 4)
        assert (await browser.log_in()).status_code == 303
        assert await counters(world) == []

    told(sqlite_url, tmp_path, story)


def test_F9_a_full_queue_of_passwords_counts_against_nobody(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        async def full(*_: Any) -> bool:
            raise PasswordQueueFull

        browser = world.browser()
        await wrong(browser, 2)
        with monkeypatch.context() as patch:
            patch.setattr(world.passwords, "fits", full)
            assert await wrong(browser, 6) == [503] * 6
        assert await counters(world) == [2]
        assert (await browser.log_in()).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_F9_a_network_address_has_a_ceiling_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert await wrong(world.browser("2001:db8::1"), 3, "nobody001") == [401] * 3
        assert await wrong(world.browser("2001:db8::2"), 1, "nobody002") == [429]
        assert await wrong(world.browser("2001:db8:0:1::2"), 1, "nobody002") == [401]

    told(sqlite_url, tmp_path, story, address_logins_an_hour=3)


def test_H1_a_password_is_left_nowhere_right_or_wrong(sqlite_url: str, tmp_path: Path) -> None:
    canary = "카나리아-Canary-4711"

    async def story(world: World) -> None:
        browser = world.browser()
        for banking_id in (HONG.banking_id, NOBODY):
            answer = await browser.log_in(HONG, canary, banking_id=banking_id)
            assert canary not in answer.text
        answer = await browser.log_in()
        assert answer.status_code == 303
        await browser.send("/login/id", {"banking_id": f"{canary}", "password": canary})
        await browser.client.get(f"/no/{canary}?password={canary}")
        kept = world.everything_kept()
        for secret in (canary, PASSWORD, browser.cookie, browser.cookies["ingam-center-device"]):
            assert secret.encode() not in kept
        assert HONG.name.encode() not in kept and HONG.idn.reveal().encode() not in kept

    told(sqlite_url, tmp_path, story)


def test_H9_the_log_names_routes_and_codes_and_nobody(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser("203.0.113.77")
        await wrong(browser, 1)
        await browser.log_in()
        await browser.get("/cert-center")
        await browser.send("/logout")
        lines = [json.loads(line) for line in world.log.getvalue().splitlines()]
        requests = [line for line in lines if line["event"] == "request"]
        assert {line["route"] for line in requests} == {"/login", "/login/id", "/cert-center", "/logout"}
        assert [line["code"] for line in requests if line["code"]] == ["login-wrong"]
        for line in requests:
            assert set(line) <= {
                "event", "level", "timestamp", "request_id", "method", "route", "status", "ms", "code",
            }  # fmt: skip
        for personal in (HONG.name, HONG.banking_id, HONG.customer_id, HONG.mobile, "203.0.113.77"):
            assert personal not in world.log.getvalue()
        audit = str(await world.rows("audit"))
        assert HONG.banking_id not in audit and "203.0.113.77" not in audit

    told(sqlite_url, tmp_path, story)
