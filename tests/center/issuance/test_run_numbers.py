"""A run's number never comes back: a month after it the run is tidied away, and what is kept by its number is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.center.issuance.phone import Phone
from tests.center.issuance.test_fees import paying, stages
from tests.center.issuance.test_owed import FORM, HERE, lapse, press, run
from tests.center.issuance.world import World, told

from ingam.run import tidy
from ingam.sandbox.people import person

HONG = person("hong")
DAY_S = 86_400


async def later(world: World, days: int) -> None:
    """So many days pass, and what is over is tidied away."""
    world.clock.forward(days * DAY_S)
    await tidy.once(world.ports.store, world.clock.now(), world.settings.limits)


async def issued(world: World) -> list[Any]:
    """홍길동 was issued a certificate 40 days ago: the pictures that are kept as evidence of it."""
    one = world.phone(HONG)
    await one.log_in()
    await one.until("issued")
    await later(world, 40)
    assert await world.rows("flow", machine="issuance") == []
    kept = [row["image_id"] for row in await world.rows("id_card_image")]
    assert len(kept) == 1
    return kept


async def again(world: World) -> Phone:
    two = world.phone(HONG, 4)
    await two.log_in()
    return two


def test_H8_a_run_needs_a_picture_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await issued(world)
        two = await again(world)
        await two.until("card")
        await two.card()  # nothing was photographed in this run
        assert two.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_H8_the_evidence_of_an_earlier_certificate_stays_beside_the_next_ones(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kept = await issued(world)
        two = await again(world)
        await two.until("card")
        await two.shoot()
        assert len(await world.rows("id_card_image")) == 2
        await two.send("/issuance/new/cancel", two.turn)
        assert [row["image_id"] for row in await world.rows("id_card_image")] == kept

    told(sqlite_url, tmp_path, story)


def test_H8_a_run_that_is_begun_and_left_deletes_no_evidence_of_a_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kept = await issued(world)
        two = await again(world)  # whoever knows ID and password
        await two.get()
        await two.enter()
        await two.get()
        await two.send("/issuance/new/cancel", two.turn)
        assert [row["image_id"] for row in await world.rows("id_card_image")] == kept

    told(sqlite_url, tmp_path, story)


def test_a_fee_of_this_year_is_paid_anew_whatever_was_paid_the_year_before(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await paying(world, "issued")
        await world.deliver()
        assert await stages(world) == ["captured"]
        await later(world, 340)
        one = await paying(world, "issued", key=4)
        lapse(world)
        await world.deliver()
        assert await stages(world) == ["captured", "unpaid"]
        world.clock.forward(60)
        await one.log_in()
        one.pay(await press(one))
        assert FORM not in await one.get(HERE)
        assert await stages(world) == ["captured", "replaced", "captured"]

    run(sqlite_url, tmp_path, story)
