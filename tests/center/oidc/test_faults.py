"""What a provider refuses, and whom it tells: nothing goes to an address that was not registered (security F12)."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.center.oidc.world import ADDRESS, SECRETS, VERIFIER, Provider, a_code, authorize, code_form, query, told
from tests.center.world import Browser

from ingam.center.oidc.clients import ClientsRefused, read


async def logged_in(provider: Provider) -> Browser:
    browser = provider.world.browser()
    await browser.log_in()
    return browser


NEAR = (
    "https://hts.example/callback", "https://hts.example/callback?from=ingam&x=1",
    "https://hts.example/callback?FROM=ingam", "https://hts.example:443/callback?from=ingam",
    "https://HTS.example/callback?from=ingam", "http://hts.example/callback?from=ingam",
    "https://hts.example/callback/../callback?from=ingam", "https://hts.example.evil.example/callback?from=ingam",
    "https://hts.example@evil.example/callback?from=ingam", "https://hts.example/callback?from=ingam#x",
    "//evil.example", "",
)  # fmt: skip


def test_F12_an_address_that_differs_in_one_byte_is_told_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await logged_in(provider)
        asked = [authorize(redirect_uri=near) for near in NEAR]
        asked += [authorize(redirect_uri=None), authorize("nobody"), authorize("hts", client_id=None)]
        asked += ["/oidc/authorize"]
        asked += [authorize() + "&redirect_uri=https://evil.example/", authorize() + "&client_id=fund"]
        for address in asked:
            answer = await browser.get(address)
            assert answer.status_code == 422 and "location" not in answer.headers, address
            assert "oidc" not in " ".join(browser.cookies)

    told(sqlite_url, tmp_path, story)


FAULTS: list[tuple[dict[str, str | None], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"request": "e30.e30."}, "request_not_supported"),
    ({"request_uri": "https://hts.example/r"}, "request_uri_not_supported"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "what"}, "invalid_request"),
    ({"nonce": "n" * 513}, "invalid_request"),
    ({"state": "가"}, "invalid_request"),
]


def test_F12_another_fault_goes_back_to_the_registered_address(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await logged_in(provider)
        for changed, error in FAULTS:
            address = str((await browser.get(authorize("hts", **changed))).headers["location"])
            assert address.startswith("https://hts.example/callback?from=ingam&error=")
            assert (query(address)["error"], query(address)["iss"]) == (error, provider.world.origin)

    told(sqlite_url, tmp_path, story)


OTHERS: list[dict[str, str | None]] = [
    {"code_verifier": VERIFIER[:-1] + "0"}, {"code_verifier": None}, {"code_verifier": "short"},
    {"redirect_uri": ADDRESS["fund"]}, {"redirect_uri": None},
]  # fmt: skip


def test_F12_a_code_with_another_verifier_or_address_is_good_for_nobody_any_more(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(provider: Provider) -> None:
        browser = await logged_in(provider)
        for changed in OTHERS:
            code = await a_code(provider, browser)
            for form in (code_form(code, "hts", **changed), code_form(code)):
                answer = await provider.post("/oidc/token", form)
                assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})

    told(sqlite_url, tmp_path, story)


def test_F12_a_code_is_for_its_client_and_for_a_minute(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await logged_in(provider)
        code = await a_code(provider, browser)
        stolen = await provider.post("/oidc/token", code_form(code, "fund", redirect_uri=ADDRESS["hts"]))
        assert stolen.json() == {"error": "invalid_grant"}
        public = await provider.post("/oidc/token", code_form(code, "phone", redirect_uri=ADDRESS["hts"]))
        assert public.json() == {"error": "invalid_grant"}
        assert (await provider.post("/oidc/token", code_form(code))).status_code == 200
        late = await a_code(provider, browser)
        provider.world.clock.forward(61)
        assert (await provider.post("/oidc/token", code_form(late))).json() == {"error": "invalid_grant"}
        assert (await provider.post("/oidc/token", code_form("none"))).json() == {"error": "invalid_grant"}

    told(sqlite_url, tmp_path, story)


def test_F12_a_client_that_does_not_prove_itself_gets_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        code = await a_code(provider, await logged_in(provider))
        basic = base64.b64encode(f"hts:{SECRETS['hts']}".encode()).decode()
        wrong = base64.b64encode(f"hts:{SECRETS['fund']}".encode()).decode()
        asked = [
            (code_form(code, client_secret=SECRETS["fund"]), {}, "invalid_client"),
            (code_form(code, client_secret=None), {}, "invalid_client"),
            (code_form(code, "phone", client_secret="x"), {}, "invalid_client"),
            (code_form(code, client_id="nobody"), {}, "invalid_client"),
            (code_form(code, client_secret=None), {"Authorization": f"Basic {wrong}"}, "invalid_client"),
            (code_form(code, client_secret=None), {"Authorization": "Basic ?"}, "invalid_client"),
            (code_form(code, client_secret=None), {"Authorization": "Bearer x"}, "invalid_client"),
            (code_form(code), {"Authorization": f"Basic {basic}"}, "invalid_request"),
            (code_form(code, grant_type="password"), {}, "unsupported_grant_type"),
            (code_form(code, grant_type="refresh_token"), {}, "unsupported_grant_type"),
        ]
        for form, headers, error in asked:
            answer = await provider.post("/oidc/token", form, **headers)
            assert answer.json() == {"error": error}
            assert answer.status_code == (401 if error == "invalid_client" else 400)
            assert answer.headers["cache-control"] == "no-store"
        right = await provider.post("/oidc/token", code_form(code, client_secret=None), Authorization=f"Basic {basic}")
        assert right.status_code == 200

    told(sqlite_url, tmp_path, story)


def test_F12_a_program_on_a_device_proves_its_code_by_pkce_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        code = await a_code(provider, await logged_in(provider), "phone")
        assert (await provider.post("/oidc/token", code_form(code, "phone"))).status_code == 200

    told(sqlite_url, tmp_path, story)


GOOD = """[[client]]
client_id = "one"
name_ko = "하나"
name_en = "One"
redirect_uris = ["https://one.example/back"]
secret_sha256 = "HASH"
""".replace("HASH", "0" * 64)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("[[client]]", "[[client", "unreadable"),
        ("[[client]]", "[other]\n[[client]]", "unknown-key"),
        ('name_en = "One"', "", "name"),
        ('client_id = "one"', 'client_id = "one two"', "client-id"),
        ("secret_sha256", "secret", "unknown-key"),
        ('"' + "0" * 64 + '"', '"plain secret"', "secret"),
        ("secret_sha256", "public = true\nsecret_sha256", "secret"),
        ("https://one", "http://one", "redirect-uri"),
        ("https://one.example/back", "https://one.example/back#x", "redirect-uri"),
        ('["https://one.example/back"]', "[]", "redirect-uri"),
        ('["https://one.example/back"]', '["https://one.example/back", "https://two.example/"]', "sector"),
        ("[[client]]", '[[client]]\nscopes = ["email"]', "scopes"),
        ("[[client]]", '[[client]]\nacr = "gold"', "acr"),
    ],
)
def test_a_file_of_clients_with_a_fault_is_refused(tmp_path: Path, old: str, new: str, cause: str) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert set(read(path)) == {"one"}
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ClientsRefused) as refused:
        read(path)
    assert refused.value.facts["cause"] == cause
