"""The fee of a union's further head is theirs: what is owed is told to them and stands on their own page."""

from __future__ import annotations

from pathlib import Path

from tests.center.heads.test_issuance import KIM, LEE, known, union
from tests.center.issuance.test_fees import stages
from tests.center.issuance.test_owed import HERE, OWED, lapse, run
from tests.center.issuance.world import World


def test_what_a_further_head_owes_is_told_to_them_and_shown_to_them_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = await known(world)
        second.product = "universal"
        await second.until("issued")
        lapse(world)
        await world.deliver()
        assert await stages(world) == ["unpaid"]
        assert [sum("수수료 4,400원" in text for text in world.texts(who)) for who in (LEE, KIM)] == [0, 1]
        assert OWED in await second.get(HERE) and "#owed" in await second.get("/management")
        first = world.phone(LEE)
        await first.log_in()
        assert OWED not in await first.get(HERE) and "#owed" not in await first.get("/management")

    run(sqlite_url, tmp_path, story)
