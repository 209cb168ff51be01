"""What the life of a certificate leaves in the console: imports, fees that hang, where a customer stands with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.console.test_every_route import M, only
from tests.console.world import HONG, KIM, World, told

from ingam.center.copying.flow import COPYING
from ingam.center.finance_cert.flow import FINANCE
from ingam.center.heads.flow import HEADS
from ingam.center.incident.flow import INCIDENT
from ingam.center.issuance.flow import ISSUANCE
from ingam.center.management.flow import MANAGEMENT
from ingam.center.protection.flow import PROTECTION
from ingam.center.registration.flow import REGISTRATION
from ingam.center.renewal.flow import RENEWAL
from ingam.console.fees.service import STAGES
from ingam.console.standing.service import CAUSES, ENDED, state_word
from ingam.customer.binding.silence import Listening
from ingam.kernel.flow import Machine
from ingam.kernel.words import has, table
from ingam.ports.payment import Stage
from ingam.ports.store import Audit, FlowSave, Insert, Outgoing, Row, Save, Update, Value

FILE = "ab" * 32
MINUTE = timedelta(minutes=1)


async def imported(world: World, ago: timedelta, finished: bool, **codes: int) -> None:
    """A run of three batches, the last of which is `ago`."""
    now = world.clock.now()
    began = now - ago - 2 * MINUTE
    counts = {"bound": 690, "claimed": 300, "there": 0, "refused": 10}
    row: Row = {
        "run_id": FILE, "started_at": began, "at_row": 1000, "report_bytes": 9,
        "finished_at": now - ago if finished else None, **counts,
    }  # fmt: skip
    text = " ".join(f"{code}:{n}" for code, n in codes.items())
    lines = [
        Audit(began - MINUTE, "binding.import", "done", None, None, None, {"file": FILE, "codes": "import-form:77"}),
        Audit(
            began + MINUTE, "binding.import", "done", None, None, None, {"file": FILE, "codes": text, "account": "reg"}
        ),
        Audit(now - ago, "binding.import", "done", None, None, None, {"file": FILE, "codes": "import-form:1"}),
    ]
    await world.ports.store.save(Save(rows=[Insert("import_run", row)], audit=lines))


async def claimed(world: World, key: str, customer_id: str, ended: datetime | None = None) -> None:
    row: Row = {"claim_key": key, "customer_id": customer_id, "at": world.clock.now(), "ended_at": ended}
    await world.ports.store.save(Save(rows=[Insert("binding_claim", row)]))


async def charged(world: World, key: str, stage: str, ago: timedelta = 9 * MINUTE, approval: str = "") -> None:
    row: Row = {
        "key": key * 32, "customer_id": KIM.customer_id, "flow_id": f"issuance:{key}", "machine": "issuance",
        "product": "universal", "amount": 4400, "stage": stage, "certificate": None, "approval": approval,
        "opened_at": world.clock.now() - ago, "settled_at": None,
    }  # fmt: skip
    await world.ports.store.save(Save(rows=[Insert("payment", row)]))


async def bound(world: World, number: int, status: str, ended: datetime | None, table: str = "binding") -> None:
    row: dict[str, Value] = {
        "binding_id": f"b{number}", "customer_id": KIM.customer_id, "fingerprint": f"{number:064x}", "name_key": "n",
        "policy_oid": "1.2.410.200004.5.1.1.5", "not_after": world.clock.now() + timedelta(days=200), "details": b"x",
        "status": status, "bound_at": world.clock.now() - timedelta(days=number), "ended_at": ended,
    }  # fmt: skip
    row = row | {"slot": number} if table == "binding" else row
    await world.ports.store.save(Save(rows=[Insert(table, row)]))


def test_an_import_is_shown_with_its_cursor_its_codes_and_whose_hand_ran_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await imported(world, 30 * MINUTE, False, **{"import-of-other": 6})
        await claimed(world, "k1", KIM.customer_id)
        await claimed(world, "k2", HONG.customer_id, world.clock.now())
        desk = await world.signed_in("auditor")
        await desk.get("/imports")
        assert "기다리는 등록 1" in desk.text and "멈춤" in desk.text and "1,001행부터" in desk.text
        assert "본 행 1,000 등록 690 첫 로그인 때 확인 300 이미 있던 것 0 거절 10" in desk.text
        assert "실행한 계정 reg" in desk.text
        assert "import-of-other 6행 이 인증서는 다른 고객에게" in desk.text and "import-form 1행 …" in desk.text
        assert "77" not in desk.text and "이 밖에 거절한 3행" in desk.text

    told(tmp_path, story)


def test_an_import_runs_and_is_done(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await imported(world, MINUTE, False)
        desk = await world.signed_in("administrator")
        await desk.get("/imports")
        assert "진행 중" in desk.text and "행부터 이어집니다" not in desk.text
        done = Update("import_run", {"run_id": FILE}, {"finished_at": world.clock.now()})
        await world.ports.store.save(Save(rows=[done]))
        await desk.get("/imports")
        assert "끝남" in desk.text and "행부터 이어집니다" not in desk.text

    told(tmp_path, story)


def test_charges_that_hang_stand_with_what_to_do_and_those_of_now_do_not(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await charged(world, "a", "authorised", 10 * 60 * MINUTE)
        await charged(world, "b", "unpaid", approval="30012345")
        await charged(world, "c", "opened")
        await charged(world, "d", "captured", 10 * 60 * MINUTE)
        due = world.clock.now() + 9 * MINUTE
        await world.ports.store.save(Save(outbox=[Outgoing("payment", b"a" * 32, f"payment:{'a' * 32}:1", due)]))
        desk = await world.signed_in("administrator")
        await desk.get("/fees")
        assert desk.text.index("돈이 잡혀 있고") < desk.text.index("밤마다 같은 결제를 다시 시도하고")
        assert "a" * 32 in desk.text and "승인번호 30012345" in desk.text and "0번 처리를 시도" in desk.text
        assert "c" * 32 not in desk.text and "d" * 32 not in desk.text
        assert "결제 대기 1 승인됨, 청구 전 1 청구됨 1" in desk.text and "고객 열기" in desk.text
        for hidden in (KIM.name, KIM.banking_id, KIM.customer_id):
            assert hidden not in desk.page
        desk = await only(world, "security", M)
        await desk.get("/fees")
        assert "a" * 32 in desk.text and "고객 열기" not in desk.text

    told(tmp_path, story)


def test_G4_whose_a_charge_is_opens_with_a_reason_only_counted_and_written_down(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await charged(world, "b", "unpaid")
        desk, here = await world.signed_in("auditor"), f"/fees/{'b' * 32}"
        await desk.get(here)
        assert KIM.customer_id not in desk.page
        assert (await desk.send(here)).status_code == 422
        assert await world.audit("console.customer-open") == []
        answer = await desk.send(here, {"reason": "incident"})
        await desk.follow(answer)
        assert "김*권" in desk.text and "4,400원 미납, 다시 시도 중" in desk.text
        assert "두 번 청구되지 않습니다" in desk.text
        ((result, facts),) = await world.audit("console.customer-open")
        assert (result, facts["reason"]) == ("ok", "incident")
        await desk.get(here)
        assert (await desk.send(here, {"reason": "incident"})).status_code == 429
        assert (await desk.get(f"/fees/{'9' * 32}")).status_code == 404

    told(tmp_path, story, searches_a_day=1)


CAUSED = (
    ("recheck.binding", "found-revoked", "STALE", "밤의 확인에서 폐지된 것을"),
    ("recheck.binding", "found-expired", "STALE", "밤의 확인에서 만료된 것을"),
    ("recheck.binding", "found-suspended", "SUSPENDED", "인증기관이 효력정지라고"),
    ("incident.suspend", "ok", "SUSPENDED", "사고신고로 정지했습니다"),
    ("management.suspension", "ok", "SUSPENDED", "인증서관리에서 효력정지했습니다"),
    ("management.revocation", "ok", "STALE", "인증서관리에서 폐지했습니다"),
    ("registration.certificate", "ok", "STALE", "폐지되었거나 만료되었습니다"),
)


def test_a_registration_that_speaks_for_nobody_says_why_and_what_to_say(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        subject = world.ports.digests.digest("banking-id", KIM.banking_id)
        for number, (action, result, status, _) in enumerate(CAUSED, 1):
            at = world.clock.now() - timedelta(hours=number)
            await bound(world, number, status, at)
            await world.ports.store.save(Save(audit=[Audit(at, action, result, subject, None, None)]))
        desk = await world.at_customer(KIM)
        shown = desk.text.partition("등록된 인증서와")[2]
        assert [said for *_, said in CAUSED if shown.count(said) != 1] == []

    told(tmp_path, story)


def test_claims_and_the_finance_certificate_stand_on_the_customers_page(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await claimed(world, "k1", KIM.customer_id)
        await bound(world, 1, "ACTIVE", None, table="finance_binding")
        await bound(world, 9, "RELEASED", world.clock.now(), table="finance_binding")
        desk = await world.at_customer(KIM)
        assert "가져온 등록 1건이 첫 로그인을 기다립니다" in desk.text
        assert (
            "금융인증서 등록됨" in desk.text and "복사할 것이 없습니다" in desk.text and "금융인증서 해제" in desk.text
        )

    told(tmp_path, story)


def test_an_authority_that_the_night_does_not_reach_is_shown_since_when_and_an_alarm_for_officers(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        listening = Listening(world.ports.store, timedelta(hours=12))
        begun = world.clock.now() - timedelta(hours=13)
        for name in ("SignKorea Sandbox CA", "Crosscert"):
            await listening.silent(name, "status-unreachable", begun)
        await listening.heard("Crosscert", begun + MINUTE)
        desk = await world.signed_in("clerk")
        await desk.get("/pictures")
        assert "SignKorea Sandbox CA 응답 없음 status-unreachable" in desk.text and "Crosscert" not in desk.text
        assert "등록은 하나도 바뀌지 않았습니다" in desk.text
        await listening.silent("SignKorea Sandbox CA", "status-slow", world.clock.now())
        await desk.get("/pictures")
        assert "SignKorea Sandbox CA 경보 status-slow" in desk.text and "2026-11-22 06:00부터" in desk.text
        await desk.get("/")
        assert "SignKorea" not in desk.text
        desk = await world.signed_in("security")
        await desk.get("/")
        assert "인증기관 SignKorea Sandbox CA" in desk.text
        await listening.heard("SignKorea Sandbox CA", world.clock.now())
        await desk.get("/pictures")
        assert "응답하지 않는 인증기관이 없습니다" in desk.text

    told(tmp_path, story)


UNDER_WAY = (
    ("renewal", "Requested", "", "갱신 인증기관에 요청함", "기존 인증서를 지우지 말고"),
    ("issuance", "Delivered", "", "신규공동인증서신청 ⑥받은 인증서를 확인 중", "처음부터 다시 신청하지"),
    ("management", "Confirming", "revocation", "인증서 폐지 확인을 누르기 전", "인증서관리에서 이어서"),
    ("finance", "ChoosingFactor", "register", "금융인증서 등록 추가인증 고르는 중", "금융인증서 화면에서"),
)


def test_what_is_under_way_says_how_it_goes_on(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        until = world.clock.now() + 9 * MINUTE
        for machine, state, kind, *_ in UNDER_WAY:
            facts = {"task": {"kind": kind, "target": ""}} if kind else {}
            text = msgspec.json.encode({"state": state, "version": 1, "facts": facts}).decode()
            flow = FlowSave(machine, machine, 0, text, "0" * 64, KIM.customer_id, until)
            await world.ports.store.save(Save(flow=flow))
        desk = await world.at_customer(KIM)
        for *_, word, said in UNDER_WAY:
            assert word in desk.text and said in desk.text

    told(tmp_path, story)


@pytest.mark.parametrize(
    "machine",
    [COPYING, FINANCE, HEADS, INCIDENT, ISSUANCE, MANAGEMENT, PROTECTION, REGISTRATION, RENEWAL],
    ids=lambda m: m.name,
)
def test_every_end_of_every_flow_is_history_and_every_open_state_has_a_word(machine: Machine[object, object]) -> None:
    assert {state.__name__ for state in machine.ends()} <= ENDED
    # Where a copy stands is its own two devices' to say.
    waiting = set(machine.states()) - ENDED if machine is not COPYING else set()
    assert [one for one in waiting if state_word(machine.name, one, "ko") == one] == []


def test_every_stage_of_a_payment_is_counted_and_has_its_word() -> None:
    assert set(STAGES) == {str(one) for one in Stage} | {"unpaid", "overdue", "taking", "ending", "replaced", "unclear"}
    assert [one for one in STAGES if not has(f"console-fees.stage_{one}")] == []
    assert all(has(f"console-fees.do_{one}") for one in ("opened", "authorised", "unpaid", "overdue", "unclear"))
    causes = {word for words in CAUSES.values() for word in words.values()}
    told = {key.rpartition("_")[2] for key in _keys() if key.startswith(("binding_suspended_", "binding_stale_"))}
    assert causes == told - {"do"}


def _keys() -> list[str]:
    return [key.removeprefix("console-standing.") for key in table("ko") if key.startswith("console-standing.")]
