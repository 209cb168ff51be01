"""The demo's operators: two by the ceremony and a branch clerk; a fresh enrolment link for each without a passkey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ingam.adapters.blind_index.process import at_hand
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.console.operators import Role
from ingam.console.operators.ceremony import Ceremony, Person
from ingam.console.operators.register import Operators
from ingam.kernel.secret import Secret
from ingam.ports.store import Save, Store
from ingam.run.cli.console import enrolment_link
from ingam.settings import Settings
from ingam.wiring import index_folder, keys_path

FIRST: Final = (Person("E1001", "나보안", "본점"), Person("E1002", "문관리", "본점"))
CLERK: Final = Person("E2001", "김증권", "여의도지점")
CUSTOMER: Final = "kim8203"
"""Who works at the branch is a customer too: the console gives no number for their own record (E10)."""


def file_of(settings: Settings) -> Path:
    """Where the demo keeps who its operators are and their links, for a person and for journeys."""
    return settings.data / "console" / "operators.json"


async def prepare(settings: Settings) -> list[dict[str, Any]]:
    """The operators, made where there are none; their links anew, since one that was shown is known nowhere."""
    keys = open_keys(keys_path(settings))
    store = open_store(settings.store, keys.outbox)
    operators = Operators(store)
    ceremony = Ceremony(store, operators, SystemClock(), settings.console.invitation_s)
    try:
        if not await operators.all():
            await ceremony.perform(FIRST)
            clerk, now = frozenset({Role.CLERK}), SystemClock().now()
            row = operators.new(CLERK.employee, CLERK.name, CLERK.branch, clerk, now, await _person(settings))
            await store.save(Save(rows=[row]))
        told = [await _told(settings, store, operators, ceremony, employee) for employee in await _employees(operators)]
    finally:
        await store.close()
    path = file_of(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(json.dumps({"operators": told}, ensure_ascii=False, indent=1), encoding="utf-8")
    return told


async def _person(settings: Settings) -> bytes | None:
    """The blind index of the clerk's own number, as the demo's people have it."""
    path = settings.data / "sandbox" / "people.json"
    people = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    idn = next((str(one["idn"]) for one in people if one["banking_id"] == CUSTOMER), None)
    if idn is None:
        return None
    async with at_hand(index_folder(settings)) as index:
        return await index.index("idn", Secret(idn))


async def _employees(operators: Operators) -> list[str]:
    return [one.employee for one in await operators.all()]


async def _told(
    settings: Settings, store: Store, operators: Operators, ceremony: Ceremony, employee: str
) -> dict[str, Any]:
    """An operator as the demo tells of one; without a link if they had a passkey."""
    one = await operators.get(employee)
    had = await store.many("operator_key", {"employee": employee}, limit=1)
    link = "" if had else enrolment_link(settings, await ceremony.invite_again(employee))
    roles = [str(role) for role in Role if role in one.roles]
    return {"employee": employee, "name": one.name, "branch": one.branch, "roles": roles, "link": link}
