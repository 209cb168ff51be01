"""The real sandbox on a real socket, and the center's adapter that asks it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from tests.sandbox.conftest import Box, box, kept

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.status import trust_file
from ingam.adapters.status.online import OnlineStatus
from ingam.adapters.status.outgoing import Outgoing
from ingam.adapters.store import open_store
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.page import Bundle
from ingam.run import sandbox
from ingam.sandbox import addresses
from ingam.sandbox.samples import sample
from ingam.sandbox.switches import Switches

__all__ = ["Outside", "box", "kept", "outside"]


@dataclass
class Outside:
    """The sandbox's switches and address, and a database of the center."""

    box: Box
    origin: str
    switches: Switches
    store_url: str

    @asynccontextmanager
    async def asking(self, *, seconds: float = 3.0, crl_fallback: bool = True) -> AsyncIterator[OnlineStatus]:
        """The adapter, for as long as a process lives."""
        authorities, _ = trust_file.read(self.box.trust / "authorities.toml")
        store = open_store(self.store_url, OutboxSealer(bytes(32)))
        ephemeral = InProcessEphemeral(self.box.clock)
        try:
            async with Outgoing(addresses(self.origin), seconds=seconds) as outgoing:
                yield OnlineStatus(authorities, outgoing, store, ephemeral, crl_fallback=crl_fallback)
        finally:
            await store.close()

    def holder(self, slug: str) -> tuple[Certificate, Certificate]:
        """A demo certificate and its issuer."""
        issuer = certificate.parse((self.box.trust / f"{sample(slug).ca.key}.der").read_bytes())
        return certificate.parse(self.box.world.newest(slug).certificate), issuer


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
