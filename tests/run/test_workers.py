"""Workers on one port: one that dies is begun anew on its own socket, a signal ends all, a refused one stops all."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = r"""
import os, socket, sys
from ingam.run.workers import run_workers

def work(number, listener):
    if sys.argv[1] == "refused" and number == 1:
        return 2
    if sys.argv[1].startswith("away:") and number == 1:
        folder = sys.argv[1].removeprefix("away:")
        begun = len(os.listdir(folder))
        open(os.path.join(folder, str(begun)), "w").close()
        if begun == 1:  # the second start: what it needs is away
            return 2
    listener.setblocking(True)
    os.write(1, b"ready %d %d %d\n" % (number, os.getpid(), listener.getsockname()[1]))  # one write: two are writing
    while True:
        client, _ = listener.accept()
        client.sendall(b"%d %d" % (number, os.getpid()))
        client.close()

raise SystemExit(run_workers(int(sys.argv[2]), "127.0.0.1", 0, work))
"""


@contextmanager
def started(kind: str = "serve", count: int = 2) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str], count: int) -> dict[int, tuple[int, int]]:
    """Process id and port by worker number."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    found = [re.fullmatch(r"ready (\d) (\d+) (\d+)\n", line) for line in lines]
    return {int(one[1]): (int(one[2]), int(one[3])) for one in found if one is not None}


def ask(port: int) -> tuple[int, int]:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        number, pid = client.recv(100).split()
        return int(number), int(pid)


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_every_worker_answers_on_the_one_port() -> None:
    with started() as process:
        workers = ready(process, 2)
        port = workers[0][1]
        assert port == workers[1][1]
        eventually(lambda: {ask(port)[0] for _ in range(20)} == {0, 1})


def test_a_dead_worker_is_begun_anew_and_nobody_who_knocked_meanwhile_is_sent_away() -> None:
    with started() as process:
        workers = ready(process, 2)
        victim, port = workers[1]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: gone(victim))
        answered = [ask(port) for _ in range(40)]
        assert {number for number, _ in answered} == {0, 1}
        assert victim not in {pid for _, pid in answered}


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all(told: signal.Signals) -> None:
    with started() as process:
        workers = ready(process, 2)
        process.send_signal(told)
        assert process.wait(10) == 0
        assert all(gone(pid) for pid, _ in workers.values())


def test_workers_do_not_outlive_a_killed_parent() -> None:
    with started() as process:
        workers = ready(process, 2)
        process.kill()
        process.wait(10)
        eventually(lambda: all(gone(pid) for pid, _ in workers.values()))


def test_a_worker_that_is_refused_stops_all() -> None:
    with started("refused") as process:
        assert process.wait(10) == 2


def test_a_worker_that_cannot_begin_again_at_once_is_tried_until_it_can(tmp_path: Path) -> None:
    with started(f"away:{tmp_path}") as process:
        workers = ready(process, 2)
        victim, port = workers[1]
        os.kill(victim, signal.SIGKILL)
        until = time.monotonic() + 20
        while len(list(tmp_path.iterdir())) < 3:
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.05)
        eventually(lambda: {ask(port)[0] for _ in range(20)} == {0, 1})


def test_one_worker_is_the_process_itself() -> None:
    with started(count=1) as process:
        assert ready(process, 1)[0][0] == process.pid
