"""A customer's page opens with a reason; it says what stops them and what to say, and locks are released there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.console.world import FIRM, HONG, KIM, Desk, World, told

from ingam.adapters.store.roles import CONSOLE_READS
from ingam.center.registration import checks
from ingam.customer.account.accounts import Recognised
from ingam.customer.locks import KINDS, NAMES
from ingam.kernel.words import has, table
from ingam.ports.store import Audit, Count, FlowSave, Insert, Row, Save


async def fail_logins(world: World, times: int) -> None:
    key = Recognised(world.ports.digests.digest("banking-id", KIM.banking_id), None).counter
    for _ in range(times):
        await world.ports.store.count(Count(key, 3600, 5, world.clock.now()))


async def met(world: World, code: str, **facts: int) -> None:
    subject = world.ports.digests.digest("banking-id", KIM.banking_id)
    line = Audit(world.clock.now(), "registration.factor", code, subject, None, None, facts)
    await world.ports.store.save(Save(audit=[line]))


def test_G4_a_customer_opens_only_with_a_reason_and_masked_and_it_is_written_down(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        await desk.get("/desk")
        answer = await desk.send("/desk", {"banking_id": KIM.banking_id})
        assert answer.status_code == 422 and "이유를 골라" in desk.text
        closed = await desk.get(f"/customers/{KIM.customer_id}")
        assert closed.status_code == 422 and "김" not in desk.text
        await desk.follow(await desk.send("/desk", {"banking_id": KIM.banking_id, "reason": "call"}))
        assert "김*권" in desk.text and "800303-1******" in desk.text and "010-****-5678" in desk.text
        for hidden in (KIM.name, KIM.idn.reveal(), KIM.mobile):
            assert hidden not in desk.page
        ((result, facts),) = await world.audit("console.customer-open")
        assert (result, facts["reason"]) == ("ok", "call")
        world.clock.forward(3600)
        desk = await world.signed_in("clerk")
        assert (await desk.get(f"/customers/{KIM.customer_id}")).status_code == 422

    told(tmp_path, story)


def test_an_operator_sees_what_kind_of_medium_somebody_holds_and_no_number_of_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        assert "미소지" in await opened_of(desk)
        medium: Row = {"customer_id": KIM.customer_id, "kind": "card", "since_at": world.clock.now()}
        await world.ports.store.save(Save(rows=[Insert("customer_medium", medium)]))
        assert "보안카드" in await opened_of(desk)
        assert {"security_card", "security_card_numbers", "otp_token"}.isdisjoint(CONSOLE_READS)

    async def opened_of(desk: Desk) -> str:
        await desk.get("/desk")
        await desk.follow(await desk.send("/desk", {"banking_id": KIM.banking_id, "reason": "call"}))
        return desk.text

    told(tmp_path, story)


def test_an_id_that_nobody_has_opens_nothing_and_is_written_down(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        await desk.get("/desk")
        for banking_id in ("nobody77", "'; --"):
            answer = await desk.send("/desk", {"banking_id": banking_id, "reason": "call"})
            assert answer.status_code == 422
        assert [result for result, _ in await world.audit("console.customer-open")] == ["customer-unknown"]

    told(tmp_path, story)


def test_G4_look_ups_of_a_day_have_a_ceiling(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        await desk.get("/desk")
        for banking_id in ("nobody71", "nobody72"):
            await desk.send("/desk", {"banking_id": banking_id, "reason": "call"})
        answer = await desk.send("/desk", {"banking_id": KIM.banking_id, "reason": "call"})
        assert answer.status_code == 429 and "횟수를 모두" in answer.text
        assert [result for result, _ in await world.audit("console.customer-open")][-1] == "searches-spent"

    told(tmp_path, story, searches_a_day=2)


def test_a_lock_is_shown_and_released_and_the_customer_is_told(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await fail_logins(world, 5)
        desk = await world.at_customer(KIM, "clerk", "counter")
        assert "아이디·비밀번호 오류 5 / 5 막힘" in desk.text
        path = f"/customers/{KIM.customer_id}/unlock"
        assert (await desk.send(path)).status_code == 422
        await desk.follow(await desk.send(path, {"lock": ["login"]}))
        assert "잠금을 풀었습니다" in desk.text and "막힌 것이 없습니다" in desk.text
        assert await world.rows("counter", key=f"login-fail:{'0' * 64}:new") == []
        (message,) = await world.rows("outbox")
        assert message["kind"] == "sms"
        ((_, facts),) = await world.audit("console.customer-unlock")
        assert (facts["locks"], facts["reason"], facts["operator"]) == ("login", "counter", "E2001")
        assert (await desk.send(path, {"lock": ["everything"]})).status_code == 422

    told(tmp_path, story)


def test_E3_a_customer_is_unlocked_three_times_a_day_whoever_does_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        path = f"/customers/{KIM.customer_id}/unlock"
        desks = [await world.at_customer(KIM, who) for who in ("clerk", "other-clerk", "security")]
        for desk in desks:
            assert (await desk.send(path)).status_code == 422  # nothing chosen: not counted
            assert (await desk.send(path, {"lock": ["login"]})).status_code == 303
            world.clock.forward(1)
        for desk in desks[:2]:
            answer = await desk.send(path, {"lock": ["sms-wrong"]})
            assert answer.status_code == 429 and "3번" in answer.text
        assert len(await world.rows("outbox")) == 3
        refused = ["unlocks-customer-spent"] * 2
        assert [result for result, _ in await world.audit("console.customer-unlock")][3:] == refused
        assert [result for result, _ in await world.audit("console.alarm")] == refused
        auditor = await world.signed_in("auditor")
        await auditor.get("/")
        assert "잠금을 하루에 풀 수 있는 만큼" in auditor.text
        firm = await world.at_customer(FIRM, "clerk")
        assert (await firm.send(f"/customers/{FIRM.customer_id}/unlock", {"lock": ["login"]})).status_code == 303
        world.clock.forward(24 * 3600)
        again = await world.at_customer(KIM, "clerk")
        assert (await again.send(path, {"lock": ["login"]})).status_code == 303

    told(tmp_path, story)


def test_E3_an_operator_unlocks_so_many_a_day_also_at_one_moment(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM, "clerk")
        await desk.follow(await desk.send("/desk", {"banking_id": FIRM.banking_id, "reason": "counter"}))
        paths = [f"/customers/{one.customer_id}/unlock" for one in (KIM, FIRM) * 3]
        answers = await asyncio.gather(*(desk.send(path, {"lock": ["login"]}) for path in paths))
        assert sorted(one.status_code for one in answers) == [303] * 4 + [429] * 2
        assert [result for result, _ in await world.audit("console.alarm")] == ["unlocks-spent"] * 2
        other = await world.at_customer(HONG, "other-clerk")
        assert (await other.send(f"/customers/{HONG.customer_id}/unlock", {"lock": ["login"]})).status_code == 303

    told(tmp_path, story, unlocks_a_day=4)


def test_what_a_customer_met_stands_with_what_they_read_and_what_to_say(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await met(world, "sms-wrong", n=3)
        await met(world, "number-too-new", h=72)
        await met(world, "ok")
        desk = await world.at_customer(KIM, "auditor", "incident")
        assert "남은 횟수 3번" in desk.text and "가장 늦게 온 문자" in desk.text
        assert desk.text.index("number-too-new") < desk.text.index("sms-wrong")
        assert "타기관인증서등록 ②추가인증" in desk.text
        # An auditor changes nothing.
        assert "고른 것 풀기" not in desk.text and "1회용 인증번호 발급" not in desk.text
        assert (await desk.send(f"/customers/{KIM.customer_id}/unlock", {"lock": "login"})).status_code == 403

    told(tmp_path, story)


def test_what_is_under_way_is_said_in_words_and_what_has_ended_is_not(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        until = world.clock.now().replace(hour=11)
        for flow_id, state in (("f1", "AwaitingCertificate"), ("f2", "Registered")):
            text = f'{{"state":"{state}","version":1,"facts":{{}}}}'
            flow = FlowSave(flow_id, "registration", 0, text, "0" * 64, KIM.customer_id, until)
            await world.ports.store.save(Save(flow=flow))
        desk = await world.at_customer(KIM, "clerk", "call")
        assert "③인증서 고르는 중" in desk.text and "2026-11-22 20:00까지" in desk.text
        assert "Registered" not in desk.text

    told(tmp_path, story)


def test_codes_are_listed_for_every_operator(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("administrator")
        await desk.get("/codes")
        assert "sms-budget-spent" in desk.text and "owner-mismatch" in desk.text

    told(tmp_path, story)


# What came of a report of loss, and what a night found: no refusals, and no sentence that anybody read.
OUTCOMES = ("unmatched", "nothing", "already", "found-expired", "found-revoked", "found-suspended")


def test_every_answer_belongs_to_a_code_that_customers_meet() -> None:
    for lang in ("ko", "en"):
        answers = [key.removeprefix("say.") for key in table(lang) if key.startswith("say.")]
        assert [code for code in answers if code not in ("default", *OUTCOMES) and not has(f"refusal.{code}")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_lock_has_a_word(name: str) -> None:
    assert has(f"console-standing.lock_{name}")


def test_locks_know_the_counters_of_the_ways_that_count() -> None:
    assert asyncio.run(_keys()) == {"number": f"number-fail:{HONG.customer_id}", "vid": f"vid-fail:{HONG.customer_id}"}


async def _keys() -> dict[str, str]:
    walk = type("W", (), {"customer": HONG})()
    assert KINDS["number"].keys(HONG) == (checks.number_key(walk),)
    assert KINDS["vid"].keys(HONG) == (checks.vid_key(walk),)
    return {name: KINDS[name].keys(HONG)[0] for name in ("number", "vid")}


def test_a_device_that_was_designated_is_counted(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM, "clerk", "call")
        assert "지정한 기기 0대" in desk.text

    told(tmp_path, story)
