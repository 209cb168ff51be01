"""Sealed fields over HTTP: opened at one place, once, for the session and the form they were given to (E12, F1)."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from tests.center.world import HONG, PASSWORD, Browser, World, told

from ingam.center.keypad import FIELDS, Keypads
from ingam.center.keypad.service import keypads
from ingam.protocols.keypad import Pressed, Where, seal

JSON = {"Accept": "application/json"}


async def given(browser: Browser, flow: str = "login") -> dict[str, Any]:
    """POST /keypad, as the page's script does it."""
    answer = await browser.send("/keypad", {"flow": flow}, **JSON)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pressed(told: dict[str, Any], field: str, text: str) -> list[Pressed | str]:
    """The keys that somebody presses who sees the layout; what is on no key is typed."""
    layout = told["fields"][field]
    keys = [key for rows in layout["pages"].values() for row in rows for key in row if key] + [
        layout["space"] or ["", ""]
    ]
    ids = {glyph: key_id for key_id, glyph in keys}
    return [Pressed(ids[one]) if one in ids else one for one in text]


def sealed(told: dict[str, Any], name: str, items: list[Pressed | str], **changed: str) -> str:
    where = replace(Where(told["keypad"], told["flow"], name), **changed)
    return base64.b64encode(seal(base64.b64decode(told["public"]), items, where)).decode()


async def log_in(browser: Browser, told: dict[str, Any], blob: str, **more: str) -> Any:
    """The form of the login with a sealed password."""
    fields = {"banking_id": HONG.banking_id, "keypad": told["keypad"], "password_sealed": blob, **more}
    return await browser.send("/login/id", fields)


def test_E12_keys_that_are_pressed_log_in_and_so_does_sealed_text(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for typed in ("keys", "text", "both"):
            browser = world.browser()
            await browser.get("/login")
            pad = await given(browser)
            items: dict[str, list[Pressed | str]] = {
                "keys": pressed(pad, "password", PASSWORD),
                "text": [PASSWORD],
                "both": [PASSWORD[:2], *pressed(pad, "password", PASSWORD[2:])],
            }
            answer = await log_in(browser, pad, sealed(pad, "password", items[typed]))
            assert (answer.status_code, answer.headers["location"]) == (303, "/cert-center")

    told(sqlite_url, tmp_path, story)


def test_E12_F1_a_keypad_is_good_for_one_sending_whatever_came_of_it(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        pad = await given(browser)
        blob = sealed(pad, "password", ["no-such-password-9"])
        assert (await log_in(browser, pad, blob)).status_code == 401
        again = await log_in(browser, pad, sealed(pad, "password", [PASSWORD]))
        assert again.status_code == 409 and "다시 입력해 주세요" in again.text
        assert all(row["level"] == "pre" for row in await world.rows("session"))

    told(store_url, tmp_path, story)


def test_E12_F1_the_same_form_twenty_times_at_once_is_opened_once(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        pad = await given(browser)
        blob = sealed(pad, "password", ["no-such-password-9"])
        answers = await asyncio.gather(*(log_in(browser, pad, blob) for _ in range(20)))
        assert sorted(one.status_code for one in answers) == [401] + [409] * 19

    told(store_url, tmp_path, story)


def test_E12_a_keypad_of_another_session_or_form_is_unknown_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        victim, thief = world.browser(), world.browser()
        await victim.get("/login")
        await thief.get("/login")
        pad = await given(victim)
        blob = sealed(pad, "password", [PASSWORD])
        assert (await log_in(thief, pad, blob)).status_code == 409
        assert (await log_in(victim, pad, blob)).status_code == 303
        await victim.get("/registration")
        other = await given(victim, "issuance")
        fields = {"banking_id": HONG.banking_id, "keypad": other["keypad"], "run": "1", "version": "1"}
        answer = await victim.send(
            "/registration/identify", fields | {"password_sealed": sealed(other, "password", ["x"])}
        )
        assert answer.status_code in (303, 409)
        assert await world.results("registration.identify") in ([], ["keypad-over"])

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("changed", [{"field": "idn"}, {"flow": "registration"}, {"keypad": "00" * 16}], ids=str)
def test_E12_a_blob_of_another_place_opens_nothing(sqlite_url: str, tmp_path: Path, changed: dict[str, str]) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        pad = await given(browser)
        answer = await log_in(browser, pad, sealed(pad, "password", [PASSWORD], **changed))
        assert answer.status_code == 422 and "보안 입력을 읽지 못했습니다" in answer.text
        assert await world.results("login.id") == []

    told(sqlite_url, tmp_path, story)


def test_E12_what_is_no_blob_is_refused_and_the_sealed_field_counts_where_both_came(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        for wrong in ("!", "QUJD", "A" * 2000, "한글"):
            browser = world.browser()
            await browser.get("/login")
            assert (await log_in(browser, await given(browser), wrong)).status_code == 422
        browser = world.browser()
        await browser.get("/login")
        pad = await given(browser)
        both = await log_in(browser, pad, sealed(pad, "password", ["no-such-password-9"]), password=PASSWORD)
        assert both.status_code == 401

    told(sqlite_url, tmp_path, story)


def test_E12_a_keypad_ends_and_its_key_outlives_a_day_by_its_time_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async def begun() -> tuple[Browser, dict[str, Any]]:
            browser = world.browser()
            await browser.get("/login")
            return browser, await given(browser)

        browser, pad = await begun()
        world.clock.forward(300)
        assert (await log_in(browser, pad, sealed(pad, "password", [PASSWORD]))).status_code == 303
        browser, pad = await begun()
        world.clock.forward(300)
        await browser.get("/login")
        world.clock.forward(301)
        assert (await log_in(browser, pad, sealed(pad, "password", [PASSWORD]))).status_code == 409

    told(sqlite_url, tmp_path, story, keypad_ttl_s=600)


def test_E12_where_it_is_required_nothing_is_taken_as_it_was_typed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        ports = world.ports
        pads = keypads(ports.store, ports.ephemeral, ports.clock, _limits(), required=True)
        world.app.state.keypads = pads
        _mount(world, pads)
        browser = world.browser()
        refused = await browser.log_in()
        assert refused.status_code == 422 and "자바스크립트" in refused.text
        assert await world.results("login.id") == []
        await browser.get("/login")
        pad = await given(browser)
        assert (await log_in(browser, pad, sealed(pad, "password", [PASSWORD]))).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_F9_a_session_gets_so_many_keypads_an_hour(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        statuses = [(await browser.send("/keypad", {"flow": "login"}, **JSON)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        other = world.browser()
        await other.get("/login")
        assert (await other.send("/keypad", {"flow": "login"}, **JSON)).status_code == 200

    told(sqlite_url, tmp_path, story, keypads_an_hour=3)


def test_F3_a_keypad_is_given_to_our_own_pages_and_known_forms_only(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        assert (await browser.send("/keypad", {"flow": "copying-out"}, **JSON)).status_code == 400
        assert (await browser.send("/keypad", {"flow": "login", "csrf": "x"}, **JSON)).status_code == 403
        evil = await browser.send("/keypad", {"flow": "login"}, Origin="https://evil.example", **JSON)
        assert evil.status_code == 403
        assert await world.rows("ledger_issued") == []

    told(sqlite_url, tmp_path, story)


def test_H1_E12_neither_the_layout_nor_what_was_typed_is_kept(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        pad = await given(browser)
        blob = sealed(pad, "password", pressed(pad, "password", PASSWORD))
        assert (await log_in(browser, pad, blob)).status_code == 303
        kept = world.everything_kept()
        assert pad["keypad"].encode() in kept
        assert PASSWORD.encode() not in kept and blob.encode() not in kept
        row = [key[0] for key in pad["fields"]["password"]["pages"]["lower"][0] if key]
        assert "".join(row).encode() not in kept and all(b'"%s"' % one.encode() not in kept for one in row)

    told(sqlite_url, tmp_path, story)


def test_every_form_with_a_keypad_and_every_secret_field_is_in_the_closed_list() -> None:
    root = Path(__file__).parents[3] / "src" / "ingam" / "center"
    templates = "".join(one.read_text(encoding="utf-8") for one in root.rglob("templates/**/*.html"))
    assert set(re.findall(r'data-keypad="([^"{]*)"', templates)) == set(FIELDS)
    listed = {name for fields in FIELDS.values() for name in fields}
    assert set(re.findall(r'secret_field\("([a-z_]+)"', templates)) == listed


def _limits() -> Any:
    from ingam.settings import Limits

    return Limits()


def _mount(world: World, pads: Keypads) -> None:
    """The routes of other keypads in the place of those of the world."""
    from ingam.center.keypad import routes

    for at, route in enumerate(world.app.router.routes):
        if isinstance(route, Route) and route.path == "/keypad":
            world.app.router.routes[at] = routes(pads)[0]
