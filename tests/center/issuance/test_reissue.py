"""재발급: the walk of a new certificate, for one that stands; it keeps its end date and the old one is revoked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.center.issuance.phone import HERE, Phone
from tests.center.issuance.test_walk import bound, logs_in
from tests.center.issuance.world import World, told

from ingam.kernel.words import say
from ingam.npki.certificate import Certificate
from ingam.ports.books import State
from ingam.sandbox.people import person

HONG = person("hong")
AGAIN = "/issuance/reissue"


async def at_reissue(world: World, key: int = 3) -> Phone:
    one = world.phone(HONG, key)
    await one.log_in()
    one.base = AGAIN
    await one.get()
    return one


async def held_before(world: World) -> Certificate:
    """Another broker's certificate of our authority, some days ago."""
    old = (await world.holds(HONG, 4)).certificate
    world.clock.forward(timedelta(days=40).total_seconds())
    return old


def test_a_reissue_keeps_the_end_date_and_ends_the_old_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        old = await held_before(world)
        one = await at_reissue(world)
        assert f"{old.serial:x}" in one.page and say("reissue.ending_1") in one.page
        await one.until("product")
        assert say("reissue.title") in one.page
        await one.until("issued")
        new = one.vault.certificate
        assert (new.not_after, new.policy_oid) == (old.not_after, old.policy_oid)
        assert new.spki != old.spki
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        assert await bound(world, HONG) == [new.fingerprint.hex()]
        assert await world.results("issuance.begin-reissue") == ["ok"]
        assert await world.results("issuance.reissued") == ["ok"] and await world.results("issuance.issued") == []
        await world.deliver()
        assert [one.subject for one in world.mails(HONG)] == [say("notice.reissued-subject", institution="증권금융")]
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


def test_without_one_that_stands_the_page_says_why_and_nothing_begins(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_reissue(world)
        assert say("reissue.none") in one.page and f'href="{HERE}"' in one.page
        assert one.screen == "other"
        await one.enter()
        assert await world.rows("flow", machine="issuance") == []

    told(sqlite_url, tmp_path, story)


def test_with_the_authority_away_it_is_not_said_that_there_is_none(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await held_before(world)
        world.wire.away = True
        one = await at_reissue(world)
        assert say("reissue.task_unknown") in one.page
        await one.enter()
        assert one.status == 503
        assert await world.rows("flow", machine="issuance") == []

    told(sqlite_url, tmp_path, story)


def test_a_run_of_the_other_kind_is_shown_at_its_own_address(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await held_before(world)
        one = await at_reissue(world)
        await one.enter()
        answer = await one.client.get(HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, AGAIN)
        await one.log_in()  # another session of the same browser
        answer = await one.client.get(HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, AGAIN)
        await one.get()
        await one.enter()
        assert one.screen == "consents" and say("reissue.title") in one.page

    told(sqlite_url, tmp_path, story)
