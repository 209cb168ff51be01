"""One copy as two devices make it: through our relay, and through magic-wormhole's mailbox server.

The same messages of the same sizes, three a side; number or nameplate allotted, claimed, and given back at the end.
Nobody waits for more than the next step needs. Sealing and the key exchange are left out: they are the devices' own.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.copying_client import ORIGIN, Client, connect
from ingam.protocols.mailbox import ticket, wire
from ingam.protocols.mailbox.ticket import Ticket

RELAY: Final = "http://localhost:8705"
SENT: Final = (os.urandom(75), os.urandom(33), os.urandom(16_402))
"""The sender's share, its confirmation, and the sealed payload."""

ANSWERED: Final = (os.urandom(45), os.urandom(65), os.urandom(16_402))
"""The receiver's greeting, its share with a confirmation, and the sealed acknowledgement."""

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class Side(Protocol):
    """A relay to copy through."""

    port: int
    process: subprocess.Popen[bytes]

    async def wait(self) -> Client:
        """A device with a mailbox that waits for another one."""

    async def copy(self) -> None:
        """One whole copy."""


class Ours:
    """Our relay, as it runs."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process
        self._key = KEY

    def signed(self, who: str, role: Any, mailbox: str | None = None, peer: str | None = None) -> tuple[str, str]:
        now = int(time.time()) + 1  # not the second in which the relay began to remember
        act: Any = "open" if mailbox is None else "join"
        made = Ticket(secrets.token_hex(16), RELAY, act, role, mailbox, peer, who, now, now + 170, 180)
        return made.id, ticket.write(made, self._key.sign)

    async def opened(self) -> tuple[Client, wire.Opened, str, str]:
        who = secrets.token_hex(32)
        receiver = await connect(self.port, "/copy", wire.SUBPROTOCOL)
        number, text = self.signed(who, "receiver")
        receiver.send(wire.write(wire.Open(text)))
        opened = wire.read_told(str(await receiver.next()))
        assert isinstance(opened, wire.Opened), opened
        return receiver, opened, who, number

    async def wait(self) -> Client:
        return (await self.opened())[0]

    async def copy(self) -> None:
        receiver, opened, who, number = await self.opened()
        sender = await connect(self.port, "/copy", wire.SUBPROTOCOL)
        sender.send(wire.write(wire.Join(self.signed(who, "sender", opened.mailbox, number)[1])))
        await sender.next()  # joined
        await receiver.next()  # peer
        for sequence in range(3):
            receiver.send(wire.write_post(sequence, ANSWERED[sequence]))
            await sender.next()
            sender.send(wire.write_post(sequence, SENT[sequence]))
            await receiver.next()
        sender.send(wire.write(wire.Close("done")))
        for client in (sender, receiver):
            told = wire.read_told(str(await client.next()))
            assert told == wire.Closed("done"), told
            client.close()


class Wormhole:
    """magic-wormhole's mailbox server; bodies are hex in JSON, as its protocol has them."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process

    async def _bound(self) -> _Mood:
        mood = _Mood(await connect(self.port, "/v1"))
        mood.say("bind", appid="ingam.test/copy", side=mood.side)
        return mood

    async def wait(self) -> Client:
        receiver = await self._bound()
        await receiver.allotted()
        return receiver.client

    async def copy(self) -> None:
        receiver, sender = await self._bound(), await self._bound()
        nameplate = await receiver.allotted()
        await sender.claimed(nameplate)
        for phase in range(3):
            receiver.add(phase, ANSWERED[phase])
            await sender.message(receiver)
            sender.add(phase, SENT[phase])
            await receiver.message(sender)
        for mood in (sender, receiver):
            mood.say("release")
            mood.say("close", mood="happy")
        for mood in (sender, receiver):
            await mood.told("closed")
            mood.client.close()


class _Mood:
    """One device at the mailbox server."""

    def __init__(self, client: Client) -> None:
        self.client, self.side = client, secrets.token_hex(5)

    def say(self, kind: str, **words: Any) -> None:
        self.client.send(json.dumps({"type": kind, "id": secrets.token_hex(2), **words}))

    async def told(self, kind: str) -> Any:
        while True:
            found = json.loads(await self.client.next())
            assert found["type"] != "error", found
            if found["type"] == kind:
                return found

    async def allotted(self) -> str:
        self.say("allocate")
        nameplate: str = (await self.told("allocated"))["nameplate"]
        await self.claimed(nameplate)
        return nameplate

    async def claimed(self, nameplate: str) -> None:
        self.say("claim", nameplate=nameplate)
        self.say("open", mailbox=(await self.told("claimed"))["mailbox"])

    def add(self, phase: int, body: bytes) -> None:
        self.say("add", phase=str(phase), body=body.hex())

    async def message(self, other: _Mood) -> bytes:
        while True:
            found = await self.told("message")
            if found["side"] == other.side:
                return bytes.fromhex(found["body"])


KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@contextmanager
def ours(folder: Path) -> Iterator[Ours]:
    """Our relay's process, in its own memory, with the settings of a demo."""
    (folder / "relay").mkdir(parents=True)
    (folder / "relay" / "tickets.pub").write_text(KEY.public_key().public_bytes_raw().hex() + "\n", "ascii")
    base = _free() - 5
    told = {
        "INGAM_PORT": str(base), "INGAM_DATA": str(folder), "INGAM_RELAY_ORIGIN": RELAY, "INGAM_VAULT_ORIGIN": ORIGIN,
    }  # fmt: skip
    with _running([sys.executable, "-m", "ingam.run.relay"], told, base + 5, folder) as process:
        yield Ours(base + 5, process)


@contextmanager
def wormhole(folder: Path) -> Iterator[Wormhole]:
    """The mailbox server's process at its best: its database in memory, no log of requests."""
    folder.mkdir()
    port = _free()
    words = [f"--port=tcp:{port}:interface=127.0.0.1:backlog=4096", "--channel-db=:memory:", "--blur-usage=3600"]
    command = [sys.executable, "-m", "twisted", "wormhole-mailbox", *words]
    with _running(command, {}, port, folder) as process:
        yield Wormhole(port, process)


@contextmanager
def _running(command: list[str], told: dict[str, str], port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=os.environ | told, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    async def knock() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    end = time.monotonic() + 60
    while True:
        try:
            return asyncio.run(knock())
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError("a relay did not start") from None
            time.sleep(0.05)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
