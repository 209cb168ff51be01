"""Idempotency keys at every POST of the center: scoped to session, path and body (security F4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
from tests.center.world import HONG, PASSWORD, Browser, World, told

KEY = {"Idempotency_Key": "0123456789abcdef"}
FORM = {"banking_id": HONG.banking_id, "password": PASSWORD}


async def extended(browser: Browser, **headers: str) -> httpx2.Response:
    return await browser.send("/session/extend", {}, Accept="application/json", **headers)


def test_F4_a_repeated_key_is_carried_out_once_and_answered_alike(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/main")
        first = await extended(browser, **KEY)
        world.clock.forward(30)
        again = await extended(browser, **KEY)
        other = await extended(browser, Idempotency_Key="another-key-0001")
        assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in other.headers

    told(store_url, tmp_path, story)


def test_F4_a_key_with_another_body_is_an_error_and_does_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        bad = FORM | {"password": "no-such-password-9"}
        assert (await browser.send("/login/id", bad, **KEY)).status_code == 401
        mixed = await browser.send("/login/id", FORM, **KEY)
        assert mixed.status_code == 422
        assert (await world.results("login.password")) == ["login-wrong"]
        # Its page is not kept; the repeated request is told that it was done, and the counter stays.
        assert (await browser.send("/login/id", bad, **KEY)).status_code == 409
        assert [row["hits"] for row in await world.rows("counter")] == [1]

    told(sqlite_url, tmp_path, story)


def test_F4_a_key_of_another_session_or_path_is_another_key(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, other = world.browser(), world.browser()
        for browser in (one, other):
            await browser.log_in()
            await browser.get("/main")
        answers = [
            await extended(one, **KEY),
            await extended(other, **KEY),
            await one.send("/login/challenge", None, **KEY),
        ]
        assert all("idempotency-replayed" not in answer.headers for answer in answers)

    told(sqlite_url, tmp_path, story)


def test_F4_of_many_requests_with_one_key_at_once_one_is_carried_out(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        csrf = {"csrf": browser.csrf}
        sent = (browser.send("/login/id", FORM | csrf | {"password": "wrong-one-9"}, **KEY) for _ in range(20))
        assert sorted(answer.status_code for answer in await asyncio.gather(*sent)) == [401] + [409] * 19
        assert await world.results("login.password") == ["login-wrong"]

    told(store_url, tmp_path, story)


def test_a_key_that_is_none_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        for key in ("short", "x" * 65, "with space 12"):
            assert (await browser.send("/login/id", FORM, Idempotency_Key=key)).status_code == 400
        assert await world.rows("counter") == []

    told(sqlite_url, tmp_path, story)
