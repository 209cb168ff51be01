"""What a review of the customer side found, and what it tried in vain (docs/attacks.md)."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from tests.center.oidc import world as oidc
from tests.center.protection.person import Person, person
from tests.center.registration.world import HONG, opened
from tests.center.world import World, told
from tests.customer.additional_auth.test_service import RIGHT, bound, service
from tests.ports.telephones import CALL

from ingam.adapters.ars.http import HttpArs
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.additional_auth.service import DeviceNotExempt
from ingam.customer.availability import Off
from ingam.customer.session import Level, Session
from ingam.kernel.secret import Secret
from ingam.ports.ars import CallState
from ingam.ports.store import Save


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


def test_E8_a_designated_device_exempts_from_nothing_while_the_service_is_switched_off(
    sqlite_url: str, tmp_path: Path
) -> None:
    """An officer who stops it because its keys are not to be trusted stops the exemption as well."""

    async def story() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            off = {"devices": Off("점검", "maintenance")}
            auth, wanted = service(world, ways=Switches(off)), bound()
            now = world.clock.now()
            session = Session("session", Level.ID, HONG.customer_id, "", "mark", now, now, now)
            signed = {"device_answer": f"signed {wanted.purpose} {wanted.session}"}
            assert not await auth.exempt(HONG, session, Purpose.REGISTRATION)
            with pytest.raises(DeviceNotExempt):
                await auth.device_challenge(HONG, session, "203.0.113.9", Purpose.REGISTRATION)
            with pytest.raises(DeviceNotExempt):
                await auth.by_device(HONG, wanted, signed, RIGHT)
            off.clear()
            assert await auth.exempt(HONG, session, Purpose.REGISTRATION)
            assert (await auth.by_device(HONG, wanted, signed, RIGHT)).proof.proof_id
            await world.calls.aclose()

    asyncio.run(story())


class Switches:
    """What is off, by name."""

    def __init__(self, off: dict[str, Off]) -> None:
        self._off = off

    async def way(self, name: str, /) -> Off | None:
        return self._off.get(str(name))


def test_F5_a_signature_to_remove_one_device_removes_no_other_of_the_same_name(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await at_home(world)
        two = await at_home(world)
        rows = sorted(await world.rows("designated_device"), key=lambda row: int(str(row["slot"])))
        await two.begin("remove-device", str(rows[0]["device_id"]))
        removal = await two.sign("device")
        await two.begin("remove-device", str(rows[1]["device_id"]))
        await two.post("/protection/remove", removal)
        assert two.status == 409
        assert {row["status"] for row in await world.rows("designated_device")} == {"ACTIVE"}

    told(sqlite_url, tmp_path, story)


# ── calls ──


def test_E4_keys_of_a_call_that_was_never_answered_count_for_nothing() -> None:
    record = {"id": CALL.call_id, "to": CALL.to, "state": "failed", "keyed": CALL.code.reveal()}

    async def walk() -> list[CallState]:
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=record))
        async with HttpArs("http://localhost:1/ars", key=Secret("k"), caller_id="15440000", transport=transport) as one:
            return [state async for state in one.place(CALL)]

    assert asyncio.run(walk())[-1] is CallState.FAILED
    record["state"] = "ended"  # answered, and put down after both digits
    assert asyncio.run(walk())[-1] is CallState.APPROVED


def test_E4_of_two_calls_asked_for_at_one_moment_one_rings(store_url: str, tmp_path: Path) -> None:
    """Two telephones that ask for digits at once: whoever answers cannot tell which screen is theirs."""

    async def story() -> None:
        async with opened(store_url, tmp_path) as world:
            auth, sides = service(world), (bound(), replace(bound(), flow_id="other", session="other"))

            async def call(wanted: Bound) -> None:
                made = await auth.request(HONG, wanted, Method.ARS, None, "ko")
                await asyncio.sleep(0.05)
                await world.store.save(Save(ledger=made.ledger, outbox=made.outbox, rows=made.rows))

            found = await asyncio.gather(*(call(one) for one in sides), return_exceptions=True)
            assert sorted(type(one).__name__ for one in found) == ["ArsUnderWay", "NoneType"]
            await world.calls.aclose()

    asyncio.run(story())


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


def test_F4_the_ledger_has_no_hash_that_a_password_could_be_guessed_by(sqlite_url: str, tmp_path: Path) -> None:
    """A body holds ID, password and the CSRF token, which lies in the store: a bare hash of it is no Argon2id."""

    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login")
        typed = {"csrf": browser.csrf, "banking_id": "abcdef", "password": "guess-me-1"}
        await browser.send("/login/id", typed, Idempotency_Key="0123456789abcdef")
        facts = [row["facts"] for row in await world.rows("ledger_issued") if str(row["kind"]).startswith("once:")]
        body = str(httpx2.QueryParams(typed))
        assert len(facts) == 1 and sha256(body.encode()).hexdigest() not in str(facts[0])

    told(sqlite_url, tmp_path, story)


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
