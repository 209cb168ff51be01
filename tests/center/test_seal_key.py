"""The key that R is sealed to: in memory, replaced daily, the one before kept while a challenge can live (A15)."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2
import pytest
from starlette.applications import Starlette

from ingam.center import seal_key
from ingam.center.seal_key import SealKeys
from ingam.kernel.secret import Secret
from ingam.protocols.challenge import Challenge, Purpose, SealUnreadable, seal

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHALLENGE = Challenge(Purpose.REGISTRATION, "http://localhost:8700", "ab" * 32, NOW, NOW, "cd" * 32, None)


class Clock:
    at = NOW

    def now(self) -> datetime:
        return self.at


def test_A15_the_key_changes_daily_and_the_one_before_opens_for_one_nonce_more() -> None:
    clock = Clock()
    keys = SealKeys(clock, 180)
    first = keys.current
    blob = seal(first.public, Secret(b"R"), CHALLENGE, b"certificate")
    clock.at = NOW + timedelta(hours=23, minutes=59)
    assert keys.current is first
    clock.at = NOW + timedelta(days=1)
    assert keys.current is not first
    assert keys.open(blob, CHALLENGE, b"certificate").reveal() == b"R"
    clock.at = NOW + timedelta(days=1, seconds=181)
    with pytest.raises(SealUnreadable):
        keys.open(blob, CHALLENGE, b"certificate")


def test_A15_bytes_that_name_no_key_do_not_open() -> None:
    keys = SealKeys(Clock(), 180)
    for blob in (b"", b"\xff" * 200, b"0" * 200):
        with pytest.raises(SealUnreadable):
            keys.open(blob, CHALLENGE, b"certificate")


def test_A15_the_vault_fetches_it_from_the_centers_address_and_nobody_else_may_read_it() -> None:
    keys = SealKeys(Clock(), 180)
    app = Starlette(routes=list(seal_key.routes(keys, "http://localhost:8701")))

    async def go() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8700") as client:
            return await client.get("/seal-key", headers={"Origin": "http://localhost:8701"})

    answer = asyncio.run(go())
    assert answer.headers["access-control-allow-origin"] == "http://localhost:8701"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    public = base64.b64decode(told["public"])
    assert len(public) == 65 and told["key_id"] == sha256(public).hexdigest()[:16] == keys.current.key_id
