"""`make run`: one command for the whole world, which leaves no process behind however it ends, and keeps its data."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.journeys.world import free_ports

from ingam.ca.ceremony import read_certificates
from ingam.run import demo_authority, demo_table
from ingam.run.demo import CHILDREN, WITHOUT_PORT
from ingam.run.founding_houses import Moment
from ingam.sandbox.people import PEOPLE
from ingam.settings import Settings
from ingam.wiring.authority import authority_folder

ROOT = Path(__file__).parents[2]
START_S = 180
STOP_S = 60


@dataclass
class Demo:
    """A demo that was started, and what it printed."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def children(self) -> list[int]:
        """Processes whose parent it is."""
        return [pid for pid, parent in _parents().items() if parent == self.process.pid]

    def wait_ready(self) -> None:
        wait_for(lambda: "Ctrl-C" in self.printed or self.process.poll() is not None, START_S)
        assert self.process.poll() is None, self.printed


def _parents() -> dict[int, int]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(folder.name)] = int(parent)
    return found


def wait_for(come: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not set(pids) & set(_parents())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], Demo]]:
    """Starts a demo on a port, with one data folder for all of a test."""
    started: list[Demo] = []

    def starting(port: int) -> Demo:
        log = tmp_path / f"{len(started)}.log"
        environment = os.environ | {
            "INGAM_SANDBOX_KEYS": str(ROOT / "vectors" / "keys"),
            "INGAM_CHEAP_PASSWORDS": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT / "src"),
        }
        command = [sys.executable, "-m", "ingam.run.demo", "--port", str(port), "--data", "data"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT)
        started.append(Demo(process, port, log))
        return started[-1]

    yield starting
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(10)


def customers(data: Path) -> list[tuple[str, bytes]]:
    with sqlite3.connect(data / "center" / "center.db") as database:
        rows = database.execute("SELECT customer_id, name FROM customer ORDER BY 1").fetchall()
    database.close()
    return rows


def test_it_starts_all_says_where_and_leaves_nothing_behind_however_it_ends(
    start: Callable[[int], Demo], tmp_path: Path
) -> None:
    first = start(free_ports(9))
    first.wait_ready()
    children = first.children()
    assert len(children) == len(CHILDREN) + len(WITHOUT_PORT) + 1
    for word in ("sandbox", "Bank!2026", "홍길동", "demo/NPKI", "Ingam!2026", "owner-mismatch", "한국전자인증"):
        assert word in first.printed
    assert str(tmp_path) not in first.printed.partition("사람 · people")[2]
    told = [line for line in first.printed.splitlines() if not line.startswith("{")]  # what processes log is no table
    assert max(demo_table.width(line) for line in told) <= demo_table.WIDTH
    for offset in (0, 1, 2, 3, 4, 6):
        path = "window.html" if offset == 1 else ""
        with urlopen(f"http://localhost:{first.port + offset}/{path}", timeout=10) as answer:
            assert answer.status == 200
    kept = customers(tmp_path / "data")
    assert len(kept) == len(PEOPLE)

    # The same data folder a second time.
    second = start(free_ports(9))
    assert second.process.wait(START_S) == 1
    assert "demo-already-running" in second.printed

    # Ctrl-C.
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(STOP_S) == 0
    wait_for(gone(children))
    assert "Traceback" not in first.printed

    # Elsewhere, with the same data; then the first death stops all.
    moved = start(free_ports(9))
    moved.wait_ready()
    assert customers(tmp_path / "data") == kept
    with urlopen(f"http://localhost:{moved.port}/login", timeout=10) as answer:
        assert answer.status == 200
    children = moved.children()
    os.kill(children[-1], signal.SIGKILL)
    assert moved.process.wait(STOP_S) == 1
    assert "종료 · ended with -9" in moved.printed
    wait_for(gone(children))

    # kill -9 of the parent.
    killed = start(moved.port)
    killed.wait_ready()
    children = killed.children()
    killed.process.kill()
    wait_for(gone(children))


def test_a_responder_that_ends_soon_is_renewed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(ROOT / "vectors" / "keys"))
    settings, now = replace(Settings(), data=tmp_path), datetime.now(UTC)
    ends = []
    for days in (70, 65, 0, 0):
        demo_authority.prepare(settings, lambda _: None, Moment(now - timedelta(days=days)))
        held = read_certificates(authority_folder(settings))
        ends.append(held.services_of("ocsp", 1)[-1].certificate.not_after)
    assert ends[0] == ends[1] < ends[2] == ends[3]
    assert ends[3] - now > timedelta(days=89)


def test_a_taken_port_is_named_before_anything_is_made(start: Callable[[int], Demo], tmp_path: Path) -> None:
    port = free_ports(9)
    with socket.create_server(("127.0.0.1", port + 1)):
        refused = start(port)
        assert refused.process.wait(START_S) == 1
    assert f"port-taken port={port + 1} process=vault" in refused.printed
    assert not (tmp_path / "data" / "sandbox").exists()


def test_ctrl_c_while_it_prepares_ends_it_quietly(start: Callable[[int], Demo], tmp_path: Path) -> None:
    early = start(free_ports(9))
    wait_for(lambda: (tmp_path / "data" / "lock").exists(), START_S)
    early.process.send_signal(signal.SIGINT)
    assert early.process.wait(STOP_S) == 0
    assert "Traceback" not in early.printed


IN_GENERATED_CODE = """
from ingam.run import demo

def interrupted(_names):
    exec("import os, signal; os.kill(os.getpid(), signal.SIGINT)\\nwhile True: pass")

demo.Brood = interrupted
raise SystemExit(demo.main())
"""
"""Libraries generate code while they are loaded, as dataclasses do: there, too, somebody may press Ctrl-C."""


def test_ctrl_c_while_code_is_generated_ends_it_as_quietly(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(IN_GENERATED_CODE)
    command = [sys.executable, "-m", "interrupted", "--port", str(free_ports(9)), "--data", "data"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{tmp_path}"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=STOP_S)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_table_fits_a_hundred_columns_and_counts_korean_letters_twice() -> None:
    assert demo_table.width("홍길동 ab") == 9
