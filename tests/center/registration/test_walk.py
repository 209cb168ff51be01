"""타기관인증서등록 from ① to ④ over HTTP: the walk, its detours, and where every stale or doubled post leads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.center.registration.world import FIRM, HONG, KIM, Browser, R, Window, World, opened, party, vid_extension
from tests.npki import certs

from ingam.customer.session import Level
from ingam.kernel.secret import Secret
from ingam.ports.store import Row, Save

Story = Callable[[World, Browser], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **limits: int) -> None:
    """Run a story in a fresh world with a browser that is logged in by ID."""

    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            await story(world, await world.browser())

    asyncio.run(go())


def main(page: str) -> str:
    """What a page says, without what stands on every page."""
    return page.partition("<main")[2].partition("</main>")[0]


async def bindings(world: World) -> list[Row]:
    return await world.store.many("binding", {}, order="bound_at")


def test_a_customer_registers_a_certificate_from_the_first_screen_to_the_last(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        page = await browser.get()
        assert "증권금융 인터넷뱅킹 ID" in page and 'value="hong1234"' in page
        page = await browser.identify()
        assert "751005-2******" in page and "010-8513" in page and "홍길동" in page
        page = await browser.request_code()
        assert "등록된 휴대폰 010-8513-****로 인증번호를 보냈습니다. 3분 안에 입력해 주세요." in page
        page = await browser.prove()
        assert 'data-challenge="/registration/challenge"' in page
        page = await browser.register(party())
        assert "고객님의 인증서 등록이 완료 되었습니다." in page
        assert "대출 거래를 하시려면 공동인증서로 로그인하여 주십시오." in page
        await world.deliver()
        assert world.phone.texts[-1] == (
            "[증권금융] 공동인증서(증권/보험용, 만료 2027-04-17)가 2026-11-22 21:00 등록되었습니다. "
            "본인이 아니면 1544-0000로 연락하세요."
        )
        (row,) = await bindings(world)
        assert (row["customer_id"], row["status"]) == (HONG.customer_id, "ACTIVE")
        assert row["fingerprint"] == party().certificate.fingerprint.hex()
        assert await world.results("registration.certificate") == ["ok"]

    told(store_url, tmp_path, story)


def test_a_corporate_customer_registers_a_corporate_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = await world.browser(FIRM)
            assert "사업자등록번호" in main(await browser.get()).partition("<form")[2]
            # Every text that names the number names theirs.
            wrong = await browser.identify(FIRM, idn="123")
            assert "사업자등록번호를 확인해 주세요." in wrong and "주민등록번호 13자리를" not in wrong
            wrong = await browser.identify(FIRM, password="another-Secret-1")
            assert "ID, 비밀번호, 사업자등록번호를 확인해 주세요." in wrong
            await browser.identify(FIRM)
            await browser.request_code()
            wrong = await browser.prove(FIRM, phone_back="0000")
            assert "사업자등록번호 뒷자리 또는 휴대폰번호" in wrong and "주민등록번호 뒷자리 또는" not in wrong
            page = await browser.prove(FIRM)
            assert "코스콤: 범용(법인), 증권/보험용(법인)" in page and "(개인)" not in main(page)
            other = replace(FIRM, idn=Secret("1148203610"))  # VID over ten digits, of another business
            wrong = await browser.register(party(other, policy="1.2.410.200004.5.1.1.7", serial=7))
            assert "사업자등록번호와 인증서 소유자를 확인해 주세요." in wrong
            page = await browser.register(party(FIRM, policy="1.2.410.200004.5.1.1.7"))
            assert "완료 되었습니다" in page
            assert await world.results("registration.certificate") == ["owner-mismatch", "ok"]

    asyncio.run(go())


def test_the_screens_speak_english(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        browser.client.cookies.set("lang", "en")
        await browser.client.post(
            "/language", data={"csrf": browser.csrf, "lang": "en", "back": "/registration"},
            headers={"Origin": "http://localhost:8700"},
        )  # fmt: skip
        assert "Securities Finance internet banking ID" in await browser.get()
        await browser.identify()
        page = await browser.request_code()
        assert "We sent a code to your registered mobile number 010-8513-****" in page
        assert world.phone.texts[-1].startswith("[Securities Finance] Certificate registration code ")
        assert "Register the certificate" in await browser.prove()
        assert "Your certificate has been registered." in await browser.register(party())

    told(sqlite_url, tmp_path, story)


def test_nobody_is_led_to_the_login_first(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = await world.browser(None)
            answer = await browser.client.get("/registration")
            assert answer.status_code == 303 and answer.headers["location"].startswith("/login?")
            posted = await browser.send("/registration/identify", {"run": "1", "version": "0"})
            assert posted.status_code == 401
            assert await world.store.many("flow", {}) == []

    asyncio.run(go())


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("banking_id", "a b", "인터넷뱅킹 ID를 영문과 숫자"),
        ("password", "", "인터넷뱅킹 비밀번호를 입력해 주세요."),
        ("idn", "751005", "주민등록번호 13자리를 숫자로 입력해 주세요."),
        ("idn", "7513052123456", "생년월일 또는 성별 숫자를 확인해 주세요."),
        ("idn", "3001013123456", "생년월일 또는 성별 숫자를 확인해 주세요."),
        ("idn", "1298520171", "사업자등록번호를 확인해 주세요."),
    ],
)
def test_what_is_typed_wrong_is_said_beside_its_field(
    sqlite_url: str, tmp_path: Path, field: str, typed: str, message: str
) -> None:
    async def story(world: World, browser: Browser) -> None:
        page = await browser.identify(HONG, **{field: typed})
        assert browser.status == 422 and message in page and f'id="{field}-error"' in page
        assert await world.results("login.password") == []

    told(sqlite_url, tmp_path, story)


def test_the_form_keeps_the_id_and_never_password_or_number(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        page = await browser.identify(banking_id="other999", password="no-such-password", idn="7510052999999")
        assert browser.status == 422 and 'value="other999"' in page
        assert "no-such-password" not in page and "2999999" not in page

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong-password"},
        {"banking_id": "nobody99"},
        {"idn": "7510052123457"},
        {"banking_id": KIM.banking_id, "idn": KIM.idn.reveal()},
    ],
    ids=["password", "id", "number", "another customer's own"],
)
def test_id_password_and_number_share_one_message_and_one_lock(
    sqlite_url: str, tmp_path: Path, changed: dict[str, str]
) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(4):
            page = await browser.identify(HONG, **changed)
            assert browser.status == 422 and "입력한 정보와 일치하는 고객을 찾지 못했습니다." in page
            assert "다른 고객" not in page
        if changed.get("banking_id", HONG.banking_id) == HONG.banking_id:
            await browser.identify(HONG, **changed)
            page = await browser.identify()
            assert "아이디 로그인을 막았습니다" in page

    told(sqlite_url, tmp_path, story)


def test_a_hyphen_that_was_pasted_is_accepted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        assert "보안매체 미소지고객 인증" in await browser.identify(idn="751005-2123456")

    told(sqlite_url, tmp_path, story)


def test_next_before_a_code_was_asked_for_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        page = await browser.post(
            "/registration/factor",
            {"method": "sms", "code": "000000", "number_back": "2123456", "phone_back": "1234"},
        )
        assert "먼저 [인증번호 요청]을 눌러 주세요." in page
        assert await world.store.counted("no-medium:c-hong", 86400, world.clock.now()) == 0

    told(sqlite_url, tmp_path, story)


def test_both_halves_of_the_second_screen_are_told_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        await browser.request_code()
        wrong = f"{(int(world.phone.code) + 1) % 1_000_000:06d}"
        page = await browser.prove(code=wrong, phone_back="0000")
        assert "인증번호가 맞지 않습니다. 남은 횟수 4번" in page
        assert "주민등록번호 뒷자리 또는 휴대폰번호 뒷자리가 등록 정보와 다릅니다." in page
        assert "data-certificate-window" in await browser.prove()

    told(sqlite_url, tmp_path, story)


def test_a_way_that_is_none_is_not_taken(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        for method in ("pigeon", "branch-otp", ""):
            page = await browser.post("/registration/factor/request", {"method": method})
            assert browser.status == 422 and "방법을 선택해 주세요" in page

    told(sqlite_url, tmp_path, story)


def test_a_second_code_within_a_minute_has_to_wait(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        await browser.request_code()
        world.clock.forward(20)
        page = await browser.request_code()
        assert browser.status == 429 and "잠시 후(40초) 다시 요청할 수 있습니다." in page
        world.clock.forward(41)
        await browser.get()
        await browser.request_code()
        assert len(world.phone.texts) == 2

    told(sqlite_url, tmp_path, story)


def test_a_code_of_another_window_is_void_once_a_new_one_left(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        await browser.request_code()
        first = world.phone.code
        world.clock.forward(61)
        await browser.get()
        await browser.request_code()
        if first != world.phone.code:
            assert "인증번호가 맞지 않습니다" in await browser.prove(code=first)
        assert "data-certificate-window" in await browser.prove()

    told(sqlite_url, tmp_path, story)


def test_back_leads_one_screen_back_and_voids_the_proof(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        told_then = await browser.challenge()
        certificate_page = browser.hidden()
        page = await browser.post("/registration/back")
        assert "보안매체 미소지고객 인증" in page
        answer = await browser.send(
            "/registration/certificate", {**certificate_page, **Window(world, party(), told_then).fields}
        )
        assert answer.status_code == 303
        assert await bindings(world) == []
        page = await browser.post("/registration/back")
        assert "증권금융 인터넷뱅킹 ID" in page

    told(sqlite_url, tmp_path, story)


def test_leaving_ends_the_flow_and_the_next_visit_starts_anew(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        answer = await browser.send("/registration/cancel", browser.hidden())
        assert (answer.status_code, answer.headers["location"]) == (303, "/cert-center")
        assert "증권금융 인터넷뱅킹 ID" in await browser.get()

    told(sqlite_url, tmp_path, story)


def test_a_stale_tab_is_sent_to_the_true_step_and_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.get()
        first_tab = browser.hidden()
        await browser.identify()
        await browser.request_code()
        for path in ("identify", "factor/request", "factor", "back"):
            typed = {"banking_id": "hong1234", "password": "x", "idn": "7510052123456", "method": "sms"}
            typed |= {"code": "123456", "number_back": "2123456", "phone_back": "1234"}
            answer = await browser.send(f"/registration/{path}", {**first_tab, **typed})
            assert answer.status_code == 303, path
        assert len(world.phone.texts) == 1
        assert "인증번호를 보냈습니다" in await browser.get()

    told(sqlite_url, tmp_path, story)


def test_a_double_click_asks_for_one_code_and_both_lead_on(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        fields = {**browser.hidden(), "method": "sms"}
        answers = await asyncio.gather(*(browser.send("/registration/factor/request", fields) for _ in range(4)))
        assert [answer.status_code for answer in answers] == [303] * 4
        await world.deliver()
        assert len(world.phone.texts) == 1

    told(sqlite_url, tmp_path, story)


def test_a_double_submit_of_the_certificate_binds_once_and_both_succeed(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        fields = {**browser.hidden(), **Window(world, party(), await browser.challenge()).fields}
        answers = await asyncio.gather(*(browser.send("/registration/certificate", fields) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [303] * 3
        assert len(await bindings(world)) == 1
        assert "완료 되었습니다" in await browser.get()
        await world.deliver()
        assert sum("등록되었습니다" in text for text in world.phone.texts) == 1

    told(store_url, tmp_path, story)


def test_two_tabs_with_two_challenges_bind_one_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        hidden = browser.hidden()
        one = Window(world, party(), await browser.challenge()).fields
        other = Window(world, party(key_name="rsa2048-03", serial=7), await browser.challenge()).fields
        first = await browser.send("/registration/certificate", {**hidden, **one})
        second = await browser.send("/registration/certificate", {**hidden, **other})
        assert (first.status_code, second.status_code) == (303, 303)
        (row,) = await bindings(world)
        assert row["fingerprint"] == party().certificate.fingerprint.hex()

    told(sqlite_url, tmp_path, story)


def test_two_browsers_of_one_person_end_with_one_active_binding(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        first = Window(world, party(), await browser.challenge()).fields
        world.clock.forward(61)
        elsewhere = await world.browser()
        await elsewhere.to_certificate()
        second = Window(world, party(key_name="rsa2048-03", serial=7), await elsewhere.challenge()).fields
        await browser.send("/registration/certificate", {**browser.hidden(), **first})
        answer = await elsewhere.send("/registration/certificate", {**elsewhere.hidden(), **second})
        assert answer.status_code == 409 and "이미 등록된 인증서가 있습니다" in answer.text
        assert [row["status"] for row in await bindings(world)] == ["ACTIVE"]

    told(store_url, tmp_path, story)


def test_replacing_needs_the_yes_before_signing_and_keeps_history(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        await browser.register(party())
        world.clock.forward(61)
        await browser.get("/registration?new=1")
        newer = party(key_name="rsa2048-03", serial=7)
        typed = {"banking_id": HONG.banking_id, "password": "우리-Secret-77", "idn": HONG.idn.reveal()}
        await browser.post("/registration/identify", typed)
        await browser.request_code()
        assert "타기관인증서 재등록" in world.phone.texts[-1]
        page = await browser.prove()
        assert "기존 등록 인증서(증권/보험용, 2027-04-17 만료)를 이 인증서로 바꿉니다." in page
        refused = await browser.challenge()
        assert (browser.status, refused["code"]) == (409, "replace-confirm")
        challenge = await browser.challenge(replace=True)
        assert party().certificate.fingerprint.hex() in challenge["body_text"]
        assert challenge["purpose"] == "rebind"
        page = await browser.present(Window(world, newer, challenge))
        assert "기존에 등록된 인증서를 새 인증서로 바꾸었습니다." in page
        statuses = {row["fingerprint"]: row["status"] for row in await bindings(world)}
        assert statuses == {
            party().certificate.fingerprint.hex(): "REPLACED",
            newer.certificate.fingerprint.hex(): "ACTIVE",
        }
        await world.deliver()
        assert "교체되었습니다" in world.phone.texts[-1]

    told(store_url, tmp_path, story)


def test_A17_replacing_ends_the_other_sessions_that_a_certificate_opened(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        await browser.register(party())
        others = [await world.sessions.open_pre(None) for _ in range(2)]
        risen = [
            world.sessions.rise(one.session, level, HONG.customer_id, None)
            for one, level in zip(others, (Level.CERT, Level.ID), strict=True)
        ]
        for one in risen:
            await world.store.save(Save(rows=one.changes))
        world.clock.forward(61)
        elsewhere = await world.browser()
        await elsewhere.to_certificate()
        await elsewhere.register(party(key_name="rsa2048-03", serial=7), replace=True)
        rows = {str(row["session"]): row["ended_by"] for row in await world.store.many("session", {})}
        assert rows[risen[0].session.session] == "replaced", "the old certificate's session is over"
        assert rows[risen[1].session.session] is None, "a login by ID is not"
        assert rows[elsewhere.session] is None

    told(store_url, tmp_path, story)


def test_the_same_certificate_again_is_an_idempotent_success(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        await browser.register(party())
        world.clock.forward(61)
        elsewhere = await world.browser()
        await elsewhere.to_certificate()
        page = await elsewhere.register(party(), replace=True)
        assert "이미 등록되어 있는 인증서입니다. 바로 사용할 수 있습니다." in page
        assert [row["status"] for row in await bindings(world)] == ["ACTIVE"]
        await world.deliver()
        assert sum("등록되었습니다" in text for text in world.phone.texts) == 1

    told(sqlite_url, tmp_path, story)


def test_thirty_minutes_end_the_flow_and_say_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.identify()
        world.clock.forward(9 * 60)
        await browser.get()
        world.clock.forward(9 * 60)
        await browser.get()
        world.clock.forward(9 * 60)
        await browser.get()
        world.clock.forward(4 * 60)
        page = await browser.get()
        assert "처리 시간이 지나 처음부터 다시 시작합니다." in page and "증권금융 인터넷뱅킹 ID" in page

    told(sqlite_url, tmp_path, story)


def test_a_proof_that_ran_out_leads_back_to_the_second_screen(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        world.clock.forward(301)
        page = await browser.get()
        assert "추가인증을 마친 뒤 시간이 지났습니다." in page and "인증번호 요청" in page

    told(sqlite_url, tmp_path, story)


def test_a_number_changed_yesterday_gets_no_code(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        from datetime import timedelta

        from ingam.ports.store import Save, Update

        changed = world.clock.now() - timedelta(hours=24)
        where: Row = {"customer_id": HONG.customer_id}
        await world.store.save(Save(rows=[Update("customer", where, {"mobile_changed_at": changed})]))
        await browser.identify()
        page = await browser.request_code()
        assert "72시간이 지나지 않아" in page and world.phone.texts == []

    told(sqlite_url, tmp_path, story)


def test_a_certificate_with_two_vids_and_one_without_are_refused_alike(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.to_certificate()
        doubled = party(put={"san": vid_extension(HONG.idn.reveal(), R, vids=2)})
        page = await browser.register(doubled)
        assert "본인 확인값이 없는 인증서라 등록할 수 없습니다." in page
        page = await browser.register(party(put={"san": certs.san(certs.other_name(b"\x05\x00", "1.2.3.4"))}))
        assert "본인 확인값이 없는 인증서라 등록할 수 없습니다." in page

    told(sqlite_url, tmp_path, story)


def test_enter_in_a_field_of_the_second_screen_means_next_and_never_another_code(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, browser: Browser) -> None:
        page = await browser.identify()
        for _ in range(2):
            form = page[page.index('action="/registration/factor"') : page.rindex("</form>")]
            own = [tag for tag in re.findall(r"<button[^>]*>", form) if " form=" not in tag and "type=" not in tag]
            assert 'class="primary"' in own[0]
            page = await browser.request_code()

    told(sqlite_url, tmp_path, story)
