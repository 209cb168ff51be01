"""The demo authority's staff: an officer's passkey signs 폐지 대행 as long as it is the officer's (D14, G2)."""

from __future__ import annotations

import asyncio
import shutil
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.ca.revoking.statement import Operator
from ingam.console.operators import Role
from ingam.console.operators.register import Operators, new_key
from ingam.ports.store import Change, Save
from ingam.protocols.webauthn import Credential
from ingam.protocols.webauthn.as_key import pack
from ingam.run import demo_staff
from ingam.run.cli import ca_operators
from ingam.settings import Settings
from ingam.wiring import keys_path
from ingam.wiring.authority import authority_folder

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def settings(demo_settings: Settings, sqlite_template: Path) -> Settings:
    """A demo whose authority and store stand."""
    place = Path(demo_settings.store.removeprefix("sqlite:///"))
    place.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(sqlite_template, place)
    demo_staff.prepare(demo_settings)
    return demo_settings


def saved(settings: Settings, *changes: Change) -> None:
    async def go() -> None:
        store = open_store(settings.store, open_keys(keys_path(settings)).outbox)
        await store.save(Save(rows=changes))
        await store.close()

    asyncio.run(go())


def credential(mark: int) -> Credential:
    return Credential(bytes([mark]) * 32, bytes([mark]) * 77, 0)


def known(settings: Settings) -> dict[str, Operator]:
    return dict(ca_operators.read(authority_folder(settings)).operators)


def looked(settings: Settings) -> dict[str, Operator]:
    """What the authority knows after its staff looked."""
    with closing(demo_staff.Staff(settings)) as staff:
        staff.look()
    return {name: one for name, one in known(settings).items() if name.startswith(demo_staff.OFFICER)}


def test_a_passkey_is_entered_replaced_and_removed_with_its_officer(settings: Settings) -> None:
    operators, officer = Operators(open_store(settings.store, open_keys(keys_path(settings)).outbox)), Role.SECURITY
    clerk = operators.new("E2001", "직원", "지점", frozenset({Role.CLERK}), NOW)
    saved(settings, operators.new("E1001", "책임자", "본점", frozenset({officer}), NOW), clerk)
    saved(settings, new_key("E1001", credential(1), NOW), new_key("E2001", credential(2), NOW))
    assert looked(settings) == {"console-e1001": Operator("console-e1001", "E1001", pack(credential(1)))}

    def ended() -> list[Change]:
        async def go() -> list[Change]:
            store = open_store(settings.store, open_keys(keys_path(settings)).outbox)
            changes = await Operators(store).without_keys("E1001", NOW)
            await store.close()
            return changes

        return asyncio.run(go())

    saved(settings, *ended(), new_key("E1001", credential(3), NOW))
    assert looked(settings)["console-e1001"].key == pack(credential(3))
    saved(settings, *ended())
    assert looked(settings) == {}


def test_the_staff_are_the_authoritys_first_operators_once_and_their_keys_are_their_owners(settings: Settings) -> None:
    before = known(settings)
    assert [(one.name, one.person) for one in before.values()] == list(demo_staff.STAFF)
    demo_staff.prepare(settings)
    assert known(settings) == before
    assert stat.S_IMODE(demo_staff.file_of(settings).stat().st_mode) == 0o600


def test_what_a_person_entered_by_hand_stays(settings: Settings) -> None:
    operators = Operators(open_store(settings.store, open_keys(keys_path(settings)).outbox))
    saved(settings, operators.new("E1001", "책임자", "본점", frozenset({Role.SECURITY}), NOW))
    saved(settings, new_key("E1001", credential(1), NOW))
    with closing(demo_staff.Staff(settings)) as staff:
        staff._sign(ca_operators.ADD, Operator("na", "E1001", pack(credential(9))))
    assert looked(settings) == {} and known(settings)["na"].key == pack(credential(9))
