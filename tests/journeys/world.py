"""The whole world of `make run`, started for the journeys on free ports with a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store.audit_lines import opened
from ingam.adapters.store.statements import BODY

ROOT = Path(__file__).resolve().parents[2]
START_S = 240
TURNS = 3
FIRST_PORT, TOP_PORT = 20_000, 32_700
# One person walks through many journeys of one world: the limits that stop a person for a minute or a day are raised.
LIMITS = {
    "SMS_GAP_S": "1",
    "SMS_A_DAY": "1000",
    "SMS_PERSON_A_DAY": "1000",
    "ARS_A_DAY": "1000",
    "NONCES_OPEN": "50",
    "NONCES_AN_HOUR": "1000",
    "ADDRESS_NONCES_AN_HOUR": "100000",
    "ADDRESS_LOGINS_AN_HOUR": "100000",
    "ID_LOGINS_AN_HOUR": "100000",
    "DEVICE_LOGINS_AN_HOUR": "100000",
    "IDCARD_READS": "50",
    "IDCARD_CHECKS_A_DAY": "50",
    "ONEWON_ACCOUNT_A_DAY": "50",
    "ONEWON_PERSON_A_DAY": "50",
    "ONEWON_WRONG_A_MONTH": "500",
    "COPY_RUNS": "500",
    "COPY_OPENS": "500",
}


@dataclass(frozen=True)
class World:
    """A running demo. `demo` is what the sandbox wrote about its people."""

    port: int
    data: Path
    process: subprocess.Popen[bytes]
    demo: Any

    @property
    def center(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def vault(self) -> str:
        return f"http://localhost:{self.port + 1}"

    @property
    def sandbox(self) -> str:
        return f"http://localhost:{self.port + 6}"

    def get(self, path: str) -> Any:
        """JSON of the sandbox."""
        with urlopen(f"{self.sandbox}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON to the sandbox."""
        headers = {"content-type": "application/json", "accept": "application/json", "origin": self.sandbox}
        request = Request(f"{self.sandbox}{path}", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def turn(self, kind: str, name: str, position: str) -> Any:
        """A switch of the sandbox."""
        return self.post("/switches", {"kind": kind, "name": name, "position": position})

    def refusals(self) -> list[tuple[str, str]]:
        """(route, code) of every request that the center refused so far, as its log has them."""
        lines = log_of(self.data).read_text(encoding="utf-8", errors="replace").splitlines()
        told = [json.loads(line) for line in lines if line.startswith('{"request_id"')]
        return [(one["route"], one["code"]) for one in told if one.get("code")]

    def audit(self) -> list[dict[str, Any]]:
        """The center's audit, oldest first: action, result, facts."""
        sealer = open_keys(self.data / "center" / "keys" / "center.keys").outbox
        with closing(sqlite3.connect(self.data / "center" / "center.db")) as store:
            store.row_factory = sqlite3.Row
            rows = store.execute(f"SELECT *{BODY} FROM audit ORDER BY seq").fetchall()
        lines = [opened(dict(row), sealer) for row in rows]
        return [{"action": one["action"], "result": one["result"], "facts": json.loads(one["facts"])} for one in lines]

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def log_of(data: Path) -> Path:
    """Where all processes of a world write what they say."""
    return data.parent / f"{data.name}.log"


def free_ports(count: int, turn: int = 0) -> int:
    """The first of `count` consecutive free ports on loopback, below those that the system gives out by itself."""
    span = (TOP_PORT - FIRST_PORT) // count
    for step in range(span):
        start = FIRST_PORT + (os.getpid() * 7 + turn * 101 + step) % span * count
        if all(_free(start + number) for number in range(count)):
            return start
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def start(data: Path, port: int | None = None, **extra: str) -> World:
    """Start it and wait until it says that it is ready; once more where somebody took one of its ports meanwhile.

    `{sandbox}` in a value of `extra` is where the sandbox answers.
    """
    for turn in range(TURNS):
        chosen = port or free_ports(9, turn)
        process = _launch(data, chosen, extra)
        if _ready(data, process):
            demo = json.loads((data / "sandbox" / "demo.json").read_text(encoding="utf-8"))
            return World(chosen, data, process, demo)
        World(chosen, data, process, None).stop()
        if "address already in use" not in log_of(data).read_text(errors="replace"):
            break
    raise RuntimeError(log_of(data).read_text(errors="replace")[-4000:])


def _launch(data: Path, port: int, extra: dict[str, str]) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "INGAM_SANDBOX_KEYS": str(ROOT / "vectors" / "keys"),
        "INGAM_CHEAP_PASSWORDS": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # whoever forbids it has the next world read every source anew
        **{f"INGAM_LIMIT_{name}": most for name, most in LIMITS.items()},
        **{name: told.replace("{sandbox}", f"http://localhost:{port + 6}") for name, told in extra.items()},
    }
    command = [sys.executable, "-m", "ingam.run.demo", "--port", str(port), "--data", str(data)]
    with log_of(data).open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)


def _ready(data: Path, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if b"Ctrl-C" in log_of(data).read_bytes():
            return True
        time.sleep(0.05)
    return False
