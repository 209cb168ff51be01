"""Sensitive acts carry a fresh signature over what is done; a new browser proves more before its first one (F5, F6)."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from tests.center.protection.person import Person, deliver, person
from tests.center.world import HONG, World, party, told

from ingam.customer.device.designated import TABLE
from ingam.ports.customers import Phone

NEW = "01099887766"


async def at_home(world: World, kind: str = "hardware") -> Person:
    """Somebody whose browser is a designated device."""
    one = person(world)
    await one.log_in()
    await one.designate(kind)
    return one


async def to_number(one: Person, number: str = NEW, phone: Phone = Phone.MOBILE) -> str:
    """To the page that asks for a signature over another number."""
    await one.begin("contact", phone)
    await one.authenticate()
    return await one.post("/protection/number", {"number": number})


async def mobile(world: World) -> str:
    customer = await world.ports.customers.by_id(HONG.customer_id)
    assert customer is not None
    return customer.mobile


@pytest.mark.parametrize("by", ["device", "certificate"])
def test_F5_another_number_is_signed_with_the_text_that_is_shown_and_told_to_the_old_one(
    sqlite_url: str, tmp_path: Path, by: str
) -> None:
    async def story(world: World) -> None:
        holder = party() if by == "certificate" else None
        one = await at_home(world)
        if holder is not None:
            await world.bind(HONG, holder)
        page = await to_number(one)
        assert NEW in page
        fields = await one.sign(by, NEW, holder)
        page = await one.post("/protection/change", fields)
        assert "연락처를 바꿨습니다." in page and "아직 인증에 쓰이지 않음" in page and "010-9988-****" in page
        assert await mobile(world) == NEW
        told_to = {sms.to for sms in world.phone.sent.values()}
        await deliver(world)
        assert {sms.to for sms in world.phone.sent.values()} - told_to == {NEW}
        assert sum("번호가 바뀌었습니다" in text for text in world.phone.texts) == 2
        assert NEW.encode() not in world.everything_kept()

    told(sqlite_url, tmp_path, story)


def test_E9_a_number_that_was_changed_gets_no_code_for_72_hours(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await to_number(one)
        await one.post("/protection/change", await one.sign("device", NEW))
        world.clock.forward(3600)
        await one.log_in()
        page = await one.begin("contact", Phone.HOME)
        await one.post("/protection/factor/request", {"method": "sms"})
        sent = await deliver(world)
        assert not any("#" in text for text in sent) and "72시간" in page
        world.clock.forward(72 * 3600)
        await one.log_in()
        await one.begin("contact", Phone.HOME)
        await one.post("/protection/factor/request", {"method": "sms"})
        assert any("#" in text for text in await deliver(world))
        assert [sms.to for sms in world.phone.sent.values()][-1] == NEW

    told(sqlite_url, tmp_path, story)


def test_F5_neither_the_cookie_nor_the_proof_alone_changes_a_number(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await to_number(one)
        await one.post("/protection/change", {"number": NEW})
        await one.post("/protection/change", {"number": NEW, "by": "device"})
        await one.post("/protection/change", {"number": NEW, "by": "device", "device_answer": "{}"})
        await one.post(
            "/protection/change", {"number": NEW, "by": "passkey", "device_answer": json.dumps({"nonce": "0"})}
        )
        assert await mobile(world) == HONG.mobile

    told(sqlite_url, tmp_path, story)


def test_F5_what_was_signed_is_what_is_done_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await to_number(one)
        fields = await one.sign("device", NEW)
        page = await one.post("/protection/change", fields | {"number": "01011112222"})
        assert "확인한 내용과 보낸 내용이 다릅니다" in page
        await one.post("/protection/change", fields)
        assert await mobile(world) == HONG.mobile
        assert await world.results("protection.contact") == ["act-changed", "nonce-invalid"]

    told(sqlite_url, tmp_path, story)


def test_F5_a_signature_for_one_act_is_none_for_another(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, other = await at_home(world), await at_home(world)
        row = next(row for row in await world.rows(TABLE) if row["slot"] == 1)
        await other.begin("remove-device", str(row["device_id"]))
        removal = await other.sign("device")
        await to_number(other)
        await other.post("/protection/change", removal | {"number": NEW})
        assert await mobile(world) == HONG.mobile
        assert one.who is other.who

    told(sqlite_url, tmp_path, story)


def test_F5_somebody_elses_certificate_signs_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await world.bind(HONG, party())
        await to_number(one)
        stranger = party(serial=0x99, key_name="rsa2048-03")
        page = await one.post("/protection/change", await one.sign("certificate", NEW, stranger))
        assert await mobile(world) == HONG.mobile and "연락처를 바꿨습니다." not in page

    told(sqlite_url, tmp_path, story)


def test_without_any_key_a_number_is_changed_at_the_branch(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        page = await one.begin("contact", Phone.MOBILE)
        assert "영업점에서 바꿔 주세요" in page and 'name="method"' not in page

    told(sqlite_url, tmp_path, story)


def test_a_number_at_home_may_be_none_and_the_same_one_is_no_change(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        page = await to_number(one, HONG.mobile)
        assert "지금 등록된 번호와 같습니다." in page
        page = await one.post("/protection/number", {"number": "1234"})
        assert 'aria-invalid="true"' in page
        world.clock.forward(61)
        await to_number(one, "02-780-1234", Phone.HOME)
        page = await one.post("/protection/change", await one.sign("device", "027801234"))
        assert "02-780-****" in page
        world.clock.forward(61)
        await to_number(one, "없음", Phone.HOME)
        page = await one.post("/protection/change", await one.sign("device", "없음"))
        customer = await world.ports.customers.by_id(HONG.customer_id)
        assert customer is not None and customer.home_phone is None
        await one.post("/language", {"lang": "en", "back": "/protection"})
        page = await one.look()
        assert re.search(r"Changed a number · Home <span class=.whole.>02-780-\*\*\*\*<", page) and "자택" not in page

    told(sqlite_url, tmp_path, story, sms_a_day=20, sms_person_a_day=20)


def test_a_device_among_others_is_removed_by_a_signature(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await at_home(world)
        one = await at_home(world)
        lost = next(row for row in await world.rows(TABLE) if row["slot"] == 1)
        page = await one.begin("remove-device", str(lost["device_id"]))
        assert "/protection/sign" in page and 'name="method"' not in page
        await one.post("/protection/remove")
        assert len(await world.rows(TABLE, status="ACTIVE")) == 2
        await one.look()
        assert "기기 지정을 해지했습니다." in await one.post("/protection/remove", await one.sign("device"))
        (left,) = await world.rows(TABLE, status="ACTIVE")
        assert left["slot"] == 2

    told(sqlite_url, tmp_path, story)


def test_E8_who_removes_a_lost_device_ends_the_sessions_of_its_browser_and_stays_inside(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        lost = await at_home(world)
        one = await at_home(world)
        asleep = await world.rows("session", customer_id=HONG.customer_id, ended_at=None)
        assert len(asleep) == 2
        gone = next(row for row in await world.rows(TABLE) if row["slot"] == 1)
        await one.begin("remove-device", str(gone["device_id"]))
        assert "기기 지정을 해지했습니다." in await one.post("/protection/remove", await one.sign("device"))
        (left,) = await world.rows("session", customer_id=HONG.customer_id, ended_at=None)
        assert left["device"] != gone["mark"]
        assert "기기 지정" in await one.look() and one.status == 200
        assert "logout" not in await lost.look("/mybank/activity")

    told(store_url, tmp_path, story)


def test_E9_in_the_hours_after_another_number_both_hear_of_everything(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await to_number(one)
        await one.post("/protection/change", await one.sign("device", NEW))
        await deliver(world)
        before = set(world.phone.sent)
        await one.look("/management/notices")
        await one.post("/management/notices", {"lang": "ko", "logins": "yes"})
        await deliver(world)
        heard = [sms for reference, sms in world.phone.sent.items() if reference not in before]
        assert {sms.to for sms in heard} == {NEW, HONG.mobile} and len({sms.text for sms in heard}) == 1
        (row,) = await world.rows("former_mobile")
        assert HONG.mobile.encode() not in bytes(row["number"])  # type: ignore[arg-type]

    told(sqlite_url, tmp_path, story)


def test_a_device_signs_its_own_removal_and_whoever_cannot_sign_authenticates_instead(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await at_home(world)
        one = await at_home(world)
        own = next(row for row in await world.rows(TABLE) if row["slot"] == 2)
        await one.begin("remove-device", str(own["device_id"]))
        page = await one.post("/protection/instead")
        assert 'name="method"' in page
        await one.begin("remove-device", str(own["device_id"]))
        assert "기기 지정을 해지했습니다." in await one.post("/protection/remove", await one.sign("device"))

    told(sqlite_url, tmp_path, story)


def test_two_devices_that_sign_each_other_away_leave_one(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, other = await at_home(world), await at_home(world)
        rows = sorted(await world.rows(TABLE), key=lambda row: str(row["slot"]))
        await one.look()
        await one.log_in()
        await one.begin("remove-device", str(rows[1]["device_id"]))
        await other.begin("remove-device", str(rows[0]["device_id"]))
        fields = [await one.sign("device"), await other.sign("device")]
        await asyncio.gather(one.post("/protection/remove", fields[0]), other.post("/protection/remove", fields[1]))
        assert len(await world.rows(TABLE, status="ACTIVE")) == 1

    told(store_url, tmp_path, story)


def test_F6_a_browser_that_is_new_to_the_person_authenticates_before_its_first_sensitive_act(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await at_home(world)
        one = await at_home(world)
        await world.bind(HONG, party())
        fresh = person(world)
        assert (await fresh.browser.present(party())).status_code == 303
        assert sum("새 기기에서 로그인했습니다" in text for text in await deliver(world)) == 1
        await fresh.look()
        lost = next(row for row in await world.rows(TABLE) if row["slot"] == 1)
        page = await fresh.begin("remove-device", str(lost["device_id"]))
        assert 'name="method"' in page, "a certificate alone does not do in a browser that is new"
        await fresh.authenticate()
        assert "기기 지정을 해지했습니다." in await fresh.post("/protection/remove")
        assert one.status == 200

    told(sqlite_url, tmp_path, story)


def test_F6_the_notice_of_a_new_device_is_sent_once_a_device(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        one = person(world)
        for _ in range(2):
            assert (await one.browser.present(party())).status_code == 303
        assert sum("새 기기에서" in text for text in await deliver(world)) == 1
        await one.log_in()
        assert await deliver(world) == []

    told(sqlite_url, tmp_path, story)
