"""A real authority: its folder founded by a ceremony, and its processes (ca, va, clerk) on free ports of loopback.

Its certificates name addresses of this machine, so that clients which follow them find lists, issuers and status.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from cryptography.x509 import CRLReason, ExtensionNotFound, RevokedCertificate, load_der_x509_crl
from tests.adapters.hsm.places import CHEAP, source
from tests.ca.ceremony.hall import PLAN, counted
from tests.journeys.world import free_ports

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.signing_file import FileSigningKeys
from ingam.ca import ceremony
from ingam.ca.ceremony import Holdings, Keys, Plan, read_certificates
from ingam.ca.issuing.entering import enter_services
from ingam.ca.profiles import preset_files, read
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.run.cli import main
from ingam.run.cli.ca_ceremony import with_kinds
from ingam.settings import Settings
from ingam.settings import read as read_settings
from ingam.wiring.authority import authority_folder, open_books, passphrase, services

READY_S: Final = 30
FEED_SECRET: Final = bytes(range(32)).hex()
PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)

MEMBER: Final = """
[profile.member]
title_ko = "시험 회원"
title_en = "Member of the tests"
customer = "personal"
suffix = "900"
identified = false
renew_from_days = 366
renewal_carries = false
delta = true
"""
"""A person's profile for clients that know nothing of VID; it is renewed on any day, and again, and names a delta."""


QUICK: Final = {
    "root": KeyKind.P_256,
    "issuing": KeyKind.P_256,
    "ocsp": KeyKind.P_256,
    "encryption": KeyKind.RSA_2048,
}
"""Kinds of keys for authorities whose keys are not what is looked at."""


@dataclass(frozen=True)
class Code:
    """What a registration gives."""

    reference: str
    code: str


@dataclass(frozen=True)
class Standing:
    """What the books say of a certificate."""

    state: str
    reason: str | None


class Running:
    """One authority, `DATA/ca/ingam`. `directory`: the URL of an LDAP server that the clerk publishes to."""

    def __init__(
        self, data: Path, *, kinds: dict[str, KeyKind] | None = None, directory: str = "", turn: int = 0,
        plan: Plan = PLAN, **more: str,
    ) -> None:  # fmt: skip
        self.data, self.port = data, free_ports(7, turn)
        self.directory = directory.removeprefix("ldap://") or "dir.ingam.test:389"
        self.environment = {
            "INGAM_DATA": str(data), "INGAM_PORT": str(self.port), "INGAM_MODE": "test",
            "INGAM_ADDRESSES": "sms.aligo.test=http://127.0.0.1:1", "INGAM_CA_FEED_SECRET": FEED_SECRET,
            "INGAM_CA_DIRECTORY": directory, **more,
        }  # fmt: skip
        self.settings: Settings = read_settings(self.environment)
        self.folder = authority_folder(self.settings)
        self.kinds, self.plan = kinds or {}, plan

    @property
    def cmp(self) -> str:
        """Where CMP is answered, as openssl names servers."""
        return f"127.0.0.1:{self.port + 3}/.well-known/cmp"

    @property
    def va(self) -> str:
        """The status service."""
        return f"http://127.0.0.1:{self.port + 4}"

    @property
    def ocsp(self) -> str:
        """Where OCSP is answered."""
        return f"{self.va}/ocsp/ingam"

    @property
    def files(self) -> dict[str, str]:
        """The demo's two files, with addresses of this machine and a profile of the tests."""
        found = preset_files("ingam")
        text = found["authority.toml"].replace('"http://ocsp.ingam.test"', f'"{self.ocsp}"')
        text = text.replace('"http://dir.ingam.test"', f'"{self.va}/ingam"')
        text = text.replace('"dir.ingam.test:389"', f'"{self.directory}"')
        found["authority.toml"] = with_kinds(text, list(self.kinds.items()))
        found["profiles.toml"] += MEMBER
        return found

    def found(self) -> None:
        """Its ceremony; RSA keys come from vectors/keys."""
        self.folder.parent.mkdir(parents=True, mode=0o700)
        authority, now = read(*self.files.values()), SystemClock().now()
        ceremony.found(self.folder, authority, self.files, self._keys, self.plan, now, counted())
        self._enter(1)

    def roll_over(self) -> None:
        """The next issuing CA, with keys of its own."""
        authority, now = read(*self.files.values()), SystemClock().now()
        ceremony.roll_over(self.folder, authority, self._keys(self.folder, 3), self.plan, now, counted(1000))
        self._enter(2)

    def _enter(self, generation: int) -> None:
        """The books, and in them what a ceremony issued, as `ingam ca init` leaves them."""

        async def entered() -> None:
            books, now = open_books(self.folder), SystemClock().now().replace(microsecond=0)
            found = services(self.holdings, generation, now)
            await enter_services(books, read(*self.files.values()), generation, found, now)
            await books.shut()

        asyncio.run(entered())

    def _keys(self, place: Path, first: int = 0) -> Keys:
        secret = passphrase(self.settings, self.folder)
        found = FileSigningKeys(place / "keys", secret, cost=CHEAP, source=source(first))
        return Keys(found, found)

    @property
    def holdings(self) -> Holdings:
        """Its certificates."""
        return read_certificates(self.folder)

    # Its commands

    def cli(self, *words: str, said: str = "") -> Any:
        """What `ingam ca … --json` says; it is to succeed. `said`: on stdin."""
        with mock.patch.dict(os.environ, self.environment), mock.patch("sys.stdin", io.StringIO(said)):
            code, told = ingam("ca", *words)
        assert code == 0, told
        return told

    def register(self, profile: str, name: str, idn: str = "", *more: str) -> Code:
        """Reference number and authorization code of somebody."""
        number = ["--idn", "-"] if idn else []
        told = self.cli("register", "--profile", profile, "--name", name, *number, *more, said=f"{idn}\n")
        return Code(told["reference_number"], told["authorization_code"])

    def standing(self, one: Certificate) -> Standing:
        """The books' word on a certificate."""
        told = self.cli("status", "--serial", f"{one.serial:x}")
        return Standing(told["state"], told["reason"])

    def publish(self) -> None:
        """Every list anew, at once, at every place."""
        self.cli("crl", "--now")

    # Its processes

    @contextmanager
    def process(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """`python -m ingam.run.<name>`, ended with the block. What it says is in `log(name)`."""
        environment = {**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"}
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"ingam.run.{name}"], env=environment, stdout=log, stderr=log,
                preexec_fn=_die_with_the_tests,
            )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(READY_S)
            finally:
                process.kill()

    @contextmanager
    def processes(self, *names: str) -> Iterator[Running]:
        """Some of ca, va and clerk, all at once."""
        ready = {"ca": f"http://127.0.0.1:{self.port + 3}/readyz", "va": f"{self.va}/readyz"}
        with ExitStack() as stack:
            begun = {name: stack.enter_context(self.process(name)) for name in names}
            for name in filter(ready.__contains__, names):
                self._until_ready(name, begun[name], ready[name])
            yield self

    def _until_ready(self, name: str, process: subprocess.Popen[bytes], url: str) -> None:
        until(lambda: process.poll() is not None or answers(url), f"{name} is ready")
        assert process.poll() is None, self.said(name)

    def log(self, name: str) -> Path:
        """Where a process writes what it says."""
        return self.data / f"{name}.log"

    def said(self, name: str) -> str:
        """The end of it."""
        return self.log(name).read_text(errors="replace")[-3000:]


def ingam(*words: str) -> tuple[int, Any]:
    """Exit code and answer of `ingam … --json`, run in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*words, "--json"])
    return code, json.loads(out.getvalue())


def until(holds: Callable[[], bool], what: str, seconds: float = READY_S) -> None:
    """Asks again and again until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def fetch(url: str, body: bytes | None = None, kind: str = "application/octet-stream") -> bytes:
    """What an address answers; a body is posted."""
    asked = urllib.request.Request(url, body, {} if body is None else {"Content-Type": kind})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        found: bytes = answer.read()
    return found


def listed(authority: Running, name: str) -> dict[int, str]:
    """Serials and reasons of a list that HTTP serves, as another library reads it; none where there is no list yet."""
    path = authority.folder / "published" / f"{name}.crl"
    if not path.exists():
        return {}
    return {one.serial_number: _reason(one) for one in load_der_x509_crl(fetch(f"{authority.va}/ingam/{name}.crl"))}


def _reason(entry: RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(CRLReason).value.reason.value
    except ExtensionNotFound:
        return "unspecified"


def answers(url: str) -> bool:
    """Whether anything is there that says so."""
    try:
        fetch(url)
    except OSError:
        return False
    return True


def _die_with_the_tests() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
