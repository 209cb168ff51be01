"""The register: whoever is left can still make and approve changes, and nobody comes in by one person's hand alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.console.test_changes import asked
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
