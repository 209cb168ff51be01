"""Centers as real processes that start fast: one process loads `ingam.run.center` and forks a child for each start.

Run as a program it takes a JSON line {"env", "log"} on stdin and answers with the child's pid, or {"wait": pid} and
answers with how the child ended (negative: by which signal). A child runs the same `main()` as `python -m
ingam.run.center`, in a process of its own, and dies with the nursery.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parents[4]
READY_S = 60


class Nursery:
    """The forking process; `start` gives a center, or another process of ours, that answers."""

    def __init__(self, program: str = "center") -> None:
        """`program`: a module of `ingam.run`."""
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        self._process = subprocess.Popen(
            [sys.executable, __file__, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, env: dict[str, str], port: int, log: Path) -> Center:
        """A center with this environment; returns once its port takes connections."""
        center = Center(self, int(self.ask({"env": env, "log": str(log)})), log)
        until = time.monotonic() + READY_S
        while not answers(port):
            if time.monotonic() > until or center.gone():
                raise RuntimeError(f"the center did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        return center

    def ask(self, question: dict[str, Any]) -> str:
        """One line there, one line back."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@dataclass(frozen=True)
class Center:
    """A running center."""

    nursery: Nursery
    pid: int
    log: Path

    def gone(self) -> bool:
        """Whether it ended; it stays a zombie until `ended` is asked."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    def ended(self) -> int:
        """Wait for its end: 0, or the negative number of the signal."""
        return int(self.nursery.ask({"wait": self.pid}))

    def stop(self) -> int:
        """As an operator stops it."""
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()


def answers(port: int) -> bool:
    """Whether something takes connections at this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def main() -> None:
    """The forking process's loop."""
    program = importlib.import_module(f"ingam.run.{sys.argv[1]}")
    if packages := getattr(program, "TEMPLATES", None):
        _compile(packages)
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            answer = os.waitstatus_to_exitcode(os.waitpid(question["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _become(question)
                os._exit(program.main())
        print(answer, flush=True)


def _compile(packages: tuple[str, ...]) -> None:
    """Every template and the icons: a center that lives for a few seconds need not begin with them."""
    from ingam.adapters.clock.system import SystemClock
    from ingam.page import Bundle
    from ingam.page.pages import Pages
    from ingam.settings import Settings

    environment = Pages(
        packages, Settings(mode="test"), Bundle({"center.css": "center-0.css"}), SystemClock()
    ).environment
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)


def _become(question: dict[str, Any]) -> None:
    """The child's own environment, standard streams and end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.update(question["env"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(question["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


if __name__ == "__main__":
    main()
