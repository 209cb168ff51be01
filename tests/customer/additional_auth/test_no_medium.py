"""보안매체 미소지고객 인증: one message and one counter for both fields (E9)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.center.registration.world import FIRM, HONG, KIM, World, opened

from ingam.customer.additional_auth.no_medium import (
    NoMediumLocked,
    NoMediumMismatch,
    masked_mobile,
    masked_number,
    shown,
)  # fmt: skip
from ingam.customer.person import number_named
from ingam.kernel.secret import Secret
from ingam.ports.customers import CustomerKind
from ingam.ports.store import Save

RIGHT = (Secret("2123456"), Secret("1234"))


def test_the_screen_shows_only_what_is_not_asked_for() -> None:
    parts = shown(HONG)
    assert (parts.number_front, parts.number_missing, parts.phone_front) == ("751005", 7, "010-8513")
    assert masked_number(HONG) == "751005-2******"
    assert masked_mobile(HONG) == "010-8513-****"
    assert masked_number(FIRM) == "12985-*****" and shown(FIRM).number_missing == 5
    assert "751005" not in repr(parts)


@pytest.mark.parametrize("wrong", [("2123457", "1234"), ("2123456", "1235"), ("0000000", "0000"), ("", "")])
def test_E9_whichever_field_is_wrong_the_message_and_the_counter_are_the_same(
    sqlite_url: str, tmp_path: Path, wrong: tuple[str, str]
) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            for hit in (1, 2, 3, 4):
                with pytest.raises(NoMediumMismatch) as refused:
                    await world.no_medium.check(HONG, Secret(wrong[0]), Secret(wrong[1]))
                assert refused.value.facts == {"n": hit, "max": 5, "named": number_named(HONG.idn)}
            with pytest.raises(NoMediumLocked):
                await world.no_medium.check(HONG, Secret(wrong[0]), Secret(wrong[1]))
            with pytest.raises(NoMediumLocked):
                await world.no_medium.check(HONG, *RIGHT)

    asyncio.run(go())


def test_E9_both_right_gives_the_counter_to_reset(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with pytest.raises(NoMediumMismatch):
            await world.no_medium.check(HONG, Secret("0000000"), Secret("0000"))
        key = await world.no_medium.check(HONG, *RIGHT)
        await world.store.save(Save(resets=[key]))
        assert await world.store.counted(key, 86400, world.clock.now()) == 0

    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            await story(world)

    asyncio.run(go())


def test_E9_one_heads_right_answer_forgives_no_guesses_at_anothers(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            second = replace(HONG, kind=CustomerKind.UNION_HEAD, slot=2)
            first = replace(second, idn=KIM.idn, mobile=KIM.mobile, slot=1)
            for n in (1, 2, 3, 4):
                with pytest.raises(NoMediumMismatch) as wrong:
                    await world.no_medium.check(first, Secret("0000000"), Secret("0000"))
                assert wrong.value.facts["n"] == n
                await world.store.save(Save(resets=[await world.no_medium.check(second, *RIGHT)]))
            with pytest.raises(NoMediumLocked):
                await world.no_medium.check(first, Secret("0000000"), Secret("0000"))

    asyncio.run(go())
