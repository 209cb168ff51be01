"""The whole route of 신규공동인증서신청 by HTTP, from the ID login to a login with the new certificate."""

from __future__ import annotations

from pathlib import Path

from tests.center.issuance.phone import WALK
from tests.center.issuance.world import World, told

from ingam.ports.books import State
from ingam.sandbox.people import person

HONG = person("hong")


def test_the_whole_route_ends_in_a_certificate_that_logs_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = world.phone(HONG)
        await one.log_in()
        await one.get()
        seen = [one.screen]
        while one.screen != "issued":
            await one.on()
            seen.append(one.screen)
        assert seen == [screen for screen in WALK if screen != "delivered"]
        assert await world.certificates(HONG) == [State.VALID]
        other = world.phone(HONG)
        other.vault = one.vault
        answer = await other.log_in_with(one.party)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == "/mybank"

    told(sqlite_url, tmp_path, story)
