"""단말기(PC지정): designating always asks for additional authentication, and a device is a key (E8)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.authenticator import Authenticator
from tests.center.protection.person import Person, deliver, person
from tests.center.world import HONG, KIM, World, told

from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.device.designated import EXEMPTS, TABLE
from ingam.ports.store import Row


async def devices(world: World, status: str = "ACTIVE") -> list[Row]:
    return await world.rows(TABLE, status=status)


async def at_home(world: World, kind: str = "hardware") -> Person:
    """Somebody whose browser is a designated device."""
    one = person(world)
    await one.log_in()
    assert "이 기기를 지정했습니다." in await one.designate(kind)
    return one


@pytest.mark.parametrize("kind", ["hardware", "software"])
def test_E8_a_device_is_designated_with_additional_authentication_and_a_notice(
    store_url: str, tmp_path: Path, kind: str
) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        page = await one.designate(kind)
        assert "이 기기를 지정했습니다." in page and "집 노트북" in page and "이 기기</span>" in page
        assert ("소프트웨어 키" in page) is (kind == "software")
        (row,) = await devices(world)
        assert (row["kind"], row["customer_id"], row["slot"]) == (kind, HONG.customer_id, 1)
        assert "집 노트북".encode() not in world.everything_kept()
        (notice,) = [text for text in await deliver(world) if "지정했습니다" in text]
        assert "집 노트북" not in notice and "1544-0000" in notice

    told(store_url, tmp_path, story)


def test_E8_without_a_proof_nothing_is_designated(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        page = await one.begin("device")
        assert "본인확인 추가인증" in page
        offered = await one.ask("/protection/offer", {"alias": "노트북", "key_kind": "hardware"})
        assert one.status != 200 and "options" not in offered
        await one.post("/protection/add", {"alias": "노트북", "device_answer": json.dumps({"nonce": "0" * 64})})
        assert await devices(world) == []

    told(sqlite_url, tmp_path, story)


def test_E8_a_designated_device_designates_no_other_and_does_not_end_itself(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        for kind in ("remove-device", "cancel"):
            (row,) = await devices(world)
            page = await one.begin(kind, str(row["device_id"]) if kind == "remove-device" else "")
            assert "data-device-proof" not in page and 'name="method"' in page
            challenge = await one.ask("/protection/factor/device/challenge")
            assert one.status != 200 and challenge["code"] in ("device-not-exempt", "device-barred")
            await one.post("/protection/factor/device", one.proof() | {"device_answer": "{}"})
            await one.look()
        assert len(await devices(world)) == 1
        assert EXEMPTS.isdisjoint({Purpose.DEVICE_ADD, Purpose.DEVICE_REMOVE, Purpose.CONTACT_CHANGE})

    told(sqlite_url, tmp_path, story)


def test_E8_the_new_key_signs_what_is_shown_in_this_session_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        await one.to_new()
        page = await one.make(alias="집 노트북", sent="다른 이름")
        assert "확인한 내용과 보낸 내용이 다릅니다" in page
        asked = await one.ask("/protection/offer", {"alias": "집", "key_kind": "hardware"})
        stranger = replace(one.hardware, origin="http://localhost:8701")
        answer = json.dumps({"nonce": asked["nonce"], "webauthn": stranger.create(asked["options"])})
        await one.post("/protection/add", {"alias": "집", "device_answer": answer})
        right = json.dumps({"nonce": asked["nonce"], "webauthn": one.hardware.create(asked["options"])})
        assert "nonce-invalid" not in one.page
        await one.post("/protection/add", {"alias": "집", "device_answer": right})
        assert await devices(world) == []
        assert await world.results("protection.device") == ["act-changed", "webauthn-refused", "nonce-invalid"]

    told(sqlite_url, tmp_path, story)


def test_E8_a_proof_designates_one_device(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        await one.to_new()
        before = one.page
        await one.make()
        one.browser.page = before
        asked = await one.ask("/protection/offer", {"alias": "둘", "key_kind": "software"})
        assert one.status != 200 and "nonce" not in asked
        assert len(await devices(world)) == 1

    told(sqlite_url, tmp_path, story)


def test_E8_software_keys_may_be_barred(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        page = await one.to_new()
        assert "이 기관은 소프트웨어 키를 받지 않습니다." in page
        asked = await one.ask("/protection/offer", {"alias": "집", "key_kind": "software"})
        assert asked["code"] == "device-barred"
        assert "이 기기를 지정했습니다." in await one.make("hardware")

    told(sqlite_url, tmp_path, story, software_keys=False)


def test_at_most_five_devices_and_the_sixth_is_told_before_anybody_is_asked_for_a_code(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        for number in range(2):
            one = person(world)
            await one.log_in()
            await one.designate(alias=f"기기 {number}")
        one = person(world)
        await one.log_in()
        assert "지정할 수 있는 기기는 2대까지입니다." in await one.look()
        assert "지정할 수 있는 기기는 2대까지입니다." in await one.begin("device")
        assert sorted(row["slot"] for row in await devices(world)) == [1, 2]  # type: ignore[type-var]

    told(sqlite_url, tmp_path, story, device_max=2)


def test_two_designations_at_once_take_one_slot(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        people = [person(world), person(world)]
        for one in people:
            await one.log_in()
            await one.apply()
            await one.to_new()
            world.clock.forward(61)
        named = {"alias": "집 노트북", "key_kind": "hardware"}
        offers = [await one.ask("/protection/offer", named) for one in people]
        made = [named | {"device_answer": one.new("hardware", told)} for one, told in zip(people, offers, strict=True)]
        await asyncio.gather(*(one.post("/protection/add", form) for one, form in zip(people, made, strict=True)))
        assert len(await devices(world)) == 1
        results = await world.results("protection.device")
        assert sorted(set(results)) in (["device-limit", "ok"], ["device-taken", "ok"])

    told(store_url, tmp_path, story, device_max=1)


# ── in place of the choice of additional authentication ──


async def to_factor(one: Person) -> str:
    """② of a registration."""
    await one.look("/registration")
    typed = {"banking_id": one.who.banking_id, "password": "우리-Secret-77", "idn": one.who.idn.reveal()}
    return await one.post("/registration/identify", typed)


async def prove(one: Person, **changed: str) -> str:
    """다음 on a designated device."""
    asked = await one.ask("/registration/factor/device/challenge")
    assert one.status == 200, asked
    answer = one.answer(asked)
    beside = {"number_back": one.who.idn.reveal()[6:], "phone_back": one.who.mobile[-4:]}
    return await one.post("/registration/factor/device", beside | {"device_answer": answer} | changed)


@pytest.mark.parametrize("kind", ["hardware", "software"])
def test_E8_on_a_designated_device_the_choice_is_skipped_and_the_second_check_stays(
    sqlite_url: str, tmp_path: Path, kind: str
) -> None:
    async def story(world: World) -> None:
        one = await at_home(world, kind)
        page = await to_factor(one)
        assert "지정된 기기여서 추가 인증을 생략합니다." in page
        await prove(one, phone_back="0000")
        assert "data-certificate-window" not in one.page
        await to_factor(one)
        assert "data-certificate-window" in await prove(one)
        (row,) = await devices(world)
        assert row["used_at"] is not None

    told(sqlite_url, tmp_path, story)


def test_E8_a_copied_browser_profile_without_the_hardware_key_is_no_designated_device(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        thief = person(world)
        for name, value in one.browser.cookies.items():
            thief.browser.plant(name, value)
        thief.hardware = Authenticator("http://localhost:8700", credential_id=one.hardware.credential_id)
        await to_factor(thief)
        page = await prove(thief)
        assert "data-certificate-window" not in page
        assert (await world.results("registration.factor"))[-1] == "webauthn-refused"

    told(sqlite_url, tmp_path, story)


def test_E8_a_key_in_another_browser_is_no_designated_device(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        elsewhere = replace(person(world), hardware=one.hardware, software=one.software)
        await elsewhere.log_in()
        page = await to_factor(elsewhere)
        assert "지정된 기기여서" not in page
        asked = await elsewhere.ask("/registration/factor/device/challenge")
        assert elsewhere.status != 200 and asked["code"] == "device-unknown"

    told(sqlite_url, tmp_path, story)


def test_E8_a_signature_is_for_one_session_and_one_purpose(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await to_factor(one)
        asked = await one.ask("/registration/factor/device/challenge")
        answer = one.answer(asked)
        again = replace(one, browser=world.browser())
        for name, value in one.browser.cookies.items():
            if "device" in name:
                again.browser.plant(name, value)
        await again.log_in()
        await to_factor(again)
        await prove(again, device_answer=answer)
        assert "data-certificate-window" not in again.page
        assert (await world.results("registration.factor"))[-1] == "nonce-invalid"

    told(sqlite_url, tmp_path, story)


def test_E8_a_device_that_was_removed_exempts_nobody(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        (row,) = await devices(world)
        await one.begin("remove-device", str(row["device_id"]))
        await one.authenticate()
        assert "기기 지정을 해지했습니다." in await one.post("/protection/remove")
        assert await devices(world) == []
        assert "지정된 기기여서" not in await to_factor(one)
        asked = await one.ask("/registration/factor/device/challenge")
        assert asked["code"] == "device-unknown"
        assert any("해지했습니다" in text for text in await deliver(world))

    told(sqlite_url, tmp_path, story)


def test_the_end_of_the_service_ends_every_designation(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        await one.begin("cancel")
        await one.authenticate()
        page = await one.post("/protection/remove")
        assert "서비스를 해지했습니다." in page and "신청하지 않음" in page
        assert await devices(world) == []
        assert "서비스 신청" in page and "기기 지정" in page  # the history stays
        assert "먼저 신청해 주세요" in await one.begin("device")

    told(sqlite_url, tmp_path, story)


def test_nobody_removes_the_device_of_somebody_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await at_home(world)
        (row,) = await devices(world)
        other = person(world, KIM)
        await other.log_in()
        await other.apply()
        page = await other.begin("remove-device", str(row["device_id"]))
        assert "쓸 수 있는 지정 기기나 패스키가 없습니다" in page
        assert len(await devices(world)) == 1

    told(sqlite_url, tmp_path, story)


def test_the_page_says_what_it_is_to_whoever_is_not_logged_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        page = await one.look()
        assert one.status == 200 and "/login?then=/protection" in page

    told(sqlite_url, tmp_path, story)


def test_a_screen_that_is_no_longer_true_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await at_home(world)
        (row,) = await devices(world)
        await one.begin("remove-device", str(row["device_id"]))
        page = await one.authenticate()
        await one.begin("contact", "mobile")
        one.browser.page = page
        await one.post("/protection/remove")
        assert len(await devices(world)) == 1

    told(sqlite_url, tmp_path, story)


def test_a_proof_that_ran_out_asks_anew_and_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        await one.to_new()
        world.clock.forward(301)
        page = await one.look()
        assert "시간이 지나 추가인증이 끝났습니다." in page
        await one.authenticate()
        assert "이 기기를 지정했습니다." in await one.make()

    told(sqlite_url, tmp_path, story)


def test_E1_a_proof_of_another_task_is_worth_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = person(world)
        await one.log_in()
        await one.apply()
        await one.to_new("device")
        (issued,) = await world.rows("ledger_issued", kind="proof")
        facts = json.loads(str(issued["facts"]))
        assert facts["purpose"] == "device-add" and facts["customer_id"] == HONG.customer_id
        assert set(facts) == set(Bound.__dataclass_fields__)
        await one.post("/protection/leave")
        used = await world.ports.store.issued("proof", str(issued["id"]))
        assert used is not None and used.used_at is not None

    told(sqlite_url, tmp_path, story)
