"""A login that commits between the look at a binding and the save that ends it is over as well (security F2, E11)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.center.finance_cert.test_finance_cert import enter, register, with_cloud
from tests.center.finance_cert.test_finance_cert import prove as prove_finance
from tests.center.incident import test_incident as incident
from tests.center.management.manager import Authority, manager
from tests.center.world import HONG, World, party, told

from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.npki import policies
from ingam.ports.store import Save, Update

Between = Callable[[World, str, Callable[[], Awaitable[Any]]], None]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Once somebody's save is about to end a row of this table, something else commits first."""

    def armed(world: World, table: str, act: Callable[[], Awaitable[Any]]) -> None:
        store, save = world.ports.store, world.ports.store.save

        async def late(one: Save) -> None:
            ends = [row for row in one.rows if isinstance(row, Update) and row.table == table]
            if any(row.values.get("status") != "ACTIVE" for row in ends):
                monkeypatch.setattr(store, "save", save)
                await act()
            await save(one)

        monkeypatch.setattr(store, "save", late)

    return armed


async def nobody_inside(world: World, level: str) -> None:
    """Sessions of this level are there, and all are over."""
    rows = await world.rows("session", level=level)
    assert rows and all(row["ended_at"] is not None for row in rows)


@pytest.mark.parametrize("kind", ["release", "suspension"])
def test_F2_a_login_just_before_a_binding_ends_is_over(
    store_url: str, tmp_path: Path, between: Between, kind: str
) -> None:
    async def story(world: World) -> None:
        one, late = await manager(world, Authority()), world.browser()
        await one.begin_task(kind)
        if kind == "release":
            await one.prove()
        between(world, "binding", lambda: late.present(party()))
        await one.finish()
        assert await one.statuses() == ["RELEASED" if kind == "release" else "SUSPENDED"]
        assert await world.results("login.certificate") == ["ok"]
        await nobody_inside(world, "cert")
        assert (await late.get("/loan")).status_code == 303

    told(store_url, tmp_path, story)


def test_E11_a_login_just_before_a_report_of_loss_suspends_is_over(
    sqlite_url: str, tmp_path: Path, between: Between
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await incident.report(world.browser())
        between(world, "binding", lambda: world.browser().present(party()))
        await incident.work(world, incident.Authority())
        assert await world.results("login.certificate") == ["ok"]
        await nobody_inside(world, "cert")

    told(sqlite_url, tmp_path, story)


def test_A17_a_login_just_before_the_certificate_is_replaced_is_over(
    sqlite_url: str, tmp_path: Path, between: Between
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        other = party(key_name="rsa2048-03", serial=7).certificate
        policy = policies.lookup(other.issuer, other.policy_oid)
        assert policy is not None
        old = await bindings.standing(HONG)
        made = await bindings.change(ToBind(HONG, other, policy, world.clock.now(), "0" * 64), old)
        between(world, "binding", lambda: world.browser().present(party()))
        await world.ports.store.save(Save(rows=made.rows))
        await nobody_inside(world, "cert")

    told(sqlite_url, tmp_path, story)


def test_F2_a_login_just_before_a_finance_certificate_is_released_is_over(
    sqlite_url: str, tmp_path: Path, between: Between
) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        one = await register(world, cloud)
        await one.look("/finance-cert")
        await one.post("/finance-cert/begin", {"kind": "release"})
        await prove_finance(one)
        between(world, "finance_binding", lambda: enter(world, cloud))
        await one.post("/finance-cert/release")
        assert await world.results("login.finance") == ["ok"]
        await nobody_inside(world, "finance")

    told(sqlite_url, tmp_path, story)
