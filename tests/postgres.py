"""A private PostgreSQL of Debian's binaries for one test session: unix socket only, no fsync, gone with the session."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from ingam.adapters.store.migrate import migrate

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_numbers = count(1)


class Server:
    """A running cluster; `fresh()` gives the address of a new, migrated database."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._template = ""
        self.process = process
        self.again: Callable[[], subprocess.Popen[bytes]]

    def crash(self) -> None:
        """It ends at once, without writing what it has in memory (an immediate shutdown), and starts again."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        (self._folder / "cluster" / "postmaster.pid").unlink(missing_ok=True)
        self.process = self.again()
        _wait_until_ready(self._folder)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def empty(self) -> str:
        """A new database without tables."""
        return self.empty_named(f"t{next(_numbers)}")

    def fresh(self) -> str:
        """A new database at today's revision, copied from one that was migrated."""
        if not self._template:
            migrate(self.empty_named("migrated"))
            self._template = "migrated"
        name = f"t{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.url(name)

    def empty_named(self, name: str) -> str:
        """A new database of this name without tables."""
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, sql: str) -> None:
        """One statement as the cluster's owner."""
        self.execute_in(self.url("postgres"), sql)

    def execute_in(self, url: str, sql: str) -> None:
        """One statement in one database."""
        asyncio.run(_execute(url, sql))


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def binaries() -> Path:
    """The newest PostgreSQL of the system; a test that needs it fails without it, it is never skipped."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("PostgreSQL is missing: install Debian's package postgresql")
    return found[-1].parent


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """Start it; end it and remove its folder afterwards. `durable`: a commit waits for the disk (benches)."""
    folder = Path(tempfile.mkdtemp(prefix="ingam-pg-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    cluster = folder / "cluster"
    subprocess.run(
        [binaries() / "initdb", "-D", cluster, "-U", "postgres", "--auth=trust", "--no-sync", "-EUTF8", "--locale=C"],
        check=True, capture_output=True, cwd=folder, **user,
    )  # fmt: skip
    options = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "fsync": "on" if durable else "off",
        "max_connections": "60",
    }
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "preexec_fn": _die_with_the_tests,
        **user,
    }  # fmt: skip
    process = subprocess.Popen(
        [binaries() / "postgres", "-D", cluster, *(f"--{name}={value}" for name, value in options.items())], **quiet,
    )  # fmt: skip
    served = Server(folder, process)
    served.again = lambda: subprocess.Popen(process.args, **quiet)
    try:
        _wait_until_ready(folder)
        yield served
    finally:
        served.process.send_signal(signal.SIGQUIT)
        served.process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_the_tests() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_ready(folder: Path) -> None:
    end = time.monotonic() + 60
    while subprocess.run([binaries() / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
        if time.monotonic() > end:
            raise RuntimeError("PostgreSQL did not start")
        time.sleep(0.05)
