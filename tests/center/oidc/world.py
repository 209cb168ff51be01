"""The center as a provider, and a client that is not ours: Authlib's, which speaks to it over ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from authlib.integrations.starlette_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from starlette.requests import Request as StarletteRequest
from tests.center.world import Browser, World, opened

from ingam.adapters.hsm.tokens import FileTokenSigner
from ingam.page import Bundle
from ingam.run import center
from ingam.settings import Limits, Settings

ROOT = Path(__file__).parents[3]
LONG = 10 * 365 * 86_400
"""Seconds: the tests' clock stands, the client's runs."""

SECRETS = {"hts": "h" * 43, "fund": "f" * 43, "desk": "d" * 43}
ADDRESS = {
    "hts": "https://hts.example/callback?from=ingam", "fund": "https://fund.example/back", "desk": "https://desk.example/back",
    "phone": "http://127.0.0.1:5000/back", "signer": "https://signer.example/back",
}  # fmt: skip
BYE = "https://hts.example/bye?from=ingam"


def key_of(name: str) -> Any:
    """A key of vectors/keys."""
    return load_der_private_key((ROOT / "vectors" / "keys" / f"{name}.p8").read_bytes(), None)


def proof(name: str) -> str:
    """How this client shows who it is: two keys, of which it may sign with either; a secret; or not at all."""
    if name == "signer":
        keys = [key_of(one).public_key() for one in ("rsa2048-07", "rsa2048-06")]
        pems = [key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for key in keys]
        return f"public_keys = {json.dumps(pems)}"
    return f'secret_sha256 = "{sha256(SECRETS[name].encode()).hexdigest()}"' if name in SECRETS else "public = true"


CLIENTS = "".join(
    f"""[[client]]
client_id = "{name}"
name_ko = "{name} 서비스"
name_en = "{name} service"
redirect_uris = ["{address}"]
scopes = ["profile"]
{proof(name)}
{f'post_logout_redirect_uris = ["{BYE}"]' if name == "hts" else ""}
{"trusted = true" if name == "desk" else ""}
"""
    for name, address in ADDRESS.items()
)


@dataclass
class Provider:
    """A center with clients, and its world."""

    world: World
    answers: list[httpx2.Response] = field(default_factory=list)

    def client(self, name: str = "hts") -> Any:
        """Authlib's client of that name."""
        oauth = OAuth()
        more: dict[str, Any] = {"token_endpoint_auth_method": "none"}
        if name in SECRETS:
            more = {"client_secret": SECRETS[name]}
        if name == "signer":
            signed = PrivateKeyJWT(f"{self.world.origin}/oidc/token")
            secret = key_of("rsa2048-06").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            more = {"client_secret": secret, "token_endpoint_auth_method": signed}
        scope = {"scope": "openid profile", "code_challenge_method": "S256"}
        return oauth.register(
            name, client_id=name, **more, client_kwargs={**scope, "transport": self.transport()},
            server_metadata_url=f"{self.world.origin}/.well-known/openid-configuration",
        )  # fmt: skip

    def transport(self) -> httpx2.ASGITransport:
        return httpx2.ASGITransport(app=self.world.app, client=("203.0.113.9", 1))

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        """What a client's own server sends; no cookies."""
        async with httpx2.AsyncClient(transport=self.transport(), base_url=self.world.origin) as client:
            return await client.post(path, data=fields, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=self.transport(), base_url=self.world.origin) as client:
            return await client.get(path, headers=headers)


@dataclass
class Visit:
    """One login of a person's browser for a client, from the client's redirect to the answer."""

    provider: Provider
    browser: Browser
    name: str
    rp: Any
    session: dict[str, Any]
    url: str

    async def begin(self) -> httpx2.Response:
        """The browser follows the client's redirect."""
        parts = urlsplit(self.url)
        return await self.browser.get(f"{parts.path}?{parts.query}")

    async def answer(self, which: str = "yes") -> str:
        """The link of the page that asks; where it leads."""
        await self.browser.get("/oidc/continue")
        link = self.browser.page.partition(f"/oidc/answer?{which}=")[2].partition('"')[0]
        assert link, self.browser.page
        response = await self.browser.get(f"/oidc/answer?{which}={link}")
        return str(response.headers["location"])

    async def finish(self, address: str) -> dict[str, Any]:
        """What Authlib makes of the answer: it checks state, code, signature, nonce, issuer and audience itself."""
        asked = {"type": "http", "method": "GET", "headers": [], "path": "/", "server": ("rp", 443), "scheme": "https"}
        request = StarletteRequest({**asked, "query_string": urlsplit(address).query.encode(), "session": self.session})
        token: dict[str, Any] = await self.rp.authorize_access_token(request, leeway=LONG)
        return token


async def visiting(provider: Provider, browser: Browser, name: str = "hts", **params: Any) -> Visit:
    """A client's redirect to the center."""
    rp, session = provider.client(name), dict[str, Any]()
    made = await rp.create_authorization_url(ADDRESS[name], **params)
    request = StarletteRequest({"type": "http", "headers": [], "session": session})
    await rp.save_authorize_data(request, redirect_uri=ADDRESS[name], **made)
    return Visit(provider, browser, name, rp, session, made["url"])


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}


def authorize(name: str | None = "hts", **changed: str | None) -> str:
    """An authorization request by hand; None leaves a parameter out."""
    asked: dict[str, str | None] = {
        "response_type": "code", "client_id": name, "redirect_uri": ADDRESS.get(name or "", ""),
        "scope": "openid profile",
        "state": "s1", "nonce": "n1", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }  # fmt: skip
    told = {key: value for key, value in {**asked, **changed}.items() if value is not None}
    return f"/oidc/authorize?{httpx2.QueryParams(told)}"


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""RFC 7636, Appendix B, with the challenge above."""


def code_form(code: str, name: str = "hts", **changed: str | None) -> dict[str, str]:
    asked: dict[str, str | None] = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": ADDRESS[name], "code_verifier": VERIFIER,
        "client_id": name, "client_secret": SECRETS.get(name),
    }  # fmt: skip
    return {key: value for key, value in {**asked, **changed}.items() if value is not None}


@asynccontextmanager
async def providing(url: str, folder: Path) -> AsyncIterator[Provider]:
    """A center with the clients above."""
    async with opened(url, folder) as world:
        clients, keys = folder / "clients.toml", folder / "oidc"
        clients.write_text(CLIENTS, encoding="utf-8")
        keys.mkdir(mode=0o700)
        pem(keys / "1.pem", "rsa2048-05")
        settings = Settings(mode="test", center_origin=world.origin, oidc_clients=clients, limits=replace(Limits()))
        ports = replace(world.ports, tokens=FileTokenSigner(keys))
        world.app = center.app(settings, ports, Bundle({"center.css": "center-0.css"}))
        yield Provider(world)


def pem(path: Path, name: str) -> None:
    """A key of vectors/keys as a file of the signer."""
    path.write_bytes(key_of(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)


def told(url: str, folder: Path, story: Callable[[Provider], Awaitable[None]]) -> None:
    """Run a story with a fresh provider."""

    async def go() -> None:
        async with providing(url, folder) as provider:
            await story(provider)

    asyncio.run(go())


async def a_code(provider: Provider, browser: Browser, name: str = "hts", **changed: str | None) -> str:
    """A code for a request by hand, of somebody who is logged in."""
    begun = await browser.get(authorize(name, **changed))
    assert begun.headers["location"] == "/oidc/continue", begun.text
    await browser.get("/oidc/continue")
    link = browser.page.partition("/oidc/answer?yes=")[2].partition('"')[0]
    response = await browser.get(f"/oidc/answer?yes={link}")
    return query(str(response.headers["location"]))["code"]
