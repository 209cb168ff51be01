"""The register: whoever is left can still make and approve changes, and nobody comes in by one person's hand alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.console.test_changes import LINK, asked, handed, linked
from tests.console.world import Desk, World, told

from ingam.console.changes.flow import Approved, Change, Signature, Text
from ingam.console.operators import Role
from ingam.console.operators.kinds import EndOfOperator, LastOfTheirKind, OtherRoles
from ingam.ports.store import Save, Stale

OFFICERS = ("security", "administrator", "third")


def approved(world: World, kind: str, **values: str) -> Approved:
    """A change of one operator that two others have signed."""
    signature = Signature("E1003", world.clock.now(), "", "", "", "")
    text = Text("", (values["employee"],), world.clock.now())
    return Approved(Change("0" * 32, kind, "E1003", values), text, signature, signature)


async def holders(world: World, role: Role) -> int:
    return sum(role in one.roles for one in await world.operators.all())


def test_G2_two_ends_that_were_checked_at_once_leave_two_who_approve(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kind, now = EndOfOperator(world.operators, "", 1), world.clock.now()
        both = [await kind.apply(approved(world, kind.name, employee=one), now) for one in ("E1001", "E1002")]
        await world.ports.store.save(Save(rows=both[0].rows))
        with pytest.raises(Stale):
            await world.ports.store.save(Save(rows=both[1].rows))
        assert await holders(world, Role.ADMINISTRATOR) == await holders(world, Role.SECURITY) == 2

    told(tmp_path, story)


@pytest.mark.parametrize("left", ["administrator", "security"])
def test_G2_roles_taken_from_two_at_once_leave_two_of_each_kind(tmp_path: Path, left: str) -> None:
    async def story(world: World) -> None:
        kind, now = OtherRoles(world.operators, "", 1), world.clock.now()
        asks = [{"employee": one, "branch": "본점", "roles": left} for one in ("E1001", "E1002")]
        both = [await kind.apply(approved(world, kind.name, **one), now) for one in asks]
        await world.ports.store.save(Save(rows=both[0].rows))
        with pytest.raises(Stale):
            await world.ports.store.save(Save(rows=both[1].rows))
        assert min([await holders(world, Role.ADMINISTRATOR), await holders(world, Role.SECURITY)]) == 2

    told(tmp_path, story)


def test_G2_two_security_officers_remain_too(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kind = OtherRoles(world.operators, "", 1)
        first = await kind.apply(
            approved(world, kind.name, employee="E1001", branch="본점", roles="administrator"), world.clock.now()
        )
        await world.ports.store.save(Save(rows=first.rows))
        for values in ({"roles": "administrator", "branch": "본점"}, {"roles": "auditor", "branch": "본점"}):
            with pytest.raises(LastOfTheirKind):
                await kind.describe({"employee": "E1002", **values})
        with pytest.raises(LastOfTheirKind):
            await EndOfOperator(world.operators, "", 1).describe({"employee": "E1002"})
        await EndOfOperator(world.operators, "", 1).describe({"employee": "E1001"})  # E1002 and E1003 remain officers
        await EndOfOperator(world.operators, "", 1).describe({"employee": "E2001"})  # takes neither role from anybody

    told(tmp_path, story)


def test_G2_officers_who_end_each_other_at_one_moment_do_not_both(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one, other, third = [await world.signed_in(who) for who in OFFICERS]
        pairs: list[tuple[Desk, str]] = []
        for desk, ended in ((one, "E1002"), (other, "E1001")):
            where = await asked(third, {"ask": "end", "employee": ended})
            await desk.get(where)
            pairs.append((desk, where))
        answers = await asyncio.gather(
            *(desk.send(f"{where}/approve", {"answer": desk.signed()}) for desk, where in pairs)
        )
        assert [one.status_code for one in answers].count(303) == 1
        assert await holders(world, Role.ADMINISTRATOR) == 2

    told(tmp_path, story)


def test_G2_ends_at_one_moment_leave_two_on_a_real_postgresql_too(postgresql_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kind, now = EndOfOperator(world.operators, "", 1), world.clock.now()
        asked_for = [await kind.apply(approved(world, kind.name, employee=f"E100{n}"), now) for n in (1, 2, 3)]
        saves = (world.ports.store.save(Save(rows=one.rows)) for one in asked_for)
        came = await asyncio.gather(*saves, return_exceptions=True)
        assert sorted(type(one).__name__ for one in came) == ["NoneType", "Stale", "Stale"], came
        assert await holders(world, Role.ADMINISTRATOR) == await holders(world, Role.SECURITY) == 2

    told(tmp_path, story, url=postgresql_url)


async def both_halves(world: World, form: dict[str, Any]) -> tuple[Desk, Desk, str, str]:
    """Maker, checker, the maker's code and the secret of the checker's link, of an approved change."""
    maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
    where = await asked(maker, form)
    code = handed(maker)
    await checker.get(where)
    await checker.send(f"{where}/approve", {"answer": checker.signed()})
    return maker, checker, code, linked(checker)


NEW = {"ask": "new", "employee": "E3001", "name": "새사람", "branch": "부산지점", "role": ["auditor"]}
KEY = {"ask": "key", "employee": "E1004"}


@pytest.mark.parametrize("form", [NEW, KEY], ids=["new", "key"])
def test_G2_neither_maker_nor_checker_alone_can_enrol_in_the_persons_place(
    tmp_path: Path, form: dict[str, Any]
) -> None:
    async def story(world: World) -> None:
        maker, checker, code, token = await both_halves(world, form)
        assert len(code.replace("-", "")) == 16 and code not in checker.page and token not in maker.page
        before = len(await world.rows("operator_key"))
        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        for half in ((token, ""), (token, wrong), (code, ""), ("", code), (code, code), (token, token)):
            assert (await world.desk().enrol(*half)).status_code == 422
        assert len(await world.rows("operator_key")) == before
        told = {"token": token, "code": ""}
        desk = world.desk()
        await desk.get("/enrol?with=code")
        assert (await desk.options("/enrol/options", **told))["code"] == "invitation-over"
        assert (await world.desk().enrol(token, f" {code.lower().replace('-', ' ')} ")).status_code == 303
        assert (await world.desk().enrol(token, code)).status_code == 422

    told(tmp_path, story)


def test_G2_each_half_is_shown_once_and_kept_nowhere(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        where = await asked(maker, NEW)
        code = handed(maker)
        for desk in (maker, checker):
            await desk.get(where)
            assert "change-secret" not in desk.page
        await checker.send(f"{where}/approve", {"answer": checker.signed()})
        token = linked(checker)
        assert code not in checker.page
        for desk in (maker, checker):
            await desk.get(where)
            assert "change-secret" not in desk.page and LINK not in desk.page
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        for secret in (token, code, code.replace("-", "")):
            assert secret.encode() not in kept and secret not in world.log.getvalue()

    told(tmp_path, story)


def test_a_code_of_another_change_opens_no_link(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker, code, _ = await both_halves(world, NEW)
        where = await asked(maker, KEY)
        await checker.get(where)
        await checker.send(f"{where}/approve", {"answer": checker.signed()})
        assert (await world.desk().enrol(linked(checker), code)).status_code == 422

    told(tmp_path, story)


def test_the_enrolment_page_asks_for_a_code_where_the_link_says_so(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = world.desk()
        await desk.get("/enrol")
        assert 'name="code"' not in desk.page
        await desk.get("/enrol?with=code")
        assert 'name="code"' in desk.page and "등록 코드" in desk.text
        refused = await desk.send("/enrol", {"token": "x", "code": "y", "answer": "{}"})
        assert refused.status_code == 422 and 'name="code"' in desk.page

    told(tmp_path, story)
