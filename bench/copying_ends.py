"""Whole copies by the real machines of both ends, in one process of Python, through a relay in another one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.copying_client import Client, connect
from bench.copying_sides import RELAY, Ours
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, wire
from ingam.protocols.mailbox.endpoint import (
    ENDS,
    Acknowledged,
    Admitted,
    Agreed,
    Close,
    Deliver,
    Heard,
    Own,
    PeerCame,
    Send,
    ShowWords,
    Stored,
)
from ingam.protocols.mailbox.frames import Payload
from ingam.protocols.mailbox.number import draw_secret
from ingam.protocols.mailbox.receiver import RECEIVER
from ingam.protocols.mailbox.receiver import start as receive
from ingam.protocols.mailbox.sender import SENDER
from ingam.protocols.mailbox.sender import start as send

PAYLOAD = (secrets.token_bytes(1_500), secrets.token_bytes(1_300))


class _End:
    """One device; its person agrees at once."""

    def __init__(self, machine: Any, state: Any, client: Client) -> None:
        self.machine, self.state, self.client = machine, state, client
        self.sent = 0

    def feed(self, event: Any) -> None:
        step = self.machine.advance(self.state, event)
        self.state = step.state
        for effect in step.effects:
            match effect:
                case Send(body):
                    self.client.send(wire.write_post(self.sent, body))
                    self.sent += 1
                case Close(why):
                    self.client.send(wire.write(wire.Close(why)))
                case ShowWords() if self.machine is SENDER:
                    self.feed(Agreed(PAYLOAD[0], Secret(PAYLOAD[1])))
                case Deliver(certificate, key_file):
                    self.feed(Stored(Payload(certificate, key_file).digest))

    async def run(self) -> None:
        while not isinstance(self.state, ENDS):
            found = await self.client.next()
            if isinstance(found, bytes):
                self.feed(Heard(wire.read_post(found)[1]))


def _own(secret: Secret[str], *, opened: bool) -> Own:
    scalar = Secret(cpace.scalar(secrets.token_bytes(32)))
    lot = Secret(secrets.token_bytes(16))
    return Own(RELAY, "PC" if opened else "phone", opened, secret, None, secrets.token_bytes(16), scalar, lot)


async def copies_s(relay: Ours, count: int, clock: Callable[[], float] = perf_counter) -> list[float]:
    """Seconds of each of `count` copies, one after the other, from the join to both acknowledgements."""
    found = []
    for _ in range(count):
        secret = draw_secret()
        client, opened, who, number = await relay.opened()
        receiver = _End(RECEIVER, receive(_own(secret, opened=True), None), client)
        receiver.feed(Admitted(opened.mailbox))
        begun = clock()
        joined = await connect(relay.port, "/copy", wire.SUBPROTOCOL)
        joined.send(wire.write(wire.Join(relay.signed(who, "sender", opened.mailbox, number)[1])))
        await asyncio.gather(joined.next(), client.next())
        sender = _End(SENDER, send(_own(secret, opened=False), opened.mailbox), joined)
        sender.feed(Admitted(opened.mailbox))
        receiver.feed(PeerCame())
        await asyncio.gather(receiver.run(), sender.run())
        found.append(clock() - begun)
        assert isinstance(sender.state, Acknowledged), sender.state
        client.close()
        joined.close()
    return found
