"""A demo over TLS, started for a test on free ports: `make run HTTPS=1` with HOST=localhost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.world import free_ports

from ingam.run.trial import BEHIND, Trial
from ingam.settings import PORTS

ROOT = Path(__file__).parents[2]
START_S = 240


@dataclass(frozen=True)
class Running:
    """Where it is, its data folder, and the file of what it printed."""

    at: Trial
    data: Path
    log: Path


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Started and ready; stopped afterwards, as by Ctrl-C."""
    port = free_ports(BEHIND + len(PORTS) + 1)  # the sandbox takes mail on one more
    environment = os.environ | {
        "INGAM_SANDBOX_KEYS": str(ROOT / "vectors" / "keys"),
        "INGAM_CHEAP_PASSWORDS": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-m", "ingam.run.demo", "--port", str(port), "--data", "data", "--https"]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + START_S
        while "Ctrl-C" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield Running(Trial("localhost", port), folder / "data", log)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
