"""A server killed between any two steps of the registration leaves the old state or the new; the walk goes on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from tests.center.registration.world import CENTER, HONG, Browser, World, opened, party

from ingam.center.registration.steps import STEPS
from ingam.ports.store import Row

ROOT = Path(__file__).parents[3]


def cases(kind: str, request: pytest.FixtureRequest, folder: Path) -> list[tuple[str, str, str]]:
    """(step, a fresh migrated database, a folder of its own) for each step."""
    found = []
    for step, _ in STEPS:
        place = folder / step
        (place / "center").mkdir(parents=True, mode=0o700)
        if kind == "sqlite":
            shutil.copyfile(request.getfixturevalue("sqlite_template"), place / "center" / "center.db")
            url = f"sqlite:///{place / 'center' / 'center.db'}"
        else:
            url = request.getfixturevalue("postgresql").fresh()
        found.append((step, url, str(place)))
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_each_step_nothing_is_lost_nothing_is_double_and_the_walk_goes_on(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    walks = cases(kind, request, tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    child = subprocess.run(
        [sys.executable, "-m", "tests.center.registration.killed"],
        input=json.dumps(walks).encode(), capture_output=True, cwd=ROOT, env=environment, timeout=240, check=True,
    )  # fmt: skip
    assert json.loads(child.stdout) == {step: True for step, _ in STEPS}, "every step is passed"
    for step, url, folder in walks:
        asyncio.run(afterwards(step, url, Path(folder)))


async def afterwards(step: str, url: str, folder: Path) -> None:
    async with opened(url, folder, people=False) as world:
        await consistent(step, world)
        world.clock.forward(400)
        kept = json.loads((folder / "browser.json").read_text())
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=world.app), base_url=CENTER)
        client.cookies.set("ingam-center", kept["cookie"])
        world.clients.append(client)
        browser = Browser(world, client, kept["csrf"], kept["session"])
        await finish(step, world, browser)
        await consistent(step, world)
        active = await world.store.many("binding", {"status": "ACTIVE"})
        assert len(active) == 1, step
        await world.deliver()
        for row in await world.store.many("binding", {}):
            notice = await world.store.one("outbox", {"dedup": f"registered:{row['binding_id']!s}"})
            assert notice is not None and notice["delivered_at"] is not None, step
        assert not await world.store.claim(world.clock.now(), 60, 50), step


async def consistent(step: str, world: World) -> None:
    """State, rows, ledger, outbox and audit tell the same story."""
    bindings = await world.store.many("binding", {})
    active = [row for row in bindings if row["status"] == "ACTIVE"]
    flows = [str(row["state"]) for row in await world.store.many("flow", {})]
    ended = [state for state in flows if '"Registered"' in state]
    done = await world.store.many("audit", {"action": "registration.certificate", "result": "ok"})
    assert len(active) <= 1, step
    assert len(bindings) == len(ended) == len(done), (step, flows)
    for row in bindings:
        assert any(str(row["fingerprint"]) in state for state in ended), step
        notice: Row | None = await world.store.one("outbox", {"dedup": f"registered:{row['binding_id']!s}"})
        assert notice is not None, step
    proofs = await world.store.many("ledger_used", {"kind": "proof", "voided": False})
    assert len(proofs) == len(bindings), step


async def finish(step: str, world: World, browser: Browser) -> None:
    """The same person, at whatever step the screen shows, walks on to the end."""
    for _ in range(8):
        page = await browser.get()
        if "완료 되었습니다" in page:
            return
        if "data-certificate-window" in page:
            await browser.register(party(key_name="rsa2048-04", serial=9), replace='name="replace"' in page)
        elif 'action="/registration/factor"' in page:
            await browser.request_code()
            await browser.prove()
        else:
            await browser.identify(HONG)
        world.clock.forward(1)
    raise AssertionError((step, browser.page))
