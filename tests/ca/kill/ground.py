"""A real authority on disk and its process, which a test kills at a step and begins anew; its books are read too."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.adapters.hsm.places import CHEAP, source
from tests.ca.ceremony.hall import PLAN, QUICK, counted
from tests.ca.world import World
from tests.center.registration.kill.nursery import Center, Nursery
from tests.clocks import SetClock
from tests.journeys.world import free_ports

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.signing_file import FileSigningKeys
from ingam.ca import ceremony
from ingam.ca.ceremony import Keys
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.issuing.service import Issuing
from ingam.ca.profiles import preset, preset_files
from ingam.ca.revoking.service import Revoking
from ingam.kernel.secret import Secret
from ingam.protocols.cmp import message
from ingam.protocols.cmp.message import UnverifiedMessage
from ingam.settings import Settings, read
from ingam.wiring.authority import authority_folder, ca_ports, passphrase

READY_S = 60


class Died(Exception):  # noqa: N818 - an outcome that the tests expect
    """The process was gone before it answered."""


@dataclass
class Process:
    """One life of it."""

    running: Center
    code: int | None = None

    def wait(self) -> int:
        """How it ended: 0, or the negative number of the signal."""
        if self.code is None:
            self.code = self.running.ended()
        return self.code

    def stop(self) -> None:
        """As an operator stops it, if it is there."""
        if self.code is None:
            self.code = self.running.stop()


class Ground:
    """One authority, `DATA/ca/ingam`, and how its process is started."""

    def __init__(self, data: Path, nursery: Nursery) -> None:
        """`nursery`: of `ingam.run.ca`."""
        self.data, self.port, self.nursery = data, free_ports(7), nursery
        self.environment = {"INGAM_DATA": str(data), "INGAM_PORT": str(self.port), "INGAM_MODE": "test"}
        self.settings: Settings = read(self.environment)
        self.folder = authority_folder(self.settings)
        self.folder.parent.mkdir(parents=True, mode=0o700)
        authority, secret = replace(preset("ingam"), keys=QUICK), passphrase(self.settings, self.folder)

        def opened(draft: Path) -> Keys:
            keys = FileSigningKeys(draft / "keys", secret, cost=CHEAP, source=source())
            return Keys(keys, keys)

        now = SystemClock().now()
        ceremony.found(self.folder, authority, preset_files("ingam"), opened, PLAN, now, counted())

    def world(self) -> World:
        """The same books and keys in this process: to register, to compose, to look."""
        ports = ca_ports(self.settings)
        clock = SystemClock()
        office = replace(ports.office, index=InMemoryBlindIndex(Secret(bytes(32)), clock))
        issuing, revoking = Issuing(office), Revoking(office)
        endpoint = Endpoint(office, issuing, revoking)
        return World(office, endpoint, issuing, revoking, SetClock(clock.now()), ports.books, {})

    @contextmanager
    def process(self, kill_at: str = "") -> Iterator[Process]:
        """The authority's process, ready; ended with the block if it still lives."""
        environment = {**self.environment, "INGAM_KILL_AT": kill_at}
        process = Process(self.nursery.start(environment, self.settings.port("ca"), self.data / "ca.log"))
        try:
            self._until_ready()
            yield process
        finally:
            process.stop()

    def _until_ready(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.port('ca')}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError((self.data / "ca.log").read_text(errors="replace")[-3000:])

    def ask(self, data: bytes) -> UnverifiedMessage:
        """The answer of the process. Raises Died."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.settings.port('ca')}/.well-known/cmp", data,
            {"Content-Type": "application/pkixcmp"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return message.parse(answer.read())
        except OSError:
            raise Died from None
