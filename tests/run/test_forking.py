"""Processes forked from one that has loaded all: each is its own command, and none outlives who forked it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOON_S = 60

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from ingam.run.forking import Brood

held = Path(sys.argv[1] + ".lock").open("w")
lock = held.name
with Brood(("blind_index",)) as brood:
    {}
"""

STARTED = """
    one = brood.start("blind_index", {**os.environ, "OWN": "its own"}, "--folder", sys.argv[1])
    while not (Path(sys.argv[1]) / "socket").exists():
        assert one.poll() is None
        time.sleep(0.02)
    assert b"OWN" not in Path("/proc/self/environ").read_bytes() and "OWN" not in os.environ
    assert os.getpgid(one.pid) == one.pid
    assert lock not in {os.readlink(at) for at in Path(f"/proc/{one.pid}/fd").iterdir()}
    os.killpg(one.pid, signal.SIGTERM)
    print("ended", one.wait(30), one.poll())
"""
REFUSED = """
    one = brood.start("blind_index", {**os.environ, "INGAM_MODE": "production"}, "--folder", sys.argv[1])
    print("ended", one.wait(30))
"""
NEVER_STARTED = """
    ended = False
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody is left")
"""
PARENT_KILLED = """
    print(next(iter(brood._all.values())).pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""

UNHEARD = """
import os, sys, types
from pathlib import Path
from ingam.run.forking import Brood

talker = types.ModuleType("ingam.run.talker")
talker.main = lambda: print("nobody reads this")
sys.modules["ingam.run.talker"] = talker
where, us, (heard, told) = Path(sys.argv[1]), os.getpid(), os.pipe()
os.close(heard)
os.dup2(told, 1)
try:
    with Brood(("talker",)) as brood:
        brood.start("talker", dict(os.environ)).wait(30)
finally:
    with where.open("a") as done:
        done.write(f"{os.getpid() == us}\\n")
"""


def said(program: str, folder: Path) -> str:
    text = PROGRAM.replace("{}", program.strip())
    done = subprocess.run(
        [sys.executable, "-c", text, str(folder)], capture_output=True, text=True, timeout=SOON_S, cwd=ROOT / "src"
    )
    assert "Traceback" not in done.stderr
    return done.stdout


def test_one_that_is_started_is_its_command_and_ends_as_it_is_told(tmp_path: Path) -> None:
    assert said(STARTED, tmp_path / "index") == "ended 0 0\n"


def test_it_has_the_environment_that_it_is_given_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    assert said(REFUSED, tmp_path / "index") == "ended 6\n"
    assert not (tmp_path / "index").exists()


def test_one_that_is_never_started_is_gone_at_the_end(tmp_path: Path) -> None:
    assert said(NEVER_STARTED, tmp_path) == "nobody is left\n"


def test_one_whose_last_words_cannot_be_written_never_goes_on_as_who_forked_it(tmp_path: Path) -> None:
    """It left through the code that forked it, and cleaned up what was not its own."""
    done = tmp_path / "done"
    program = [sys.executable, "-c", UNHEARD, str(done)]
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    subprocess.run(program, capture_output=True, timeout=SOON_S, cwd=ROOT / "src", env=buffered, check=False)
    assert done.read_text() == "True\n"


def test_none_outlives_who_forked_it(tmp_path: Path) -> None:
    pid = int(said(PARENT_KILLED, tmp_path))
    until = time.monotonic() + SOON_S
    while _runs(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
