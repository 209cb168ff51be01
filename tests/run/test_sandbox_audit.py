"""The audit's witness and time-stamp authority over real HTTP: only what grows is co-signed, stamps are real ones."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import uvicorn
from starlette.applications import Starlette
from tests.adapters.store.tampering import Tamper

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.timestamps.rfc3161 import Rfc3161
from ingam.adapters.witness.http import HttpWitness
from ingam.kernel.errors import Failure
from ingam.ports.store import Audit, Save
from ingam.ports.timestamps import TimestampInvalid, TimestampOutage
from ingam.ports.witness import WitnessOutage
from ingam.protocols.log import head, keys
from ingam.run import auditor, sandbox_audit
from ingam.settings import Settings, read

NOW = datetime.now(UTC)


@dataclass
class Outside:
    """The witness and the authority at an address, and the settings that name them."""

    settings: Settings
    address: str

    def line(self) -> None:
        async def write() -> None:
            store = open_store(self.settings.store, OutboxSealer(bytes(32)))
            await store.save(Save(audit=[Audit(NOW, "login.id", "ok", "p", "s", "a")]))
            await store.close()

        asyncio.run(write())

    def round(self, now: datetime = NOW) -> auditor.Round:
        async def go() -> auditor.Round:
            one = auditor.auditor_of(self.settings)
            try:
                return await one.round(now, whole=True)
            finally:
                await one.close()

        return asyncio.run(go())

    @property
    def witness(self) -> HttpWitness:
        return auditor.witnesses_of(self.settings)[0]


@pytest.fixture
def outside(sqlite_url: str, tmp_path: Path) -> Iterator[Outside]:
    plain = replace(Settings(), data=tmp_path, store_url=sqlite_url)
    auditor.publish_key(plain)
    told = sandbox_audit.prepare(plain)
    served = uvicorn.Server(
        uvicorn.Config(Starlette(routes=sandbox_audit.routes(plain, SystemClock())), port=0, log_config=None, ws="none")
    )
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        while not served.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{served.servers[0].sockets[0].getsockname()[1]}"
        told = {name: text.replace("http://localhost:8706", address) for name, text in told.items()}
        environment = {"INGAM_DATA": str(tmp_path), "INGAM_STORE": sqlite_url, "INGAM_AUDIT_NEEDED": "1", **told}
        yield Outside(read(environment), address)
    finally:
        served.should_exit = True
        thread.join()


def test_G6_a_checkpoint_leaves_the_machine_and_is_stamped(outside: Outside) -> None:
    outside.line()
    done = outside.round()
    kept = outside.witness.remembered(outside.settings.audit.origin)
    assert kept is not None
    assert head.verify(head.parse(kept), [auditor.public_key(outside.settings)]).size == 1
    stamp = auditor.stamp_of(auditor.folder_of(outside.settings) / "published", done.head)
    assert done.stamped is not None and abs(done.stamped - datetime.now(UTC)) < timedelta(minutes=1)
    assert outside.settings.audit.tsa_roots is not None
    authority = Rfc3161(outside.settings.audit.tsa, outside.settings.audit.tsa_roots)
    assert authority.check(stamp.read_bytes(), done.head.text.encode()) == done.stamped
    with pytest.raises(TimestampInvalid):
        authority.check(stamp.read_bytes(), b"another checkpoint")


def test_G6_the_witness_refuses_a_fork_whoever_signs_it(outside: Outside) -> None:
    """Database, memory and key in one hand: a chain made anew gets no co-signature, and the old head stays."""
    for _ in range(3):
        outside.line()
    outside.round()
    tamper = Tamper(outside.settings.store)
    for table in ("audit_chain", "audit", "audit_key"):
        tamper(f'DELETE FROM "{table}"')
    for path in sorted((auditor.folder_of(outside.settings) / "tree").iterdir()):
        path.unlink()
    (auditor.folder_of(outside.settings) / "published" / "checkpoint").unlink()
    for _ in range(5):
        outside.line()
    with pytest.raises(Failure) as refused:
        outside.round(NOW + timedelta(seconds=5))
    assert refused.value.code == "log-witnesses-away"
    kept = outside.witness.remembered(outside.settings.audit.origin)
    assert kept is not None and head.parse(kept).head.size == 3


def test_what_is_no_request_is_refused_and_nothing_is_remembered(outside: Outside) -> None:
    for body in (b"", b"old 0\n\n", b"\xff", b"x" * 200_000):
        with pytest.raises(OSError):
            urlopen(Request(f"{outside.address}/witness/add-checkpoint", body), timeout=5)
    assert outside.witness.remembered(outside.settings.audit.origin) is None
    with urlopen(f"{outside.address}/witness/key", timeout=5) as answer:
        assert keys.parse(answer.read().decode()) == outside.witness.key


def test_the_authority_stamps_nothing_but_a_request(outside: Outside) -> None:
    assert outside.settings.audit.tsa_roots is not None
    authority = Rfc3161(outside.settings.audit.tsa, outside.settings.audit.tsa_roots)
    with urlopen(Request(f"{outside.address}/tsa", b"x"), timeout=5) as answer, pytest.raises(TimestampInvalid):
        authority.check(answer.read(), b"x")
    with pytest.raises(OSError):
        urlopen(Request(f"{outside.address}/tsa", b"x" * 5_000), timeout=5)


def test_who_is_away_is_an_outage(outside: Outside, tmp_path: Path) -> None:
    away = "http://127.0.0.1:1"
    with pytest.raises(WitnessOutage):
        HttpWitness(outside.witness.key, away).cosign("old 0\n\n")
    assert outside.settings.audit.tsa_roots is not None
    with pytest.raises(TimestampOutage):
        Rfc3161(away, outside.settings.audit.tsa_roots).stamp(b"x")


def test_a_checkpoint_stands_while_the_authority_is_away(outside: Outside) -> None:
    settings = replace(outside.settings, audit=replace(outside.settings.audit, tsa="http://127.0.0.1:1"))
    outside.line()
    done = Outside(settings, outside.address).round()
    assert (done.head.size, done.stamped) == (1, None)
