"""OTP tokens in our own tables: each code is good once, and the key lies sealed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.center.registration.world import HONG, KIM, opened

from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.otp.tables import Kind, TableOtp
from ingam.kernel.secret import Secret
from ingam.ports.store import Save, Stale
from ingam.protocols import oath

KEY = Secret(b"12345678901234567890")


@pytest.mark.parametrize("kind", list(Kind))
def test_a_code_is_good_once_and_another_person_s_is_none(sqlite_url: str, tmp_path: Path, kind: Kind) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            tokens = TableOtp(world.store, world.clock, CustomerFields(world.store, world.keys.fields))
            await tokens.enrol(HONG.customer_id, kind, KEY)
            assert await tokens.holds(HONG.customer_id) and not await tokens.holds(KIM.customer_id)
            code = oath.hotp(KEY, oath.step_of(world.clock.now()) if kind is Kind.TOTP else 2)
            first, second = [await tokens.verify(HONG.customer_id, code) for _ in range(2)]
            assert first is not None and second is not None
            assert await tokens.verify(KIM.customer_id, code) is None
            await world.store.save(Save(rows=first.rows))
            with pytest.raises(Stale):
                await world.store.save(Save(rows=second.rows))
            assert await tokens.verify(HONG.customer_id, code) is None
            (row,) = await world.store.many("otp_token", {})
            assert KEY.reveal() not in bytes(row["key"])  # type: ignore[arg-type]

    asyncio.run(go())
