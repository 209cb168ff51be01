"""The core bank gives a union's place to somebody else: what the former head registered is not the next one's to stop
or to resume at the authority (E11, A17)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.incident.test_incident import Authority, report, work
from tests.center.management.test_heads import NEXT, account, given_to_next, states, union
from tests.center.protection.person import Person
from tests.center.registration.test_heads import SECOND, SECOND_CERT, UNION, as_customer
from tests.center.world import World, told

from ingam.customer.binding.bindings import Bindings, BindingSuspended


async def stopped_and_given_to_next(world: World, authority: Authority) -> None:
    """The second head has reported a loss, and is one no more."""
    await union(world)
    await report(world.browser(), UNION, idn=SECOND.idn.reveal())
    await work(world, authority)
    assert authority.asked == [(SECOND_CERT.certificate.serial, 6)]
    await given_to_next(world)


def test_E11_the_next_head_does_not_resume_the_lost_certificate_of_the_one_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        await stopped_and_given_to_next(world, authority)
        one = Person(world, world.browser(), who=as_customer(NEXT))
        assert (await one.browser.log_in(UNION)).status_code == 303
        page = await one.look("/incident/resume")
        assert "최*음" not in page
        await one.post("/incident/resume/begin", {"slot": "2"})
        assert await world.results("incident.begin") == ["incident-nothing-suspended"]
        assert await states(world) == ["1 ACTIVE", "2 SUSPENDED"]
        assert authority.asked == [(SECOND_CERT.certificate.serial, 6)]

    told(sqlite_url, tmp_path, story, heads=2)


def test_E11_a_report_of_the_next_head_stops_nothing_of_the_one_before(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        await union(world)
        await given_to_next(world)
        await report(world.browser(), UNION, idn=NEXT.idn.reveal())
        texts = await work(world, authority)
        assert await states(world) == ["1 ACTIVE", "2 ACTIVE"] and authority.asked == []
        assert await world.results("incident.suspend") == ["nothing"]
        assert len(texts) == 1  # there was nothing to stop

    told(sqlite_url, tmp_path, story, heads=2)


def test_E11_a_report_of_the_next_head_does_not_say_that_theirs_is_stopped_already(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        await stopped_and_given_to_next(world, authority)
        await report(world.browser(), UNION, idn=NEXT.idn.reveal())
        await work(world, authority)
        assert await world.results("incident.suspend") == ["ok", "nothing"]

    told(sqlite_url, tmp_path, story, heads=2)


def test_E11_what_the_former_head_reported_keeps_the_next_one_from_nothing(sqlite_url: str, tmp_path: Path) -> None:
    """Who may not resume it is not told to."""

    async def story(world: World) -> None:
        await union(world)
        await report(world.browser(), UNION, idn=SECOND.idn.reveal())
        await work(world, Authority())
        bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        second = (await account(world)).as_head(2)
        assert second is not None
        with pytest.raises(BindingSuspended):
            await bindings.refuse_suspended(second)
        await given_to_next(world)
        after = (await account(world)).as_head(2)
        assert after is not None
        await bindings.refuse_suspended(after)

    told(sqlite_url, tmp_path, story, heads=2)
