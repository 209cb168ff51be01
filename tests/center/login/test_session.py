"""The session of a browser over HTTP: its cookie, its rises and ends (F2), and the check of every POST (F3)."""

from __future__ import annotations

import asyncio
import base64
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.routing import Route
from tests.center.world import HONG, PASSWORD, World, party, told

from ingam.ports.store import Save, StoreOutage

SECURE = "https://center.example"


def set_cookies(headers: list[str]) -> dict[str, list[str]]:
    """Each Set-Cookie by name: its attributes."""
    return {one.partition("=")[0]: [part.strip() for part in one.split(";")][1:] for one in headers}


def test_F2_the_cookie_has_256_bits_and_only_its_hash_is_stored(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/cert-center")
        cookie = browser.cookie
        assert len(base64.urlsafe_b64decode(cookie + "=")) == 32
        (row,) = await world.rows("session")
        assert row["session"] == sha256(cookie.encode()).hexdigest()
        assert cookie.encode() not in world.everything_kept()

    told(sqlite_url, tmp_path, story)


def test_F2_over_tls_the_cookies_are_host_bound_and_secure(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        answer = await browser.log_in()
        found = set_cookies(answer.headers.get_list("set-cookie"))
        assert set(found) == {"__Host-ingam", "__Host-ingam-device"}
        for attributes in found.values():
            assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= set(attributes)
            assert not any(one.startswith("Domain") for one in attributes)
        assert "Max-Age=31536000" in found["__Host-ingam-device"]
        assert not any(one.startswith("Max-Age") for one in found["__Host-ingam"])

    told(sqlite_url, tmp_path, story, origin=SECURE)


def test_F2_on_loopback_the_cookies_have_names_of_this_process(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        answer = await world.browser().log_in()
        found = set_cookies(answer.headers.get_list("set-cookie"))
        assert set(found) == {"ingam-center", "ingam-center-device"}
        assert all("HttpOnly" in attributes and "Secure" not in attributes for attributes in found.values())

    told(sqlite_url, tmp_path, story)


def test_F2_a_planted_session_id_is_worth_nothing_after_the_login(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        thief, victim = world.browser(), world.browser()
        await thief.get("/login")
        planted = thief.cookie
        victim.plant("ingam-center", planted)
        await victim.log_in()
        assert victim.cookie != planted
        assert "홍길동" in (await victim.get("/cert-center")).text
        assert "홍길동" not in (await thief.get("/cert-center")).text
        rows = {str(row["session"]): row for row in await world.rows("session")}
        assert rows[sha256(planted.encode()).hexdigest()]["ended_by"] == "replaced"

    told(sqlite_url, tmp_path, story)


def test_F2_an_unknown_session_id_is_never_taken_over(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        chosen = "A" * 43
        browser.plant("ingam-center", chosen)
        await browser.get("/cert-center")
        assert sha256(chosen.encode()).hexdigest() not in {row["session"] for row in await world.rows("session")}

    told(sqlite_url, tmp_path, story)


def test_F2_every_rise_is_a_new_id_with_a_new_token_and_the_old_one_is_dead(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login")
        steps = [(browser.cookie, browser.csrf)]
        await browser.log_in()
        await browser.get("/cert-center")
        steps.append((browser.cookie, browser.csrf))
        await browser.present(party())
        await browser.get("/loan")
        steps.append((browser.cookie, browser.csrf))
        assert len({cookie for cookie, _ in steps}) == len({token for _, token in steps}) == 3
        for cookie, _ in steps[:2]:
            old = world.browser()
            old.plant("ingam-center", cookie)
            assert "홍길동" not in (await old.get("/cert-center")).text

    told(sqlite_url, tmp_path, story)


def test_nobody_is_logged_out_without_the_line_that_says_so(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/cert-center")
        saving = world.ports.store.save

        async def save(save: Save) -> None:
            if any(line.action == "logout" for line in save.audit):
                raise StoreOutage
            await saving(save)

        with monkeypatch.context() as away:
            away.setattr(world.ports.store, "save", save)
            assert (await browser.send("/logout")).status_code == 503
        assert (await browser.send("/logout")).headers["location"] == "/login?ended=logout"
        assert await world.results("logout") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_F2_logout_ends_the_session_on_the_server(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/cert-center")
        kept = browser.cookie
        answer = await browser.send("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?ended=logout")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        copy = world.browser()
        copy.plant("ingam-center", kept)
        assert (await copy.get("/registration")).status_code == 303
        assert await world.results("logout") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_F2_ten_idle_minutes_end_a_session_and_the_login_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        world.clock.forward(590)
        assert "홍길동" in (await browser.get("/cert-center")).text
        world.clock.forward(600)
        answer = await browser.get("/registration")
        assert "ended=idle" in answer.headers["location"]
        assert "홍길동" not in (await browser.get("/cert-center")).text

    told(sqlite_url, tmp_path, story)


def test_F2_no_use_keeps_a_session_longer_than_four_hours(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        for _ in range(4 * 3600 // 500):
            world.clock.forward(500)
            assert (await browser.get("/registration")).status_code == 200
        world.clock.forward(500)
        assert "ended=absolute" in (await browser.get("/registration")).headers["location"]

    told(sqlite_url, tmp_path, story)


def test_연장_starts_the_idle_clock_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/cert-center")
        world.clock.forward(595)
        answer = await browser.send("/session/extend", Accept="application/json")
        assert answer.json() == {"left": 600}
        assert (await browser.send("/session/extend", {"back": "/about"})).headers["location"] == "/about"
        visitor = world.browser()
        await visitor.get("/about")
        assert (await visitor.send("/session/extend", Accept="application/json")).status_code == 401

    told(sqlite_url, tmp_path, story)


def test_a_post_after_the_end_of_the_session_changes_nothing_and_leads_to_the_login(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        await browser.get("/cert-center")
        world.clock.forward(601)
        answer = await browser.send("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?ended=idle")
        told_script = await browser.send("/session/extend", Accept="application/json")
        assert (told_script.status_code, told_script.json()["code"]) == (401, "session-over")

    told(sqlite_url, tmp_path, story)


def test_F1_F4_one_form_posted_thrice_at_once_leaves_one_session(store_url: str, tmp_path: Path) -> None:
    """No route takes an idempotency key yet: each post uses up what it was made from (decision 0006)."""

    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        fields = {"banking_id": HONG.banking_id, "password": PASSWORD}
        answers = await asyncio.gather(*(browser.send("/login/id", fields) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers)[0] == 303
        assert len([row for row in await world.rows("session", level="id") if row["ended_at"] is None]) == 1

    told(store_url, tmp_path, story)


def test_a_device_cookie_is_made_once_and_one_of_another_form_is_not_kept(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        browser.plant("ingam-center-device", "chosen-by-somebody")
        first = set_cookies((await browser.log_in()).headers.get_list("set-cookie"))
        assert "ingam-center-device" in first
        assert len(browser.cookies["ingam-center-device"]) == 43
        devices = {row["device"] for row in await world.rows("device_seen")}
        assert sha256(b"chosen-by-somebody").hexdigest() not in devices and len(devices) == 1

    told(sqlite_url, tmp_path, story)


def posts(world: World) -> list[str]:
    """Every POST route of the center."""
    return [
        route.path for route in world.app.routes if isinstance(route, Route) and "POST" in (route.methods or ())
    ]  # fmt: skip


def test_F3_every_post_route_refuses_another_origin_and_a_missing_token(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        paths = posts(world)
        assert len(paths) >= 13 and {"/login/id", "/logout", "/language", "/registration/certificate"} <= set(paths)
        browser = world.browser()
        await browser.log_in()
        await browser.get("/cert-center")
        for path in paths:
            assert "{" not in path
            for refused in (
                await browser.send(path, Origin="http://localhost:8701"),
                await browser.send(path, Origin="https://evil.example", Sec_Fetch_Site="cross-site"),
                await browser.send(path, Sec_Fetch_Site="same-site"),
                await browser.client.post(path, data={"csrf": browser.csrf}),
            ):
                assert refused.status_code == 403, path
            for token in ("", "wrong", "\ud55c\uae00"):
                assert (await browser.send(path, {"csrf": token})).status_code == 403, path
        assert (await browser.get("/registration")).status_code == 200  # and nobody was logged out by them

    told(sqlite_url, tmp_path, story)


def test_F3_a_token_of_another_session_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        mine, other = world.browser(), world.browser()
        await mine.log_in()
        await mine.get("/cert-center")
        await other.get("/cert-center")
        assert (await mine.send("/logout", {"csrf": other.csrf})).status_code == 403

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("path", ["/logout", "/session/extend", "/login/id", "/registration/identify"])
def test_F3_what_changes_something_has_no_get(sqlite_url: str, tmp_path: Path, path: str) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        assert (await browser.client.get(path)).status_code == 405

    told(sqlite_url, tmp_path, story)


def test_F3_our_pages_let_browsers_send_their_origin(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert (await world.browser().get("/login")).headers["referrer-policy"] == "same-origin"

    told(sqlite_url, tmp_path, story)
