"""A certificate that was reissued elsewhere: registered again by a short path (security A17)."""

from __future__ import annotations

from pathlib import Path

from tests.center.login.test_imported import imported
from tests.center.management.manager import Manager, manager
from tests.center.protection.person import deliver
from tests.center.world import HONG, PASSWORD, World, told
from tests.center.world import party as holder

from ingam.customer.additional_auth import Purpose
from ingam.customer.binding.bindings import Bindings
from ingam.customer.importing import names
from ingam.customer.importing.rows import Named
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


async def ended(one: Manager, status: str) -> None:
    """What was registered is over."""
    where = {"customer_id": HONG.customer_id, "status": "ACTIVE"}
    await one.world.ports.store.save(Save(rows=[Update("binding", where, {"status": status})]))


async def asked_for(one: Manager) -> tuple[str, str]:
    """The message of ②, and what ③ has signed."""
    one.world.clock.forward(61)
    await one.post("/registration/factor/request", {"method": "sms"})
    (text,) = await deliver(one.world)
    await one.post("/registration/factor", one.proof())
    told = await one.ask("/registration/challenge")
    assert one.status == 200, told
    return text, told["purpose"]


def test_E1_after_a_reissue_elsewhere_the_proof_is_for_registering_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        await ended(one, "STALE")
        await one.look("/registration")
        await one.post("/registration/again")
        text, purpose = await asked_for(one)
        assert "타기관인증서 재등록 인증번호" in text and purpose == Purpose.REBIND

    told(sqlite_url, tmp_path, story)


def test_E1_what_an_import_only_claimed_is_registered_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        mine = holder().certificate
        what = Named(names.parse(str(mine.issuer)), names.parse(str(mine.subject)), mine.serial)
        await imported(world, HONG, what)
        one = Manager(world, world.browser())
        await one.log_in()
        await one.look("/registration")
        await one.post("/registration/again")
        text, purpose = await asked_for(one)
        assert "재등록" in text and purpose == Purpose.REBIND

    told(sqlite_url, tmp_path, story)


def test_E1_whoever_released_a_certificate_registers_one_as_everybody_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        await ended(one, "RELEASED")
        await one.look("/registration")
        typed = {"banking_id": HONG.banking_id, "password": PASSWORD, "idn": HONG.idn.reveal()}
        await one.post("/registration/identify", typed)
        text, purpose = await asked_for(one)
        assert "타기관인증서등록 인증번호" in text and purpose == Purpose.REGISTRATION

    told(sqlite_url, tmp_path, story)
