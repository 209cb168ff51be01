"""A private slapd of Debian's binaries for one test session: loopback only, its own folder, gone with the session."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
MANAGER, PASSWORD = "cn=publisher,c=KR", "demo-password"
READER = "cn=reader,c=KR"
"""Somebody who may bind and write nothing."""

_LIBC = ctypes.CDLL(None)
_numbers = count(1)
_TLS = """TLSCertificateFile {folder}/tls.pem
TLSCertificateKeyFile {folder}/tls.key"""
_CONFIG = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
{tls}
sockbuf_max_incoming_auth {most}
idletimeout 0
database mdb
suffix "c=KR"
directory {folder}/data
maxsize 268435456
dbnosync
rootdn "{manager}"
rootpw {password}
access to * by dn.exact="{reader}" read by * read
"""


class Server:
    """A running slapd over `c=KR`. `tree()` names a new, empty authority below it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"ldap://127.0.0.1:{port}"
        self.tls_url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def tree(self) -> tuple[tuple[str, str], ...]:
        """The entry of an authority that nobody has published for."""
        return (("c", "KR"), ("o", f"Ingam Demo {next(_numbers)}"), ("ou", "AccreditedCA"))

    def start(self) -> None:
        """From its folder; what was there is there again."""
        binary = self.folder / "slapd"
        self.process = subprocess.Popen(
            [binary, "-h", f"{self.url}/ {self.tls_url}", "-f", self.folder / "slapd.conf", "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, preexec_fn=_die_with_the_tests,
            **_owner(),
        )  # fmt: skip
        _wait_until_ready(self.port, self.process)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, or kill it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def search(self, base: str, *attributes: str, scope: str = "base") -> str:
        """What `ldapsearch` prints (LDIF without wrapping); raises where there is no such entry."""
        command = ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.url, "-s", scope, "-b", base]
        found = subprocess.run([*command, "(objectClass=*)", *attributes], check=True, capture_output=True, timeout=30)
        return found.stdout.decode()


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(most: int = 4 * 1024 * 1024, tls: Callable[[Path], None] | None = None) -> Iterator[Server]:
    """Start it; end it and remove its folder afterwards. `most`: bytes of the largest message that it takes.

    `tls` writes `tls.pem` and `tls.key` into the folder; then it also listens at `tls_url`.
    """
    if not Path("/usr/sbin/slapd").exists():
        raise RuntimeError("slapd is missing: install Debian's packages slapd and ldap-utils")
    folder = Path(tempfile.mkdtemp(prefix="ingam-slapd-"))
    # AppArmor binds Debian's own path to Debian's own folders; a copy is nobody's.
    shutil.copy("/usr/sbin/slapd", folder / "slapd")
    (folder / "data").mkdir()
    if tls is not None:
        tls(folder)
    secured = _TLS.format(folder=folder) if tls is not None else ""
    text = _CONFIG.format(folder=folder, tls=secured, most=most, manager=MANAGER, password=PASSWORD, reader=READER)
    (folder / "slapd.conf").write_text(text)
    _give_away(folder)
    running = Server(folder, free_port())
    if tls is not None:
        running.tls_url = f"ldaps://127.0.0.1:{free_port()}"
    running.start()
    try:
        yield running
    finally:
        running.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("openldap")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam("openldap")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def _die_with_the_tests() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("slapd did not start")
