"""휴대폰 SMS 인증 on a real store: what is sent, what is kept, what is counted (E1, E2, E3, E9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.registration.world import HONG, KIM, World, opened

from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.numbers import NumberTooNew
from ingam.customer.additional_auth.proof import KIND, Bound, consume, void
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.additional_auth.sms import (
    SmsBudgetSpent,
    SmsExpired,
    SmsTooMany,
    SmsTooSoon,
    SmsWrong,
)  # fmt: skip
from ingam.kernel.secret import Secret
from ingam.kernel.words import table
from ingam.ports.store import AlreadyUsed, NotIssued, Save

Story = Callable[[World], Awaitable[None]]
BOUND = Bound(HONG.customer_id, Purpose.REGISTRATION, "flow", "session")


def told(url: str, folder: Path, story: Story, **limits: int) -> None:
    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            await story(world)

    asyncio.run(go())


async def requested(world: World, purpose: Purpose = Purpose.REGISTRATION) -> Requesting:
    """A code that was asked for, saved and delivered."""
    asked = await world.sms.request(HONG, purpose, "ko")
    await world.store.save(Save(ledger=asked.ledger, outbox=asked.outbox))
    await world.deliver()
    return asked


def wrong_of(world: World, step: int = 1) -> Secret[str]:
    return Secret(f"{(int(world.phone.code) + step) % 1_000_000:06d}")


def test_the_lists_of_methods_and_purposes_are_closed() -> None:
    assert {str(one) for one in Method} == {"sms", "ars", "branch-otp"}
    for purpose in Purpose:
        assert f"notice.purpose-{purpose}" in table("ko") and f"notice.purpose-{purpose}" in table("en")


def test_E2_the_message_names_institution_and_purpose_and_ends_with_the_bound_line(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await requested(world)
        text, code = world.phone.texts[-1], world.phone.code
        assert text.startswith("[증권금융] 타기관인증서등록 인증번호 ")
        assert text.endswith(f"\n@localhost #{code}")
        assert "http" not in text and len(code) == 6

    told(sqlite_url, tmp_path, story)


def test_E2_the_code_is_kept_as_a_keyed_digest_and_a_new_one_voids_the_old(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        first = await requested(world)
        code = world.phone.code
        row = await world.store.issued(f"sms-code:{HONG.customer_id}", first.request_id)
        assert row is not None and code not in row.facts
        world.clock.forward(61)
        await requested(world, Purpose.REBIND)
        with pytest.raises(SmsExpired):
            await world.sms.verify(HONG, BOUND, first.request_id, Secret(code))

    told(sqlite_url, tmp_path, story)


def test_E1_a_right_code_gives_one_proof_that_is_used_up_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world)
        verified = await world.sms.verify(HONG, BOUND, asked.request_id, Secret(world.phone.code))
        await world.store.save(Save(ledger=verified.ledger))
        with pytest.raises(AlreadyUsed):
            await world.store.save(Save(ledger=verified.ledger[:1]))
        now = world.clock.now()
        use = await consume(world.store, verified.proof.proof_id, BOUND, now)
        await world.store.save(Save(ledger=[use]))
        with pytest.raises(AlreadyUsed):
            await world.store.save(Save(ledger=[use]))

    told(sqlite_url, tmp_path, story)


def test_E1_a_proof_lives_five_minutes_and_a_void_one_not_at_all(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world)
        verified = await world.sms.verify(HONG, BOUND, asked.request_id, Secret(world.phone.code))
        await world.store.save(Save(ledger=verified.ledger))
        now = world.clock.now()
        assert verified.proof.expires_at == now + timedelta(seconds=300)
        use = await consume(world.store, verified.proof.proof_id, BOUND, now)
        await world.store.save(Save(ledger=[void(verified.proof.proof_id, now)]))
        with pytest.raises((AlreadyUsed, NotIssued)):
            await world.store.save(Save(ledger=[use]))
        row = await world.store.issued(KIND, verified.proof.proof_id)
        assert row is not None

    told(sqlite_url, tmp_path, story)


def test_a_code_ends_after_three_minutes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world)
        world.clock.forward(180)
        with pytest.raises(SmsExpired):
            await world.sms.verify(HONG, BOUND, asked.request_id, Secret(world.phone.code))

    told(sqlite_url, tmp_path, story)


def test_a_code_is_tried_five_times_and_then_even_the_right_one_is_over(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world)
        for left in (4, 3, 2, 1):
            with pytest.raises(SmsWrong) as wrong:
                await world.sms.verify(HONG, BOUND, asked.request_id, wrong_of(world))
            assert wrong.value.facts == {"n": left}
        with pytest.raises(SmsExpired):
            await world.sms.verify(HONG, BOUND, asked.request_id, wrong_of(world))
        with pytest.raises(SmsExpired):
            await world.sms.verify(HONG, BOUND, asked.request_id, Secret(world.phone.code))

    told(sqlite_url, tmp_path, story)


def test_a_code_of_one_purpose_or_person_proves_nothing_for_another(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world, Purpose.REBIND)
        with pytest.raises(SmsExpired):
            await world.sms.verify(HONG, BOUND, asked.request_id, Secret(world.phone.code))
        with pytest.raises(SmsExpired):
            await world.sms.verify(KIM, BOUND, asked.request_id, Secret(world.phone.code))

    told(sqlite_url, tmp_path, story)


def test_E3_five_codes_a_day_for_a_purpose_and_a_minute_between_two(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for _ in range(5):
            await requested(world)
            with pytest.raises(SmsTooSoon) as soon:
                await world.sms.request(HONG, Purpose.REGISTRATION, "ko")
            assert 0 < int(soon.value.facts["s"]) <= 60
            world.clock.forward(61)
        with pytest.raises(SmsTooMany):
            await world.sms.request(HONG, Purpose.REGISTRATION, "ko")
        world.clock.forward(61)
        await requested(world, Purpose.REBIND)

    told(sqlite_url, tmp_path, story)


def test_E3_fifteen_wrong_codes_a_day_over_all_purposes_stop_the_method(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for purpose in (Purpose.REGISTRATION, Purpose.REBIND, Purpose.COPY_OUT):
            asked = await requested(world, purpose)
            bound = replace(BOUND, purpose=purpose)
            for _ in range(5):
                with pytest.raises((SmsWrong, SmsExpired, SmsBudgetSpent)):
                    await world.sms.verify(HONG, bound, asked.request_id, wrong_of(world))
            world.clock.forward(61)
        with pytest.raises(SmsBudgetSpent):
            await world.sms.request(HONG, Purpose.DEVICE_ADD, "ko")

    told(sqlite_url, tmp_path, story)


def test_E9_a_number_changed_within_three_days_gets_no_code(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        now = world.clock.now()
        with pytest.raises(NumberTooNew):
            await world.sms.request(
                replace(HONG, mobile_changed_at=now - timedelta(hours=71)), Purpose.REGISTRATION, "ko"
            )
        await world.sms.request(replace(HONG, mobile_changed_at=now - timedelta(hours=72)), Purpose.REGISTRATION, "ko")

    told(sqlite_url, tmp_path, story)


def test_ten_guesses_at_once_get_five_tries(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        asked = await requested(world)
        guesses = [world.sms.verify(HONG, BOUND, asked.request_id, wrong_of(world, step)) for step in range(1, 11)]
        found = await asyncio.gather(*guesses, return_exceptions=True)
        assert sum(isinstance(one, SmsWrong) for one in found) <= 4
        assert all(isinstance(one, SmsWrong | SmsExpired) for one in found)

    told(sqlite_url, tmp_path, story)
