"""What one person would do to the console with stolen, left-over or borrowed things; each was tried against it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clocks import SetClock
from tests.console.test_changes import asked, in_force, submitted
from tests.console.test_fields import WHY
from tests.console.world import HONG, KIM, World, told

from ingam.console.changes.flow import MACHINE, Submitted, Text, written
from ingam.console.exports import web
from ingam.console.operators.ceremony import Ceremony
from ingam.console.operators.register import Operators
from ingam.kernel.instants import KST
from ingam.ports.store import Save, Update


async def new_key(world: World, employee: str) -> None:
    """Another operator's passkeys are taken back by the third and the administrator."""
    maker, checker = await world.signed_in("third"), await world.signed_in("administrator")
    where = await asked(maker, {"ask": "key", "employee": employee})
    await checker.get(where)
    assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 200, checker.text


def test_G3_what_a_passkey_signed_that_was_taken_back_since_is_approved_by_nobody(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        thief, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(thief)
        await new_key(world, "E1001")
        await checker.get(where)
        answer = await checker.send(f"{where}/approve", {"answer": checker.signed()})
        assert answer.status_code == 422 and "패스키가 해지되어" in checker.text
        assert await in_force(world) == {}
        ((_, facts),) = await world.audit("console.change-void")
        assert facts["kind"] == "limits"

    told(tmp_path, story)


@pytest.mark.parametrize("what", ["signature", "maker", "expires"])
def test_G3_a_change_that_another_process_wrote_into_the_flows_is_approved_by_nobody(tmp_path: Path, what: str) -> None:
    """The center's database role may write flows; it has no operator's passkey."""

    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        (row,) = await world.rows("flow", machine="change")
        state = MACHINE.load(str(row["state"]))
        assert isinstance(state, Submitted)
        forged = {
            "signature": replace(state, text=replace(state.text, body=state.text.body.replace("nonce: ", "nonce: 0"))),
            "maker": replace(state, change=replace(state.change, maker="E1003")),
            "expires": replace(state, text=replace(state.text, expires_at=state.text.expires_at + timedelta(days=9))),
        }[what]
        update = Update("flow", {"flow_id": row["flow_id"]}, {"state": MACHINE.dump(forged)})
        await world.ports.store.save(Save(rows=[update]))
        await checker.get(where)
        assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 422
        assert await in_force(world) == {} and len(await world.audit("console.change-void")) == 1

    told(tmp_path, story)


def test_G1_a_new_link_ends_every_older_one_of_this_person(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        stolen = await world.invite("clerk")
        await new_key(world, "E2001")
        assert (await world.desk().enrol(stolen)).status_code == 422
        assert await world.rows("operator_key", employee="E2001") == []

    told(tmp_path, story)


def test_G1_inviting_somebody_again_ends_the_link_that_was_lost(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        operators = Operators(world.ports.store)
        ceremony = Ceremony(world.ports.store, operators, world.clock, world.settings.console.invitation_s)
        lost, found = await ceremony.invite_again("E2001"), await ceremony.invite_again("E2001")
        other = await ceremony.invite_again("E2002")
        assert (await world.desk().enrol(lost.token)).status_code == 422
        assert (await world.desk().enrol(found.token)).status_code == 303
        assert (await world.desk().enrol(other.token)).status_code == 303

    told(tmp_path, story)


def test_G1_refused_logins_of_a_visitor_fill_no_audit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = world.desk()
        await desk.get("/login")
        for _ in range(70):
            await desk.send("/login", {"answer": "{}"})
            await desk.send("/enrol/options", {"token": "guessed"})
        lines = await world.audit("console.login") + await world.audit("console.enrol")
        assert 60 <= len(lines) <= 61
        assert (await desk.send("/login", {"answer": "{}"})).status_code == 429

    told(tmp_path, story)


def test_G4_a_number_dressed_up_is_a_number(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM, "other-clerk")
        here = f"/customers/{KIM.customer_id}/fields"
        for note in (
            "연락처 010/8513/5678 확인", "연락처 010_8513_5678 확인", "연락처 010, 8513, 5678",
            "번호 8·0·0·3·0·3·1·2·3·4", "번호 800303\u200b1234567 확인", "번호 (010) 8513 — 5678",
        ):  # fmt: skip
            assert (await desk.send(here, WHY | {"note": note})).status_code == 422, note
        assert await world.audit("console.field-unmask") == []
        assert (await desk.send(here, WHY | {"note": "11월 26일 창구 방문, 3번 창구"})).status_code == 200

    told(tmp_path, story)


def test_G4_unmaskings_at_one_moment_do_not_pass_the_ceiling(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM, "other-clerk")
        here = f"/customers/{KIM.customer_id}/fields"
        await desk.get(here)
        answers = await asyncio.gather(*(desk.send(here, WHY) for _ in range(12)))
        assert sorted(one.status_code for one in answers) == [200] * 3 + [429] * 9
        assert len(await world.audit("console.field-unmask")) == 3

    told(tmp_path, story, unmaskings_a_day=3)


def test_G4_look_ups_at_one_moment_do_not_pass_the_ceiling(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        await desk.get("/desk")
        sent = [desk.send("/desk", {"banking_id": f"guess{n:03d}", "reason": "call"}) for n in range(12)]
        answers = await asyncio.gather(*sent)
        assert sorted(one.status_code for one in answers) == [422] * 4 + [429] * 8

    told(tmp_path, story, searches_a_day=4)


def test_E10_nobody_releases_the_locks_of_their_own_record(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(HONG, "clerk")
        answer = await desk.send(f"/customers/{HONG.customer_id}/unlock", {"lock": ["login"]})
        assert answer.status_code == 422, desk.text
        assert await world.rows("outbox") == []
        ((result, facts),) = await world.audit("console.customer-unlock")
        assert result != "ok" and facts["operator"] == "E2001"

    told(tmp_path, story)


def test_names_that_look_like_markup_are_text_in_every_screen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        evil = "<img src=x onerror=alert(1)>'\"&"
        maker = await world.signed_in("security")
        form = {"ask": "new", "employee": "E3001", "name": evil, "branch": "</script>{{7*7}}", "role": ["auditor"]}
        await maker.get("/operators")
        answer = await maker.send("/operators", form)
        await maker.get(answer.headers["location"])
        assert "<img" not in maker.page and "</script>{{" not in maker.page and "{{7*7}}" in maker.text
        row = world.operators.new("E3002", evil, evil, frozenset(), world.clock.now())
        await world.ports.store.save(Save(rows=[row]))
        for path in ("/operators", "/operators/E3002"):
            await maker.get(path)
            assert "<img" not in maker.page and "&lt;img" in maker.page

    told(tmp_path, story)


def test_G2_an_export_that_is_not_whole_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fills the audit pushes older lines out of the file; it must not look whole."""

    async def story(world: World) -> None:
        monkeypatch.setattr(web, "LINES_MOST", 5)
        maker, checker = await world.signed_in("auditor"), await world.signed_in("administrator")
        today = world.clock.now().astimezone(KST).date().isoformat()
        await maker.get("/exports")
        where = (await maker.send("/exports", {"first": today, "last": today})).headers["location"]
        await maker.get(where)
        await maker.send(f"{where}/submit", {"answer": maker.signed()})
        await checker.get(where)
        assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 303
        answer = await maker.send(where.replace("changes", "exports"))
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert len(lines) == 6 and lines[-1] == {"cut": True, "before": lines[-2]["seq"]}
        ((_, facts),) = await world.audit("console.audit-export")
        assert (facts["lines"], facts["cut"]) == (5, 1)

    told(tmp_path, story)


def test_a_value_with_an_unusual_line_end_is_one_line_of_a_text() -> None:
    body = "\n".join(["INGAM-CHANGE/1", "---", written("name", "-", "a\u2028b\u0085c\u2029d"), ""])
    assert Text(body, (), SetClock().now()).lines == [("name", "-", "a\u2028b\u0085c\u2029d")]
