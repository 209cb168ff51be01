"""The center killed around the one transaction of a loan application: all of it is there or nothing, and told once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.issuance.kill.death import Killed, Reaper
from tests.center.loan.test_loan import asked, entered, sent
from tests.center.protection.person import deliver
from tests.center.world import World, told

from ingam.center.loan.steps import STEPS

KEPT = {"loan.1": 0, "loan.2": 1}
"""How many applications there are after a death at a step."""


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def test_every_numbered_step_has_a_walk_that_dies_there() -> None:
    assert set(KEPT) == {name for name, _ in STEPS}


@pytest.mark.parametrize("step", KEPT)
def test_F1_a_center_killed_while_it_receives_an_application_has_all_of_it_or_nothing(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str
) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await asked(browser)
        await deliver(world)
        reaper.at(step)
        with pytest.raises(Killed):
            await sent(browser, given)
        assert reaper.rest()
        for table in ("evidence", "loan_application"):
            assert len(await world.rows(table)) == KEPT[step]
        assert await world.results("loan.sign") == ["ok"] * KEPT[step]
        # The person presses again, and then signs once more what the page still shows.
        answer = await sent(browser, given)
        if not KEPT[step]:
            assert answer.status_code == 409 and (await world.results("loan.sign"))[-1] == "nonce-invalid"
            answer = await sent(browser, await asked(browser, number=given["number"]))
        number = given["number"].partition(".")[0]
        assert answer.status_code == 303 and answer.headers["location"] == f"/loan/{number}"
        (evidence,), (application,) = await world.rows("evidence"), await world.rows("loan_application")
        assert evidence["number"] == application["number"] == number
        texts = await deliver(world)
        assert sum("대출신청" in text for text in texts) == 1 and await deliver(world) == []

    told(sqlite_url, tmp_path, story)
