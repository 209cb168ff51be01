"""What devices do at the relay: open, join, resume, send, close; and how a node ends.

A network's high ceiling stands before everything but a token that is known. Then tickets are read before anything else
is asked of the store, and limits by person are part of its own decisions (C12, F9): a wrong claim takes a ticket, so it
is the person's, not the network's, behind which a whole carrier may stand.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ingam.kernel.errors import Failure, Refusal
from ingam.ports.clock import Clock
from ingam.ports.mailboxes import (
    NUMBERS,
    Ceiling,
    Kept,
    Mailboxes,
    NetworkCeilings,
    Opening,
    Showing,
    TicketUsed,
    WrongClaims,
)
from ingam.protocols.mailbox import mailbox as machine
from ingam.protocols.mailbox import ticket as tickets
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.mailbox import Live, Opened, Seat
from ingam.protocols.mailbox.ticket import Ticket
from ingam.relay.counts import Counts
from ingam.relay.room import Link, Place, Room, instant, told
from ingam.relay.rooms import LIVE, TRIES, Held, Rooms

DRAWS: Final = 24
"""Numbers drawn for a mailbox: with half of them free, one opening in 2^24 finds none."""


class MailboxUnknown(Refusal):
    """No mailbox that this ticket fits."""

    code = "mailbox-unknown"


class MailboxTaken(Refusal):
    """Two devices have met there already; the run has ended for all of them."""

    code = "mailbox-taken"


class RelayStopping(Refusal):
    """This node begins nothing more."""

    code = "relay-stopping"


class ResumeUnknown(Refusal):
    """No mailbox has this token any more."""

    code = "resume-unknown"


@dataclass(frozen=True, slots=True)
class Rules:
    """`origin`: the relay's own, as on tickets. `keys`: raw public keys of the center. `opens`, `runs`: of a person in
    `window_s` seconds.
    """

    origin: str
    keys: tuple[bytes, ...]
    opens: int = 30
    runs: int = 5
    window_s: int = 600
    wrong: WrongClaims = field(default_factory=WrongClaims)
    network: NetworkCeilings = field(default_factory=NetworkCeilings)


class Relay:
    """One node."""

    def __init__(
        self, store: Mailboxes, clock: Clock, rules: Rules, on_defect: Callable[[BaseException], None] = lambda _: None
    ) -> None:
        self.counts = Counts()
        self.rooms = Rooms(store, clock, self.counts, on_defect)
        self.stopping = False
        self._store, self._rules = store, rules

    async def start(self) -> None:
        """Listen to the store. Raises RelayOutage."""
        await self._store.start(self.rooms.hear, self.rooms.now())

    # First frames

    async def begin(self, first: wire.First, network: str, link: Link, *, known: bool = False) -> Place:
        """Take a device in; it is told so on `link`, unless it resumes and has been told already (`known`).

        Raises the refusals of tickets and limits, and RelayOutage.
        """
        if isinstance(first, wire.Resume):
            found = await self._known(first.token, network)
            self.counts.began["resume"] += 1
            return await self._resume(found, first.got, link, known=known)
        if self.stopping:
            raise RelayStopping
        await self._charge(network)
        self.counts.began[type(first).__name__.lower()] += 1
        if isinstance(first, wire.Open):
            return await self._open(await self._ticket(first.ticket, "open"), link)
        return await self._join(await self._ticket(first.ticket, "join"), link)

    async def _charge(self, network: str) -> None:
        await self._store.admit(network, self.rooms.now(), self._rules.network)

    async def _known(self, token: str, network: str) -> tuple[str, Seat]:
        """Mailbox and seat of a token. Who has one is charged to nobody; who guesses, to its network."""
        found = await self._store.seat(_digest(token))
        if found is None:
            await self._charge(network)
            raise ResumeUnknown
        return found

    async def _ticket(self, text: str, act: str) -> Ticket:
        """A ticket of somebody who does not pause."""
        found = tickets.read(text, self._rules.keys)
        found.check(self._rules.origin, int(self.rooms.now()))
        if found.act != act:
            raise tickets.TicketInvalid
        await self._store.claim(found.who, self.rooms.now())
        return found

    async def _open(self, ticket: Ticket, link: Link) -> Place:
        at, token = self.rooms.now(), secrets.token_urlsafe(32)
        state = Opened(ticket.id, ticket.who, ticket.role, at + ticket.ttl)
        opening = Opening(
            at, _draws(), state, state.ends, _digest(token), ticket.who, _showing(ticket),
            Ceiling(ticket.who, "open", self._rules.window_s, self._rules.opens),
        )  # fmt: skip
        room = Room(await self._store.open(opening), 1, state)
        place = self.rooms.seat(room, 0, link)
        link.tell(wire.write(wire.Opened(room.mailbox, token, instant(state.ends))))
        return place

    async def _join(self, ticket: Ticket, link: Link) -> Place:
        assert ticket.mailbox is not None
        room = await self.rooms.room(ticket.mailbox)
        if room is None or not _fits(ticket, room.state):
            await self._store.show(_showing(ticket), self.rooms.now())
            await self._store.wrong(ticket.who, self.rooms.now(), self._rules.wrong)
            raise MailboxUnknown
        if not isinstance(room.state, Opened):
            await self._store.show(_showing(ticket), self.rooms.now())  # who shows a used one again crowds nobody
        token = secrets.token_urlsafe(32)
        held = await self.rooms.advance(
            room, 1, lambda _: machine.Joins(self.rooms.now()), token=_digest(token), takes=True,
            showing=_showing(ticket), ceiling=Ceiling(ticket.who, "run", self._rules.window_s, self._rules.runs),
        )  # fmt: skip
        if held is None or not isinstance(held.step.state, LIVE):
            raise await self._late(ticket, held)
        place = self.rooms.seat(held.room, 1, link)
        link.tell(wire.write(wire.Joined(token, instant(held.room.state.ends))))
        await self._heard_meanwhile(held.room)
        return place

    async def _late(self, ticket: Ticket, held: Held | None) -> Refusal:
        """Nothing to join any more; the ticket is used up all the same."""
        with contextlib.suppress(TicketUsed):
            await self._store.show(_showing(ticket), self.rooms.now())
        crowded = held is not None and isinstance(held.step.state, machine.Crowded)
        return MailboxTaken() if crowded else MailboxUnknown()

    async def _resume(self, found: tuple[str, Seat], got: int, link: Link, *, known: bool) -> Place:
        mailbox, seat = found
        for _ in range(TRIES):
            kept = await self._store.find(mailbox)
            if kept is None:
                break
            if got > len(kept.bodies[1 - seat]):
                raise wire.WireMalformed
            room = self.rooms.follow(mailbox, kept)
            if room.version != kept.version:
                continue  # news were faster
            held = await self.rooms.once(room, seat, machine.Back(self.rooms.now(), seat), takes=True)
            if held is not None and not isinstance(held.step.state, LIVE):
                break
            if held is not None:
                if not known:
                    link.tell(_resumed(kept, seat))
                place = self._back(held, seat, got, kept, link)
                await self._heard_meanwhile(held.room)
                return place
        raise ResumeUnknown

    def _back(self, held: Held, seat: Seat, got: int, kept: Kept, link: Link) -> Place:
        """In its seat again, and told what it has missed. `kept` is what the store had just before."""
        held.room.leave(seat)
        place = self.rooms.seat(held.room, seat, link, got)
        for effect in held.step.effects:
            if isinstance(effect, machine.Tell) and effect.seat == seat:
                link.tell(told(effect.told, held.room.state))
        place.carry(kept.bodies[1 - seat])
        return place

    async def _heard_meanwhile(self, room: Room) -> None:
        """What other nodes did between the store's decision and the seat here went unheard.

        The device has been told by now: a store that does not answer refuses no more; the next news makes up.
        """
        if self._store.shared:
            await self.rooms.guarded(self.rooms.look(room))

    async def standing(self, resume: wire.Resume, network: str) -> str:
        """What a device that resumes is told, before the connection is there that takes its seat (the fallback)."""
        place = await self.found(resume.token, network)
        kept = await self._store.find(place.room.mailbox)
        if kept is None:
            raise ResumeUnknown
        if resume.got > len(kept.bodies[1 - place.seat]):
            raise wire.WireMalformed
        return _resumed(kept, place.seat)

    async def found(self, token: str, network: str) -> Place:
        """The place of a device whose messages come beside its connection (the fallback). Raises also TooMany."""
        mailbox, seat = await self._known(token, network)
        room = await self.rooms.room(mailbox)
        if room is None:
            raise ResumeUnknown
        return room.places[seat] or Place(room, seat, None)

    # What a device does then

    async def sent(self, place: Place, sequence: int, body: bytes) -> None:
        """A sealed message. One out of order, or other bytes under a number that was sent, burn the mailbox (C8)."""
        room, seat = place.room, place.seat
        self.counts.messages += 1
        self.counts.octets += len(body)
        again = not isinstance(room.state, Opened) and sequence < room.state.counts[seat]
        kept = await self._store.find(room.mailbox) if again else None

        def posted(kept: Kept | None) -> machine.Posted:
            return machine.Posted(self.rooms.now(), seat, sequence, len(body), _same(kept, seat, sequence, body))

        await self.rooms.advance(room, seat, posted, kept, body=body)

    async def close(self, place: Place, why: str) -> None:
        """A device says that it is over."""
        await self.rooms.advance(place.room, place.seat, lambda _: machine.Closes(place.seat, why))

    async def lost(self, place: Place, link: Link) -> None:
        """A device's connection is gone; a newer one of the same device stays."""
        if place.link is not link or place.room.places[place.seat] is not place:
            return
        place.link = None
        await self.rooms.advance(place.room, place.seat, lambda _: machine.Away(self.rooms.now(), place.seat))

    # The node

    async def ready(self) -> None:
        """Return where devices may begin here. Raises RelayStopping, RelayOutage."""
        if self.stopping:
            raise RelayStopping
        await self._store.ready()

    async def drain(self) -> None:
        """Begin nothing more. Mailboxes that only this node could let a second device into end now."""
        self.stopping = True
        if not self._store.shared:
            await self.rooms.stop(waiting=True)

    async def stop(self) -> None:
        """What still runs ends, or goes on at other nodes."""
        self.stopping = True
        if self._store.shared:
            self.rooms.part()
        else:
            await self.rooms.stop(waiting=False)
        await self.rooms.settle()
        await self._store.close()

    def refusal(self, failure: Failure) -> str:
        """What a device is told of a failure, counted."""
        self.counts.refused[failure.code] += 1
        s = failure.facts.get("s")
        return wire.write(wire.RefusedBy(failure.code, s if isinstance(s, int) else None))


def _draws() -> tuple[str, ...]:
    """Numbers from the CSPRNG; each is uniform but for 2^-49."""
    rest, found = int.from_bytes(secrets.token_bytes(56), "big"), []
    for _ in range(DRAWS):
        rest, drawn = divmod(rest, NUMBERS)
        found.append(f"{drawn:05d}")
    return tuple(found)


def _resumed(kept: Kept, seat: Seat) -> str:
    return wire.write(wire.Resumed(len(kept.bodies[seat]), instant(kept.state.ends)))


def _showing(ticket: Ticket) -> Showing:
    return Showing(ticket.id, ticket.iat, float(ticket.exp))


def _fits(ticket: Ticket, state: Live) -> bool:
    """Whether a ticket is for this very mailbox, of the same person, for the other side (C1, C12)."""
    other = "receiver" if ticket.role == "sender" else "sender"
    return (ticket.peer, ticket.who, other) == (state.ticket, state.who, state.role)


def _same(kept: Kept | None, seat: Seat, sequence: int, body: bytes) -> bool | None:
    if kept is None or sequence >= len(kept.bodies[seat]):
        return None
    return hmac.compare_digest(kept.bodies[seat][sequence], body)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()
