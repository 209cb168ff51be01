"""A mailbox as one node serves it: which devices are connected here, and what each of them has been told.

The store has the mailbox; a room follows its versions. Bodies are given on as they come and are not kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.mailbox import Live, Opened, Seat, deadline

_AWAY: Final = wire.write(wire.Away())
_BACK: Final = wire.write(wire.Back())


def told(word: str, state: Live) -> str:
    """A word of the machine (`mailbox.Tell`) as it goes to a device."""
    if word == "peer":
        return wire.write(wire.Peer(instant(state.ends)))
    return _AWAY if word == "away" else _BACK


def instant(seconds: float) -> datetime:
    """Of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


class Link(Protocol):
    """One connection of a device. Nothing of it raises; what cannot be sent is lost with the connection."""

    def tell(self, text: str) -> None:
        """A word of the relay (`wire`)."""

    def carry(self, sequence: int, body: bytes) -> None:
        """A message of the other device."""

    def end(self) -> None:
        """Nothing more is told: close it."""


class Place:
    """A device in its seat. `link`: its connection here, or None. `delivered`: messages of the other that it has."""

    __slots__ = ("delivered", "link", "room", "seat")

    def __init__(self, room: Room, seat: Seat, link: Link | None, delivered: int = 0) -> None:
        self.room, self.seat, self.link, self.delivered = room, seat, link, delivered

    def carry(self, bodies: Sequence[bytes]) -> None:
        """What it has not yet of all `bodies` of the other device."""
        if self.link is not None:
            for sequence in range(self.delivered, len(bodies)):
                self.link.carry(sequence, bodies[sequence])
            self.delivered = len(bodies)


class Room:
    """`due`: when the node looks at it next (Unix seconds). `over`: it is no more, or no more this node's."""

    __slots__ = ("due", "mailbox", "over", "places", "state", "version")

    def __init__(self, mailbox: str, version: int, state: Live) -> None:
        self.mailbox, self.version, self.state = mailbox, version, state
        self.places: list[Place | None] = [None, None]
        self.due = float("inf")
        self.over = False

    def move(self, version: int, state: Live) -> None:
        """The next version that this node knows of; who is here is told what it means."""
        before, self.version, self.state = self.state, version, state
        for place in self.places:
            if place is not None and place.link is not None:
                for word in _news(before, state, place.seat):
                    place.link.tell(told(word, state))

    def carry(self, seat: Seat, body: bytes) -> None:
        """A message that `seat` has just sent, to the other one."""
        place = self.places[1 - seat]
        if place is None or place.link is None or isinstance(self.state, Opened):
            return
        sequence = self.state.counts[seat] - 1
        if place.delivered == sequence:
            place.delivered += 1
            place.link.carry(sequence, body)

    def end(self, why: str) -> None:
        """It is over for everybody here."""
        self.over = True
        text = wire.write(wire.Closed(why))
        for place in self.places:
            if place is not None and place.link is not None:
                place.link.tell(text)
                place.link.end()
                place.link = None
        self.places = [None, None]

    def leave(self, seat: Seat) -> None:
        """The device in this seat is served elsewhere now."""
        place = self.places[seat]
        if place is not None and place.link is not None:
            place.link.end()
            place.link = None
        self.places[seat] = None

    @property
    def deadline(self) -> float:
        """When the machine has something to say next."""
        return deadline(self.state)


def _news(before: Live, after: Live, seat: Seat) -> list[str]:
    found = []
    if seat == 0 and isinstance(before, Opened) and not isinstance(after, Opened):
        found.append("peer")
    was, now = _away(before, seat), _away(after, seat)
    if was is None and now is not None:
        found.append("away")
    if was is not None and now is None:
        found.append("back")
    return found


def _away(state: Live, seat: Seat) -> float | None:
    """Since when the other one is away."""
    return None if isinstance(state, Opened) else state.away[1 - seat]
