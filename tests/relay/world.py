"""A relay in memory with devices that write down what they are told, and a center that signs whatever a test asks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.clocks import SetClock

from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.ports.mailboxes import Mailboxes
from ingam.protocols.mailbox import ticket, wire
from ingam.protocols.mailbox.ticket import Role, Ticket
from ingam.relay.room import Place
from ingam.relay.service import Relay, Rules

ORIGIN = "http://localhost:8705"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
NETWORK = "192.0.2.1"


class Device:
    """A device and its connection (`relay.room.Link`)."""

    def __init__(self, world: World, relay: Relay, who: str) -> None:
        self.world, self.relay, self.who = world, relay, who
        self.told: list[wire.Told] = []
        self.bodies: list[bytes] = []
        self.sequences: list[int] = []
        self.tamper: Callable[[bytes], bytes] = bytes
        self.ended = False
        self.ticket: Ticket | None = None
        self.place: Place | None = None

    # What the relay says

    def tell(self, text: str) -> None:
        assert not self.ended, f"told after the end: {text}"
        self.told.append(wire.read_told(text))

    def carry(self, sequence: int, body: bytes) -> None:
        assert not self.ended
        self.sequences.append(sequence)
        self.bodies.append(self.tamper(body))

    def end(self) -> None:
        self.ended = True

    # What it does

    async def begin(self, first: wire.First, network: str = NETWORK) -> wire.Told:
        self.place = await self.relay.begin(first, network, self)
        return self.told[0]

    async def open(self, role: Role = "receiver", **words: Any) -> wire.Opened:
        self.ticket = self.world.ticket("open", role, self.who, **words)
        told = await self.begin(wire.Open(self.world.signed(self.ticket)))
        assert isinstance(told, wire.Opened)
        return told

    async def join(self, mailbox: str, opener: Device, role: Role = "sender", **words: Any) -> wire.Joined:
        assert opener.ticket is not None
        words = {"mailbox": mailbox, "peer": opener.ticket.id} | words
        self.ticket = self.world.ticket("join", role, self.who, **words)
        told = await self.begin(wire.Join(self.world.signed(self.ticket)))
        assert isinstance(told, wire.Joined)
        return told

    async def resume(self, token: str, got: int) -> wire.Resumed:
        told = await self.begin(wire.Resume(token, got))
        assert isinstance(told, wire.Resumed)
        return told

    async def send(self, sequence: int, body: bytes) -> None:
        assert self.place is not None
        await self.relay.sent(self.place, sequence, body)

    async def close(self, why: str) -> None:
        assert self.place is not None
        await self.relay.close(self.place, why)

    async def drop(self) -> None:
        assert self.place is not None
        await self.relay.lost(self.place, self)

    def again(self, relay: Relay | None = None) -> Device:
        """The same device with a new connection, to the same node or another one."""
        return Device(self.world, relay or self.relay, self.who)

    @property
    def last(self) -> wire.Told:
        """What it was told last."""
        return self.told[-1]

    @property
    def token(self) -> str:
        """What it resumes with."""
        first = self.told[0]
        assert isinstance(first, wire.Opened | wire.Joined)
        return first.token

    @property
    def whys(self) -> list[str]:
        """How it ended, as told."""
        return [one.why for one in self.told if isinstance(one, wire.Closed)]


class World:
    """A clock, a center's key, relays on one store."""

    def __init__(self, store: Callable[[], Mailboxes] = InProcessMailboxes, **rules: Any) -> None:
        self.clock = SetClock()
        self._store, self._rules = store, rules
        self.relays: list[Relay] = []
        self.defects: list[BaseException] = []

    async def relay(self, **rules: Any) -> Relay:
        """A node that has started."""
        made = Relay(self._store(), self.clock, Rules(ORIGIN, (PUBLIC,), **(self._rules | rules)), self.defects.append)
        await made.start()
        self.clock.forward(1)  # tickets of the second in which a store begins are none
        self.relays.append(made)
        return made

    def device(self, relay: Relay, who: str = "a" * 64) -> Device:
        return Device(self, relay, who)

    async def pair(self, relay: Relay, other: Relay | None = None, who: str = "a" * 64) -> tuple[Device, Device]:
        """A receiver and a sender that have met."""
        receiver, sender = self.device(relay, who), self.device(other or relay, who)
        opened = await receiver.open()
        await sender.join(opened.mailbox, receiver)
        return receiver, sender

    def ticket(self, act: Any, role: Role, who: str, **words: Any) -> Ticket:
        now = int(self.clock.now().timestamp())
        facts: dict[str, Any] = {
            "id": secrets.token_hex(16), "relay": ORIGIN, "act": act, "role": role, "mailbox": None, "peer": None,
            "who": who, "iat": now, "exp": now + 180, "ttl": 180,
        }  # fmt: skip
        return Ticket(**(facts | words))

    def signed(self, made: Ticket, key: Ed25519PrivateKey = KEY) -> str:
        return ticket.write(made, key.sign)

    async def forward(self, seconds: float, *relays: Relay) -> None:
        """Let time pass; the relays beat."""
        self.clock.forward(seconds)
        for relay in relays or self.relays:
            relay.rooms.beat()
            await relay.rooms.settle()


def played(scene: Callable[[World], Awaitable[Any]], world: World | None = None) -> Any:
    """One scene in one loop; nothing unexpected may have happened in it."""

    async def whole() -> Any:
        stage = world or World()
        try:
            async with asyncio.timeout(30):
                found = await scene(stage)
        finally:
            for relay in stage.relays:
                await relay.stop()
        assert stage.defects == []
        return found

    return asyncio.run(whole())


async def until(true: Callable[[], object]) -> None:
    """Wait until something that other tasks do is done."""
    while not true():
        await asyncio.sleep(0.005)
