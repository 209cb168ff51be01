"""What a review of the customer side found, and what it tried in vain (docs/attacks.md)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx2
from tests.center.oidc import world as oidc
from tests.center.protection.person import Person, person
from tests.center.world import World, told


async def at_home(world: World) -> Person:
    """Somebody whose browser is a designated device."""
    one = person(world)
    await one.log_in()
    await one.designate()
    return one


# ── designation ──


def test_E8_a_device_is_not_designated_in_a_service_that_ended_meanwhile(store_url: str, tmp_path: Path) -> None:
    """Somebody else who had come as far as the last step does not outlive the owner's 해지."""

    async def story(world: World) -> None:
        owner = await at_home(world)
        other = person(world)
        await other.log_in()
        await other.to_new()
        told_ = await other.ask("/protection/offer", {"alias": "다른 기기", "key_kind": "hardware"})
        world.clock.forward(61)
        await owner.begin("cancel")
        await owner.authenticate()
        assert "해지" in await owner.post("/protection/remove")
        fields = {"alias": "다른 기기", "device_answer": other.new("hardware", told_)}
        page = await other.post("/protection/add", fields)
        assert other.status == 422 and "먼저" in page, page
        devices = await world.rows("designated_device")
        assert {row["status"] for row in devices} == {"REMOVED"}

    told(store_url, tmp_path, story)


# ── what no page of ours sends ──


def test_A6_a_nonce_with_a_zero_byte_is_no_nonce(store_url: str, tmp_path: Path) -> None:
    """PostgreSQL takes no such text: whoever sent it met a defect of ours, and an entry in the log."""

    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        answer = json.dumps({"nonce": "a\0b", "webauthn": {}})
        found = await browser.send("/login/passkey", {"device_answer": answer})
        assert found.status_code == 409

    told(store_url, tmp_path, story)


def test_E12_a_keypad_with_a_zero_byte_is_no_keypad(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        fields = {"banking_id": "abcdef", "keypad": "a\0b", "password_sealed": "AAAA"}
        found = await browser.send("/login/id", fields)
        assert found.status_code == 409

    told(store_url, tmp_path, story)


def test_F12_requests_that_no_client_sends_are_refused_and_no_defect(sqlite_url: str, tmp_path: Path) -> None:
    async def story(provider: oidc.Provider) -> None:
        browser = provider.world.browser()
        await browser.log_in()
        crowd = await browser.get(oidc.authorize() + "&a=1" * 60)
        assert crowd.status_code == 422 and "location" not in crowd.headers
        async with httpx2.AsyncClient(transport=provider.transport(), base_url=provider.world.origin) as client:
            for given in (b"\xe9", base64.b64encode(b"\xff:x")):
                fields, told_by = {"grant_type": "authorization_code"}, {b"Authorization": b"Basic " + given}
                found = await client.post("/oidc/token", data=fields, headers=told_by)
                assert (found.status_code, found.json()) == (401, {"error": "invalid_client"})

    oidc.told(sqlite_url, tmp_path, story)
