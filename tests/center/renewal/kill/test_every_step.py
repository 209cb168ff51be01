"""The center killed at each numbered step of a renewal: a true state, one certificate, one registration, one fee."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ca.world import only_certificate
from tests.center.issuance.kill.death import Killed, Reaper
from tests.center.issuance.test_fees import BOTH, charges, stages, taken
from tests.center.issuance.world import World, told
from tests.center.renewal.test_renewal import ONE, Renewal, begun

from ingam.center.renewal.steps import STEPS
from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp.message import UnverifiedMessage

DEATHS = [
    ("renewal.1", 1), ("renewal.2", 1), ("renewal.3", 1), ("renewal.4", 1), ("renewal.5", 1), ("renewal.6", 1),
    ("renewal.7", 1), ("renewal.8", 1), ("renewal.5", 2), ("renewal.6", 2), ("renewal.9", 1), ("renewal.10", 1),
    ("renewal.12", 1),
]  # fmt: skip
LATE = ["renewal.6", "renewal.9", "renewal.10", "renewal.11"]
QUICK = {("renewal.4", 1), ("renewal.6", 1), ("renewal.7", 1), ("renewal.9", 1), "renewal.11"}
"""What `make test` walks; the rest is walked in `make soak`."""


def soaked(one: object, *values: object) -> object:
    """A death for parametrize."""
    return pytest.param(*values, marks=() if one in QUICK else pytest.mark.soak)


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def test_every_numbered_step_has_a_walk_that_dies_there() -> None:
    assert {step for step, _ in DEATHS} | set(LATE) == {name for name, _ in STEPS}


class Vault:
    """A vault that has kept what it made, and says it again as it was."""

    def __init__(self, at: Renewal) -> None:
        self.at, self.kur, self.certconf = at, at.kur(), b""
        self.kup: UnverifiedMessage | None = None

    async def on(self) -> None:
        """From wherever the run stands to its end."""
        await self.at.page()
        state = await self.at.run() if await self.at.world.rows("flow", machine="renewal") else ""
        if state in ("", "Agreeing"):
            await self.at.key()
            if "pay" in (told_ := (await self.at.agree())[1]):
                self.at.phone.pay(told_["pay"])
                await self.at.agree()
        self.kup = self.kup or await self.at.carry(self.kur)
        self.certconf = self.certconf or self.at.confirming(self.kup)
        await self.at.carry(self.certconf)


async def true_end(world: World, at: Renewal, vault: Vault) -> None:
    """One certificate came of it all: it stands, is registered, is told of and paid for once."""
    assert vault.kup is not None
    new = certificate.parse(only_certificate(vault.kup))
    await world.deliver()
    assert (at.state(at.old.certificate), at.state(new)) == (State.REVOKED, State.VALID)
    assert len(await world.certificates(ONE)) == 2
    assert (await at.active(), await at.run()) == ([new.fingerprint.hex()], "Renewed")
    assert await world.results("renewal.renewed") == ["ok"]
    assert len([text for text in world.texts(ONE) if "갱신되어" in text]) == 1
    assert ([row.charges for row in taken(world)], await stages(world)) == ([1], ["captured"])
    assert charges(world) == 1


@pytest.mark.parametrize(("step", "nth"), [soaked(one, *one) for one in DEATHS])
def test_a_center_killed_at_a_step_goes_on_from_a_true_state_to_one_renewal(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str, nth: int
) -> None:
    async def story(world: World) -> None:
        at = await begun(world, profile="universal")
        vault = Vault(at)
        reaper.at(step, nth)
        with pytest.raises(Killed):
            await vault.on()
        assert reaper.rest()
        await world.restart()
        world.clock.forward(30)  # the lease of a message that was under way is over
        await vault.on()
        await true_end(world, at, vault)

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.parametrize("step", [soaked(one, one) for one in LATE])
def test_whoever_never_comes_back_after_the_confirmation_is_renewed_by_the_authoritys_word(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str
) -> None:
    async def story(world: World) -> None:
        at = await begun(world, profile="universal")
        vault = Vault(at)
        reaper.at("renewal.6" if step == "renewal.11" else step, 2 if step in ("renewal.6", "renewal.11") else 1)
        with pytest.raises(Killed):
            await vault.on()
        reaper.rest()
        await world.restart()
        world.clock.forward(2 * 3600)
        if step == "renewal.11":
            reaper.at(step)
            with pytest.raises(Killed):
                await world.deliver()
            assert reaper.rest()
            await world.restart()
            world.clock.forward(30)
        await true_end(world, at, vault)

    told(sqlite_url, tmp_path, story, products=BOTH)
