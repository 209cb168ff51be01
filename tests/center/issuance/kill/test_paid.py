"""The center killed at each step of a payment, and of the issuance around it: never charged twice, never unpaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.issuance.kill.death import Killed, Reaper
from tests.center.issuance.test_fees import BOTH, charges, paying, stages, taken
from tests.center.issuance.world import World, told

from ingam.customer.payment.steps import STEPS
from ingam.ports.books import State
from ingam.sandbox.people import person

HONG = person("hong")
DEATHS = [
    ("payment.1", 1), ("payment.2", 1), ("payment.3", 2), ("issuance.28", 1), ("issuance.31", 1), ("issuance.34", 1),
    ("payment.4", 1), ("payment.5", 1),
]  # fmt: skip
MORE = [
    ("payment.2", 2),
    ("payment.3", 1),
    ("issuance.27", 1),
    ("issuance.29", 1),
    ("issuance.32", 1),
    ("issuance.31", 2),
]


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def test_every_step_has_a_walk_that_dies_there() -> None:
    owed = {f"payment.{number}" for number in range(8, 13)}  # in test_owed
    assert {step for step, _ in DEATHS if step.startswith("payment")} | {"payment.6", "payment.7"} | owed == {
        name for name, _ in STEPS
    }


@pytest.mark.parametrize(
    ("step", "nth"), [*DEATHS, *(pytest.param(*one, marks=pytest.mark.soak) for one in MORE)]
)  # fmt: skip
def test_a_center_killed_between_authorisation_and_charge_charges_once(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str, nth: int
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        reaper.at(step, nth)
        with pytest.raises(Killed):
            await one.until("issued")
            await world.deliver()
        assert reaper.rest()
        await world.restart()
        world.clock.forward(30)  # the lease of a message that was under way is over
        await one.get()
        await one.until("issued")
        await world.deliver()
        assert await world.certificates(HONG) == [State.VALID]
        assert (charges(world), [row.charges for row in taken(world)]) == (1, [1])
        assert await stages(world) == ["captured"]
        assert await world.results("payment.captured") == ["ok"]

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.parametrize(
    ("step", "nth"),
    [
        ("issuance.28", 1), ("issuance.34", 1),
        *(pytest.param(*one, marks=pytest.mark.soak) for one in [*DEATHS[:3], DEATHS[4], *MORE]),
    ],
)  # fmt: skip
def test_whoever_never_comes_back_is_charged_for_what_stands_alone(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str, nth: int
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        reaper.at(step, nth)
        with pytest.raises(Killed):
            await one.until("issued")
        reaper.rest()
        await world.restart()
        for _ in range(3):
            world.clock.forward(5400)
            await world.ca.revoking.sweep()  # what nobody has confirmed is over
            await world.deliver()
        stands = State.VALID in await world.certificates(HONG)
        assert charges(world) == int(stands)
        assert set(await stages(world)) <= ({"captured"} if stands else {"cancelled"})

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_release_that_was_not_kept_is_released_again(sqlite_url: str, tmp_path: Path, reaper: Reaper) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        one.pay((await one.tell("product", {"product": "universal", "revoke": "yes"}))["pay"])
        await one.post("cancel")
        reaper.at("payment.7")
        with pytest.raises(Killed):
            await world.deliver()
        reaper.rest()
        await world.restart()
        world.clock.forward(30)
        await world.deliver()
        assert (charges(world), await stages(world)) == (0, ["cancelled"])

    told(sqlite_url, tmp_path, story, products=BOTH)
