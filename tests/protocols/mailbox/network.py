"""Two devices, their links and a relay in memory, over lines that lose, repeat, swap and alter what they carry.

The devices' links and the relay keep to the wire rules (numbers, resending the same bytes, `have` and `got`); the
lines do what the test tells them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from vectors.copying import make

from ingam.kernel.flow import Machine
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import endpoint, receiver, sender
from ingam.protocols.mailbox.endpoint import (
    Admitted,
    Agreed,
    Asked,
    Close,
    Closed,
    Deliver,
    Event,
    Heard,
    Own,
    PeerCame,
    Send,
    ShowWords,
)
from ingam.protocols.mailbox.frames import Payload
from ingam.protocols.mailbox.mailbox import (
    MAILBOX,
    Away,
    Back,
    Carry,
    Closes,
    Forget,
    Joins,
    Opened,
    Posted,
    Seat,
    Tell,
    TimePassed,
)

CERTIFICATE, KEY_FILE = make.CERTIFICATE, make.KEY_FILE
DIGEST = Payload(CERTIFICATE, Secret(KEY_FILE)).digest
Up = tuple[Literal["post"], int, bytes] | tuple[Literal["close"], str]
Down = tuple[Literal["post"], int, bytes] | tuple[Literal["told"], str]


class Device:
    """An endpoint machine with its link: what was sent is kept, what has come is counted."""

    def __init__(self, role: str, seat: Seat, own: Own) -> None:
        self.role, self.seat, self.own = role, seat, own
        self.machine: Machine[Any, Event] = sender.SENDER if role == "sender" else receiver.RECEIVER
        begin = sender.start if role == "sender" else receiver.start
        self.state: Any = begin(own, None if own.opened else make.MAILBOX)
        self.sent: list[bytes] = []
        self.got = 0
        self.met = False
        self.words: tuple[int, int] | None = None
        self.delivered: Deliver | None = None
        self.agreed = self.stored = False
        self.closing: str | None = None

    @property
    def over(self) -> bool:
        return isinstance(self.state, endpoint.ENDS)

    def feed(self, event: Event) -> list[Up]:
        """What goes up the line. Events that the table does not have now are dropped, as every driver does."""
        if not self.machine.allows(self.state, event):
            return []
        step = self.machine.advance(self.state, event)
        self.state = step.state
        up: list[Up] = []
        for effect in step.effects:
            up += self._carry_out(effect)
        return up

    def _carry_out(self, effect: object) -> list[Up]:
        match effect:
            case Send(body):
                self.sent.append(body)
                return [("post", len(self.sent) - 1, body)]
            case Close(why):
                self.closing = why
                return [("close", why)]
            case ShowWords(first, second, _):
                self.words = (first, second)
            case Deliver():
                assert self.words is not None
                self.delivered = effect
        return []

    def hear(self, down: Down) -> list[Up]:
        """A frame from the relay: a message in its turn, one that was had before, or what the relay tells."""
        if down[0] == "post":
            if down[1] != self.got:
                return [] if down[1] < self.got else self.feed(Closed("broken"))
            self.got += 1
            return self.feed(Heard(down[2]))
        word, _, why = down[1].partition(" ")
        if word == "peer" and not self.met:
            self.met = True
            return self.feed(PeerCame())
        return self.feed(Closed(why)) if word == "closed" else []

    def agree(self) -> list[Up]:
        up = self.feed(Agreed(CERTIFICATE, Secret(KEY_FILE)))
        self.agreed = self.agreed or bool(up)
        return up


class Relay:
    """The mailbox machine with its store, and a line to each seat."""

    def __init__(self) -> None:
        self.now = 0.0
        self.state: Any = Opened("ab" * 16, "cd" * 32, "receiver", 180.0)
        self.bodies: tuple[list[bytes], list[bytes]] = ([], [])
        self.down: tuple[list[Down], list[Down]] = ([], [])
        self.connected = [True, False]
        self.joined = False
        self.why: str | None = None

    @property
    def over(self) -> bool:
        return type(self.state) in MAILBOX.ends()

    def feed(self, event: Any) -> None:
        if self.over:
            return
        step = MAILBOX.advance(self.state, event)
        self.state = step.state
        for effect in step.effects:
            match effect:
                case Carry(seat, sequence):
                    self._send(seat, ("post", sequence, self.bodies[1 - seat][sequence]))
                case Tell(seat, told):
                    self._send(seat, ("told", told))
                case Forget(why):
                    self._forget(why)

    def _send(self, seat: int, down: Down) -> None:
        if self.connected[seat]:
            self.down[seat].append(down)

    def _forget(self, why: str) -> None:
        self.why = why
        for seat in (0, 1):
            self.bodies[seat].clear()
            self._send(seat, ("told", f"closed {why}"))

    def hear(self, seat: Seat, up: Up) -> None:
        """A frame from a device."""
        if self.over:
            return
        if up[0] == "close":
            self.feed(Closes(seat, up[1]))
            return
        _, sequence, body = up
        kept = self.bodies[seat]
        same = kept[sequence] == body if sequence < len(kept) else None
        if sequence == len(kept):
            kept.append(body)
        self.feed(Posted(self.now, seat, sequence, len(body), same))

    def join(self) -> None:
        self.joined, self.connected[1] = True, True
        self.feed(Joins(self.now))

    def lose(self, seat: Seat) -> None:
        """The connection breaks: what was on its way down is gone."""
        self.down[seat].clear()
        if self.connected[seat]:
            self.connected[seat] = False
            self.feed(Away(self.now, seat))

    def resume(self, seat: Seat, got: int) -> int | None:
        """How many of this seat's messages are here; None: there is no such mailbox any more."""
        self.connected[seat] = True
        self.feed(Back(self.now, seat))
        if self.over:
            self.down[seat].append(("told", f"closed {self.why}"))
            return None
        self.down[seat][:0] = [("post", n, body) for n, body in enumerate(self.bodies[1 - seat]) if n >= got]
        return len(self.bodies[seat])

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.feed(TimePassed(self.now))


class Network:
    """Everything, with a line up from each device. `guess`: the digits that the sender's person typed."""

    def __init__(self, guess: str = make.SECRET, sender_qr: bytes | None = None) -> None:
        receiver_own = make.own("receiver", opened=True, qr=make.QR)
        base = make.own("sender", opened=False, qr=sender_qr)
        sender_own = replace(base, secret=Secret(guess))
        self.receiver = Device("receiver", 0, receiver_own)
        self.sender = Device("sender", 1, sender_own)
        self.devices = (self.receiver, self.sender)
        self.relay = Relay()
        self.up: tuple[list[Up], list[Up]] = ([], [])
        self.feed(self.receiver, Admitted(make.MAILBOX))

    def feed(self, device: Device, event: Event) -> None:
        self.queue(device, device.feed(event))

    def queue(self, device: Device, up: list[Up]) -> None:
        if self.relay.connected[device.seat]:
            self.up[device.seat].extend(up)

    def join(self) -> None:
        """The sender's ticket is taken."""
        self.relay.join()
        self.feed(self.sender, Admitted(make.MAILBOX))

    def carry_up(self, seat: Seat) -> None:
        if self.up[seat]:
            self.relay.hear(seat, self.up[seat].pop(0))

    def carry_down(self, seat: Seat) -> None:
        if self.relay.down[seat]:
            device = self.devices[seat]
            self.queue(device, device.hear(self.relay.down[seat].pop(0)))

    def lose(self, seat: Seat) -> None:
        self.up[seat].clear()
        self.relay.lose(seat)

    def resume(self, seat: Seat) -> None:
        """The same bytes of the same run again, from where the relay stands; then what was to be closed."""
        device = self.devices[seat]
        if self.relay.connected[seat] or (seat == 1 and not self.relay.joined):
            return
        have = self.relay.resume(seat, device.got)
        if have is None:
            return
        self.up[seat].extend(("post", n, body) for n, body in enumerate(device.sent) if n >= have)
        if device.closing is not None:
            self.up[seat].append(("close", device.closing))

    def quiet(self) -> bool:
        return not any((*self.up, *self.relay.down))

    def settle(self) -> None:
        """Everything that is on its way arrives, and persons and store do their part, until nothing moves."""
        for _ in range(200):
            if not self.round():
                return
        raise AssertionError("it never comes to rest")

    def round(self) -> bool:
        """Every line carries one frame; where all is quiet, a person or the store acts. False: nothing moves."""
        seats: tuple[Seat, Seat] = (0, 1)
        for seat in seats:
            self.carry_up(seat)
            self.carry_down(seat)
        return not self.quiet() or self._someone_acts()

    def _someone_acts(self) -> bool:
        if isinstance(self.sender.state, sender.KeyConfirmed):
            self.queue(self.sender, self.sender.agree())
            return True
        if isinstance(self.receiver.state, receiver.Receiving):
            self.feed(self.receiver, Asked())
            self.store(DIGEST)
            return True
        return False

    def store(self, digest: bytes) -> None:
        """The receiver's store keeps what was delivered and gives back bytes of this digest."""
        if isinstance(self.receiver.state, receiver.Receiving):
            self.receiver.stored = self.receiver.stored or digest == DIGEST
            self.feed(self.receiver, endpoint.Stored(digest))
