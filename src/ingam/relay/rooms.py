"""The mailboxes that a node serves: steps of the machine over versions of the store, news of other nodes, and time.

Saved first, then told. A step is decided over the version that this node knows; where another node was faster, it is
decided again over what the store has. Ends have one queue for all rooms, and a beat once a second.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from ingam.kernel.flow import Step
from ingam.ports.clock import Clock
from ingam.ports.mailboxes import Change, Changed, Ended, Kept, Mailboxes, Missed, News, RelayOutage
from ingam.protocols.mailbox import mailbox as machine
from ingam.protocols.mailbox.mailbox import MAILBOX, Live, Opened, Seat
from ingam.relay.counts import Counts
from ingam.relay.room import Link, Place, Room

TRIES: Final = 8
LIVE: Final = (machine.Opened, machine.Joined, machine.Relaying)


class Held(NamedTuple):
    """A step that the store has taken."""

    room: Room
    step: Step[Any]


class Rooms:
    """Of one node, by mailbox number."""

    def __init__(self, store: Mailboxes, clock: Clock, counts: Counts, on_defect: Callable[[BaseException], None]):
        self._store, self._clock, self._counts, self._on_defect = store, clock, counts, on_defect
        self.all: dict[str, Room] = {}
        self._due: list[tuple[float, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Unix seconds."""
        return self._clock.now().timestamp()

    # Rooms

    async def room(self, mailbox: str) -> Room | None:
        """The mailbox as this node serves it, or as the store has it now."""
        room = self.all.get(mailbox)
        if room is not None:
            return room
        kept = await self._store.find(mailbox)
        return None if kept is None else self.follow(mailbox, kept)

    def follow(self, mailbox: str, kept: Kept) -> Room:
        """The room of what the store has just told."""
        room = self.all.get(mailbox)
        if room is None:
            return Room(mailbox, kept.version, kept.state)
        self._catch_up(room, kept)
        return room

    def seat(self, room: Room, seat: Seat, link: Link | None, delivered: int = 0) -> Place:
        """A device takes its seat here."""
        place = room.places[seat] = Place(room, seat, link, delivered)
        self.all[room.mailbox] = room
        self._wait(room)
        return place

    async def look(self, room: Room) -> None:
        """See what the store has: news that came before the room was here, or not at all, are made up for."""
        kept = await self._store.find(room.mailbox)
        if kept is not None:
            self._catch_up(room, kept)
        elif not room.over:
            self._gone(room)

    # Steps

    async def advance(
        self, room: Room, seat: Seat, event: Callable[[Kept | None], machine.Event], kept: Kept | None = None,
        **words: Any,
    ) -> Held | None:  # fmt: skip
        """Take a step; None where the mailbox is gone. `kept`: what the store had, if it was asked; `words`: of Change.

        Raises what the store's change raises, and RelayOutage where others were faster again and again.
        """
        for _ in range(TRIES):
            if room.over:
                return None
            held = await self.once(room, seat, event(kept), **words)
            if held is not None:
                return held
            kept = await self._store.find(room.mailbox)
            if kept is None:
                self._gone(room)
                return None
            self._catch_up(room, kept)
        raise RelayOutage

    async def once(
        self, room: Room, seat: Seat, event: machine.Event, body: bytes | None = None, **words: Any
    ) -> Held | None:
        """Take a step over the version that this node knows; None where the store has another one."""
        version, before = room.version, room.state
        step = MAILBOX.advance(before, event)
        after = step.state
        if not isinstance(after, LIVE):
            if not await self._store.end(room.mailbox, version, after.why, self.now()):
                return None
            self._end(room, after.why)
            return Held(room, step)
        if not any(isinstance(effect, machine.Carry) for effect in step.effects):
            body = None
        if after is not before or words:
            change = Change(self.now(), room.mailbox, version, after, after.ends, seat, body=body, **words)
            if not await self._store.change(change):
                return None
            self._moved(room, version + 1, after, seat, body)
        return Held(room, step)

    def _moved(self, room: Room, version: int, state: Live, seat: Seat, body: bytes | None) -> None:
        if room.over or room.version >= version:
            return  # news were faster than the store's answer
        room.move(version, state)
        if body is not None:
            room.carry(seat, body)
        self._wait(room)

    def _catch_up(self, room: Room, kept: Kept) -> None:
        if room.over or room.version >= kept.version:
            return
        room.move(kept.version, kept.state)
        for place in room.places:
            if place is not None:
                place.carry(kept.bodies[1 - place.seat])
        self._wait(room)

    def _end(self, room: Room, why: str) -> None:
        if room.over:
            return
        self._counts.ended[why] += 1
        if self.all.get(room.mailbox) is room:
            del self.all[room.mailbox]
        room.end(why)

    def _gone(self, room: Room) -> None:
        """The store has it no more, and nobody has told this node why."""
        self._end(room, "expired" if self.now() >= room.state.ends else "gone")

    # News of other nodes

    def hear(self, news: News) -> None:
        """What the store tells (`ports.mailboxes.Ear`)."""
        if isinstance(news, Missed):
            for room in list(self.all.values()):
                self.later(self.look(room))
            return
        found = self.all.get(news.mailbox)
        if found is None:
            return
        if isinstance(news, Ended):
            self._end(found, news.why)
        else:
            self._hear_change(found, news)

    def _hear_change(self, room: Room, news: Changed) -> None:
        if news.version > room.version + 1:
            self.later(self.look(room))
        else:
            self._moved(room, news.version, news.state, news.seat, news.body)
        if not news.takes:
            return
        room.leave(news.seat)
        if room.places == [None, None]:
            room.over = True
            del self.all[room.mailbox]

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside everything else; a store that is down then is left to the next beat."""
        task = asyncio.get_running_loop().create_task(self.guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it; what nobody waits for raises to nobody."""
        try:
            await work
        except RelayOutage:
            pass
        except Exception as error:
            self._on_defect(error)

    async def settle(self) -> None:
        """Wait for what goes on beside."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # Time

    def _wait(self, room: Room) -> None:
        """A room stands in the queue under its earliest deadline; a later one is found when that has come."""
        due = room.deadline
        if due < room.due:
            self._push(room, due)

    def _push(self, room: Room, due: float) -> None:
        room.due = due
        heapq.heappush(self._due, (due, room.mailbox))

    def beat(self) -> None:
        """Once a second: what time ends."""
        now = self.now()
        while self._due and self._due[0][0] <= now:
            due, mailbox = heapq.heappop(self._due)
            room = self.all.get(mailbox)
            if room is None or room.due != due:
                continue
            if room.deadline > now:
                self._push(room, room.deadline)
            else:
                self._push(room, now + 1)  # where the store does not answer, it is tried again
                self.later(self._pass_time(room))

    async def _pass_time(self, room: Room) -> None:
        try:
            await self.advance(room, 0, lambda _: machine.TimePassed(self.now()))
        except RelayOutage:
            if self.now() >= room.state.ends:
                self._end(room, "expired")

    # The end of the process

    async def stop(self, *, waiting: bool) -> None:
        """End every room, or only those that are `waiting` for a second device."""
        chosen = [room for room in self.all.values() if isinstance(room.state, Opened) or not waiting]
        await asyncio.gather(*(self.guarded(self._stop(room)) for room in chosen))

    async def _stop(self, room: Room) -> None:
        await self.advance(room, 0, lambda _: machine.Stops())

    def part(self) -> None:
        """Leave every room to other nodes: its devices resume there."""
        for room in list(self.all.values()):
            room.leave(0)
            room.leave(1)
        self.all.clear()
