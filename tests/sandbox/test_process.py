"""The sandbox and its houses as processes: who reaches the one reaches the others, and none outlives the other."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from tests.journeys.world import free_ports
from tests.sandbox.conftest import KEYS, copied

from ingam.protocols import ocsp
from ingam.run.houses_counter import Signings
from ingam.run.houses_places import world_folder
from ingam.sandbox.samples import sample
from ingam.sandbox.world import World
from ingam.settings import Settings, read

ROOT = Path(__file__).parents[2]


class Running:
    """A sandbox that was started alone, in a folder whose name is longer than a socket's address may be."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ, "INGAM_PORT": str(free_ports(9)), "INGAM_DATA": str(folder / "data"),
            "INGAM_DEMO": str(folder / "demo"), "INGAM_SANDBOX_KEYS": str(KEYS), "PYTHONPATH": str(ROOT / "src"),
        }  # fmt: skip
        self.settings: Settings = read(self.environment)
        command = [sys.executable, "-m", "ingam.run.sandbox"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        self.origin = f"http://localhost:{self.settings.port('sandbox')}"

    @property
    def houses(self) -> int:
        """The process of the houses."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (one,) = (int(pid) for pid in children if b"ingam.run.houses" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return one

    def answers(self) -> bool:
        """Whether its port does; it is ready then, and its houses with it."""
        assert self.process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", self.settings.port("sandbox")), 1).close()
        except OSError:
            return False
        return True


def until(come: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def gone(pid: int) -> Callable[[], bool]:
    def come() -> bool:
        try:
            return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return True

    return come


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Running]:
    deep = tmp_path / ("folder-" * 12)
    deep.mkdir()
    one = Running(copied(tmp_path_factory, deep))
    try:
        until(one.answers)
        yield one
    finally:
        one.process.kill()
        one.process.wait(10)


def test_who_reaches_the_sandbox_reaches_the_houses_and_they_end_with_it(running: Running) -> None:
    world = world_folder(running.settings)
    holder, issuer = World(world).newest("securities").parsed, Signings(running.settings, world).certificate
    ca = sample("securities").ca
    question = ocsp.request(ocsp.cert_id(holder, issuer(ca.key)), None)
    with urlopen(Request(f"{running.origin}/ocsp/signkorea", question), timeout=10) as answer:
        assert ocsp.parse(answer.read()).responder_by_key is not None
    with urlopen(f"{running.origin}/dir/rootca/root4.arl", timeout=10) as answer:
        assert answer.headers["content-type"] == "application/pkix-crl"
    houses, folder = running.houses, running.settings.data / "sandbox" / "houses"
    assert folder.stat().st_mode & 0o077 == (folder / "socket").stat().st_mode & 0o077 == 0
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(20)
    until(gone(houses))


def test_a_sandbox_that_is_killed_leaves_no_houses_behind(running: Running) -> None:
    houses = running.houses
    running.process.kill()
    until(gone(houses))


def test_a_sandbox_without_its_houses_ends(running: Running) -> None:
    os.kill(running.houses, signal.SIGKILL)
    until(lambda: running.process.poll() is not None)
