"""A client has a person logged out here: only who had their login, and only to an address of its own (F12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.center.oidc.world import BYE, Provider, query, told, visiting
from tests.center.world import KIM, Browser

from ingam.ports.store import Save, StoreOutage

REFUSED = "등록된 것과 다릅니다"


async def logged_in(provider: Provider, who: Any = None) -> tuple[Browser, str, Any]:
    """A browser after a whole login at a client, the ID token that the client has, and Authlib's client."""
    browser = provider.world.browser()
    visit = await visiting(provider, browser)
    await visit.begin()
    await browser.log_in(then="/oidc/continue")
    token = await visit.finish(await visit.answer())
    return browser, str(token["id_token"]), visit.rp


async def is_in(browser: Browser) -> bool:
    """Whether the browser's session is still somebody's: what a page offers who is logged in."""
    await browser.get("/oidc/logout")
    return 'action="/logout"' in (await browser.get("/oidc/leave")).text


async def out(browser: Browser, **asked: str) -> Any:
    answer = await browser.get(f"/oidc/logout?{urlencode(asked)}")
    return await browser.get(answer.headers["location"])


def test_a_client_that_is_not_ours_logs_its_person_out_and_has_them_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser, hint, rp = await logged_in(provider)
        assert await is_in(browser)
        made = await rp.create_logout_url(post_logout_redirect_uri=BYE, id_token_hint=hint, state="s-1")
        address = made["url"] if isinstance(made, dict) else made
        begun = await browser.get(str(address).removeprefix(provider.world.origin))
        answer = await browser.get(begun.headers["location"])
        assert answer.status_code == 303 and answer.headers["location"] == f"{BYE}&state=s-1"
        assert not await is_in(browser)
        again = await out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
        assert again.headers["location"] == BYE  # nobody is in: there is nothing to end
        lines = await provider.world.ports.store.many("audit", {"action": "logout"})
        assert [row["result"] for row in lines] == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_H9_the_line_of_a_logout_names_its_network_by_a_digest_and_is_saved_with_it(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(provider: Provider) -> None:
        browser, hint, _ = await logged_in(provider)
        store = provider.world.ports.store
        saving = store.save

        async def save(save: Save) -> None:
            if any(line.action == "logout" for line in save.audit):
                raise StoreOutage
            await saving(save)

        with monkeypatch.context() as away:
            away.setattr(store, "save", save)
            assert (await out(browser, id_token_hint=hint)).status_code == 503
        assert await is_in(browser)  # nobody is logged out without a line that says so
        await out(browser, id_token_hint=hint)
        assert not await is_in(browser)
        (line,) = await store.many("audit", {"action": "logout"})
        (login, *_) = await store.many("audit", {"action": "login.id"})
        assert line["address"] == login["address"] == provider.world.ports.digests.digest("address", "127.0.0.1")

    told(sqlite_url, tmp_path, story)


def test_F12_an_address_that_is_not_registered_ends_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser, hint, _ = await logged_in(provider)
        for asked in (
            {"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
            {"id_token_hint": hint, "post_logout_redirect_uri": BYE + "&x=1"},
            {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "client_id": "fund"},
            {"post_logout_redirect_uri": BYE, "client_id": "hts"},  # without a token nobody is sent anywhere
            {"id_token_hint": hint[:-4] + "AAAA", "post_logout_redirect_uri": BYE},
            {"id_token_hint": "e30.e30.", "post_logout_redirect_uri": BYE},
            {"id_token_hint": hint, "state": "s" * 513},
        ):
            answer = await out(browser, **asked)
            assert answer.status_code == 422 and "location" not in answer.headers and REFUSED in answer.text, asked
        twice = await browser.get(f"/oidc/leave?id_token_hint={hint}&id_token_hint={hint}")
        assert twice.status_code == 422 and await is_in(browser)

    told(sqlite_url, tmp_path, story)


def test_F12_who_has_no_token_of_the_person_here_only_asks_them(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        _, of_hong, _ = await logged_in(provider)
        other = provider.world.browser()
        await other.log_in(KIM)
        for asked in ({}, {"client_id": "hts"}, {"id_token_hint": of_hong, "post_logout_redirect_uri": BYE}):
            answer = await out(other, **asked)
            assert answer.status_code == 200 and 'action="/logout"' in answer.text and "evil" not in answer.text
        assert await is_in(other)

    told(sqlite_url, tmp_path, story)


def test_a_form_of_the_client_s_is_asked_again_as_a_link_so_that_the_session_is_there(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(provider: Provider) -> None:
        _, hint, _ = await logged_in(provider)
        answer = await provider.post("/oidc/logout", {"id_token_hint": hint, "post_logout_redirect_uri": BYE})
        where = answer.headers["location"]
        assert answer.status_code == 303 and where.startswith("/oidc/leave?")
        assert query(where) == {"id_token_hint": hint, "post_logout_redirect_uri": BYE}

    told(sqlite_url, tmp_path, story)
