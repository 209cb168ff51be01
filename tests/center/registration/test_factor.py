"""② of a registration by each of the manual's three ways: SMS, ARS, a branch's number; and what closes a way."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.registration.world import HONG, Browser, World, opened, party

from ingam.customer.additional_auth import Purpose
from ingam.kernel.words import say
from ingam.ports.ars import CallState
from ingam.ports.customers import Phone
from ingam.ports.store import Insert, Row, Save

Story = Callable[[World, Browser], Awaitable[None]]
BESIDE = {"number_back": HONG.idn.reveal()[6:], "phone_back": HONG.mobile[-4:]}


def told(url: str, folder: Path, story: Story, *, third: str = "", **limits: int) -> None:
    """Run a story in a fresh world with a browser that is logged in by ID; HONG has a landline at home.

    `third`: their 제3연락처, too.
    """

    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            change = await world.customers.new_number(HONG, Phone.HOME, "027801234", world.clock.now())
            await world.store.save(Save(rows=[change]))
            if third:
                change = await world.customers.new_number(HONG, Phone.THIRD, third, world.clock.now())
                await world.store.save(Save(rows=[change]))
            world.clock.forward(72 * 3600)
            await story(world, await world.browser())
            await world.calls.aclose()

    asyncio.run(go())


async def call(world: World, browser: Browser, to: str = "home_phone") -> str:
    """전화 요청, and the telephone does what the test says."""
    page = await browser.post("/registration/factor/request", {"method": "ars", "to": to})
    await world.deliver()
    return page


async def ended(world: World, browser: Browser, *states: CallState) -> str:
    """A call to its end; the page then."""
    world.telephone.does = list(states)
    await call(world, browser)
    await world.calls.settled()
    return await browser.get()


async def next_(browser: Browser, **typed: str) -> str:
    return await browser.post("/registration/factor", {**BESIDE, **typed})


def test_a_customer_registers_with_an_approved_call(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        world.telephone.held.clear()
        page = await call(world, browser)
        assert "02-780-****로 전화를 겁니다." in page and "다른 사람이 불러 주었거나" in page
        code = world.telephone.calls[-1].code.reveal()
        assert f">{code}</strong>" in page
        await world.telephone.holding.wait()
        answer = await browser.client.get("/registration/factor/call")
        assert (answer.json()["state"], answer.json()["over"]) == ("answered", False)
        assert "아직 전화로 승인하지 않았습니다" in await next_(browser, method="ars")
        world.telephone.held.set()
        await world.calls.settled()
        assert (await browser.client.get("/registration/factor/call")).json()["state"] == "approved"
        page = await browser.get()
        assert "전화로 승인했습니다" in page and f">{code}</strong>" not in page
        assert "data-certificate-window" in await next_(browser, method="ars")
        assert "완료 되었습니다" in await browser.register(party())

    told(store_url, tmp_path, story)


def test_a_call_that_does_not_come_may_be_asked_for_again_before_its_time_is_over(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        world.telephone.held.clear()
        assert 'data-call-again="20" hidden' in await call(world, browser)
        await world.telephone.holding.wait()
        page = await call(world, browser, "mobile")
        assert browser.status == 409 and "10초 뒤에 다시" in page and len(world.telephone.calls) == 1
        world.clock.forward(21)
        page = await browser.get()
        assert 'data-call-again="0">' in page and "다시 전화 요청" in page
        page = await call(world, browser, "mobile")
        assert browser.status == 200 and [one.to for one in world.telephone.calls][1:] == [HONG.mobile]
        code = world.telephone.calls[-1].code.reveal()
        assert f">{code}</strong>" in page
        world.telephone.held.set()
        await world.calls.settled()
        assert "data-certificate-window" in await next_(browser, method="ars")

    told(sqlite_url, tmp_path, story)


def test_a_page_hears_every_state_of_its_call_in_one_request(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        world.telephone.held.clear()
        await call(world, browser)
        await world.telephone.holding.wait()
        events = asyncio.create_task(browser.client.get("/registration/factor/call/events"))
        await asyncio.sleep(0)
        world.telephone.held.set()
        await world.calls.settled()
        answer = await events
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = [
            json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data")
        ]
        assert heard[-1] == {"state": "approved", "over": True, "text": say("factor.call-approved", "ko")}
        assert [one["state"] for one in heard] in (["answered", "approved"], ["approved"])
        elsewhere = await world.browser()
        other = (await elsewhere.client.get("/registration/factor/call/events")).text
        assert json.loads(other.removeprefix("data: "))["state"] == "none"

    told(sqlite_url, tmp_path, story)


def test_only_registered_numbers_are_offered_and_none_that_changed_lately(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        work = await world.customers.new_number(HONG, Phone.WORK, "0316781234", world.clock.now())
        await world.store.save(Save(rows=[work]))
        page = await browser.identify()
        numbers = re.findall(r'<option value="(\w+)"[^>]*>([^<]*)<', page)
        assert numbers == [("mobile", "휴대폰 010-8513-****"), ("home_phone", "자택 02-780-****")]
        page = await call(world, browser, "work_phone")
        assert browser.status == 422 and "72시간이 지나지 않아" in page and world.telephone.calls == []

    told(sqlite_url, tmp_path, story)


def test_the_fourth_registered_number_is_called_as_the_others_are(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        page = await browser.identify()
        assert ("third_phone", "제3연락처 031-678-****") in re.findall(r'<option value="(\w+)"[^>]*>([^<]*)<', page)
        page = await call(world, browser, "third_phone")
        assert [one.to for one in world.telephone.calls] == ["0316785678"] and "031-678-****" in page

    told(sqlite_url, tmp_path, story, third="0316785678")


def test_a_call_that_ends_without_approval_says_how_and_may_be_asked_for_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        page = await ended(world, browser, CallState.RINGING, CallState.NO_ANSWER)
        assert "전화를 받지 않아 승인하지 못했습니다." in page and "다시 전화 요청" in page
        page = await next_(browser, method="ars")
        assert browser.status == 422 and "전화를 받지 않아" in page
        page = await ended(world, browser, CallState.RINGING, CallState.ANSWERED, CallState.WRONG)
        assert "누른 숫자가 다릅니다." in page
        await ended(world, browser, CallState.APPROVED)
        assert "data-certificate-window" in await next_(browser, method="ars")

    told(sqlite_url, tmp_path, story)


def test_the_last_call_of_the_day_leads_on_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        page = await ended(world, browser, CallState.APPROVED)
        assert not re.search(r'id="method-ars"[^>]*disabled', page)
        assert "data-certificate-window" in await next_(browser, method="ars")
        await browser.post("/registration/back")
        page = await browser.get()
        assert re.search(r'id="method-ars"[^>]*disabled', page) and "오늘 전화 승인 1회를 모두" in page
        assert re.search(r'id="method-sms"[^>]*checked', page)

    told(sqlite_url, tmp_path, story, ars_a_day=1)


def test_E4_zero_on_the_telephone_stops_the_registration(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        page = await ended(world, browser, CallState.RINGING, CallState.ANSWERED, CallState.REFUSED)
        assert "전화에서 0번을 눌러 진행을 멈췄습니다." in page and "등록된 것은 없습니다" in page
        assert await world.results("registration.ars") == ["ok", "ars-refused"]
        assert await world.results("factor.ars") == ["ars-refused"]

    told(store_url, tmp_path, story)


def test_E4_after_zero_no_other_way_leads_on_either(sqlite_url: str, tmp_path: Path) -> None:
    """A thief at the screen posts at once, without looking at the page again."""

    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        number = await world.branch.issue(HONG, Purpose.REGISTRATION, "E1001", "여의도")
        world.telephone.does = [CallState.REFUSED]
        await call(world, browser)
        await world.calls.settled()
        fields = {**browser.hidden(), **BESIDE, "method": "branch-otp", "branch": number.code.reveal()}
        answer = await browser.send("/registration/factor", fields)
        assert answer.status_code == 303
        assert "진행을 멈췄습니다" in await browser.get()
        assert (await world.store.many("ledger_issued", {"kind": "proof"})) == []

    told(sqlite_url, tmp_path, story)


def test_a_call_of_another_window_is_not_this_ones(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        await ended(world, browser, CallState.APPROVED)
        elsewhere = await world.browser()
        await elsewhere.identify()
        assert (await elsewhere.client.get("/registration/factor/call")).json()["state"] == "none"
        page = await elsewhere.post("/registration/factor", {**BESIDE, "method": "ars"})
        assert "먼저 [전화 요청]을 눌러 주세요." in page

    told(sqlite_url, tmp_path, story)


def test_E10_a_customer_registers_with_a_number_of_the_branch_once(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        issued = await world.branch.issue(HONG, Purpose.REGISTRATION, "E1001", "여의도")
        code = issued.code.reveal()
        await browser.identify()
        page = await next_(browser, method="branch-otp", branch="12345")
        assert browser.status == 422 and "1회용 인증번호 8자리를" in page
        page = await next_(browser, method="branch-otp", branch=f"{(int(code) + 1) % 10**8:08d}")
        assert browser.status == 422 and "남은 횟수 4번" in page and 'id="branch-error"' in page
        page = await next_(browser, method="branch-otp", branch=f"{code[:4]} {code[4:]}")
        assert "data-certificate-window" in page
        await browser.post("/registration/back")
        page = await next_(browser, method="branch-otp", branch=code)
        assert browser.status == 422 and "올바르지 않거나 이미 사용되었습니다" in page

    told(store_url, tmp_path, story)


def test_E3_a_way_whose_tries_are_spent_is_closed_and_another_one_leads_on(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        for _ in range(5):
            page = await next_(browser, method="branch-otp", branch="00000000")
        assert "1회용 인증번호를 5번 틀려" in page
        page = await browser.get()
        assert re.search(r'id="method-branch-otp"[^>]*disabled', page) and "오늘은 이 방법을 쓸 수 없습니다" in page
        await browser.request_code()
        assert "data-certificate-window" in await browser.prove()

    told(sqlite_url, tmp_path, story)


def test_a_way_that_is_switched_off_says_why_and_takes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        off: Row = {
            "way": "ars", "off": True, "reason_ko": "통신사 점검 중입니다.", "reason_en": "Maintenance.", "until": None,
            "days": None, "opens": None, "closes": None,
            "changed_at": world.clock.now(), "changed_by": "E1001",
        }  # fmt: skip
        await world.store.save(Save(rows=[Insert("way", off)]))
        world.availability.forget()
        page = await browser.identify()
        assert "통신사 점검 중입니다." in page and re.search(r'id="method-ars"[^>]*disabled', page)
        page = await call(world, browser)
        assert browser.status == 503 and "통신사 점검 중입니다." in page and world.telephone.calls == []
        page = await next_(browser, method="ars")
        assert browser.status == 503 and "통신사 점검 중입니다." in page

    told(sqlite_url, tmp_path, story)


def test_E9_a_mobile_number_changed_yesterday_leaves_landline_and_branch(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        world.clock.forward(24 * 3600)
        customer = await world.customers.by_id(HONG.customer_id)
        assert customer is not None
        lately = world.clock.now() - timedelta(hours=24)
        change = await world.customers.new_number(customer, Phone.MOBILE, HONG.mobile, lately)
        await world.store.save(Save(rows=[change]))
        elsewhere = await world.browser()
        page = await elsewhere.identify()
        assert re.search(r'id="method-sms"[^>]*disabled', page) and "72시간" in page
        assert re.findall(r'<option value="(\w+)"', page) == ["home_phone"]

    told(sqlite_url, tmp_path, story)


def test_E1_a_number_for_a_registration_is_worth_nothing_for_a_replacement(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        await browser.register(party())
        world.clock.forward(61)
        await browser.get("/registration?new=1")
        typed = {"banking_id": HONG.banking_id, "password": "우리-Secret-77", "idn": HONG.idn.reveal()}
        await browser.post("/registration/identify", typed)
        issued = await world.branch.issue(replace(HONG), Purpose.REGISTRATION, "E1001", "여의도")
        page = await next_(browser, method="branch-otp", branch=issued.code.reveal())
        assert browser.status == 422 and "올바르지 않거나" in page

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("method", ["sms", "ars", "branch-otp"])
def test_beside_every_way_the_registered_numbers_are_asked_for(sqlite_url: str, tmp_path: Path, method: str) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        issued = await world.branch.issue(HONG, Purpose.REGISTRATION, "E1001", "여의도")
        if method == "sms":
            await browser.request_code()
        if method == "ars":
            await ended(world, browser, CallState.APPROVED)
        right = {"code": world.phone.code if method == "sms" else "", "branch": issued.code.reveal()}
        page = await next_(browser, method=method, **right, phone_back="0000")
        assert browser.status == 422 and "주민등록번호 뒷자리 또는 휴대폰번호 뒷자리가" in page
        assert "data-certificate-window" in await next_(browser, method=method, **right)

    told(sqlite_url, tmp_path, story)
