"""A provider that answers anything: nothing is registered, opened or half stored, and the person may try again."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx2
from tests.center.finance_cert.test_finance_cert import CLOUD, Cloud, to_open, with_cloud
from tests.center.protection.person import Person
from tests.center.world import HONG, World, told

from ingam.adapters.finance_cert.http import HttpFinanceCert
from ingam.adapters.outgoing import Breaker
from ingam.kernel.secret import Secret
from ingam.npki import cms
from ingam.page import Bundle
from ingam.run import center
from ingam.settings import Settings

NASTY: Final[tuple[tuple[int, bytes], ...]] = (
    (200, b""),
    (200, b"\xff\xfe"),
    (200, b"[]"),
    (200, b"null"),
    (200, b"{}"),
    (200, json.dumps({"signed": "MAA=", "name": "홍길동", "birthDate": "1975-10-05"}).encode()),
    (200, json.dumps({"signed": "*", "name": "홍길동", "birthDate": "1975-10-05"}).encode()),
    (200, json.dumps({"signed": "MAA=", "name": 7, "birthDate": None, "random": []}).encode()),
    (409, json.dumps({"stage": ["locked"]}).encode()),
    (410, b"gone"),
    (500, b"oops"),
    (302, b""),
)


class Anything:
    """The provider's server: windows in form, and whatever result the test wants next; `good`: a real signature."""

    def __init__(self, world: World, cloud: Cloud) -> None:
        self.world, self.cloud = world, cloud
        self.says: tuple[int, bytes] | None = None
        self.asked: dict[str, Any] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/signatures":
            self.asked = json.loads(request.content)
            window = {"window": f"{CLOUD}/window/1", "expiresIn": 300}
            return httpx2.Response(200, content=json.dumps(window).encode())
        if self.says is not None:
            return httpx2.Response(self.says[0], content=self.says[1])
        holder, at = self.cloud.holder, self.world.clock.now()
        made = cms.sign_data(base64.b64decode(self.asked["text"]), holder.certificate, holder.key, signing_time=at)
        told = {"signed": base64.b64encode(made).decode(), "name": HONG.name, "birthDate": "1975-10-05"}
        told["random"] = base64.b64encode(self.cloud.random or b"").decode()
        return httpx2.Response(200, content=json.dumps(told).encode())

    def back(self) -> str:
        return str(self.asked["returnTo"]).removeprefix(self.world.origin) + "?proof=a-word-of-the-browser"


def with_anything(world: World) -> Anything:
    cloud = with_cloud(world)
    server = Anything(world, cloud)
    provider = HttpFinanceCert(
        "http://localhost:1", origin=CLOUD, client="ingam", key=Secret("k"), clock=world.clock,
        transport=httpx2.MockTransport(server), breaker=Breaker(in_a_row=1000),
    )  # fmt: skip
    world.ports = replace(world.ports, finance=provider)
    settings = Settings(mode="test", center_origin=world.origin)
    world.app = center.app(settings, world.ports, Bundle({"center.css": "center-0.css"}))
    return server


def test_E7_no_answer_is_half_stored_and_the_next_good_one_registers(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        server = with_anything(world)
        one = Person(world, world.browser())
        await to_open(one)
        for number, server.says in enumerate(NASTY):
            page = await one.look(server.back())
            assert 'class="error' in page or "error-summary" in page, NASTY[number]
            assert await world.rows("finance_binding") == [], NASTY[number]
            assert {str(row["kind"]) for row in await world.rows("outbox")} == {"sms"}
            used = await one.look(server.back())  # a nonce serves once, whatever came of it (A6)
            assert await world.rows("finance_binding") == [] and used
            await one.look("/finance-cert")
            await one.post("/finance-cert/open")
        results = await world.results("finance.register")
        assert len(results) == 2 * len(NASTY) and "ok" not in results
        server.says = None
        await one.look(server.back())
        assert (await world.results("finance.register"))[-1] == "ok"
        (row,) = await world.rows("finance_binding")
        assert row["status"] == "ACTIVE" and isinstance(row["bound_at"], datetime)

    told(sqlite_url, tmp_path, story, proof_ttl_s=3600)


def test_E7_no_answer_opens_a_session(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        server = with_anything(world)
        one = Person(world, world.browser())
        for server.says in NASTY:
            await one.look("/login?way=fin&then=/protection")
            await one.post("/login/finance/open", {"then": "/protection"})
            await one.look(server.back())
        assert await world.rows("session", level="finance") == []
        results = await world.results("login.finance")
        assert len(results) == len(NASTY) and "ok" not in results

    told(sqlite_url, tmp_path, story)
