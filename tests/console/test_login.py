"""Coming in: by invitation and passkey, each person for themselves, 15 minutes idle (security G1)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.authenticator import PRESENT
from tests.console.world import CONSOLE, World, told

from ingam.ports.store import Save
from ingam.settings import ConsoleSettings, Settings, SettingsRefused, read, refuse_open_console


def test_G1_an_operator_enrols_by_a_one_time_link_and_comes_in_by_passkey(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        assert (await desk.get("/")).status_code == 200
        assert "지점하나" in desk.text and "여의도지점" in desk.page
        assert await world.audit("console.enrol") == [("ok", {"operator": "E2001", "backed-up": 0})]
        assert await world.audit("console.login") == [("ok", {"operator": "E2001", "branch": "여의도지점"})]

    told(tmp_path, story)


def test_G1_without_a_passkey_every_page_leads_to_the_login(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = world.desk()
        answer = await desk.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?then=/")
        assert (await desk.get("/login")).status_code == 200

    told(tmp_path, story)


def test_G1_a_link_enrols_once_and_for_a_day(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        token = await world.invite("clerk")
        assert (await world.desk().enrol(token)).status_code == 303
        second = world.desk()
        assert (await second.enrol(token)).status_code == 422 and "이 등록 링크는" in second.text
        late = await world.invite("auditor")
        world.clock.forward(24 * 3600)
        assert (await world.desk().enrol(late)).status_code == 422
        assert len(await world.rows("operator_key")) == 1
        assert (await world.audit("console.enrol"))[-1] == (
            "refused",
            {"code": "webauthn-refused", "cause": "malformed"},
        )

    told(tmp_path, story)


def test_G1_the_link_itself_is_kept_nowhere(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        token = await world.invite("clerk")
        await world.desk().enrol(token)
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert token.encode() not in kept and token not in world.log.getvalue()

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("what", "cause"), [("unverified", "verification"), ("elsewhere", "origin"), ("stranger", "credential")]
)
def test_G1_no_way_in_without_a_verified_person_on_this_origin(tmp_path: Path, what: str, cause: str) -> None:
    async def story(world: World) -> None:
        desk = await world.enrolled("clerk")
        if what == "unverified":
            desk.authenticator.flags = PRESENT
        elif what == "elsewhere":
            desk.authenticator.origin = "http://localhost:8700"
        else:
            desk.authenticator.credential_id = b"another" * 4
        assert (await desk.log_in()).status_code == 422
        assert (await desk.get("/")).status_code == 303
        assert await world.audit("console.login") == [("refused", {"code": "webauthn-refused", "cause": cause})]

    told(tmp_path, story)


def test_G1_a_challenge_is_answered_once_and_by_the_session_that_asked(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.enrolled("clerk")
        await desk.get("/login")
        answer = json.dumps(desk.authenticator.get((await desk.options("/login/options"))["options"]))
        other = world.desk()
        await other.get("/login")
        assert (await other.send("/login", {"answer": answer})).status_code == 422  # carried to another browser
        assert (await desk.send("/login", {"answer": answer})).status_code == 303
        again = world.desk()
        await again.get("/login")
        assert (await again.send("/login", {"answer": answer})).status_code == 422

    told(tmp_path, story)


def test_G1_a_copy_of_a_key_that_counts_is_found_by_its_counter(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.enrolled("clerk")
        thief = world.desk()
        thief.authenticator = desk.authenticator.copied()
        assert (await desk.log_in()).status_code == 303
        assert (await thief.log_in()).status_code == 422

    told(tmp_path, story)


def test_G1_fifteen_minutes_without_use_end_the_session(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        world.clock.forward(14 * 60)
        assert (await desk.get("/")).status_code == 200
        world.clock.forward(15 * 60)
        answer = await desk.get("/")
        assert answer.headers["location"] == "/login?then=/&ended=idle"

    told(tmp_path, story)


def test_G1_a_days_work_ends_the_session_however_busy(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        for _ in range(8 * 5):
            assert (await desk.get("/")).status_code == 200
            world.clock.forward(12 * 60)
        assert "ended=absolute" in (await desk.get("/")).headers["location"]

    told(tmp_path, story)


def test_the_session_is_new_at_login_hashed_in_the_store_and_over_after_logout(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.enrolled("clerk")
        await desk.get("/login")
        before = desk.cookie
        await desk.log_in()
        kept = desk.cookie
        assert kept != before
        sessions = await world.rows("operator_session")
        assert not any(kept == row["session"] for row in sessions)
        await desk.get("/")
        await desk.send("/logout")
        desk.client.cookies.set("ingam-console", kept, domain="localhost.local")
        assert (await desk.get("/")).status_code == 303

    told(tmp_path, story)


def test_G1_whoever_is_no_operator_any_more_is_out_at_the_next_click(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        gone, keys = await world.operators.ended("E2001", world.clock.now())
        await world.ports.store.save(Save(rows=[gone, *keys]))
        assert (await desk.get("/")).status_code == 303
        assert (await desk.log_in()).status_code == 422

    told(tmp_path, story)


def test_G1_the_console_has_a_cookie_an_origin_and_headers_of_its_own(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = world.desk()
        answer = await desk.get("/login")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("ingam-console=") and "HttpOnly" in cookie and "Path=/" in cookie
        assert "frame-src 'none'" in answer.headers["content-security-policy"]
        refused = await desk.send(
            "/login", {"answer": "{}"}, Origin="http://localhost:8700", Sec_Fetch_Site="same-site"
        )
        assert refused.status_code == 403

    told(tmp_path, story)


def test_G1_production_serves_the_console_over_tls_with_a_database_role_of_its_own() -> None:
    assert ConsoleSettings().idle_s == 900
    with pytest.raises(SettingsRefused):
        read({"INGAM_CONSOLE_IDLE_S": "901"})
    with pytest.raises(SettingsRefused):
        read({"INGAM_CONSOLE_ORIGIN": "http://localhost:8700"})
    production = Settings(mode="production", store_url="postgresql://center@db/ingam")
    own = ConsoleSettings(origin="https://console.example", store="postgresql://console@db/ingam")
    for weak in (ConsoleSettings(), replace(own, origin="http://localhost:8702"), replace(own, store="")):
        with pytest.raises(SettingsRefused):
            refuse_open_console(replace(production, console=weak))
    refuse_open_console(replace(production, console=own))


def test_every_page_before_the_passkey_names_no_operator(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = world.desk()
        await desk.get("/login")
        told = await desk.options("/login/options")
        assert told["options"]["allowCredentials"] == [] and told["options"]["userVerification"] == "required"
        assert CONSOLE.endswith("8702") and told["options"]["rpId"] == "localhost"

    told(tmp_path, story)
