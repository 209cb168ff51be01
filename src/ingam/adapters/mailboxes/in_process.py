"""The relay's store in this process's memory, for one node: bounded, and gone with the process.

Each call is one step of the event loop, so atomic. Full of live entries it refuses (security F9).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ingam.adapters.mailboxes.fading import Fading
from ingam.ports.mailboxes import (
    REST_S,
    TAKEN_MOST,
    Ceiling,
    Change,
    Ear,
    Ended,
    Kept,
    NetworkCeilings,
    News,
    Opening,
    Showing,
    SpaceFull,
    TicketUsed,
    TooMany,
    WrongClaims,
)
from ingam.protocols.mailbox.mailbox import Seat
from ingam.protocols.mailbox.ticket import TicketInvalid

COUNTED_MOST: Final = 200_000
"""Persons, networks and tickets that are remembered at once, each."""


class _Box:
    """One mailbox."""

    __slots__ = ("bodies", "person", "state", "tokens", "version")

    def __init__(self, opening: Opening) -> None:
        self.version, self.state, self.person = 1, opening.state, opening.person
        self.tokens: tuple[bytes, ...] = (opening.token,)
        self.bodies: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())

    def apply(self, change: Change) -> None:
        """The next version."""
        self.version, self.state = self.version + 1, change.state
        if change.body is not None:
            own, other = self.bodies
            self.bodies = (own, (*other, change.body)) if change.seat else ((*own, change.body), other)
        if change.token is not None:
            self.tokens += (change.token,)


class _Network:
    """Connections of one address in the running window."""

    __slots__ = ("connections", "ends")

    def __init__(self) -> None:
        self.connections, self.ends = 0, 0.0


class _Wrong:
    """Wrong claims of one person in the running window, and until when it pauses."""

    __slots__ = ("claims", "ends", "paused")

    def __init__(self) -> None:
        self.claims, self.ends, self.paused = 0, 0.0, 0.0


class _Acts(NamedTuple):
    """When a person did it, at most as often as allowed, and when the last of them leaves the window."""

    instants: tuple[float, ...]
    over: float


class InProcessMailboxes:
    """`ports.mailboxes.Mailboxes` for one event loop."""

    shared = False

    def __init__(self, *, taken_most: int = TAKEN_MOST, counted_most: int = COUNTED_MOST) -> None:
        self._taken_most = taken_most
        self._boxes: dict[str, _Box] = {}  # whoever serves one ends it in time
        self._rests: Fading[float] = Fading(float, taken_most)
        self._tickets: Fading[float] = Fading(float, counted_most)
        self._acts: Fading[_Acts] = Fading(lambda acts: acts.over, counted_most)
        self._networks: Fading[_Network] = Fading(lambda one: one.ends, counted_most)
        self._wrongs: Fading[_Wrong] = Fading(lambda one: max(one.ends, one.paused), counted_most)
        self._tokens: dict[bytes, tuple[str, Seat]] = {}
        self._of_person: dict[str, str] = {}
        self._ear: Ear = _deaf
        self._since: int | None = None

    async def start(self, ear: Ear, at: float) -> None:
        self._ear = ear
        if self._since is None:
            self._since = int(at) + 1

    async def close(self) -> None:
        self._ear = _deaf

    async def ready(self) -> None:
        return

    # Networks

    async def admit(self, network: str, at: float, ceilings: NetworkCeilings) -> None:
        found = self._networks.get(network, at) or _Network()
        if found.ends <= at:
            found.connections, found.ends = 0, at + ceilings.window_s
        if found.connections >= ceilings.connections:
            raise TooMany(s=_whole(found.ends - at))
        found.connections += 1
        self._networks.put(network, found, at)

    # Persons and tickets

    async def claim(self, person: str, at: float) -> None:
        found = self._wrongs.get(person, at)
        if found is not None and found.paused > at:
            raise TooMany(s=_whole(found.paused - at))

    async def wrong(self, person: str, at: float, wrong: WrongClaims) -> None:
        await self.claim(person, at)
        found = self._wrongs.get(person, at) or _Wrong()
        if found.ends <= at:
            found.claims, found.ends = 0, at + wrong.window_s
        found.claims += 1
        if found.claims >= wrong.most:
            found.paused = at + wrong.pause_s
        self._wrongs.put(person, found, at)

    async def show(self, showing: Showing, at: float) -> None:
        self._check_ticket(showing, at)
        self._tickets.put(showing.ticket, showing.until, at)

    def _check_ticket(self, showing: Showing, at: float) -> None:
        if self._since is None or showing.issued < self._since:
            raise TicketInvalid
        if self._tickets.get(showing.ticket, at) is not None:
            raise TicketUsed

    def _acted(self, ceiling: Ceiling, at: float) -> _Acts:
        """The instants of the window, with one more. Raises TooMany."""
        before = self._acts.get(_act(ceiling), at)
        found = [one for one in before.instants if one > at - ceiling.window_s] if before is not None else []
        if len(found) >= ceiling.most:
            raise TooMany(s=_whole(found[-ceiling.most] + ceiling.window_s - at) if ceiling.most else ceiling.window_s)
        return _Acts((*found, at), at + ceiling.window_s)

    # Mailboxes

    async def open(self, opening: Opening) -> str:
        at, person = opening.at, opening.person
        await self.show(opening.showing, at)
        acts = self._acted(opening.ceiling, at)
        self._rests.fade(at)
        free = next((one for one in opening.draws if one not in self._boxes and one not in self._rests), None)
        if len(self._boxes) + len(self._rests) >= self._taken_most or free is None:
            raise SpaceFull
        self._acts.put(_act(opening.ceiling), acts, at)
        former = self._of_person.get(person)
        if former is not None:
            self._forget(former, at)
            self._ear(Ended(former, "cancelled"))
        self._boxes[free] = _Box(opening)
        self._tokens[opening.token] = (free, 0)
        self._of_person[person] = free
        return free

    async def find(self, mailbox: str) -> Kept | None:
        box = self._boxes.get(mailbox)
        return None if box is None else Kept(box.version, box.state, box.bodies)

    async def seat(self, token: bytes) -> tuple[str, Seat] | None:
        return self._tokens.get(token)

    async def change(self, change: Change) -> bool:
        if change.showing is not None:
            self._check_ticket(change.showing, change.at)
        box = self._boxes.get(change.mailbox)
        if box is None or box.version != change.version:
            return False
        if change.showing is not None:
            self._tickets.put(change.showing.ticket, change.showing.until, change.at)
        if change.ceiling is not None:
            self._acts.put(_act(change.ceiling), self._acted(change.ceiling, change.at), change.at)
        if change.token is not None:
            self._tokens[change.token] = (change.mailbox, change.seat)
        box.apply(change)
        return True

    async def end(self, mailbox: str, version: int, why: str, at: float) -> bool:
        del why  # there is no other node to be told
        box = self._boxes.get(mailbox)
        if box is None or box.version != version:
            return False
        self._forget(mailbox, at)
        return True

    def _forget(self, mailbox: str, at: float) -> None:
        box = self._boxes.pop(mailbox, None)
        if box is None:
            return
        for token in box.tokens:
            self._tokens.pop(token, None)
        if self._of_person.get(box.person) == mailbox:
            del self._of_person[box.person]
        self._rests.put(mailbox, at + REST_S, at)


def _act(ceiling: Ceiling) -> str:
    return f"{ceiling.act} {ceiling.person}"


def _whole(seconds: float) -> int:
    return max(1, int(-(-seconds // 1)))


def _deaf(_news: News) -> None:
    """Before `start`."""
