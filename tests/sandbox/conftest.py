"""A sandbox made of test keys, once for those who only look and afresh for those who change it.

The houses behind it are opened within the test's process, on the loop of the client.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingam.npki.certificate import Certificate
from ingam.page import Bundle
from ingam.run import sandbox
from ingam.run.houses_counter import Signings
from ingam.sandbox.world import Issued, World
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
class Outcome:
    """The world as tests look into it, and what they have done to certificates in it."""

    world: World
    signings: Signings
    client: TestClient

    def newest(self, slug: str) -> Issued:
        """The current certificate under a demo name."""
        return self.world.newest(slug)

    def authority(self, name: str) -> Certificate:
        """A house's or a root's own certificate."""
        return self.signings.certificate(name)

    def act(self, name: str, act: str, _at: datetime | None = None) -> None:
        """Revoke, suspend or release, as a program does on the sandbox's switches."""
        answer = self.client.post("/switches", json={"kind": "certificate", "name": name, "position": act})
        assert answer.status_code == 200, answer.text


@dataclasses.dataclass(frozen=True)
class Box:
    """A prepared sandbox: its settings, its demo folder, its clock and a client of its HTTP side."""

    settings: Settings
    demo: Path
    clock: SetClock
    client: TestClient
    world: Outcome

    @property
    def trust(self) -> Path:
        """The center's trust configuration."""
        return self.settings.data / "trust"

    def until(self, come: Callable[[], bool], seconds: float = 10) -> None:
        """Lists follow a change in the moment after it, and never two of one second, which passes here."""
        end = time.monotonic() + seconds
        while not come():
            assert time.monotonic() < end, "it did not come"
            self.clock.pass_time(seconds=1)
            time.sleep(0.05)

    def turn(self, kind: str, name: str, position: str) -> dict[str, object]:
        """Turns a switch as a program does."""
        answer = self.client.post("/switches", json={"kind": kind, "name": name, "position": position})
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told


def prepared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A world in a folder, and nobody at work in it."""
    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(KEYS))
    settings = dataclasses.replace(Settings(), mode="test", data=folder / "data", sandbox_origin=ORIGIN)
    sandbox.prepare(settings, lambda _: None, folder / "demo")
    return settings


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    settings, demo, clock = prepared(folder, monkeypatch), folder / "demo", SetClock()
    app = sandbox.app(settings, bundle=Bundle.empty(), clock=clock, demo=demo)
    where = sandbox.world_folder(settings)
    with TestClient(app, base_url=ORIGIN) as client:
        yield Box(settings, demo, clock, client, Outcome(World(where), Signings(settings, where), client))


_founded: list[Path] = []
"""The world of this run; no fixture, so that other folders' tests get theirs by `kept` and `box` alone."""


def copied(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """The folder, with a copy of a world in its data that nobody has opened."""
    if not _founded:
        with pytest.MonkeyPatch.context() as patch:
            _founded.append(sandbox.world_folder(prepared(factory.mktemp("founded"), patch)))
    shutil.copytree(_founded[0], folder / "data" / "sandbox" / "world")
    return folder


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """For tests that only look."""
    with pytest.MonkeyPatch.context() as patch:
        yield from make(copied(tmp_path_factory, tmp_path_factory.mktemp("kept")), patch)


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """For tests that change something."""
    yield from make(copied(tmp_path_factory, tmp_path), monkeypatch)
