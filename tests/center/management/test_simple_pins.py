"""What 폐지 and 효력정지 by the holder make of 간편비밀번호 (B8, decision 0022)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.management.manager import Authority, Manager, manager
from tests.center.management.test_issued import begin, holder, paper
from tests.center.pin.test_pin import Vault, vault
from tests.center.world import KIM, World, told

from ingam.kernel.words import say


async def gone(one: Vault) -> bool:
    return (await one.attempt())[1].get("code") == "pin-gone"


async def proved(one: Manager) -> str:
    """The last press, and what stood above it."""
    page = await one.prove()
    await one.finish()
    return page


def test_B8_whoever_revokes_because_a_key_was_lost_or_leaked_has_no_pin_left_and_is_told(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority())
        here, phone, kim = await vault(world), await vault(world), await vault(world, KIM)
        world.clock.forward(61)
        await one.log_in()
        await one.begin_task("revocation", reason="key")
        assert say("life.last_revocation_key") in await proved(one)
        assert [row["handle"] for row in await world.rows("pin_key")] == [kim.handle]
        assert await gone(here) and await gone(phone)
        (said,) = [text for text in await one.heard() if "유출·분실로 폐지" in text]
        assert "다시 설정" in said

    told(store_url, tmp_path, story)


def test_B8_one_that_is_not_registered_here_may_lie_in_the_lost_device_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, _ = await holder(world)
        here = await vault(world)
        world.clock.forward(61)
        await one.log_in()
        await begin(one, paper(world).fingerprint)
        await proved(one)
        assert await gone(here)
        assert [text for text in await one.heard() if "유출·분실로 폐지" in text]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("reason", ["facts", "unused"])
def test_B8_for_another_reason_nothing_was_lost_and_pins_stand(sqlite_url: str, tmp_path: Path, reason: str) -> None:
    """Which record has which certificate is not told: those of the person's other certificates would go as well."""

    async def story(world: World) -> None:
        one = await manager(world, Authority())
        here = await vault(world)
        world.clock.forward(61)
        await one.log_in()
        await one.begin_task("revocation", reason=reason)
        assert say("life.last_revocation_key") not in await proved(one)
        assert await one.statuses() == ["STALE"] and not await gone(here)

    told(sqlite_url, tmp_path, story)


def test_B8_a_suspension_takes_nothing_that_resuming_does_not_give_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority())
        here = await vault(world)
        await one.begin_task("suspension")
        await one.finish()
        assert await one.statuses() == ["SUSPENDED"] and not await gone(here)

    told(sqlite_url, tmp_path, story)


def test_B8_without_any_pin_nothing_is_said_of_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority())
        await one.begin_task("revocation", reason="key")
        await proved(one)
        assert await one.statuses() == ["STALE"]
        assert not [text for text in await one.heard() if "간편비밀번호" in text]

    told(sqlite_url, tmp_path, story)
