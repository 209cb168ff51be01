"""A store of limits that is down: what it bounds is refused with a page that says so; nothing is let through (F9)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests import valkey
from tests.center.world import HONG, PASSWORD, World, told

from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.kernel.words import say
from ingam.page import Bundle
from ingam.run import center
from ingam.settings import Settings


def test_F9_with_the_limits_store_down_logins_are_refused_with_a_page_and_served_again_afterwards(
    sqlite_url: str, tmp_path: Path
) -> None:
    with valkey.server() as server:
        told(sqlite_url, tmp_path, lambda world: story(world, server))


async def story(world: World, server: valkey.Server) -> None:
    shared = ValkeyEphemeral(server.url, world.clock)
    settings = Settings(mode="test", center_origin=world.origin)
    world.app = center.app(settings, replace(world.ports, ephemeral=shared), Bundle({"center.css": "x.css"}))
    here, visitor = world.browser(), world.browser()
    try:
        await here.get("/login")
        server.stop()
        answers = [
            await visitor.get("/login"),
            await here.send("/login/id", {"banking_id": HONG.banking_id, "password": PASSWORD}),
        ]
        for answer in answers:
            assert answer.status_code == 503
            assert say("refusal.ephemeral-outage", "ko") in answer.text
            assert "set-cookie" not in answer.headers
        assert (await world.rows("counter"), await world.results("login.password")) == ([], [])
        server.start()
        assert (await here.log_in()).status_code == 303
    finally:
        await shared.close()
