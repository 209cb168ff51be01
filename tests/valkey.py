"""A private Valkey (Debian's redis-server) for one test session: a unix socket and a free port, nothing on disk."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_numbers = count(1)


class Server:
    """A running server. `url`: over its port, as nodes reach it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self._port}/0"

    def prefix(self) -> str:
        """Keys of its own for one test."""
        return f"t{next(_numbers)}:"

    def start(self) -> None:
        """Begin (again), with nothing in it."""
        words = {"port": self._port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder}
        self._process = subprocess.Popen(
            [binary(), *(word for name, value in words.items() for word in (f"--{name}", str(value)))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder, preexec_fn=_die_with_the_tests,
        )  # fmt: skip
        end = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError("the Valkey of the tests did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """End at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def command(self, *words: str) -> bytes:
        """One command, its raw answer."""
        with socket.create_connection(("127.0.0.1", self._port), 2) as line:
            line.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
            )
            return line.recv(65536)

    def _answers(self) -> bool:
        try:
            return self.command("PING").startswith(b"+PONG")
        except OSError:
            return False


def binary() -> str:
    """Valkey or Redis of the system; a test that needs it fails without it, it is never skipped."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise RuntimeError("Valkey is missing: install Debian's package redis-server")
    return found


@contextmanager
def server() -> Iterator[Server]:
    """Start it; end it and remove its folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ingam-valkey-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Server(folder, port)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_the_tests() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)
