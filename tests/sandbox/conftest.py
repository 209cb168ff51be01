"""A sandbox made of test keys, once for those who only look and afresh for those who change it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingam.page import Bundle
from ingam.run import sandbox
from ingam.sandbox.world import World
from ingam.settings import Settings

KEYS = Path(__file__).parents[2] / "vectors" / "keys"
ORIGIN = "http://localhost:18706"


class SetClock:
    """A clock that a test sets; it begins now, because OCSP answers carry the machine's producedAt."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        """The chosen instant."""
        return self.at

    def pass_time(self, **length: float) -> None:
        """Goes on by a timedelta's arguments."""
        self.at += timedelta(**length)


@dataclasses.dataclass(frozen=True)
class Box:
    """A prepared sandbox: its settings, its demo folder, its clock and a client of its HTTP side."""

    settings: Settings
    demo: Path
    clock: SetClock
    client: TestClient
    world: World

    @property
    def trust(self) -> Path:
        """The center's trust configuration."""
        return self.settings.data / "trust"

    def turn(self, kind: str, name: str, position: str) -> dict[str, object]:
        """Turns a switch as a program does."""
        answer = self.client.post("/switches", json={"kind": kind, "name": name, "position": position})
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(KEYS))
    settings = dataclasses.replace(Settings(), mode="test", data=folder / "data", sandbox_origin=ORIGIN)
    demo, clock = folder / "demo", SetClock()
    sandbox.prepare(settings, lambda _: None, demo)
    app = sandbox.app(settings, bundle=Bundle.empty(), clock=clock, demo=demo)
    world = World(sandbox.world_folder(settings))
    with TestClient(app, base_url=ORIGIN) as client:
        yield Box(settings, demo, clock, client, world)
    world.close()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """For tests that only look."""
    with pytest.MonkeyPatch.context() as patch:
        yield from make(tmp_path_factory.mktemp("kept"), patch)


@pytest.fixture
def box(kept: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """For tests that change something: a copy of the one that is kept."""
    world = Path("sandbox", "world")
    shutil.copytree(kept.settings.data / world, tmp_path / "data" / world)
    yield from make(tmp_path, monkeypatch)
