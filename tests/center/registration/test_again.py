"""A certificate that was reissued elsewhere: registered again by a short path (security A17)."""

from __future__ import annotations

from pathlib import Path

from tests.center.management.manager import manager
from tests.center.world import HONG, World, told
from tests.center.world import party as holder

from ingam.customer.binding.bindings import Bindings
from ingam.ports.store import Save, Update


def test_A17_whoever_was_registered_and_just_logged_in_goes_straight_to_the_additional_authentication(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        assert "/registration/again" in await one.look("/registration")
        page = await one.post("/registration/again")
        assert "본인확인 추가인증" in page and 'name="idn"' not in page
        await one.post("/registration/factor/request", {"method": "sms"})
        assert "타기관인증서 재등록" in (await one.heard())[-1]  # the purpose is rebind
        assert await one.statuses() == ["ACTIVE"]

    told(store_url, tmp_path, story)


def test_A17_nobody_else_leaves_the_first_step_out(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        await one.look("/registration")
        world.clock.forward(540)
        await one.look("/management")
        world.clock.forward(120)  # ten minutes are over, the session lives
        assert 'name="idn"' in await one.post("/registration/again")
        assert "/registration/again" not in await one.look("/registration")
        where = {"customer_id": HONG.customer_id, "status": "ACTIVE"}
        await world.ports.store.save(Save(rows=[Update("binding", where, {"status": "RELEASED"})]))
        await one.log_in()
        assert "/registration/again" not in await one.look("/registration")  # what was released is no reissue

    told(sqlite_url, tmp_path, story)


def test_A17_a_reissue_is_known_after_the_night_that_ended_the_old_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await manager(world)
        where = {"customer_id": HONG.customer_id, "status": "ACTIVE"}
        await world.ports.store.save(Save(rows=[Update("binding", where, {"status": "STALE"})]))
        newer = holder(key_name="rsa2048-03", serial=7)
        page = (await world.browser().present(newer)).text
        assert "새로 발급된 인증서로 보입니다" in page and 'href="/registration"' in page
        bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        assert len(await bindings.of_same_name(newer.certificate)) == 1

    told(sqlite_url, tmp_path, story)
