"""Operators switch ways off with a reason, set hours and publish notices; every operator sees them, few set them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.console.world import World, told

from ingam.customer.availability import Way
from ingam.customer.availability.reading import Availability

OFF = {
    "state": "off",
    "reason_ko": "회선을 점검하고 있습니다.",
    "reason_en": "Lines are being maintained.",
    "when": "always",
}


def test_a_way_is_switched_off_with_its_reason_and_on_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("administrator")
        center = Availability(world.ports.store, world.clock)
        assert "꺼짐" not in (await desk.get("/availability")).text
        await desk.get("/availability/way/ars")
        await desk.follow(await desk.send("/availability/way/ars", OFF))
        assert "꺼짐" in desk.text and OFF["reason_ko"] in desk.text and "E1002" in desk.text
        off = await center.way(Way.ARS)
        assert off is not None and off.reason("en") == OFF["reason_en"]
        await desk.get("/availability/way/ars")
        await desk.follow(await desk.send("/availability/way/ars", {"state": "on", "when": "always"}))
        world.clock.forward(5)
        assert await center.way(Way.ARS) is None
        assert [result for result, _ in await world.audit("console.way-set")] == ["off", "on"]

    told(tmp_path, story)


def test_hours_are_set_and_a_wrong_form_keeps_what_was_typed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("security")
        await desk.get("/availability/way/issuance")
        wrong = {"state": "on", "when": "hours", "day": ["0", "2"], "opens": "18:00", "closes": "09:00"}
        answer = await desk.send("/availability/way/issuance", wrong)
        assert answer.status_code == 422 and 'value="18:00"' in desk.page and "이용 시간을 확인" in desk.text
        await desk.follow(await desk.send("/availability/way/issuance", wrong | {"opens": "09:00", "closes": "18:00"}))
        assert "월·수 09:00–18:00" in desk.text
        off = await Availability(world.ports.store, world.clock).way(Way.ISSUANCE)
        assert off is not None  # the test's clock stands on a Sunday

    told(tmp_path, story)


def test_a_way_is_not_switched_off_without_saying_why(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("security")
        await desk.get("/availability/way/sms")
        answer = await desk.send("/availability/way/sms", OFF | {"reason_en": ""})
        assert answer.status_code == 422 and "한국어와 영어" in desk.text
        assert await Availability(world.ports.store, world.clock).way(Way.SMS) is None

    told(tmp_path, story)


def test_a_notice_is_published_and_withdrawn(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("administrator")
        await desk.get("/availability")
        sent = {"kind": "warn", "text_ko": "오늘 밤 점검", "text_en": "Upkeep tonight", "until_at": "2026-11-23T06:00"}
        await desk.follow(await desk.send("/availability/notice", sent))
        assert "오늘 밤 점검" in desk.text
        center = Availability(world.ports.store, world.clock)
        (notice,) = (await center.now()).notices
        assert notice.until_at - world.clock.now() == timedelta(hours=11)
        await desk.follow(await desk.send(f"/availability/notice/{notice.notice_id}/withdraw"))
        assert "오늘 밤 점검" not in desk.text
        await desk.follow(await desk.send(f"/availability/notice/{notice.notice_id}/withdraw"))
        late = await desk.send("/availability/notice", sent | {"until_at": "2026-11-22T06:00"})
        assert late.status_code == 422 and "Upkeep tonight" in desk.page

    told(tmp_path, story)


def test_a_clerk_sees_what_is_off_and_cannot_switch_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        await desk.get("/availability")
        assert "휴대폰 SMS 인증" in desk.text and "바꾸기" not in desk.text and "새 안내" not in desk.text
        assert (await desk.get("/availability/way/ars")).status_code == 403
        assert (await desk.send("/availability/way/ars", OFF)).status_code == 403
        assert (await desk.send("/availability/notice", {})).status_code == 403
        assert await world.rows("way") == []

    told(tmp_path, story)
