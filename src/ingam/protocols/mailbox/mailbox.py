"""The relay's machine of one mailbox: Opened → Joined → Relaying → Delivered, or it is burnt (security C8, C12).

Pure and blind: it counts messages and knows their sizes, never their contents. Instants are Unix seconds on events;
a seat is 0 (who opened) or 1 (who joined). Bodies lie in the relay's store until `Forget`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step
from ingam.protocols.mailbox.frames import MOST_BODY
from ingam.protocols.mailbox.ticket import Role

RUN_SECONDS: Final = 180
AWAY_SECONDS: Final = 30
MOST_MESSAGES: Final = 8

Seat: TypeAlias = Literal[0, 1]


@dataclass(frozen=True, slots=True)
class Opened:
    """Nobody has joined. `ticket`, `who`, `role`: of the opener's ticket. `ends`: when the number is over."""

    ticket: str
    who: str
    role: Role
    ends: float
    away: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Both were here. `ticket`, `who`, `role`: the opener's, so that a stranger's ticket does not crowd it. `counts`:
    messages a seat. `away`: since when, of each seat, or None.
    """

    ticket: str
    who: str
    role: Role
    ends: float
    counts: tuple[int, int] = (0, 0)
    away: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Relaying:
    """Both have sent."""

    ticket: str
    who: str
    role: Role
    ends: float
    counts: tuple[int, int]
    away: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sender says that it is done. Bookkeeping: the relay cannot know, and nobody relies on it."""

    why: str = "done"


@dataclass(frozen=True, slots=True)
class Crowded:
    """A further device came with a ticket for this mailbox; the run is over for all of them."""

    why: str = "crowded"


@dataclass(frozen=True, slots=True)
class Expired:
    """The time is over."""

    why: str = "expired"


@dataclass(frozen=True, slots=True)
class Burnt:
    """Over without a delivery. `why`: wrong, broken, cancelled, declined, gone or stopping."""

    why: str


Live: TypeAlias = Opened | Joined | Relaying
State: TypeAlias = Live | Delivered | Crowded | Expired | Burnt


@dataclass(frozen=True, slots=True)
class Joins:
    """A device showed a ticket that fits this mailbox (who, peer, opposite role were compared before)."""

    at: float


@dataclass(frozen=True, slots=True)
class Posted:
    """A seat sent a message of `size` octets as its `sequence`. `same`: whether the store has the same bytes under this
    sequence; None if it has none.
    """

    at: float
    seat: Seat
    sequence: int
    size: int
    same: bool | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """A seat's connection is lost."""

    at: float
    seat: Seat


@dataclass(frozen=True, slots=True)
class Back:
    """A seat has resumed, on a new connection."""

    at: float
    seat: Seat


@dataclass(frozen=True, slots=True)
class Closes:
    """A seat says that it is over, with a why of `wire.WHYS`; or its person opened another mailbox (`cancelled`)."""

    seat: Seat
    why: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is `at` now: ask when `deadline` is reached."""

    at: float


@dataclass(frozen=True, slots=True)
class Stops:
    """The relay cannot carry on."""


Event: TypeAlias = Joins | Posted | Away | Back | Closes | TimePassed | Stops


@dataclass(frozen=True, slots=True)
class Tell:
    """To a seat that is connected: `peer`, `away` or `back`."""

    seat: Seat
    told: str


@dataclass(frozen=True, slots=True)
class Carry:
    """Keep this message and give it to `seat` (the other one), when it is connected."""

    seat: Seat
    sequence: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Tell every seat `closed` with `why`; drop bodies and tokens at once; the number rests."""

    why: str


_ALWAYS: Final = {
    Closes: frozenset({Burnt, Expired}),
    Stops: frozenset({Burnt}),
}

EDGES: Final = {
    Opened: {
        Joins: frozenset({Joined, Expired, Burnt}),
        Posted: frozenset({Burnt, Expired}),
        Away: frozenset({Opened, Expired, Burnt}),
        Back: frozenset({Opened, Expired, Burnt}),
        TimePassed: frozenset({Opened, Expired, Burnt}),
        **_ALWAYS,
    },
    Joined: {
        Joins: frozenset({Crowded, Expired, Burnt}),
        Posted: frozenset({Joined, Relaying, Expired, Burnt}),
        Away: frozenset({Joined, Expired, Burnt}),
        Back: frozenset({Joined, Expired, Burnt}),
        TimePassed: frozenset({Joined, Expired, Burnt}),
        **_ALWAYS,
        Closes: frozenset({Joined, Burnt, Expired}),
    },
    Relaying: {
        Joins: frozenset({Crowded, Expired, Burnt}),
        Posted: frozenset({Relaying, Expired, Burnt}),
        Away: frozenset({Relaying, Expired, Burnt}),
        Back: frozenset({Relaying, Expired, Burnt}),
        TimePassed: frozenset({Relaying, Expired, Burnt}),
        **_ALWAYS,
        Closes: frozenset({Relaying, Delivered, Burnt, Expired}),
    },
}


def deadline(state: Live) -> float:
    """When TimePassed has something to say next, unless another event comes before."""
    away = (state.away,) if isinstance(state, Opened) else state.away
    return min([state.ends, *(since + AWAY_SECONDS for since in away if since is not None)])


def role(state: Live, seat: Seat) -> Role:
    """What the device in this seat does."""
    if seat == 0:
        return state.role
    return "receiver" if state.role == "sender" else "sender"


def move(state: State, event: Event) -> Step[State]:
    """The next step; the table was asked before."""
    if not isinstance(state, Opened | Joined | Relaying):
        raise Defect("flow-off-table", machine="mailbox", state=type(state).__name__)
    over = None if isinstance(event, Closes | Stops) else _over(state, event.at)
    if over is not None:
        return _end(over)
    match event:
        case Stops():
            return _end(Burnt("stopping"))
        case Closes(seat, why):
            return _close(state, seat, why)
        case TimePassed():
            return Step(state)
        case Joins(at):
            return _join(state, at)
        case Posted():
            return _post(state, event)
        case Away(at, seat):
            return _away(state, seat, at)
        case Back(_, seat):
            return _back(state, seat)


def _over(state: Live, at: float) -> Expired | Burnt | None:
    if at >= state.ends:
        return Expired()
    return Burnt("gone") if at >= deadline(state) else None


def _end(end: Delivered | Crowded | Expired | Burnt) -> Step[State]:
    return Step(end, (Forget(end.why),))


def _close(state: Live, seat: Seat, why: str) -> Step[State]:
    if why == "expired":
        return _end(Expired())
    if why != "done":
        return _end(Burnt(why))
    # A receiver's `done` would cut off its own last message.
    if not isinstance(state, Opened) and role(state, seat) == "receiver":
        return Step(state)
    return _end(Delivered() if isinstance(state, Relaying) else Burnt("broken"))


def _join(state: Live, at: float) -> Step[State]:
    if not isinstance(state, Opened):
        return _end(Crowded())
    joined = Joined(state.ticket, state.who, state.role, at + RUN_SECONDS, away=(state.away, None))
    return Step(joined, (Tell(0, "peer"),))


def _post(state: Live, event: Posted) -> Step[State]:
    """The next message is carried; the same one again is passed over; a gap, other bytes or one too many burns."""
    if isinstance(state, Opened) or not 0 < event.size <= MOST_BODY:
        return _end(Burnt("broken"))
    count = state.counts[event.seat]
    if event.sequence < count and event.same:
        return Step(state)
    if event.sequence != count or count >= MOST_MESSAGES:
        return _end(Burnt("broken"))
    own, other = state.counts
    counts = (own + 1, other) if event.seat == 0 else (own, other + 1)
    kind = Relaying if all(counts) else Joined
    after = kind(state.ticket, state.who, state.role, state.ends, counts, state.away)
    return Step(after, (Carry(_other(event.seat), event.sequence),))


def _away(state: Live, seat: Seat, at: float) -> Step[State]:
    if isinstance(state, Opened):
        return Step(replace(state, away=at))
    return Step(replace(state, away=_with(state.away, seat, at)), (Tell(_other(seat), "away"),))


def _back(state: Live, seat: Seat) -> Step[State]:
    """Who comes back is told again what it may have missed."""
    if isinstance(state, Opened):
        return Step(replace(state, away=None))
    told: list[object] = [Tell(seat, "peer")] if seat == 0 else []
    if state.away[_other(seat)] is not None:
        told.append(Tell(seat, "away"))
    if state.away[seat] is not None:
        told.append(Tell(_other(seat), "back"))
    return Step(replace(state, away=_with(state.away, seat, None)), tuple(told))


def _other(seat: Seat) -> Seat:
    return 1 if seat == 0 else 0


def _with(away: tuple[float | None, float | None], seat: Seat, at: float | None) -> tuple[float | None, float | None]:
    return (at, away[1]) if seat == 0 else (away[0], at)


MAILBOX: Final[Machine[State, Event]] = Machine("mailbox", 1, EDGES, move)
