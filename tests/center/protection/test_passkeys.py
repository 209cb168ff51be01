"""Passkeys: made by a person logged in by certificate, good for the login, and for what a certificate unlocks (F7)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.center.protection.person import Person, deliver, person
from tests.center.world import HONG, KIM, WRONG, World, party, told

from ingam.customer.device.passkeys import TABLE

REFUSED = (403, 409, 422)


async def with_passkey(world: World) -> Person:
    """Somebody who made a passkey."""
    one = person(world)
    await world.bind(HONG, party())
    assert (await one.browser.present(party())).status_code == 303
    await one.look()
    await one.to_new("passkey")
    page = await one.make("passkey", "내 휴대폰")
    assert "패스키를 등록했습니다." in page and "내 휴대폰" in page
    world.clock.forward(61)
    return one


async def enter(one: Person) -> int:
    """패스키로 로그인, in this browser."""
    await one.look("/login")
    asked = await one.ask("/login/passkey/challenge")
    answer = json.dumps({"nonce": asked["nonce"], "webauthn": one.passkey.get(asked["options"])})
    found = await one.browser.send("/login/passkey", {"then": "/protection", "device_answer": answer})
    return found.status_code


def test_F7_a_passkey_logs_in_and_unlocks_what_a_certificate_unlocks(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await with_passkey(world)
        assert any("패스키" in text for text in await deliver(world))
        elsewhere = replace(person(world), passkey=one.passkey)
        for _ in range(5):
            await elsewhere.browser.log_in(HONG, WRONG)
        assert "막았습니다" in elsewhere.page or (await elsewhere.browser.log_in()).status_code != 303
        assert await enter(elsewhere) == 303
        assert "홍길동" in await elsewhere.look()
        sessions = await world.rows("session", customer_id=HONG.customer_id)
        assert "passkey" in {row["level"] for row in sessions}
        assert (await person(world).browser.log_in()).status_code == 303
        assert (await elsewhere.browser.get("/loan")).status_code == 303  # a loan wants a certificate still

    told(store_url, tmp_path, story)


def test_a_passkey_is_made_only_by_who_is_logged_in_by_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        assert "공동인증서로 로그인한 다음" in await one.begin("passkey")
        assert await world.rows(TABLE) == []

    told(sqlite_url, tmp_path, story)


def test_F7_a_passkey_that_is_unknown_removed_or_replayed_lets_nobody_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await with_passkey(world)
        stranger = person(world)
        assert await enter(replace(stranger, passkey=replace(one.passkey, credential_id=b"x" * 32))) in REFUSED
        thief = replace(stranger, passkey=replace(stranger.passkey, credential_id=one.passkey.credential_id))
        assert await enter(thief) in REFUSED
        copied = one.passkey.copied()
        assert await enter(replace(person(world), passkey=one.passkey)) == 303
        assert await enter(replace(person(world), passkey=copied)) in REFUSED  # its counter does not rise
        await stranger.look("/login")
        asked = await stranger.ask("/login/passkey/challenge")
        answer = json.dumps({"nonce": asked["nonce"], "webauthn": one.passkey.get(asked["options"])})
        other = person(world, KIM)
        await other.look("/login")
        assert (await other.browser.send("/login/passkey", {"device_answer": answer})).status_code != 303
        (row,) = await world.rows(TABLE)
        await one.look()
        await one.begin("remove-passkey", str(row["passkey_id"]))
        await one.authenticate()
        assert "패스키를 해지했습니다." in await one.post("/protection/remove")
        assert await enter(replace(person(world), passkey=one.passkey)) in REFUSED

    told(sqlite_url, tmp_path, story)


def test_F7_a_login_challenge_of_a_certificate_is_none_of_a_passkey(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await with_passkey(world)
        fresh = replace(person(world), passkey=one.passkey)
        await fresh.look("/login")
        asked = await fresh.ask("/login/passkey/challenge")
        given = await fresh.ask("/login/challenge")
        answer = json.dumps({"nonce": given["nonce"], "webauthn": one.passkey.get(asked["options"])})
        assert (await fresh.browser.send("/login/passkey", {"device_answer": answer})).status_code != 303
        for wrong in (
            "",
            "{",
            "[]",
            json.dumps({"nonce": "x" * 64}),
            "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        ):
            found = await fresh.browser.send("/login/passkey", {"device_answer": wrong})
            assert found.status_code in REFUSED, wrong

    told(sqlite_url, tmp_path, story)


def test_F5_a_passkey_signs_another_number(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await with_passkey(world)
        await one.look()
        await one.begin("contact", "mobile")
        await one.authenticate()
        await one.post("/protection/number", {"number": "01099887766"})
        page = await one.post("/protection/change", await one.sign("passkey", "01099887766"))
        assert "연락처를 바꿨습니다." in page

    told(sqlite_url, tmp_path, story)
