"""A login for another service, with Authlib as the client: what it is told, and what it is not (security F12)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from authlib.integrations.base_client import OAuthError
from tests.center.oidc.world import (
    SECRETS,
    Provider,
    a_code,
    authorize,
    code_form,
    pem,
    providing,
    query,
    told,
    visiting,
)
from tests.center.world import HONG, KIM, Browser, party

from ingam.adapters.hsm.tokens import FileTokenSigner
from ingam.customer.notice import SMS, deliver_sms
from ingam.protocols.oidc import CERTIFICATE, ID, SECOND


async def in_by_id(provider: Provider) -> Browser:
    browser = provider.world.browser()
    assert (await browser.log_in()).status_code == 303
    return browser


async def in_by_certificate(provider: Provider) -> Browser:
    holder, browser = party(HONG), provider.world.browser()
    await provider.world.bind(HONG, holder)
    assert (await browser.present(holder)).status_code == 303
    return browser


def test_F12_a_client_that_is_not_ours_logs_a_person_in_with_code_and_pkce(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = provider.world.browser()
        visit = await visiting(provider, browser)
        assert (await visit.begin()).headers["location"] == "/oidc/continue"
        assert (await browser.get("/oidc/continue")).headers["location"] == "/login?way=id&then=/oidc/continue"
        entered = await browser.log_in(then="/oidc/continue")
        assert entered.headers["location"] == "/oidc/continue"
        page = (await browser.get("/oidc/continue")).text
        assert "hts 서비스에 로그인합니다" in page and HONG.name in page
        address = await visit.answer()
        assert address.startswith("https://hts.example/callback?from=ingam&code=")
        assert query(address)["iss"] == provider.world.origin
        token = await visit.finish(address)
        claims, at = token["userinfo"], int(provider.world.clock.now().timestamp())
        assert (claims["iss"], claims["aud"], claims["acr"], claims["amr"]) == (
            provider.world.origin, "hts", ID, ["pwd"],
        )  # fmt: skip
        assert claims["iat"] == at and claims["exp"] == at + 300
        assert HONG.customer_id not in str(claims) and HONG.idn.reveal() not in str(claims)
        assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "acr", "amr", "at_hash"}
        assert dict(await visit.rp.userinfo(token=token)) == {"sub": claims["sub"], "name": HONG.name}

    told(sqlite_url, tmp_path, story)


def test_F12_the_strength_that_was_asked_for_is_reached_and_said(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_id(provider)
        visit = await visiting(provider, browser, acr_values=CERTIFICATE)
        await visit.begin()
        login = await browser.get("/oidc/continue")
        assert login.headers["location"] == "/login?way=cert&then=/oidc/continue"
        holder = party(HONG)
        await provider.world.bind(HONG, holder)
        await browser.present(holder)
        token = await visit.finish(await visit.answer())
        assert (token["userinfo"]["acr"], token["userinfo"]["amr"]) == (CERTIFICATE, ["swk", "pwd"])

    told(sqlite_url, tmp_path, story)


def test_F12_a_second_proof_is_asked_for_and_said(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_certificate(provider)
        visit = await visiting(provider, browser, acr_values=SECOND)
        await visit.begin()
        assert (await browser.get("/oidc/continue")).headers["location"] == "/oidc/second"
        assert "hts 서비스에서 공동인증서 로그인에 더해" in (await browser.get("/oidc/second")).text
        asked = await browser.send("/oidc/second/factor/request", {"method": "sms"})
        assert asked.headers["location"] == "/oidc/second#code"
        await deliver(provider)
        code = provider.world.phone.code
        wrong = await browser.send("/oidc/second/factor", {"method": "sms", "code": f"{(int(code) + 1) % 10**6:06d}"})
        assert wrong.status_code == 422
        right = await browser.send("/oidc/second/factor", {"method": "sms", "code": code})
        assert right.headers["location"] == "/oidc/continue"
        token = await visit.finish(await visit.answer())
        assert (token["userinfo"]["acr"], token["userinfo"]["amr"]) == (SECOND, ["swk", "pwd", "sms", "mfa"])
        # The proof was for that login alone (E1).
        again = await visiting(provider, browser, acr_values=SECOND)
        await again.begin()
        assert (await browser.get("/oidc/continue")).headers["location"] == "/oidc/second"

    told(sqlite_url, tmp_path, story)


async def deliver(provider: Provider) -> None:
    world = provider.world
    for claimed in await world.ports.store.claim(world.clock.now(), 60, 50):
        if claimed.kind == SMS:
            await deliver_sms(world.phone)(claimed)
        await world.ports.store.delivered(claimed.id, world.clock.now())


def test_F12_a_second_proof_that_ran_out_is_asked_for_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_certificate(provider)
        await (await visiting(provider, browser, acr_values=SECOND)).begin()
        await browser.get("/oidc/second")
        await browser.send("/oidc/second/factor/request", {"method": "sms"})
        await deliver(provider)
        await browser.send("/oidc/second/factor", {"method": "sms", "code": provider.world.phone.code})
        assert (await browser.get("/oidc/continue")).status_code == 200
        provider.world.clock.forward(301)
        assert (await browser.get("/oidc/continue")).headers["location"] == "/oidc/second"
        assert "유효시간이 지났습니다" in (await browser.get("/oidc/second")).text

    told(sqlite_url, tmp_path, story)


def test_F12_subjects_are_pairwise(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        subjects: dict[str, list[str]] = {}
        for name in ("hts", "fund", "hts"):
            browser = await in_by_id(provider)
            visit = await visiting(provider, browser, name)
            await visit.begin()
            subjects.setdefault(name, []).append((await visit.finish(await visit.answer()))["userinfo"]["sub"])
        other = provider.world.browser()
        await other.log_in(KIM)
        visit = await visiting(provider, other)
        await visit.begin()
        kims = (await visit.finish(await visit.answer()))["userinfo"]["sub"]
        assert subjects["hts"][0] == subjects["hts"][1] != subjects["fund"][0]
        assert kims not in (*subjects["hts"], *subjects["fund"])

    told(sqlite_url, tmp_path, story)


def test_F12_no_is_told_to_the_client_and_nothing_else_is(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_id(provider)
        visit = await visiting(provider, browser)
        await visit.begin()
        address = await visit.answer("no")
        assert set(query(address)) == {"from", "error", "state", "iss"} and query(address)["error"] == "access_denied"
        with pytest.raises(OAuthError):
            await visit.finish(address)
        assert await provider.world.rows("ledger_issued", kind="oidc-code") == []

    told(sqlite_url, tmp_path, story)


def test_F12_F10_only_the_browser_and_the_session_that_were_asked_can_say_yes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_id(provider)
        await browser.get(authorize())
        await browser.get("/oidc/continue")
        yes = browser.page.partition("/oidc/answer?yes=")[2].partition('"')[0]
        other = await in_by_id(provider)
        assert (await other.get("/oidc/continue")).status_code == 422
        assert (await other.get(f"/oidc/answer?yes={yes}")).status_code == 422
        other.plant("ingam-center-oidc", browser.cookies["ingam-center-oidc"])
        assert (await other.get(f"/oidc/answer?yes={yes}")).status_code == 422
        assert (await browser.get("/oidc/answer?yes=")).status_code == 422
        assert (await browser.get(f"/oidc/answer?yes={yes}")).status_code == 303
        assert (await browser.get(f"/oidc/answer?yes={yes}")).status_code == 422

    told(sqlite_url, tmp_path, story)


def test_F12_silent_answers_are_for_trusted_clients_of_who_is_logged_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        visitor, browser = provider.world.browser(), await in_by_id(provider)

        async def error(browser: Browser, name: str, **more: str) -> str | None:
            answer = await browser.get(authorize(name, prompt="none", **more))
            return query(str(answer.headers["location"])).get("error")

        assert await error(visitor, "desk") == "login_required"
        assert await error(browser, "hts") == "consent_required"
        assert await error(browser, "desk", acr_values=CERTIFICATE) == "login_required"
        assert await error(browser, "desk") is None

    told(sqlite_url, tmp_path, story)


def test_F12_an_old_login_is_not_enough_where_the_client_asks_for_a_new_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_id(provider)
        provider.world.clock.forward(120)
        for more, code in (({"max_age": "60"}, 303), ({"prompt": "login"}, 303), ({"max_age": "180"}, 200)):
            await browser.get(authorize(**more))
            assert (await browser.get("/oidc/continue")).status_code == code
        await browser.get(authorize(prompt="login"))
        await browser.log_in(then="/oidc/continue")
        assert (await browser.get("/oidc/continue")).status_code == 200

    told(sqlite_url, tmp_path, story)


def test_F12_an_access_token_ends_with_the_session_it_came_from(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await in_by_id(provider)
        code = await a_code(provider, browser)
        access = (await provider.post("/oidc/token", code_form(code))).json()["access_token"]
        bearer = {"Authorization": f"Bearer {access}"}
        assert (await provider.get("/oidc/userinfo", **bearer)).status_code == 200
        assert (await provider.get("/oidc/userinfo", Authorization="Bearer no")).status_code == 401
        assert (await provider.get(f"/oidc/userinfo?access_token={access}")).status_code == 401
        await browser.get("/mybank")
        await browser.send("/logout")
        gone = await provider.get("/oidc/userinfo", **bearer)
        assert gone.status_code == 401 and 'error="invalid_token"' in gone.headers["www-authenticate"]

    told(sqlite_url, tmp_path, story)


def test_H1_codes_and_tokens_are_kept_nowhere_in_clear(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        code = await a_code(provider, await in_by_id(provider))
        answer = (await provider.post("/oidc/token", code_form(code))).json()
        kept = provider.world.everything_kept()
        for secret in (code, answer["access_token"], answer["id_token"], SECRETS["hts"]):
            assert secret.encode() not in kept

    told(sqlite_url, tmp_path, story)


def test_a_key_of_a_new_file_signs_and_the_old_one_is_shown_still(tmp_path: Path) -> None:
    pem(tmp_path / "1.pem", "rsa2048-05")
    first = FileTokenSigner(tmp_path)
    pem(tmp_path / "2.pem", "rsa2048-06")
    second = FileTokenSigner(tmp_path)
    (old,) = first.public()["keys"]
    both = second.public()["keys"]
    assert both[0]["kid"] == old["kid"] and len(both) == 2
    assert all("d" not in key for key in both)
    assert first.sign({"sub": "x"}).partition(".")[0] != second.sign({"sub": "x"}).partition(".")[0]


def test_F12_of_many_exchanges_of_one_code_one_succeeds(store_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with providing(store_url, tmp_path) as provider:
            code = await a_code(provider, await in_by_id(provider))
            answers = await asyncio.gather(*(provider.post("/oidc/token", code_form(code)) for _ in range(12)))
            assert sorted(answer.status_code for answer in answers) == [200] + [400] * 11
            (won,) = [answer.json() for answer in answers if answer.status_code == 200]
            # Somebody showed it twice: what it gave is worth nothing.
            bearer = {"Authorization": f"Bearer {won['access_token']}"}
            assert (await provider.get("/oidc/userinfo", **bearer)).status_code == 401

    asyncio.run(go())
