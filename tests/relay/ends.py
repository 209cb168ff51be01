"""Both ends of a copy, driven by their real machines over whatever carries bodies."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, endpoint
from ingam.protocols.mailbox.endpoint import ENDS, Agreed, Close, Deliver, Own, Send, ShowWords, Stored
from ingam.protocols.mailbox.frames import Payload
from ingam.protocols.mailbox.receiver import RECEIVER
from ingam.protocols.mailbox.receiver import start as receive
from ingam.protocols.mailbox.sender import SENDER
from ingam.protocols.mailbox.sender import start as send

Say = Callable[[bytes], Awaitable[None]]
Shut = Callable[[str], Awaitable[None]]


def own(relay: str, secret: str, *, opened: bool, device: str) -> Own:
    """What a device brings, with randomness of its own."""
    scalar = Secret(cpace.scalar(secrets.token_bytes(32)))
    lot = Secret(secrets.token_bytes(16))
    return Own(relay, device, opened, Secret(secret), None, secrets.token_bytes(16), scalar, lot)


class End:
    """One device. A sender whose words are shown agrees at once to send `payload`; a receiver keeps what comes."""

    def __init__(self, mine: Own, mailbox: str | None, payload: tuple[bytes, bytes] | None) -> None:
        self.machine: Any = RECEIVER if payload is None else SENDER
        self.state: Any = receive(mine, mailbox) if payload is None else send(mine, mailbox)
        self.payload = payload
        self.sent: list[bytes] = []
        self.kept: tuple[bytes, bytes] | None = None
        self.words: tuple[int, int] | None = None

    async def feed(self, event: endpoint.Event, say: Say, shut: Shut) -> None:
        """Take an event, and what follows from it."""
        step = self.machine.advance(self.state, event)
        self.state = step.state
        for effect in step.effects:
            match effect:
                case Send(body):
                    self.sent.append(body)
                    await say(body)
                case Close(why):
                    await shut(why)
                case ShowWords(first, second, _):
                    self.words = (first, second)
                    if self.payload is not None:
                        await self.feed(Agreed(self.payload[0], Secret(self.payload[1])), say, shut)
                case Deliver(certificate, key_file):
                    self.kept = (certificate, key_file.reveal())
                    read_back = Payload(certificate, key_file).digest
                    await self.feed(Stored(read_back), say, shut)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return isinstance(self.state, ENDS)
