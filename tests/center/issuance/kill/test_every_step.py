"""The center killed at each numbered step, and its authority at each of its own: a true state, and one certificate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.center.issuance.kill.death import Killed, Reaper, mortal
from tests.center.issuance.phone import WALK, Phone, Refused
from tests.center.issuance.test_attacks import flow
from tests.center.issuance.test_walk import begun, bound, logs_in
from tests.center.issuance.world import World, told

from ingam.center.issuance.steps import STEPS
from ingam.ports.books import State
from ingam.sandbox.people import person

HONG, KIM = person("hong"), person("kim")


@dataclass(frozen=True)
class Death:
    """The `nth` time at a step, and the screen on which the person then is."""

    step: int
    screen: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.step}-{self.screen}-{self.nth}"


DEATHS = [
    Death(1, "password"), Death(2, "consents"), Death(3, "consents"), Death(4, "consents"), Death(5, "identity"),
    Death(6, "identity"), Death(7, "identity"), Death(8, "otp"), Death(9, "otp"), Death(10, "otp"), Death(11, "card"),
    Death(12, "card"), Death(13, "card"), Death(14, "card"), Death(15, "account"), Death(16, "account"),
    Death(17, "account"), Death(18, "account"), Death(19, "onewon"), Death(20, "onewon"), Death(21, "onewon"),
    Death(22, "details"), Death(23, "details"), Death(24, "key"), Death(25, "key"), Death(26, "product"),
    Death(27, "product"), Death(28, "product"), Death(29, "requested"), Death(30, "requested"),
    Death(31, "requested"), Death(32, "requested"), Death(33, "delivered"), Death(30, "delivered", 2),
    Death(31, "delivered", 2), Death(34, "delivered"), Death(33, "issued", 2),
]  # fmt: skip

ONCE = ("consent", "identity_proof", "contact", "binding")
AT: dict[str, Counter[str]] = {}
_FOUND: Counter[str] = Counter()
for _screen in WALK:
    _FOUND += {"identity": Counter(consent=6), "otp": Counter(consent=1), "card": Counter(identity_proof=1),
               "account": Counter(consent=1), "onewon": Counter(consent=1), "key": Counter(contact=1),
               "issued": Counter(binding=1)}.get(_screen, Counter())  # fmt: skip
    AT[_screen] = Counter(_FOUND)
"""What a screen's state stands on: all of it or nothing."""


async def rows(world: World) -> Counter[str]:
    return +Counter({table: len(await world.rows(table)) for table in ONCE})


async def true_state(world: World, one: Phone) -> None:
    """No half-stored rows: what is there is what this screen's state stands on."""
    assert await rows(world) == AT[one.screen]
    pictures = await world.rows("id_card_image")
    assert len(pictures) == (WALK.index(one.screen) > WALK.index("card")) or one.screen == "card"
    digits = [row for row in await world.rows("ledger_issued") if str(row["kind"]).startswith("onewon:")]
    assert len(digits) == (WALK.index(one.screen) > WALK.index("account"))
    mails = [row for row in await world.rows("outbox") if row["kind"] == "email"]
    assert len(mails) == (one.screen == "issued")


async def dies(world: World, one: Phone, reaper: Reaper, death: Death) -> None:
    """Walks until the center dies at the step, and nowhere else."""
    reaper.at(f"issuance.{death.step}", death.nth)
    with pytest.raises(Killed):
        for _ in range(30):
            await one.on()
            await one.get()
    assert reaper.rest()


async def ends_well(world: World, one: Phone) -> None:
    """Exactly one certificate, bound, told of once, and it logs in; the other broker's is revoked."""
    await one.until("issued")
    assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
    assert await bound(world, HONG) == [one.vault.certificate.fingerprint.hex()]
    assert await world.results("issuance.issued") == ["ok"]
    assert +Counter(await rows(world)) == AT["issued"]
    await world.deliver()
    assert len(world.mails(HONG)) == 1
    await logs_in(world, one)


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def test_every_numbered_step_has_a_walk_that_dies_there() -> None:
    walked = {f"issuance.{death.step}" for death in DEATHS} | {"issuance.35"}
    assert walked == {name for name, _ in STEPS}


@pytest.mark.parametrize("death", DEATHS, ids=str)
def test_a_center_killed_at_a_step_goes_on_from_a_true_state_to_one_certificate(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, death: Death
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG)
        await dies(world, one, reaper, death)
        await world.restart()
        await one.get()
        assert one.screen == death.screen
        await true_state(world, one)
        await ends_well(world, one)

    told(sqlite_url, tmp_path, story)


@pytest.mark.soak
@pytest.mark.parametrize("death", [death for death in DEATHS if death.step in (2, 8, 12, 18, 19, 24, 28, 31, 33, 34)],
                         ids=str)  # fmt: skip
def test_F10_whoever_comes_back_with_another_session_goes_on_as_well(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, death: Death
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG)
        await dies(world, one, reaper, death)
        await world.restart()
        world.clock.forward(420)
        await one.log_in()
        await one.get()
        if death.screen != "issued":
            assert one.screen == "password"
            await one.enter()
        # a code of the agency lives three minutes
        assert one.screen == ("identity" if death.screen == "otp" else death.screen)
        if death.screen == "otp":
            await one.ask_code()
            await one.until("issued")
            return
        await ends_well(world, one)

    told(sqlite_url, tmp_path, story)


def test_a_refusal_that_died_before_it_was_recorded_is_counted_all_the_same(
    sqlite_url: str, tmp_path: Path, reaper: Reaper
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "consents")
        before = dict(await flow(world))
        reaper.at("issuance.35")
        with pytest.raises(Killed):
            await one.name(idn=KIM.idn)
        reaper.rest()
        await world.restart()
        assert dict(await flow(world)) == before
        assert await world.results("issuance.name") == []
        await one.get()
        for _ in range(4):
            await one.name(idn=KIM.idn)
            assert one.screen == "consents"
        await one.name()
        assert one.screen == "refused"  # five guesses, of which one was never recorded

    told(sqlite_url, tmp_path, story)


AUTHORITY = [*(f"issuing.{number}" for number in range(1, 8)), "confirming.1", "confirming.2"]


@pytest.mark.parametrize("step", AUTHORITY)
def test_an_authority_killed_at_its_step_is_asked_again_and_issues_one(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG, "requested")
        wire = mortal(world)
        await world.restart()  # the center finds its new line
        await one.get()
        reaper.at(step)
        died = 0
        for _ in range(4):
            try:
                await one.fetch()
                break
            except Refused as refused:
                assert (refused.status, refused.code) == (503, "certification-outage")
                died += 1
            await one.get()
        assert reaper.rest() and (died, wire.deaths) == (1, 1)
        await one.get()
        assert one.screen == "issued"
        await ends_well(world, one)

    told(sqlite_url, tmp_path, story)


@pytest.mark.soak
@pytest.mark.parametrize("death", [death for death in DEATHS if death.step >= 27], ids=str)
def test_center_and_authority_gone_together(sqlite_url: str, tmp_path: Path, reaper: Reaper, death: Death) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG)
        await dies(world, one, reaper, death)
        await world.restart_authority()
        await world.restart()
        await one.get()
        assert one.screen == death.screen
        await ends_well(world, one)

    told(sqlite_url, tmp_path, story)
