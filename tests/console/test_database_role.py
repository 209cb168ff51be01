"""The console by a database role of its own, on a real PostgreSQL: all that operators do, and no more (security G1)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.console.test_changes import asked, in_force, submitted
from tests.console.test_fields import HERE, WHY, opened
from tests.console.world import HONG, KIM, World, told

from ingam.adapters.store.roles import Roles, apply


async def seen(world: World, *pages: str) -> None:
    """An officer looks at them and at a customer; a clerk at the numbers of the day."""
    officer = await world.at_customer(KIM, "third")
    for page in pages:
        assert (await officer.get(page)).status_code == 200, page
    branch = await world.at_customer(KIM, "other-clerk")
    assert (await branch.get(f"/customers/{KIM.customer_id}/number")).status_code == 200
    assert (await branch.get("/numbers")).status_code == 200


def test_G1_everything_of_an_operator_is_done_by_the_consoles_own_role(postgresql_url: str, tmp_path: Path) -> None:
    apply(postgresql_url, Roles())

    async def story(world: World) -> None:
        maker, checker = await world.signed_in("security"), await world.signed_in("administrator")
        form = {"ask": "new", "employee": "E3001", "name": "새사람", "branch": "부산지점", "role": ["auditor"]}
        for where in (await submitted(maker), await asked(maker, form)):
            await checker.get(where)
            assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code in (200, 303)
        assert await in_force(world) == {"sms_ttl_s": 120}
        desk = await opened(world)
        assert (await desk.send(HERE, WHY)).status_code == 200 and HONG.mobile in desk.page
        rows = await world.ports.store.many("audit", {"action": "console.field-unmask"})
        assert [json.loads(str(row["facts"]))["operator"] for row in rows] == ["E2002"]
        await seen(
            world, "/pictures", "/imports", "/fees", "/audit", "/revocations", "/exports", "/policy", "/operators"
        )
        await desk.get("/")
        assert (await desk.send("/logout")).status_code == 303

    told(tmp_path, story, url=postgresql_url, by_role=postgresql_url.replace("postgres@", "ingam_console@"))
