"""A client that signs what it asks with (RFC 7523): for us, just now, once, with its own key (F12)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from tests.center.oidc.world import Provider, a_code, code_form, key_of, told, visiting
from tests.center.world import Browser

from ingam.adapters.hsm.tokens import FileTokenSigner
from ingam.center.oidc.clients import ClientsRefused, read
from ingam.protocols.oidc import base64url

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = RSAKey.import_key(key_of("rsa2048-06"))
DEEP = b'{"iss":"signer","x":' + b"[" * 5000 + b"]" * 5000 + b"}"


def claims(provider: Provider, **changed: Any) -> dict[str, Any]:
    at = int(provider.world.clock.now().timestamp())
    made = {"iss": "signer", "sub": "signer", "aud": provider.world.origin, "jti": "j1", "iat": at, "exp": at + 60}
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


def signed(told: dict[str, Any], key: Any = KEY, alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg}, told, key, algorithms=[alg])


def form(code: str, assertion: str, **changed: str | None) -> dict[str, str]:
    asked = code_form(code, "signer", client_secret=None, client_id=None)
    more = {"client_assertion_type": TYPE, "client_assertion": assertion} | changed
    return {name: value for name, value in {**asked, **more}.items() if value is not None}


async def logged_in(provider: Provider) -> Browser:
    browser = provider.world.browser()
    await browser.log_in()
    return browser


def test_a_client_that_is_not_ours_signs_with_its_key_and_logs_a_person_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        provider.world.clock.forward(time.time() - provider.world.clock.now().timestamp())  # Authlib's clock runs
        browser = provider.world.browser()
        visit = await visiting(provider, browser, "signer")
        await visit.begin()
        await browser.log_in(then="/oidc/continue")
        token = await visit.finish(await visit.answer())
        assert token["userinfo"]["aud"] == "signer"

    told(sqlite_url, tmp_path, story)


def test_F1_an_assertion_is_good_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        browser = await logged_in(provider)
        first, second = [await a_code(provider, browser, "signer") for _ in range(2)]
        made = signed(claims(provider))
        assert (await provider.post("/oidc/token", form(first, made))).status_code == 200
        again = await provider.post("/oidc/token", form(second, made))
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
        fresh = await provider.post("/oidc/token", form(second, signed(claims(provider, jti="j2"))))
        assert fresh.status_code == 200

    told(sqlite_url, tmp_path, story)


def test_F12_an_assertion_of_another_for_another_or_of_another_time_is_none(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        code = await a_code(provider, await logged_in(provider), "signer")
        at = int(provider.world.clock.now().timestamp())
        other = RSAKey.import_key(key_of("rsa2048-08"))
        curve = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
        pem = key_of("rsa2048-06").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        bad = [
            signed(claims(provider), other), signed(claims(provider), curve, "ES256"),
            signed(claims(provider), OctKey.import_key(b"k" * 64), "HS256"), signed(claims(provider), KEY, "RS512"),
            *(signed(claims(provider, **changed)) for changed in (
                {"aud": "https://other.example"}, {"aud": None}, {"aud": [provider.world.origin, "x"]},
                {"iss": "hts", "sub": "hts"}, {"sub": "hts"}, {"iss": None}, {"exp": at - 1}, {"exp": None},
                {"exp": at + 7200}, {"exp": True}, {"iat": at + 3600}, {"nbf": at + 3600}, {"jti": None}, {"jti": ""},
                {"jti": "j" * 257}, {"exp": 10**400}, {"nbf": 10**400},
            )),
            f"e30.{base64url(DEEP)}.e30",
            "", "e30", "e30.e30.", "a.b.c", "가.나.다", "x" * 9000, signed(claims(provider))[:-6],
        ]  # fmt: skip
        assert pem
        for assertion in bad:
            answer = await provider.post("/oidc/token", form(code, assertion))
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), assertion[:40]
        good = await provider.post("/oidc/token", form(code, signed(claims(provider))))
        assert good.status_code == 200  # not one of them touched the code

    told(sqlite_url, tmp_path, story)


def test_F12_two_proofs_at_once_or_the_wrong_kind_of_proof_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: Provider) -> None:
        code = await a_code(provider, await logged_in(provider), "signer")
        made = signed(claims(provider))
        asked: list[tuple[dict[str, str], str]] = [
            (form(code, made, client_secret="s" * 43), "invalid_request"),
            (form(code, made, client_id="hts"), "invalid_client"),
            (form(code, made, client_assertion_type="saml"), "invalid_client"),
            (form(code, made, client_assertion_type=None), "invalid_client"),
            (code_form(code, "signer", client_secret=None), "invalid_client"),
            (code_form(code, "signer", client_secret="-"), "invalid_client"),
        ]
        for fields, error in asked:
            answer = await provider.post("/oidc/token", fields)
            assert answer.json()["error"] == error, fields
        both = await provider.post("/oidc/token", form(code, made), Authorization="Basic c2lnbmVyOng=")
        assert both.json()["error"] == "invalid_request"

    told(sqlite_url, tmp_path, story)


def test_a_curve_s_key_signs_too(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signer = FileTokenSigner(tmp_path / "keys")
    made = jwt.encode({"alg": "ES256"}, {"iss": "x"}, ECKey.import_key(key), algorithms=["ES256"])
    assert signer.signed_by([pem], made) == {"iss": "x"}
    assert signer.signed_by([], made) is None
    assert signer.own(made) is None and signer.own(signer.sign({"iss": "us"})) == {"iss": "us"}


@pytest.mark.parametrize("keys", ['["no key"]', '[""]', "[1]", "[]"])
def test_keys_that_are_none_stop_the_start(tmp_path: Path, keys: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(
        f'[[client]]\nclient_id="x"\nname_ko="x"\nname_en="x"\nredirect_uris=["https://x.example/"]\npublic_keys={keys}\n',
        encoding="utf-8",
    )
    with pytest.raises(ClientsRefused):
        read(file)
