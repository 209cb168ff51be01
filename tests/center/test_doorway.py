"""What every request of the center passes: visitors are bounded by network, and one that is no session stays none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.world import HONG, World, told

from ingam.center import doorway
from ingam.center.doorway import _network
from ingam.ports.store import Save, Update


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_ipv6_line_counts_as_one_network(host: str, network: str) -> None:
    assert _network(host) == network


def test_new_visitors_of_one_network_are_bounded_and_known_ones_are_not(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "SESSIONS_AN_HOUR", 3)

    async def story(world: World) -> None:
        known = world.browser()
        for browser in (known, world.browser(), world.browser()):
            assert (await browser.get("/about")).status_code == 200
        assert (await world.browser().get("/about")).status_code == 429
        assert (await known.get("/about")).status_code == 200
        assert (await world.browser("10.0.0.9").get("/about")).status_code == 200
        assert len(await world.rows("session")) == 4

    told(sqlite_url, tmp_path, story)


def test_what_needs_no_session_opens_none(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        for path in ("/healthz", "/seal-key", "/static/center-0.css"):
            await browser.get(path)
        assert await world.rows("session") == [] and browser.cookies == {}
        answer = await browser.client.post("/logout")
        assert answer.headers["location"] == "/login?ended=over"
        assert await world.rows("session") == []

    told(sqlite_url, tmp_path, story)


def test_a_session_that_ends_beside_a_request_is_over_for_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        kept = browser.cookie
        await browser.get("/cert-center")
        await browser.send("/logout")
        browser.client.cookies.set("ingam-center", kept, domain="localhost.local")
        world.clock.forward(30)
        assert (
            await browser.client.get("/registration", headers={"Cookie": f"ingam-center={kept}"})
        ).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_a_session_ends_with_the_customers_account(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        assert (await browser.get("/registration")).status_code == 200
        closed = Update("customer", {"customer_id": HONG.customer_id}, {"status": "CLOSED"})
        await world.ports.store.save(Save(rows=[closed]))
        assert (await browser.get("/registration")).status_code == 303
        assert "홍길동" not in (await browser.get("/cert-center")).text
        assert "closed" in {row["ended_by"] for row in await world.rows("session")}

    told(sqlite_url, tmp_path, story)
