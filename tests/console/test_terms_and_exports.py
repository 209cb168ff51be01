"""Terms and bulk export by two persons: a text takes effect as it was signed, a file is taken once (G2)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.console.test_changes import submitted
from tests.console.world import Desk, World, told

from ingam.center.terms.registry import Registry
from ingam.customer.policy import Policy
from ingam.settings import Settings

LATER = datetime(2026, 12, 2, tzinfo=UTC)


async def both(maker: Desk, checker: Desk, where: str) -> None:
    """Signed by its maker and by another."""
    await maker.get(where)
    assert (await maker.send(f"{where}/submit", {"answer": maker.signed()})).status_code == 303, maker.text
    await checker.get(where)
    assert (await checker.send(f"{where}/approve", {"answer": checker.signed()})).status_code == 303, checker.text


def newer(folder: Path, text: str = "# 새 약관\n") -> Settings:
    """Settings of a console whose institution has a newer version of T1."""
    shipped = Registry.read().current("T1", LATER)
    (folder / "T1").mkdir(parents=True, exist_ok=True)
    (folder / "T1" / "2026-11-01.ko.md").write_bytes(shipped.texts["ko"])
    (folder / "T1" / "2026-12-01.ko.md").write_text(text, encoding="utf-8")
    return replace(Settings(mode="test"), terms=folder)


def test_G2_a_later_version_of_terms_takes_effect_when_two_persons_signed_its_text(tmp_path: Path) -> None:
    settings = newer(tmp_path / "terms")

    async def story(world: World) -> None:
        policy = Policy(world.ports.store)
        registry = Registry.read(settings.terms).under(policy)
        assert registry.current("T1", LATER).version == "2026-11-01"
        maker, checker = await world.signed_in("administrator"), await world.signed_in("security")
        await maker.get("/policy")
        answer = await maker.send("/policy/terms", {"accepted": ["T1 2026-12-01"]})
        await both(maker, checker, answer.headers["location"])
        await maker.get(answer.headers["location"])
        assert registry.find("T1", "2026-12-01").sha256("ko") in maker.page  # type: ignore[union-attr]
        await policy.read()
        assert registry.current("T1", LATER).version == "2026-12-01"
        newer(tmp_path / "terms", "# 몰래 고친 약관\n")
        changed = Registry.read(settings.terms).under(policy)
        assert changed.current("T1", LATER).version == "2026-11-01"

    told(tmp_path, story, settings=settings)


def test_G2_the_audit_leaves_in_bulk_once_for_the_one_who_asked_and_another_approved(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("auditor"), await world.signed_in("security")
        await maker.get("/exports")
        for wrong in ({"first": "2026-11-22", "last": "2026-12-23"}, {"first": "x", "last": "2026-11-22"}):
            assert (await maker.send("/exports", wrong)).status_code == 422
        answer = await maker.send("/exports", {"first": "2026-11-22", "last": "2026-11-22"})
        where = answer.headers["location"]
        take = where.replace("/changes/", "/exports/")
        await maker.get(where)
        assert (await maker.send(take)).status_code == 422  # nobody approved it yet
        await both(maker, checker, where)
        assert (await checker.send(take)).status_code == 403
        await maker.get(where)
        taken = await maker.client.post(take, data={"csrf": maker.csrf}, headers={"Origin": "http://localhost:8702"})
        assert taken.status_code == 200 and "attachment" in taken.headers["content-disposition"]
        lines = [json.loads(line) for line in taken.text.splitlines()]
        assert {"console.login", "console.change-approve"} <= {line["action"] for line in lines}
        assert any(line["operator"] == "E1001" for line in lines)
        await maker.get(where)
        assert (await maker.send(take)).status_code == 409
        assert [facts["lines"] for _, facts in await world.audit("console.audit-export")] == [len(lines)]

    told(tmp_path, story)


def test_an_approved_export_waits_a_day(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        maker, checker = await world.signed_in("auditor"), await world.signed_in("security")
        await maker.get("/exports")
        where = (await maker.send("/exports", {"first": "2026-11-22", "last": "2026-11-22"})).headers["location"]
        await both(maker, checker, where)
        world.clock.forward(24 * 3600)
        await maker.log_in()
        await maker.get(where)
        assert (await maker.send(where.replace("/changes/", "/exports/"))).status_code == 422

    told(tmp_path, story)


def test_an_auditor_reads_changes_and_approves_none(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        where = await submitted(await world.signed_in("security"))
        auditor = await world.signed_in("auditor")
        await auditor.get(where)
        assert "data-given" not in auditor.page
        assert (await auditor.send(f"{where}/approve", {"answer": "{}"})).status_code == 403
        assert (await auditor.send(f"{where}/decline")).status_code == 403
        assert len(await world.audit("console.forbidden")) == 2

    told(tmp_path, story)
