"""The relay as processes: start, drain, two nodes on one Valkey, and what the thief of its memory finds."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import valkey
from tests.relay.ends import End, own
from tests.relay.world import PUBLIC, World
from tests.run.relay_clients import Line, asked, first_of, pair

from ingam.adapters.clock.system import SystemClock
from ingam.protocols.mailbox import frames, wire
from ingam.protocols.mailbox.endpoint import Acknowledged, Admitted, Closed, Heard, PeerCame

ORIGIN = "http://localhost:8705"


class Now(World):
    """Tickets of today."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SystemClock()  # type: ignore[assignment]

    def ticket(self, act: Any, role: Any, who: str, **words: Any) -> Any:
        # A second ahead: a relay whose memory is its store takes none of the second in which it began.
        now = int(time.time()) + 1
        return super().ticket(act, role, who, **({"iat": now, "exp": now + 170} | words))


class Node:
    """A process."""

    def __init__(self, folder: Path, store: str = "", **environment: str) -> None:
        (folder / "relay").mkdir(exist_ok=True)
        (folder / "relay" / "tickets.pub").write_text(PUBLIC.hex() + "\n", "ascii")
        base = _free()
        self.port = base + 5
        self._errors = (folder / f"errors-{base}").open("wb")
        told = {
            "INGAM_PORT": str(base), "INGAM_DATA": str(folder), "INGAM_RELAY_ORIGIN": ORIGIN,
            "INGAM_RELAY_STORE": store, "INGAM_VAULT_ORIGIN": "http://localhost:8701", **environment,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ingam.run.relay"], env=os.environ | told, stdout=self._errors, stderr=self._errors
        )
        end = time.monotonic() + 30
        while not self._listens():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the relay did not start: {self.said()}")
            time.sleep(0.02)

    def said(self) -> str:
        """What it wrote."""
        return Path(self._errors.name).read_text("utf-8")

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._errors.close()

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


def _free() -> int:
    """The first of eight ports that nobody has, by the sixth of them."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]) - 5


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    begun: list[Node] = []

    def begin(store: str = "", **environment: str) -> Node:
        begun.append(Node(tmp_path, store, **environment))
        return begun[-1]

    yield begin
    for node in begun:
        node.end()


@pytest.fixture(scope="module")
def server() -> Iterator[valkey.Server]:
    with valkey.server() as running:
        yield running


def played(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            async with asyncio.timeout(60):
                await scene()
        finally:
            await Line.close_all()

    asyncio.run(whole())


async def copied(port: int, other: int, secret: str, payload: tuple[bytes, bytes], before: Callable[[], None]) -> str:
    """A whole copy by both machines; `before` is called when the sealed payload has come through. The mailbox."""
    receiver, sender, opened, _joined = await pair(Now(), port, other)
    ends = [
        End(own(ORIGIN, secret, opened=True, device="PC"), None, None),
        End(own(ORIGIN, secret, opened=False, device="phone"), opened.mailbox, payload),
    ]

    async def drive(line: Line, end: End, *events: Any) -> None:
        async def say(body: bytes) -> None:
            await line.send(len(end.sent) - 1, body)

        async def shut(why: str) -> None:
            await line.say(wire.Close(why))

        for event in events:
            await end.feed(event, say, shut)
        while True:
            found = await asyncio.wait_for(line.socket.recv(), 10)
            if isinstance(found, str):
                told = wire.read_told(found)
                assert isinstance(told, wire.Closed)
                if not end.over:
                    await end.feed(Closed(told.why), say, shut)
                return
            _, body = wire.read_post(found)
            if end.payload is None and len(body) == frames.SEALED_BODY:
                before()
            await end.feed(Heard(body), say, shut)

    await asyncio.gather(
        drive(receiver, ends[0], Admitted(opened.mailbox), PeerCame()), drive(sender, ends[1], Admitted(opened.mailbox))
    )
    assert ends[0].kept == payload
    assert all(isinstance(end.state, Acknowledged) for end in ends)
    mailbox: str = opened.mailbox
    return mailbox


def memory(pid: int) -> list[bytes]:
    """Every readable piece of a process's memory."""
    found = []
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in maps:
            span, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if rights[0] != "r" or begin >= 2**63:
                continue
            try:
                mem.seek(begin)
                found.append(mem.read(end - begin))
            except (OSError, ValueError):
                continue
    return found


def test_C12_the_thief_of_the_relays_memory_finds_sealed_bytes_only(nodes: Callable[..., Node]) -> None:
    node = nodes()
    certificate, key_file = os.urandom(1_200), os.urandom(1_300)
    secret, images = "8264917", []

    async def scene() -> None:
        payload = (certificate, key_file)
        mailbox = await copied(node.port, node.port, secret, payload, lambda: images.extend(memory(node.process.pid)))
        whole = images + memory(node.process.pid)
        assert any(mailbox.encode() in piece for piece in whole)  # what is looked for would be found
        assert any(b"ingam-copy-ticket/1" in piece for piece in whole)
        for canary in (certificate[:32], key_file[:32], secret.encode(), mailbox.encode() + secret.encode()):
            assert not any(canary in piece for piece in whole)

    played(scene)


def test_H9_the_relay_writes_no_address_ticket_token_number_or_person(nodes: Callable[..., Node]) -> None:
    node = nodes()

    async def scene() -> None:
        world = Now()
        receiver, sender, opened, joined = await pair(world, node.port)
        await sender.send(5, b"a gap: the run is broken")
        assert await receiver.told() == wire.Closed("broken")
        refused = await Line.to(node.port, wire.Open("no.ticket"))
        assert await refused.told() == wire.RefusedBy("ticket-invalid")
        await asked(node.port, "POST", f"/copy/begin?{joined.token}", b"\xff" * 100)
        metrics = (await asked(node.port, "GET", "/metrics", origin=None)).body.decode()
        node.tell(signal.SIGTERM)
        await asyncio.to_thread(node.process.wait, 10)
        for word in (opened.mailbox, opened.token, joined.token, "127.0.0.1", "no.ticket", "a" * 64):
            assert word not in node.said()
            assert word not in metrics

    played(scene)


def test_a_relay_drains_ready_at_once_no_more_new_ones_no_more_and_running_copies_finish(
    nodes: Callable[..., Node],
) -> None:
    node = nodes()

    async def scene() -> None:
        world = Now()
        assert (await asked(node.port, "GET", "/readyz", origin=None)).status == 200
        receiver, sender, _, joined = await pair(world, node.port)
        waiting = await Line.to(node.port, first_of(world.device(None, "b" * 64), "open", role="receiver"))  # type: ignore[arg-type]
        await waiting.told()
        node.tell(signal.SIGTERM)
        assert await waiting.told() == wire.Closed("stopping")
        answer = await asked(node.port, "GET", "/readyz", origin=None)
        assert (answer.status, answer.body) == (503, b"relay-stopping\n")
        late = await Line.to(node.port, first_of(world.device(None, "c" * 64), "open", role="receiver"))  # type: ignore[arg-type]
        assert await late.told() == wire.RefusedBy("relay-stopping")
        sender.socket.transport.abort()
        assert await receiver.told() == wire.Away()
        again = await Line.to(node.port, wire.Resume(joined.token, 0))
        assert isinstance(await again.told(), wire.Resumed)
        assert await receiver.told() == wire.Back()
        await receiver.send(0, b"hello")
        assert await again.got() == (0, b"hello")
        await again.send(0, b"payload")
        assert await receiver.got() == (0, b"payload")
        assert node.process.poll() is None
        await again.say(wire.Close("done"))
        assert await receiver.told() == wire.Closed("done")
        assert await asyncio.to_thread(node.process.wait, 10) == 0

    played(scene)


def test_a_drain_has_an_end(nodes: Callable[..., Node]) -> None:
    node = nodes(INGAM_RELAY_DRAIN_S="0")

    async def scene() -> None:
        receiver, sender, *_ = await pair(Now(), node.port)
        node.tell(signal.SIGTERM)
        for line in (receiver, sender):
            assert await line.told() == wire.Closed("stopping")
            await line.closed()
        assert await asyncio.to_thread(node.process.wait, 10) == 0

    played(scene)


def test_two_nodes_on_one_valkey_carry_a_copy_between_them(nodes: Callable[..., Node], server: valkey.Server) -> None:
    here, there = nodes(server.url), nodes(server.url)
    played(lambda: _ignored(copied(here.port, there.port, "1234567", (b"certificate", b"key"), lambda: None)))


async def _ignored(work: Awaitable[object]) -> None:
    await work


def test_a_device_of_a_node_that_was_killed_resumes_at_the_other_one(
    nodes: Callable[..., Node], server: valkey.Server
) -> None:
    here, there = nodes(server.url), nodes(server.url)

    async def scene() -> None:
        receiver, sender, opened, _ = await pair(Now(), here.port, there.port)
        await sender.send(0, b"one")
        assert await receiver.got() == (0, b"one")
        here.tell(signal.SIGKILL)
        await receiver.closed()
        await sender.send(1, b"two")
        moved = await Line.to(there.port, wire.Resume(opened.token, 1))
        resumed = await moved.told()
        assert isinstance(resumed, wire.Resumed)
        assert isinstance(await moved.told(), wire.Peer)
        assert await moved.got() == (1, b"two")
        await moved.send(0, b"stored")
        assert await sender.got() == (0, b"stored")
        await sender.say(wire.Close("done"))
        assert await moved.told() == wire.Closed("done")
        for line in (moved, sender):
            await line.closed()

    played(scene)


def test_a_node_that_drains_hands_its_devices_to_the_other_one(
    nodes: Callable[..., Node], server: valkey.Server
) -> None:
    here, there = nodes(server.url, INGAM_RELAY_DRAIN_S="0"), nodes(server.url)

    async def scene() -> None:
        receiver, sender, opened, _ = await pair(Now(), here.port, there.port)
        here.tell(signal.SIGTERM)
        assert await receiver.closed() == 1000
        assert await asyncio.to_thread(here.process.wait, 10) == 0
        moved = await Line.to(there.port, wire.Resume(opened.token, 0))
        assert isinstance(await moved.told(), wire.Resumed)
        await sender.send(0, b"one")
        assert isinstance(await moved.told(), wire.Peer)
        assert await moved.got() == (0, b"one")

    played(scene)


def test_F9_without_its_store_a_node_is_not_ready_refuses_and_comes_back(nodes: Callable[..., Node]) -> None:
    with valkey.server() as own_server:
        node = nodes(own_server.url)

        async def scene() -> None:
            world = Now()
            receiver, sender, *_ = await pair(world, node.port)
            own_server.stop()
            answer = await asked(node.port, "GET", "/readyz", origin=None)
            assert (answer.status, answer.body) == (503, b"relay-outage\n")
            first = first_of(world.device(None, "b" * 64), "open", role="receiver")  # type: ignore[arg-type]
            refused = await Line.to(node.port, first)
            assert await refused.told() == wire.RefusedBy("relay-outage")
            await sender.send(0, b"one")
            assert await sender.closed() is None  # cut without a word: it resumes when it can
            own_server.start()
            while (await asked(node.port, "GET", "/readyz", origin=None)).status != 200:
                await asyncio.sleep(0.05)
            assert await receiver.told() == wire.Closed("gone")  # the store's memory was lost with it

        played(scene)


@pytest.mark.parametrize("keys", [None, "", "abc", "g" * 64, "\n".join([PUBLIC.hex()] * 17)])
def test_without_the_centers_keys_no_relay_starts(tmp_path: Path, keys: str | None) -> None:
    path = tmp_path / "tickets.pub"
    if keys is not None:
        path.write_text(keys, "ascii")
    told = {"INGAM_PORT": str(_free()), "INGAM_DATA": str(tmp_path), "INGAM_RELAY_TICKET_KEYS": str(path)}
    ended = subprocess.run(
        [sys.executable, "-m", "ingam.run.relay"], env=os.environ | told, capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stderr.strip().split("\n")[-1]) == (2, "ticket-keys-refused")


def test_without_its_store_no_relay_starts(tmp_path: Path) -> None:
    (tmp_path / "relay").mkdir()
    (tmp_path / "relay" / "tickets.pub").write_text(PUBLIC.hex(), "ascii")
    told = {
        "INGAM_PORT": str(_free()), "INGAM_DATA": str(tmp_path), "INGAM_RELAY_STORE": "valkey://127.0.0.1:1/0",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "ingam.run.relay"], env=os.environ | told, capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stderr.strip()) == (2, "relay-outage")
