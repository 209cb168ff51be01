"""Four eyes: two natural persons sign one text, neither is whom it is about, and no signature outlives an edit."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from tests.console.world import Desk, World, told

from ingam.console.changes.flow import EDGES, MACHINE, Applied, written
from ingam.console.operators import Role
from ingam.console.sessions import OperatorSessions
from ingam.console.trail import Trail, Visit
from ingam.customer.policy import LIMITS, Policy, approved
from ingam.customer.policy.limits import LiveLimits
from ingam.kernel.secret import Secret
from ingam.ports.store import Save
from ingam.run import console, console_officers
from ingam.settings import Limits


async def drafted(desk: Desk, **limits: str) -> str:
    """The address of a fresh draft of these limits, open on the desk."""
    await desk.get("/policy")
    answer = await desk.send("/policy/limits", limits or {"sms_ttl_s": "120"})
    assert answer.status_code == 303, desk.text
    where: str = answer.headers["location"]
    await desk.get(where)
    return where


async def submitted(desk: Desk, **limits: str) -> str:
    """The address of a change that its maker has signed."""
    where = await drafted(desk, **limits)
    answer = await desk.send(f"{where}/submit", {"answer": desk.signed()})
    assert answer.status_code == 303, desk.text
    return where


async def asked(desk: Desk, form: dict[str, Any]) -> str:
    """The address of a change of operators that its maker has signed."""
    await desk.get("/operators")
    answer = await desk.send("/operators", form)
    assert answer.status_code == 303, desk.text
    where: str = answer.headers["location"]
    await desk.get(where)
    assert (await desk.send(f"{where}/submit", {"answer": desk.signed()})).status_code in (200, 303), desk.text
    return where


LINK = "/enrol?with=code#"


def handed(desk: Desk) -> str:
    """The half of an enrolment that the maker's page shows once."""
    (code,) = re.findall(r'<code class="change-secret">([0-9A-Z-]+)</code>', desk.page)
    return str(code)


def linked(desk: Desk) -> str:
    """The half that stands in the link on the checker's page, shown once."""
    assert LINK in desk.page, desk.text
    return desk.page.partition(LINK)[2].partition("<")[0]


async def in_force(world: World) -> dict[str, Any]:
    return dict((await approved(world.ports.store, LIMITS)).value)


def test_G2_two_persons_sign_and_the_limit_is_in_force(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        assert await in_force(world) == {}
        await checker.get(where)
        assert "SMS 인증번호" in checker.page or "sms_ttl_s" in checker.page
        answer = await checker.send(f"{where}/approve", {"answer": checker.signed()})
        assert answer.status_code == 303, checker.text
        assert await in_force(world) == {"sms_ttl_s": 120}
        await checker.follow(answer)
        assert "적용됨" in checker.text
        (line,) = await world.audit("console.change-approve")
        assert line[0] == "ok" and line[1]["operator"] == "E1002" and line[1]["kind"] == "limits"

    told(tmp_path, story)


def test_G2_nobody_approves_their_own_change(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker = await world.signed_in("security")
        where = await submitted(maker)
        await maker.get(where)
        assert "data-given" not in maker.page
        state = MACHINE.load((await world.rows("flow", machine="change"))[0]["state"])  # type: ignore[arg-type]
        options = {"rpId": "localhost", "challenge": encoded(state.text.challenge)}
        answer = json.dumps(maker.authenticator.get(options))
        assert (await maker.send(f"{where}/approve", {"answer": answer})).status_code == 422
        assert "모두 달라야" in maker.text and await in_force(world) == {}
        assert ("refused", "change-same-person") in [
            (result, facts.get("code")) for result, facts in await world.audit("console.change-approve")
        ]

    told(tmp_path, story)


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_G2_whom_a_change_is_about_neither_makes_nor_approves_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, subject = await world.signed_in("security"), await world.signed_in("administrator")
        other = await world.signed_in("third")
        form = {"ask": "roles", "employee": "E1002", "branch": "본점", "role": ["administrator", "security", "auditor"]}
        where = await asked(maker, form)
        await subject.get(where)
        assert "data-given" not in subject.page
        state = MACHINE.load((await world.rows("flow", machine="change"))[0]["state"])  # type: ignore[arg-type]
        signed = json.dumps(
            subject.authenticator.get({"rpId": "localhost", "challenge": encoded(state.text.challenge)})
        )
        assert (await subject.send(f"{where}/approve", {"answer": signed})).status_code == 422
        await subject.get("/operators/E1002")
        assert 'name="ask"' not in subject.page
        await other.get(where)
        assert (await other.send(f"{where}/approve", {"answer": other.signed()})).status_code == 303
        assert Role.AUDITOR in (await world.operators.get("E1002")).roles

    told(tmp_path, story)


def test_G3_the_challenge_is_the_hash_of_the_text_on_the_page(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        await checker.get(where)
        signed = json.loads(checker.signed())
        said = json.loads(base64.urlsafe_b64decode(signed["response"]["clientDataJSON"] + "=="))
        state = MACHINE.load((await world.rows("flow", machine="change"))[0]["state"])  # type: ignore[arg-type]
        body = state.text.body
        assert said["challenge"] == encoded(sha256(body.encode()).digest())
        assert sha256(body.encode()).hexdigest() in checker.page
        assert '["sms_ttl_s", "180", "120"]' in body and body.startswith("INGAM-CHANGE/1\n")
        assert all(line.replace('"', "&#34;") in checker.page for line in body.splitlines())
        assert (await checker.send(f"{where}/approve", {"answer": json.dumps(signed)})).status_code == 303
        kept = MACHINE.load((await world.rows("flow", machine="change"))[0]["state"])  # type: ignore[arg-type]
        assert isinstance(kept, Applied) and kept.checked.client_data == signed["response"]["clientDataJSON"]
        assert (kept.made.employee, kept.checked.employee) == ("E1001", "E1002")

    told(tmp_path, story)


def test_G3_any_edit_voids_what_was_signed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        await checker.get(where)
        before = checker.signed()
        changes = changes_of(world)
        visit = Visit(await world.operators.get("E1001"), await sessions_of(world).find(maker.cookie), "-", "ko")
        await changes.edit(visit, where.rpartition("/")[2], {"sms_ttl_s": "90"})
        assert (await checker.send(f"{where}/approve", {"answer": before})).status_code == 409
        await maker.get(where)
        assert (await maker.send(f"{where}/submit", {"answer": maker.signed()})).status_code == 303
        assert (await checker.send(f"{where}/approve", {"answer": before})).status_code == 422
        assert await in_force(world) == {}

    told(tmp_path, story)


def sessions_of(world: World) -> OperatorSessions:
    return OperatorSessions(world.ports.store, world.clock, 900, 3600)


def changes_of(world: World) -> Any:
    """The service that the application has."""
    trail = Trail(world.ports.store, world.ports.digests, world.clock)
    rp = console.relying_party(world.settings)
    return console_officers.office(world.settings, world.ports, world.operators, trail, rp).changes


def test_G3_an_approval_comes_within_a_day_or_never(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker = await world.signed_in("security")
        where = await submitted(maker)
        world.clock.forward(24 * 3600 - 1)
        checker = await world.signed_in("administrator")
        await checker.get(where)
        signed = checker.signed()
        world.clock.forward(1)
        assert (await checker.send(f"{where}/approve", {"answer": signed})).status_code == 422
        assert "하루가 지났습니다" in checker.text
        assert await in_force(world) == {}
        await checker.get("/changes")
        assert "기한 지남" in checker.text
        assert [row["status"] for row in await world.rows("operator_change")] == ["expired"]

    told(tmp_path, story)


def test_G3_an_answer_to_another_challenge_or_by_another_person_approves_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker, third = [await world.signed_in(one) for one in ("security", "administrator", "third")]
        first, second = await submitted(maker), await submitted(maker, sms_tries="4")
        await checker.get(first)
        of_first = checker.signed()
        await checker.get(second)
        assert (await checker.send(f"{second}/approve", {"answer": of_first})).status_code == 422
        await third.get(second)
        assert (await checker.send(f"{second}/approve", {"answer": third.signed()})).status_code == 422
        assert (await checker.send(f"{second}/approve", {"answer": "{}"})).status_code == 422
        assert await in_force(world) == {}
        causes = [facts.get("cause") for _, facts in await world.audit("console.change-sign")]
        assert causes == ["challenge", "credential", "malformed"]

    told(tmp_path, story)


def test_a_change_that_another_one_overtook_is_void(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        first, second = await submitted(maker, sms_ttl_s="120"), await submitted(maker, sms_ttl_s="90")
        for where, status in ((first, 303), (second, 422)):
            await checker.get(where)
            answer = await checker.send(f"{where}/approve", {"answer": checker.signed()})
            assert answer.status_code == status
        assert "무효" in checker.text and await in_force(world) == {"sms_ttl_s": 120}

    told(tmp_path, story)


def test_a_change_is_declined_or_taken_back_and_nothing_of_it_is_true(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        first, second, third = [await submitted(maker) for _ in range(3)]
        await checker.get(first)
        assert (await checker.send(f"{first}/decline")).status_code == 303
        await maker.get(second)
        assert (await maker.send(f"{second}/withdraw")).status_code == 303
        assert (await checker.send(f"{third}/withdraw")).status_code == 403
        statuses = sorted(str(row["status"]) for row in await world.rows("operator_change"))
        assert statuses == ["declined", "submitted", "voided"] and await in_force(world) == {}

    told(tmp_path, story)


def test_G2_no_approval_leaves_the_bounds_of_a_limit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker = await world.signed_in("security")
        assert (await maker.get("/policy")).status_code == 200
        for text in ("181", "59", "x", "180"):
            assert (await maker.send("/policy/limits", {"sms_ttl_s": text})).status_code == 422
        assert await world.rows("operator_change") == []

    told(tmp_path, story)


def test_G2_a_new_operator_comes_by_two_signatures_and_a_link_shown_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        form = {"ask": "new", "employee": "E3001", "name": "새사람", "branch": "부산지점", "role": ["clerk"]}
        await maker.get("/operators")
        for idn, sentence in (
            ("", "본인의 주민등록번호를 적어야"),
            ("751005-2123456", "이미 다른 사번"),
            ("75100", "대문자"),
        ):
            refused = await maker.send("/operators", {**form, "idn": idn})
            assert refused.status_code == 422 and sentence in maker.text
        form["idn"] = "800101-2000007"
        where = await asked(maker, form)
        code = handed(maker)
        await checker.get(where)
        answer = await checker.send(f"{where}/approve", {"answer": checker.signed()})
        assert answer.status_code == 200
        token = linked(checker)
        await checker.get(where)
        assert LINK not in checker.page
        fresh = world.desk()
        assert (await fresh.enrol(token, code)).status_code == 303
        assert (await fresh.log_in()).status_code == 303
        await fresh.get("/")
        assert "새사람" in fresh.text
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"8001012000007" not in kept and b"800101-2000007" not in kept
        index = await world.ports.blind_index.index("idn", Secret("8001012000007"))
        assert (await world.operators.get("E3001")).is_person(index)

    told(tmp_path, story)


def test_G2_an_operator_who_ends_or_gets_a_new_passkey_is_out_at_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        clerk, auditor = await world.signed_in("clerk"), await world.signed_in("auditor")
        for ask, employee in (("end", "E2001"), ("key", "E1004")):
            where = await asked(maker, {"ask": ask, "employee": employee})
            await checker.get(where)
            answer = await checker.send(f"{where}/approve", {"answer": checker.signed()})
            assert answer.status_code in (200, 303)
        for desk in (clerk, auditor):
            assert (await desk.get("/")).status_code == 303
            assert (await desk.log_in()).status_code == 422

    told(tmp_path, story)


def test_G2_the_role_decides_who_makes_and_who_checks(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker = await world.signed_in("security")
        where = await submitted(maker)
        for who in ("clerk", "auditor"):
            desk = await world.signed_in(who)
            await desk.get("/")
            assert (await desk.send(f"{where}/approve", {"answer": "{}"})).status_code == 403
            assert (await desk.send("/policy/limits", {"sms_ttl_s": "120"})).status_code == 403
            assert (await desk.send("/operators", {"ask": "end", "employee": "E1002"})).status_code == 403
        assert len(await world.audit("console.forbidden")) == 6
        reader = await world.signed_in("auditor")
        assert (await reader.get(where)).status_code == 200 and "data-given" not in reader.page

    told(tmp_path, story)


def test_a_makers_lost_role_voids_what_they_made(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        gone = await world.operators.get("E1001")
        await world.ports.store.save(Save(rows=[world.operators.changed(gone, gone.branch, frozenset({Role.AUDITOR}))]))
        await checker.get(where)
        assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 422
        assert await in_force(world) == {}

    told(tmp_path, story)


def test_two_approvals_at_once_are_one(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker, third = [await world.signed_in(one) for one in ("security", "administrator", "third")]
        where = await submitted(maker)
        for desk in (checker, third):
            await desk.get(where)
        answers = await asyncio.gather(
            *(desk.send(f"{where}/approve", {"answer": desk.signed()}) for desk in (checker, third))
        )
        assert sorted(one.status_code for one in answers) == [303, 409]
        assert (await approved(world.ports.store, LIMITS)).version == 1

    told(tmp_path, story)


def test_the_center_reads_approved_policy_live_and_keeps_it_when_the_store_is_away(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        policy = Policy(world.ports.store)
        limits = LiveLimits(Limits(), policy)
        assert (limits.sms_ttl_s, limits.session_idle_s) == (180, 600)
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await submitted(maker)
        await checker.get(where)
        await checker.send(f"{where}/approve", {"answer": checker.signed()})
        await policy.read()
        assert (limits.sms_ttl_s, limits.session_idle_s) == (120, 600)

    told(tmp_path, story)


def test_withdrawn_policies_and_authorities_are_not_taken_any_more(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        await maker.get("/policy")
        every = [one.partition('"')[0] for one in maker.page.split('name="accepted" value="')[1:]]
        answer = await maker.send("/policy/policy-oids", {"accepted": every[1:]})
        await maker.follow(answer)
        where = answer.headers["location"]
        await maker.send(f"{where}/submit", {"answer": maker.signed()})
        await checker.get(where)
        assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 303
        policy = Policy(world.ports.store)
        authority, _, oid = every[0].partition(" ")
        assert policy.takes(authority, oid)
        await policy.read()
        assert not policy.takes(authority, oid) and policy.takes(*every[1].split(" "))

    told(tmp_path, story)


def test_every_state_ends_or_goes_on_and_comes_back_from_the_store() -> None:
    assert {state.__name__ for state in MACHINE.ends()} == {"Applied", "Declined", "Expired", "Voided"}
    assert len(EDGES) == 7


def test_no_value_of_a_line_can_look_like_another_line() -> None:
    line = written("name", 'a"\n["roles", "-", "x"]', "b")
    assert "\n" not in line and msgspec.json.decode(line)[1].startswith('a"\n')
