"""The center's status adapter and the sandbox over real sockets: what is wrong outside has a code and is never good."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from tests.sandbox.conftest import Box

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.status import trust_file
from ingam.adapters.status.online import OnlineStatus
from ingam.adapters.status.outgoing import Outgoing
from ingam.adapters.store import open_store
from ingam.npki import certificate
from ingam.page import Bundle
from ingam.ports.status import Good, Revoked, Source, Status, StatusUnavailable, Suspended, Unknown
from ingam.run import sandbox
from ingam.sandbox import addresses
from ingam.sandbox.samples import sample
from ingam.sandbox.switches import Switches


class Outside:
    """A sandbox that listens on a free port of loopback, and the center's adapter that asks it."""

    def __init__(self, box: Box, origin: str, switches: Switches, store_url: str) -> None:
        self.box = box
        self.origin = origin
        self.switches = switches
        self._store_url = store_url

    def ask(self, slug: str, *, seconds: float = 3.0) -> Status:
        return asyncio.run(self._ask(slug, seconds))

    async def _ask(self, slug: str, seconds: float) -> Status:
        authorities, _ = trust_file.read(self.box.trust / "authorities.toml")
        store = open_store(self._store_url, OutboxSealer(bytes(32)))
        holder = certificate.parse(self.box.world.newest(slug).certificate)
        issuer = certificate.parse((self.box.trust / f"{sample(slug).ca.key}.der").read_bytes())
        try:
            async with Outgoing(addresses(self.origin), seconds=seconds) as outgoing:
                ephemeral = InProcessEphemeral(self.box.clock)
                asker = OnlineStatus(authorities, outgoing, store, ephemeral)
                return await asker.check(holder, issuer, fresh=True, at=self.box.clock.now())
        finally:
            await store.close()


@pytest.fixture
def outside(box: Box, sqlite_url: str) -> Iterator[Outside]:
    app = sandbox.app(box.settings, bundle=Bundle.empty(), clock=box.clock, demo=box.demo)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        origin = f"http://localhost:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error", ws="none", loop="asyncio"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield Outside(box, origin, app.state.box.switches, sqlite_url)
        server.should_exit = True
        thread.join(10)


def test_what_became_of_a_certificate_is_asked_by_ocsp(outside: Outside) -> None:
    for slug, kind in {"securities": Good, "revoked": Revoked, "suspended": Suspended, "expired": Revoked}.items():
        status = outside.ask(slug)
        assert isinstance(status, kind)
        assert status.source is Source.OCSP


def test_A11_A12_nothing_that_is_wrong_outside_counts_as_good(outside: Outside) -> None:
    codes = {}
    for position in ("wrong-signer", "old-answer", "other-nonce", "other-serial", "malformed"):
        outside.switches.turn("responder", "signkorea", position)
        with pytest.raises(StatusUnavailable) as caught:
            outside.ask("securities")
        codes[position] = caught.value.code
    assert codes == {
        "wrong-signer": "status-responder-untrusted",
        "old-answer": "status-stale",
        "other-nonce": "status-nonce-mismatch",
        "other-serial": "status-mismatch",
        "malformed": "status-malformed",
    }
    outside.switches.turn("responder", "signkorea", "unknown")
    assert isinstance(outside.ask("securities"), Unknown)


@pytest.mark.parametrize("position", ["off", "slow", "try-later"])
def test_A12_a_silent_responder_falls_back_to_the_list(outside: Outside, position: str) -> None:
    outside.switches.turn("responder", "signkorea", position)
    outside.switches.turn("responder", "crosscert", position)
    for slug, kind in {"securities": Good, "revoked": Revoked, "suspended": Suspended}.items():
        status = outside.ask(slug, seconds=2.0)  # the root's list has to come within it too, on a busy machine
        assert isinstance(status, kind)
        assert status.source is Source.CRL


@pytest.mark.parametrize(
    ("position", "code"),
    [
        ("off", "status-unreachable"),
        ("stale", "status-crl-stale"),
        ("wrong-signature", "status-crl-untrusted"),
        ("older-number", "status-crl-older"),
        ("other-partition", "status-crl-partition"),
        ("malformed", "status-crl-malformed"),
    ],
)
def test_A12_a_wrong_list_after_a_silent_responder_confirms_nothing(outside: Outside, position: str, code: str) -> None:
    outside.switches.turn("responder", "signkorea", "off")
    assert isinstance(outside.ask("securities"), Good)
    outside.switches.turn("list", "signkorea", position)
    with pytest.raises(StatusUnavailable) as caught:
        outside.ask("securities")
    assert caught.value.code == code


def test_A11_a_responder_on_the_roots_list_speaks_for_nobody(outside: Outside) -> None:
    outside.box.world.act("signkorea-ca4-ocsp", "revoke")
    outside.box.until(lambda: code_of(outside) == "status-responder-revoked")
    outside.switches.turn("list", "rootca", "off")
    assert code_of(outside) == "root-list-unavailable"


def code_of(outside: Outside) -> str:
    """Why a good certificate cannot be confirmed; `good` where it can."""
    try:
        assert isinstance(outside.ask("securities"), Good)
    except StatusUnavailable as unavailable:
        return unavailable.code
    return "good"
